"""The judgement of whether people can log in: of any facts, what the operator may rely on."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from messenger_api.domain.health.facts import (
    Activity,
    Budget,
    Country,
    Date,
    Disk,
    Facts,
    Mesibo,
    Outbox,
    Outcomes,
    Receipts,
    Refusals,
    Texts,
)
from messenger_api.domain.health.findings import KNOWN, Login, Severity
from messenger_api.domain.health.judgement import QUIET_SECONDS, RECENT_SECONDS, judge

NOW = 1_800_000_000
DAY = 86_400
PAGE = Path(__file__).parents[2] / "docs" / "operations" / "status.md"

moments = st.one_of(st.just(0), st.integers(NOW - 2 * RECENT_SECONDS, NOW), st.integers(1, NOW))
counts = st.integers(0, 50)
outcomes = st.builds(
    Outcomes, st.just("twilio"), worked_at=moments, failed_at=moments, worked=counts, failed=counts
)
budgets = st.builds(
    Budget,
    st.sampled_from(["day", "month"]),
    spent=st.floats(0, 300),
    most=st.floats(0, 300),
    cheapest=st.floats(0.01, 1),
    began_at=st.integers(NOW - DAY, NOW - 1),
    ends_at=st.integers(NOW + 1, NOW + DAY),
)
texts = st.builds(
    Texts,
    currency=st.just("USD"),
    providers=st.lists(outcomes, max_size=3).map(tuple),
    receipts=st.lists(st.builds(Receipts, st.just("twilio"), counts, counts), max_size=2).map(tuple),
    budgets=st.lists(budgets, max_size=2).map(tuple),
    paused=st.lists(st.builds(Country, st.just("DE"), counts, counts), max_size=2).map(tuple),
    paused_ranges=counts,
)
facts = st.builds(
    Facts,
    now=st.just(NOW),
    database=st.sampled_from(["ok", "read only", "away"]),
    schema=st.sampled_from(["current", "older", "newer", "incomplete"]),
    mesibo=st.builds(Mesibo, outcomes, outcomes, token_refused_at=moments, breached_at=moments),
    texts=st.none() | texts,
    method=st.none() | outcomes,
    refusals=st.lists(st.builds(Refusals, st.just("sms_per_hour"), counts, moments), max_size=2).map(tuple),
    outbox=st.builds(Outbox, counts, counts, counts, st.booleans(), st.booleans()),
    disks=st.lists(st.builds(Disk, st.just("/srv"), st.integers(0, 10**9), st.booleans()), max_size=2).map(
        tuple
    ),
    dates=st.lists(
        st.builds(Date, st.just("a certificate"), moments, st.just("renew it"), st.booleans()), max_size=2
    ).map(tuple),
    activity=st.builds(Activity, moments, moments, counts, counts),
)


def codes(found: Facts) -> list[str]:
    return [finding.code for finding in judge(found).findings]


@given(st.sampled_from(["mesibo_away", "app_token_refused", "app_disabled"]))
def test_of_mesibo_what_failed_last_is_told(last: str) -> None:
    failed_at = dict.fromkeys(("mesibo_away", "app_token_refused", "app_disabled"), NOW - 60) | {last: NOW}
    mesibo = Mesibo(
        Outcomes("mesibo", worked_at=NOW - 90, failed_at=failed_at["mesibo_away"]),
        token_refused_at=failed_at["app_token_refused"],
        breached_at=failed_at["app_disabled"],
    )
    assert [each.code for each in judge(Facts(now=NOW, mesibo=mesibo)).findings] == [last]


@given(facts)
def test_people_can_log_in_as_far_as_the_gravest_finding_lets_them(found: Facts) -> None:
    judgement = judge(found)
    left = {finding.login for finding in judgement.findings}
    assert judgement.login is next((login for login in (Login.NO, Login.LIMITED) if login in left), Login.YES)
    assert all(
        finding.severity is Severity.FAULT for finding in judgement.findings if finding.login is Login.NO
    )
    assert judgement == judge(found)


@given(facts)
def test_findings_come_in_the_order_of_gravity(found: Facts) -> None:
    logins, severities, order = [Login.NO, Login.LIMITED, Login.YES], list(Severity), list(KNOWN)
    gravity = [
        (logins.index(each.login), severities.index(each.severity), order.index(each.code))
        for each in judge(found).findings
    ]
    assert gravity == sorted(gravity)


@given(st.booleans())
def test_a_full_disk_is_told_first_where_the_database_lies_on_it(holds_database: bool) -> None:
    mesibo = Mesibo(Outcomes("mesibo", worked=10, failed=10))
    told = codes(Facts(now=NOW, mesibo=mesibo, disks=(Disk("/srv", 0, holds_database),)))
    assert told == (["disk_full", "mesibo_unsteady"] if holds_database else ["mesibo_unsteady", "disk_full"])


@given(facts)
def test_every_finding_is_known_and_says_what_to_do(found: Facts) -> None:
    for each in judge(found).findings:
        assert each.to_do
        assert each.docs == f"docs/operations/status.md#{each.code}"
        assert 0 <= each.since <= NOW


@given(facts)
def test_what_strangers_are_told_names_no_amount(found: Facts) -> None:
    for each in judge(found).findings:
        assert not re.search(r"\d", each.said)
        assert "DE" not in each.said.split()
        assert "twilio" not in each.said


@given(facts, st.sampled_from([0, 1, 60]))
def test_a_success_that_is_newer_than_every_failure_ends_the_alarm(found: Facts, later: int) -> None:
    well = Outcomes("twilio", worked_at=NOW - later, failed_at=NOW - later)
    mesibo = Mesibo(well, token_refused_at=NOW - later, breached_at=NOW - later)
    texts_now = found.texts and replace(found.texts, providers=(well,))
    gone = set(codes(replace(found, mesibo=mesibo, texts=texts_now, method=well)))
    assert not gone & {
        "mesibo_away", "app_token_refused", "app_disabled", "texts_fail", "provider_fails", "method_away"
    }  # fmt: skip


@given(facts)
def test_failures_age_out(found: Facts) -> None:
    old = Outcomes("twilio", failed_at=NOW - RECENT_SECONDS - 1)
    mesibo = Mesibo(old, token_refused_at=old.failed_at, breached_at=old.failed_at)
    texts_now = found.texts and replace(found.texts, providers=(old,))
    gone = set(codes(replace(found, mesibo=mesibo, texts=texts_now, method=old)))
    assert not gone & {
        "mesibo_away", "app_token_refused", "app_disabled", "texts_fail", "provider_fails", "method_away"
    }  # fmt: skip


@given(facts)
def test_without_log_ins_of_late_nothing_is_said_to_be_well(found: Facts) -> None:
    activity = Activity(begun_at=NOW - QUIET_SECONDS - 1)
    judgement = judge(replace(found, activity=activity))
    assert judgement.quiet
    assert judgement.headline() != "People can log in."


@given(facts, st.floats(0, 100))
def test_more_money_never_makes_it_worse(found: Facts, more: float) -> None:
    if found.texts is None:
        return
    raised = tuple(replace(budget, most=budget.most + more) for budget in found.texts.budgets)
    grave = [Login.YES, Login.LIMITED, Login.NO]
    after = judge(replace(found, texts=replace(found.texts, budgets=raised)))
    assert grave.index(after.login) <= grave.index(judge(found).login)


def test_nothing_known_is_nothing_found() -> None:
    judgement = judge(Facts(now=NOW))
    assert (judgement.login, judgement.findings, judgement.quiet) == (Login.YES, (), True)


def test_the_page_explains_every_finding_and_no_other() -> None:
    assert re.findall(r"^### `(\w+)`$", PAGE.read_text(), re.MULTILINE) == list(KNOWN)

"""What happens is counted where it happens, added up over processes, and told the same by each of them."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from messenger_api.bookkeeping import Bookkeeper
from messenger_api.domain.counting import MOST_SERIES, Accumulator
from messenger_api.domain.figures import (
    LOGINS_BEGUN,
    LOGINS_COMPLETED,
    MESIBO_CALLS,
    MILLION,
    OUTBOX_DONE,
    REFUSALS,
    REQUEST_SECONDS,
    REQUESTS,
    SESSIONS_ENDED,
    SIGN_UPS,
    SUM,
    TEXTS,
    USERS_ACTIVE,
    Figure,
    Kind,
)
from messenger_api.services.operator.figures import Figures
from messenger_api.storage import figures as rows
from tests.product import APPID, Product

NUMBER, OTHER_NUMBER = "919876543210", "919876543211"
HOUR, DAY = 3600, 86_400
WAITS = Figure("test_waits", Kind.HISTOGRAM, "For this file.", ("op",), (0.1, 1.0))


def told(product: Product) -> Figures:
    """What anybody is told, when this process has added what it counted."""
    assert product.parts.bookkeeper.keep()
    return product.parts.operator.figures


# --- Where things happen


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"error": "AUTHFAIL"}, "token_refused"),
        ({"error": "TOKENBREACH"}, "breached"),
        ({"error": "USERNOTFOUND"}, "refused"),
        ({"drop": True}, "unreachable"),
    ],
)
def test_calls_of_mesibo_are_counted_by_op_and_outcome(
    product: Product, fault: dict[str, Any], outcome: str
) -> None:
    product.log_in(NUMBER)
    product.sandbox.faults.add("useradd", **fault)
    product.call("login", phone=OTHER_NUMBER, appid=APPID)
    product.call("login", phone=OTHER_NUMBER, otp=product.code(OTHER_NUMBER), appid=APPID)
    assert told(product).totals(MESIBO_CALLS) == {("useradd", "ok"): 1, ("useradd", outcome): 1}


def test_texts_are_counted_by_provider_country_and_outcome(product: Product) -> None:
    product.ok("login", phone=NUMBER, appid=APPID)
    product.ok("login", phone="4915123456789", appid=APPID)
    assert told(product).totals(TEXTS) == {("console", "IN", "sent"): 1, ("console", "DE", "sent"): 1}


def test_the_last_success_keeps_its_second_however_late_it_is_kept(product: Product) -> None:
    product.log_in(NUMBER)
    happened = product.services.database.now()
    product.clock.advance(HOUR)
    last = told(product).last
    assert happened - 5 <= last(MESIBO_CALLS, op="useradd", outcome="ok") <= happened
    assert last(MESIBO_CALLS, outcome="ok") >= happened - 5
    assert last(MESIBO_CALLS, outcome="breached") == 0


def test_calls_are_counted_by_op_and_error_with_their_seconds(product: Product) -> None:
    phone = product.log_in(NUMBER)
    phone.ok("getcontacts")
    product.call("getcontacts", token="x")
    product.call("nonsense")
    product.http.post("/api.php")
    figures = told(product)
    assert figures.totals(REQUESTS) == {
        ("login", "none"): 2,
        ("getcontacts", "none"): 1,
        ("getcontacts", "AUTHFAIL"): 1,
        ("unknown", "BADOP"): 1,
        ("none", "none"): 1,
    }
    seconds = figures.totals(REQUEST_SECONDS)
    ops = Counter(op for (op, part), n in seconds.items() if part != SUM for _ in range(n))
    assert ops == {"login": 2, "getcontacts": 2, "unknown": 1, "none": 1}
    assert 0 < seconds["login", SUM] < 60 * MILLION


def test_what_mesibo_says_is_no_label(product: Product) -> None:
    phone = product.log_in(NUMBER)
    product.sandbox.faults.add("groupadd", error="NEVERHEARDOF")
    phone.call("setgroup", name="We", m=OTHER_NUMBER)
    assert ("setgroup", "refused") in told(product).totals(REQUESTS)


def test_limits_are_counted_by_their_names(product: Product) -> None:
    for _ in range(2):
        product.call("login", phone=NUMBER, appid=APPID)
    for _ in range(3):
        product.call("login", phone=NUMBER, otp="000000", appid=APPID)
    assert told(product).totals(REFUSALS) == {("resend_gap", "enforce"): 1}


def test_a_day_of_one_account_is_counted_once(product: Product) -> None:
    phone = product.log_in(NUMBER)
    another = product.log_in(NUMBER, device="tablet")
    figures = told(product)
    assert figures.totals(LOGINS_BEGUN) == {("otp",): 2}
    assert figures.totals(LOGINS_COMPLETED) == {("otp",): 2}
    assert figures.totals(SIGN_UPS) == {("IN",): 1}
    before = figures.totals(USERS_ACTIVE)[()]
    for _ in range(3):
        product.clock.advance(DAY + 60)
        for each in (phone, another, phone, another):
            each.ok("getcontacts")
    assert told(product).totals(USERS_ACTIVE)[()] - before == 3


def test_ends_of_sessions_are_counted_with_their_reason(product: Product) -> None:
    phone, other = product.log_in(NUMBER), product.log_in(OTHER_NUMBER)
    phone.ok("logout")
    product.services.sessions.revoke_all(product.services.callers.find(other.token).uid)
    assert told(product).totals(SESSIONS_ENDED) == {("logout",): 1, ("revoked",): 1}


def test_tasks_are_counted_by_kind_and_outcome(product: Product) -> None:
    phone = product.log_in(NUMBER)
    phone.ok("logout")
    product.sandbox.faults.add("usertoken", error="NOTNOW", times=1)
    product.deliver()
    totals = told(product).totals(OUTBOX_DONE)
    assert totals["user_changed", "done"] == 1
    assert sum(totals.values()) >= 2


# --- Added up


def process(product: Product) -> tuple[Accumulator, Bookkeeper]:
    """What another process has."""
    counted = Accumulator(product.services.database.now)
    return counted, Bookkeeper(product.services.database, counted, product.parts.trace)


def test_processes_that_add_at_once_lose_nothing(product: Product) -> None:
    def add() -> None:
        counted, bookkeeper = process(product)
        for turn in range(20):
            for op in ("useradd", "groupadd", f"op{turn}"):
                counted.count(MESIBO_CALLS, op, "ok")
            while not bookkeeper.keep():
                pass

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    figures = told(product)
    totals = figures.totals(MESIBO_CALLS)
    assert (totals["useradd", "ok"], totals["groupadd", "ok"], totals["op7", "ok"]) == (80, 80, 4)
    assert figures.recent(MESIBO_CALLS, 60) == totals


def test_what_the_database_does_not_take_is_kept_for_the_next_time(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, bookkeeper = process(product)
    counted.count(MESIBO_CALLS, "useradd", "ok", by=3)
    with monkeypatch.context() as patch:

        def refuse(*_: object) -> None:
            raise OperationalError("", None, Exception("no such table"))

        patch.setattr(rows, "add", refuse)
        assert not bookkeeper.keep()
    counted.count(MESIBO_CALLS, "useradd", "ok")
    assert bookkeeper.keep()
    assert told(product).totals(MESIBO_CALLS)["useradd", "ok"] == 4


def test_a_histogram_has_its_values_by_bound_and_their_sum(product: Product) -> None:
    counted, bookkeeper = process(product)
    for seconds in (0.02, 0.1, 0.5, 7.25):
        counted.observe(WAITS, seconds, "login")
    bookkeeper.keep()
    assert told(product).totals(WAITS) == {
        ("login", "0.1"): 2,
        ("login", "1"): 1,
        ("login", "+Inf"): 1,
        ("login", SUM): 7_870_000,
    }


# --- In the course of time


def test_spans_become_hours_and_hours_go(product: Product) -> None:
    counted, bookkeeper = process(product)
    begun = product.services.database.now()
    for _ in range(36):
        counted.count(MESIBO_CALLS, "useradd", "ok")
        bookkeeper.keep()
        product.clock.advance(300)
    figures, keep = told(product), product.parts.worker.housekeeping
    assert len(figures.series(MESIBO_CALLS, begun)) == 36

    product.clock.advance(3 * DAY)
    keep.keep()
    hours = figures.series(MESIBO_CALLS, begun - HOUR)
    assert {start % HOUR for start in hours} == {0}
    assert sum(value["useradd", "ok"] for value in hours.values()) == 36
    assert 3 <= len(hours) <= 4
    assert figures.series(MESIBO_CALLS, begun - HOUR, DAY).keys() <= {
        begun // DAY * DAY,
        begun // DAY * DAY + DAY,
    }

    product.clock.advance(91 * DAY)
    while product.services.database.run(partial(rows.purge, now=product.services.database.now())):
        pass
    assert figures.series(MESIBO_CALLS, 1) == {}
    assert figures.totals(MESIBO_CALLS)["useradd", "ok"] == 36


def test_what_was_long_ago_is_not_recent(product: Product) -> None:
    counted, bookkeeper = process(product)
    counted.count(TEXTS, "twilio", "DE", "unavailable")
    bookkeeper.keep()
    product.clock.advance(1000)
    counted.count(TEXTS, "twilio", "DE", "sent")
    bookkeeper.keep()
    assert told(product).recent(TEXTS, 600) == {("twilio", "DE", "sent"): 1}


# --- Bounds


@given(st.lists(st.one_of(st.text(), st.from_regex(r"\+?[0-9]{4,15}", fullmatch=True)), min_size=1))
def test_no_label_is_a_number_or_breaks_what_is_kept(labels: list[str]) -> None:
    counted = Accumulator(lambda: 0)
    for label in labels:
        counted.count(MESIBO_CALLS, label, "ok")
    for growth in counted.take():
        op, outcome = growth.labels
        assert outcome == "ok"
        assert not op.strip("+").isdigit()
        assert len(op) <= 32
        assert op.isascii()


def test_there_is_a_bounded_number_of_series(product: Product) -> None:
    counted, bookkeeper = process(product)
    for count in range(MOST_SERIES + 500):
        counted.count(MESIBO_CALLS, f"op{count}", "ok")
    bookkeeper.keep()
    totals = told(product).totals(MESIBO_CALLS)
    assert len(totals) == MOST_SERIES + 1
    assert totals["other", "other"] == 500


def test_metrics_tells_what_other_processes_counted(product: Product) -> None:
    counted, bookkeeper = process(product)
    counted.count(MESIBO_CALLS, "useradd", "ok", by=5)
    bookkeeper.keep()
    page = product.http.get("/metrics").text
    assert 'messenger_mesibo_calls_total{op="useradd",outcome="ok"} 5.0' in page

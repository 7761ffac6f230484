"""Limits: the rules under any history, and counting them in the database from many sides at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, String
from structlog.testing import capture_logs

from messenger_api.configuration import build
from messenger_api.domain.counting import Accumulator
from messenger_api.domain.errors import TooMany, TryLater
from messenger_api.domain.limits import SLOTS, Bucket, Period, Rule, Window
from messenger_api.domain.phone import Phone
from messenger_api.domain.pseudonyms import of_phone
from messenger_api.domain.secrets import Keys
from messenger_api.gateways.sms import Channel
from messenger_api.services.allowed import Allowed
from messenger_api.services.limits import DAY, Claim, Limits
from messenger_api.services.login.attempts import SECRETS
from messenger_api.services.otp.failed_attempts import DAILY
from messenger_api.services.sms.budget import TextBudget
from messenger_api.services.sms.money import MILLION
from messenger_api.services.sms.pauses import Pauses
from messenger_api.services.sms.text_limits import TextLimits
from messenger_api.settings import Settings
from messenger_api.settings.limits import LIMITS
from messenger_api.storage import counters
from messenger_api.storage.models import LimitCounter
from tests.product import APPID, Product, at_once

NOW = 1_795_225_307.0
THREADS, MOST = 40, 10
# A moment of the clock that a float near NOW can tell.
INSTANT = 1e-3

Make = Callable[..., Product]
# How long after the one before an event comes, and how many it asks for at once.
Events = list[tuple[float, int]]


def events(longest: float, most: int = 4) -> st.SearchStrategy[Events]:
    """Any history; close together and far apart."""
    gaps = st.one_of(st.just(0.0), st.floats(0, longest / 20), st.floats(0, longest))
    return st.lists(st.tuples(gaps, st.integers(1, most)), max_size=60)


def play(rule: Rule, history: Events) -> list[tuple[float, int]]:
    """Ask for all of it in turn; what was let through, and when. A refusal's wait must be the truth."""
    state, now, through = "", NOW, []
    for gap, amount in history:
        now += gap
        taken = rule.take(state, now, amount)
        if taken.wait:
            assert not rule.take(state, now + taken.wait, amount).wait
        else:
            state = taken.state
            through.append((now, amount))
    return through


def with_and_without(rule: Rule, history: Events, undone: int) -> tuple[str, str, float, float]:
    """The state after all events, the state without the undone one, when that one was, and the end."""
    state = without = ""
    now = at = NOW
    for n, (gap, amount) in enumerate(history):
        now += gap
        state = rule.take(state, now, amount).state
        if n == undone:
            at = now
        else:
            without = rule.take(without, now, amount).state
    return state, without, at, now


# --- A window


WINDOWS = st.builds(Window, st.integers(4, 30), st.sampled_from([1, 7, 59, 60, 61, 300, 3600, DAY, 10 * DAY]))


@given(WINDOWS, st.data())
def test_no_stretch_of_a_window_holds_more_than_the_most(rule: Window, data: st.DataObject) -> None:
    through = play(rule, data.draw(events(rule.seconds)))
    for end, _ in through:
        within = sum(amount for at, amount in through if end - rule.seconds < at <= end)
        assert within <= rule.most


@given(WINDOWS, st.data())
def test_a_window_refuses_nothing_that_is_a_slot_beyond_it(rule: Window, data: st.DataObject) -> None:
    """Stricter than the truth by one slot of sixty, and by no more."""
    state, now = "", NOW
    through: list[tuple[float, int]] = []
    for gap, amount in data.draw(events(rule.seconds)):
        now += gap
        taken = rule.take(state, now, amount)
        counted = sum(n for at, n in through if at > now - rule.keeps)
        if taken.wait:
            assert counted + amount > rule.most
            assert taken.wait <= rule.keeps
        else:
            state = taken.state
            through.append((now, amount))
    assert rule.keeps - rule.seconds <= max(1, rule.seconds // SLOTS + 1)


@given(WINDOWS, st.data())
def test_what_a_window_gives_back_was_never_there(rule: Window, data: st.DataObject) -> None:
    """Whatever else was counted meanwhile: as if it had not been taken, now and at any later time."""
    history = data.draw(events(rule.seconds / 4, most=2))
    undone = data.draw(st.integers(0, max(0, len(history) - 1)))
    state, without, at, now = with_and_without(rule, history, undone)
    if history:
        state = rule.uncount(state, at, now, history[undone][1])
    later = now + data.draw(st.floats(0, rule.keeps))
    assert rule.count(state, later) == rule.count(without, later)


# --- A bucket


BUCKETS = st.builds(Bucket, st.integers(4, 60), st.floats(0.006, 600))


@given(BUCKETS, st.data())
def test_a_bucket_lets_a_burst_through_and_then_its_rate(rule: Bucket, data: st.DataObject) -> None:
    through = play(rule, data.draw(events(rule.each * 4)))
    for first, (start, _) in enumerate(through):
        count = 0
        for at, amount in through[first:]:
            count += amount
            assert count <= rule.burst + (at - start + INSTANT) / rule.each


@given(BUCKETS, st.floats(0, 100_000))
def test_a_whole_burst_fits_at_once_and_nothing_more(rule: Bucket, later: float) -> None:
    assert len(play(rule, [(later, 1), *[(0.0, 1)] * 80])) == rule.burst


@given(BUCKETS, st.data())
def test_a_bucket_gives_back_no_more_than_was_taken(rule: Bucket, data: st.DataObject) -> None:
    history = data.draw(events(rule.each * 2))
    undone = data.draw(st.integers(0, max(0, len(history) - 1)))
    state, without, at, now = with_and_without(rule, history, undone)
    if history:
        before = state
        state = rule.uncount(state, at, now, history[undone][1])
        assert rule.take(state, now).used <= rule.take(before, now).used
    assert rule.take(state, now).used >= rule.take(without, now).used - INSTANT / rule.each


def test_what_a_bucket_gives_back_at_once_can_be_taken_again() -> None:
    rule = Bucket(3, 60)
    state = ""
    for _ in range(3):
        state = rule.take(state, NOW).state
    assert rule.take(state, NOW).wait == 60
    assert not rule.take(rule.uncount(state, NOW, NOW), NOW).wait


# --- A period


@given(st.lists(st.integers(1, 50_000), max_size=40), st.integers(50_000, 500_000))
def test_a_period_holds_its_most_until_it_ends(amounts: list[int], most: int) -> None:
    rule, state, used = Period(most, int(NOW) + 1000, keeps=DAY), "", 0
    for amount in amounts:
        taken = rule.take(state, NOW, amount)
        assert taken.wait == (1000 if used + amount > most else 0)
        if not taken.wait:
            state, used = taken.state, used + amount
    assert used <= most
    if amounts and state:
        assert float(rule.uncount(state, NOW, NOW, amounts[0])) == max(0, used - amounts[0])


def test_the_next_period_begins_with_nothing(product: Product) -> None:
    limits = product.services.limits

    def claim(day: str) -> Claim:
        return Claim("sms_budget_day", day, Period(2, product.services.database.now() + 60, keeps=DAY))

    limits.take([claim("2027-01-01")])
    limits.take([claim("2027-01-01")])
    with pytest.raises(TooMany) as caught:
        limits.take([claim("2027-01-01")])
    assert 58 <= caught.value.retry_after <= 60
    limits.take([claim("2027-01-02")])


# --- Room in the database


def largest(**changes: object) -> Settings:
    """Every limit at the largest value that its key accepts."""
    values: dict[str, object] = dict(changes)
    for each in fields(Settings):
        if each.name.startswith(
            ("sms_per", "sms_budget", "new_numbers", "otp_wrong", "login_tries", "sms_price")
        ):
            for value in (30_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1000, 500, 100, 90):
                with suppress(Exception):
                    build(**{each.name: value})
                    values[each.name] = value
                    break
    return build(**values)


def room_of(column: str) -> int:
    kind = LimitCounter.__table__.c[column].type
    assert isinstance(kind, String)
    return kind.length or 0


def test_every_state_fits_into_its_column() -> None:
    """Every slot in use, each with as much in it as could ever get there, in the year 2100."""
    settings = largest(sms_prices={})
    assert settings.sms_per_hour == 1_000_000
    assert settings.new_numbers == 10_000_000
    limits = Limits(settings, None, Accumulator(lambda: 0))  # type: ignore[arg-type]
    names = of_phone(Keys.derive("x"), Phone("919876543210"), "203.0.113.7")
    allowed = Allowed(settings, None)  # type: ignore[arg-type]
    plan = TextLimits(settings, allowed, limits, TextBudget(settings, allowed), Pauses(settings)).plan(
        names, Channel.SMS, int(NOW)
    )
    new_numbers = Window(settings.new_numbers, settings.new_numbers_days * DAY)
    rules = [*(claim.rule for claim in plan.claims), new_numbers, DAILY, SECRETS, Window(1, 60), Window(1, 1)]
    assert room_of("slots") == 2048
    for rule in rules:
        state, start, step = "", 4_102_444_800.0, max(1, rule.keeps / (2 * SLOTS))
        amount = min(10_000_000, MILLION * 100) if isinstance(rule, Window) else MILLION * 100
        for n in range(3 * SLOTS):
            state = rule.take(state, start + n * step, amount).state
            assert len(state) < room_of("slots"), rule


def test_every_name_fits_into_its_column() -> None:
    subject = Keys.derive("x").subject("y")
    longest = max(len(Claim(limit, subject, DAILY).counter) for limit in (*LIMITS, "sms_entered_country"))
    assert longest <= room_of("name")


# --- In the database


def limit(subject: str = "a", most: int = MOST, name: str = "sms_per_ip") -> Claim:
    return Claim(name, subject, Window(most, 3600))


def all_at_once(work: Callable[[int], object]) -> list[object]:
    """What each of so many threads, which begin at the same moment, returns or raises."""

    def one(n: int) -> object:
        try:
            return work(n)
        except (TooMany, TryLater) as error:
            return error

    return at_once(THREADS, one)


@pytest.mark.parametrize("exists", [False, True])
def test_of_40_at_once_exactly_as_many_as_the_limit_get_through(product: Product, exists: bool) -> None:
    limits = product.services.limits
    if exists:
        limits.take([limit()])
        limits.write(
            lambda tx, _now: counters.write(tx, {limit().counter: ""}, [(limit().counter, "", 2**33)])
        )
    answers = all_at_once(lambda _n: limits.take([limit()]))
    assert answers.count(None) == MOST
    assert sum(isinstance(answer, TooMany) for answer in answers) == THREADS - MOST


def test_the_same_in_one_statement_each(product: Product) -> None:
    limits = product.services.limits
    answers = all_at_once(lambda _n: limits.take_from(limit(), None))
    assert answers.count(None) == MOST
    assert sum(isinstance(answer, TooMany) for answer in answers) == THREADS - MOST


def test_several_limits_at_once_are_all_taken_or_none(product: Product) -> None:
    """Each thread wants a limit of its own kind and a shared one, named in either order."""
    limits = product.services.limits

    def work(n: int) -> None:
        wanted = [limit("shared"), limit(f"own {n % 4}", most=4)]
        limits.take(wanted if n % 2 else wanted[::-1])

    answers = all_at_once(work)
    through = answers.count(None)
    assert through == MOST
    assert not [answer for answer in answers if isinstance(answer, TryLater)]
    own = [counted(product, limit(f"own {n}")) for n in range(4)]
    assert (counted(product, limit("shared")), sum(own)) == (MOST, MOST)
    assert max(own) <= 4


def counted(product: Product, claim: Claim) -> float:
    rows = product.services.database.run(lambda tx: counters.read(tx, [claim.counter]))
    assert isinstance(claim.rule, Window)
    return claim.rule.count(rows.get(claim.counter, ""), product.clock())


def test_a_refusal_counts_nothing_and_names_the_longest_wait(product: Product) -> None:
    limits = product.services.limits
    short, long = Claim("sms_per_ip", "s", Window(1, 60)), Claim("sms_per_prefix", "l", Window(1, 3600))
    limits.take([short, long])
    other = limit("other")
    with pytest.raises(TooMany) as caught:
        limits.take([other, short, long])
    assert 3600 <= caught.value.retry_after <= 3660
    assert counted(product, other) == 0
    assert counted(product, short) == 1


# --- What happens at a limit


def test_off_counts_nothing_and_refuses_nothing(make_product: Make) -> None:
    limits = make_product(limits="off", limit_modes={"sms_per_ip": "enforce"}).services.limits
    for _ in range(3):
        limits.take([limit(most=1)])
    assert make_product().rows("SELECT * FROM limit_counters") == []


def test_track_counts_and_says_so_and_refuses_nothing(make_product: Make) -> None:
    product = make_product(limits="track")
    with capture_logs() as log:
        for _ in range(3):
            product.services.limits.take([limit(most=2)])
    assert counted(product, limit()) == 3
    [reached] = [entry for entry in log if entry["event"] == "limit.reached"]
    assert (reached["limit"], reached["mode"], reached["log_level"]) == ("sms_per_ip", "track", "warning")


def test_one_limit_may_be_told_apart(make_product: Make) -> None:
    modes = {"sms_per_ip": "track", "sms_per_prefix": "off"}
    product = make_product(limit_modes=modes)
    limits = product.services.limits
    tracked, off, kept = (
        limit(most=1, name=name) for name in ("sms_per_ip", "sms_per_prefix", "sms_per_hour")
    )
    for _ in range(2):
        limits.take([tracked, off])
    limits.take([kept])
    with pytest.raises(TooMany):
        limits.take([kept])
    assert (counted(product, tracked), counted(product, off), counted(product, kept)) == (2, 0, 1)


@pytest.mark.parametrize(
    ("settings", "answers"),
    [
        ({}, ["OK", "TOOMANY"]),
        ({"limits": "track"}, ["OK", "OK"]),
        ({"limits": "off"}, ["OK", "OK"]),
        ({"limit_modes": {"sms_per_number_hour": "track", "resend_gap": "track"}}, ["OK", "OK"]),
        ({"limits": "track", "limit_modes": {"resend_gap": "enforce"}}, ["OK", "TOOMANY"]),
    ],
)
def test_so_does_the_app_see_it(make_product: Make, settings: dict[str, object], answers: list[str]) -> None:
    product = make_product(sms_per_number_hour=1, **settings)
    got = [product.call("login", phone="14155550101", appid=APPID) for _ in range(2)]
    assert [answer.get("error", "OK") for answer in got] == answers


# --- What counting costs


def fill(product: Product, rows: int) -> None:
    def work(tx: Connection, now: int) -> None:
        names = [(f"sms_per_ip:{n:032x}", '{"1":1}', now + 3600) for n in range(rows)]
        counters.write(tx, {}, names)

    product.services.limits.write(work)


def test_counting_costs_the_same_however_much_was_counted(product: Product) -> None:
    limits = product.services.limits
    wanted = [limit("a"), limit("b"), limit("c")]
    limits.take(wanted)
    with product.statements() as few:
        limits.take(wanted)
    fill(product, 2000)
    with product.statements() as many:
        limits.take(wanted)
    assert many == few
    assert [statement.split()[0] for statement in many] == ["SELECT", "UPDATE"]


def test_and_finds_its_rows_by_their_key(product: Product) -> None:
    fill(product, 2000)
    if product.services.database.engine.dialect.name == "sqlite":
        plan = product.rows("EXPLAIN QUERY PLAN SELECT slots FROM limit_counters WHERE name IN ('a', 'b')")
        assert all("SEARCH" in row[-1] for row in plan)
        return
    product.rows("ANALYZE TABLE limit_counters")
    [plan] = product.rows("EXPLAIN SELECT slots FROM limit_counters WHERE name IN ('a', 'b') FOR UPDATE")
    assert (plan.key, int(plan.rows) <= 2) == ("PRIMARY", True), plan


# --- Housekeeping


def test_housekeeping_removes_what_says_nothing_any_more_and_nothing_else(product: Product) -> None:
    limits = product.services.limits
    old = [Claim("sms_per_ip", f"old {n}", Window(5, 60)) for n in range(3)]
    young = [limit("young"), Claim("sms_per_country", "IN", Bucket(50, 60))]
    limits.take([*old, *young])
    product.clock.advance(62)
    assert purge(product) == 3
    assert names(product) == sorted(claim.counter for claim in young)
    assert (counted(product, young[0]), purge(product)) == (1, 0)


def test_what_is_counted_up_meanwhile_stays(product: Product) -> None:
    claim = Claim("sms_per_ip", "a", Window(5, 60))
    product.services.limits.take([claim])
    product.clock.advance(62)
    product.services.limits.take([claim])
    assert purge(product) == 0
    assert counted(product, claim) == 1


def test_the_worker_keeps_house(product: Product) -> None:
    product.services.limits.take([Claim("sms_per_ip", "a", Window(5, 60))])
    product.clock.advance(62)
    worker = product.parts.worker.start()
    deadline = time.monotonic() + 10
    while names(product) and time.monotonic() < deadline:
        time.sleep(0.02)
    product.parts.worker.stop()
    worker.join(10)
    assert names(product) == []


def purge(product: Product) -> int:
    database = product.services.database
    return database.run(lambda tx: counters.purge(tx, database.now()))


def names(product: Product) -> list[str]:
    return sorted(name for (name,) in product.rows("SELECT name FROM limit_counters"))

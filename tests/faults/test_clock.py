"""A clock that was ahead and goes back: the outbox goes on, and no phone misses a change."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.product import Phone, Product

ANA, BEN, CAT = "14155550101", "14155550102", "14155550103"
HOUR = 3600
# A step back of some seconds is not told from machines whose clocks differ.
MOVES = st.integers(0, 2 * HOUR) | st.integers(-2 * HOUR, -30)


def friends(product: Product) -> tuple[Phone, Phone]:
    ana, ben = product.log_in(ANA, "Ana"), product.log_in(BEN, "Ben")
    ana.ok("getcontacts", phones=BEN)
    ben.ok("getcontacts", phones=ANA)
    return ana, ben


def synced(phone: Phone, ts: int) -> tuple[int, dict[str, str]]:
    """A sync as apps make it; returns the `ts` that the app remembers, and names by number."""
    entries = phone.contacts(ts=ts)
    return max([ts, *(int(entry["ts"]) for entry in entries)]), {e["phone"]: e["name"] for e in entries}


def beat(product: Product) -> None:
    product.parts.worker.housekeeping.beat()


@pytest.mark.parametrize("back", [HOUR, 2 * HOUR, 26 * HOUR])
def test_what_was_queued_or_claimed_while_the_clock_was_ahead_is_delivered(
    product: Product, back: int
) -> None:
    ana, ben = friends(product)
    product.deliver()
    product.clock.advance(back)
    product.sandbox.faults.add("message", drop=True)
    ben.ok("profile", name="Benjamin")
    product.deliver()  # put off, for mesibo is away
    ben.ok("profile", status="claimed by a worker that died")
    with product.services.database.engine.connect() as connection:
        until = int(product.clock()) + 60
        connection.exec_driver_sql(
            f"UPDATE outbox SET claim = 'dead', claimed_until = {until} WHERE attempts = 0"
        )
    product.clock.advance(-back)
    product.sandbox.faults.clear()

    product.deliver()

    assert product.rows("SELECT id FROM outbox WHERE state = 0") == []
    assert any(message.get("name") == "Benjamin" for message in ana.received())


def test_a_claim_that_holds_is_left_to_its_worker(product: Product) -> None:
    _ana, ben = friends(product)
    product.deliver()
    ben.ok("profile", name="Benjamin")
    with product.services.database.engine.connect() as connection:
        until = int(product.clock()) + product.services.settings.outbox_lease
        connection.exec_driver_sql(f"UPDATE outbox SET claim = 'alive', claimed_until = {until}")
    product.deliver()
    assert len(product.rows("SELECT id FROM outbox WHERE state = 0")) > 0


@pytest.mark.parametrize("back", [HOUR, 5 * HOUR])
@pytest.mark.parametrize("looks_meanwhile", [True, False])
def test_a_phone_that_synced_while_the_clock_was_ahead_misses_nothing(
    product: Product, back: int, looks_meanwhile: bool
) -> None:
    ana, ben = friends(product)
    product.clock.advance(back)
    beat(product)
    ben.ok("profile", name="ahead")
    product.clock.advance(30)
    ts, seen = synced(ana, 0)
    assert seen[BEN] == "ahead"

    product.clock.advance(-back)
    beat(product)
    if looks_meanwhile:
        ts, _ = synced(ana, ts)
    product.clock.advance(60)
    ben.ok("profile", name="after it went back")
    product.clock.advance(60)
    if looks_meanwhile:
        _, seen = synced(ana, ts)
    product.clock.advance(back + HOUR)
    later, seen_later = synced(ana, ts)

    assert "after it went back" in (seen.get(BEN), seen_later.get(BEN))
    product.clock.advance(60)
    assert synced(ana, later)[1] == {}, "and it is told once, not for ever"


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(st.tuples(MOVES, st.sampled_from("psb")), max_size=12))
def test_whatever_the_clock_does_the_last_name_is_known_in_the_end(
    make_product: Callable[..., Product], steps: list[tuple[int, str]]
) -> None:
    product = make_product(limits="off")
    ana, ben = friends(product)
    ben.ok("profile", name="Ben")  # the examples share a database
    known, ts = {BEN: "Ben"}, 0
    name = "Ben"
    for number, (move, act) in enumerate(steps):
        product.clock.advance(move)
        beat(product)
        if act == "p":
            name = f"name {number}"
            ben.ok("profile", name=name)
        elif act == "s":
            ts, seen = synced(ana, ts)
            known.update(seen)
    product.clock.advance(60)
    beat(product)
    ts, seen = synced(ana, ts)
    known.update(seen)
    assert known[BEN] == name


def test_the_health_page_tells_when_nobody_delivers(product: Product) -> None:
    _ana, ben = friends(product)
    product.deliver()
    beat(product)
    ben.ok("profile", name="Benjamin")
    assert product.http.get("/readyz").get_json()["outbox"] == "ok"
    product.clock.advance(90)
    assert "nobody delivers" in product.http.get("/readyz").get_json()["outbox"]
    beat(product)
    assert product.http.get("/readyz").get_json()["outbox"] == "ok"


@pytest.mark.parametrize(
    ("kind", "payload"), [("of_the_next_version", "{}"), ("tell_members", '{"shape": "of the next"}')]
)
def test_what_another_version_queued_is_left_to_it_and_not_made_dead(
    product: Product, kind: str, payload: str
) -> None:
    now = int(product.clock())
    with product.services.database.engine.connect() as connection:
        connection.exec_driver_sql(
            "INSERT INTO outbox (lane, kind, payload, created_at, due_at)"
            f" VALUES ('theirs', '{kind}', '{payload}', {now}, {now})"
        )
    for _ in range(100):
        product.deliver()
        product.clock.advance(60)
    [(state, left, claim)] = product.rows("SELECT state, payload, claim FROM outbox WHERE lane = 'theirs'")
    assert (state, left, claim) == (0, payload, "")

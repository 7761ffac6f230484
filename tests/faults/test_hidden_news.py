"""A poll that says "nothing new" hides no change: clocks set back, blocks that end, calls that wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messenger_api.domain.secrets import token_hash
from messenger_api.storage import contacts, facts, news, sessions, syncs
from messenger_api.storage.set_backs import SetBack, SetBacks
from tests.product import Phone, Product
from tests.properties.syncing import Stage

HOUR = 3600
Names = list[str]


@pytest.fixture
def stage(make_product: Callable[..., Product], monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(news, "ACCOUNTS_AT_ONCE", 2)
    monkeypatch.setattr(news, "HOLDERS_AT_ONCE", 2)
    return Stage(make_product(limits="off"))


def friends(stage: Stage) -> tuple[Phone, Phone]:
    ana, ben = (stage.log_in(stage.new_number()) for _ in range(2))
    ana.ok("getcontacts", phones=ben.number)
    ben.ok("getcontacts", phones=ana.number)
    return ana, ben


def keep(stage: Stage, seconds: float = 0) -> None:
    """Time passes, and a worker looks after it."""
    stage.clock.advance(seconds)
    stage.product.parts.worker.housekeeping.beat()
    stage.news.note()


def names(phone: Phone, ts: int) -> Names:
    return [each["name"] for each in phone.contacts(ts=ts)]


def told_and_walked(stage: Stage, phone: Phone, ts: int) -> tuple[Names, Names]:
    """What a poll tells, and what a walk through the whole phone book finds after the same second."""
    stage.stranger.ok("getcontacts", ts=0)  # the process learns of the place
    database = stage.product.services.database
    caller = database.run(lambda tx: sessions.caller(tx, token_hash(phone.token), seen_since=0))
    assert caller
    after = min(ts, caller.synced_to)
    walked = database.run(lambda tx: syncs.changed(tx, caller.uid, caller.contact_key, after))
    return names(phone, ts), [each.name for each in walked]


@pytest.mark.parametrize(
    ("back", "away"),
    [(12, 8), (16, 12), (60, 56), (11, 30), (60, 120), (HOUR, HOUR - 4), (HOUR, HOUR + 60), (26 * HOUR, 60)],
)
def test_a_clock_that_is_set_back_hides_nothing_however_late_a_worker_looks(
    stage: Stage, back: int, away: int
) -> None:
    ana, ben = friends(stage)
    for _ in range(6):
        keep(stage, 20)
    ts = max(int(each["ts"]) for each in ana.contacts(ts=0))
    stage.clock.advance(40)
    ana.contacts(ts=ts)
    keep(stage)
    stage.clock.advance(1 - back)
    ben.ok("profile", name="changed after the clock was set back")
    keep(stage, away)
    for _ in range(40):
        keep(stage, 20)
    keep(stage, 2 * HOUR)
    told, walked = told_and_walked(stage, ana, ts)
    assert told == walked


@pytest.mark.parametrize("back", [8, 12, 60, HOUR])
def test_after_a_clock_was_set_back_only_what_it_stamps_anew_is_noted_once_more(
    stage: Stage, back: int
) -> None:
    """Not everything that was ever changed: polls would be dear meanwhile."""
    stage.join_others(200)
    stage.change_others()
    for _ in range(40):
        keep(stage, 20)
    keep(stage, -back)
    for _ in range(3):
        keep(stage, 2)
        place = news.Place.of(stage.product.services.database.run(partial(facts.read, name=facts.NEWS)))
        assert stage.clock() - 30 < place.second < stage.clock()


def test_a_clock_that_is_set_back_is_noticed_by_one_that_is_not() -> None:
    """Also by a process that has not looked for a while: what it says is the earliest second it may be."""
    found = SetBacks()
    for wall, steady in ((1000, 5), (1010, 15), (1040, 45), (1039, 45.5), (1100, 105)):
        found.look(wall, steady)
    assert found.earliest(0) is None, "a second is nothing"
    found.look(1120, 145)  # 40 seconds later, and 20 fewer
    assert (found.count(), found.earliest(0)) == (1, SetBack(1080, 20))
    assert found.earliest(1) is None
    found.look(1130, 155)
    found.look(1000, 156)
    assert found.earliest(0) == SetBack(999, 131)


@pytest.mark.parametrize("at", ["note_sync", "groups"])
@pytest.mark.parametrize("first", [False, True], ids=["told before", "never told"])
def test_an_unblock_beside_a_sync_has_everything_told_once_more(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, at: str, first: bool
) -> None:
    """The sync under way was told before the block ended."""
    ana, ben, cat = (stage.log_in(stage.new_number()) for _ in range(3))
    ana.ok("getcontacts", phones=f"{ben.number},{cat.number}")
    ben.ok("getcontacts", phones=ana.number)
    stage.clock.advance(60)
    ben.ok("block", phones=ana.number)
    stage.clock.advance(60)
    ben.ok("profile", name="while blocked")
    keep(stage, 60)
    ts = 0
    if not first:
        ana.contacts(ts=0)
        ts = int(stage.clock()) - 8
    keep(stage, 60)
    cat.ok("profile", name="something to tell")
    keep(stage, 30)
    beside = stage.aside(ben)
    _before(monkeypatch, sessions if at == "note_sync" else syncs, at, partial(_unblock, beside, ana))
    ana.contacts(ts=ts)
    monkeypatch.undo()
    # An app keeps the `ts` that it was told last.
    ts = int(stage.clock()) - 8
    told: set[str] = set()
    for _ in range(5):
        keep(stage, 30)
        told.update(names(ana, ts))
    assert "while blocked" in told


def _unblock(by: Phone, whom: Phone) -> None:
    by.ok("unblock", phones=whom.number)


def _before(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, then: Callable[[], object]) -> None:
    """Have something happen before a function's first call."""
    original, left = getattr(module, name), [then]

    def called(*args: object, **named: object) -> object:
        if left:
            left.pop()()
        return original(*args, **named)

    monkeypatch.setattr(module, name, called)


@pytest.mark.parametrize("delay", [0, 1, 3, 5])
def test_a_sync_that_waits_for_the_database_notes_what_an_unblock_brings(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, delay: int
) -> None:
    """For a connection (3 s), or a lock; its answer gets lost."""
    ana, ben = friends(stage)
    stage.clock.advance(60)
    ben.ok("block", phones=ana.number)
    keep(stage, 60)
    ana.contacts(ts=0)
    cat = stage.log_in(stage.new_number())
    ana.ok("getcontacts", phones=cat.number)
    keep(stage, 60)
    ts = int(stage.clock()) - 8
    assert names(ana, 0)
    ben.ok("profile", name="while blocked")
    stage.clock.advance(10.5 - delay)

    def wait() -> None:
        keep(stage, delay)
        _unblock(stage.aside(ben), ana)

    _before(monkeypatch, syncs, "changed", wait)
    ana.contacts(ts=0)
    told: set[str] = set()
    for _ in range(5):
        keep(stage, 30)
        stage.stranger.ok("getcontacts", ts=0)
        told.update(names(ana, ts))
    assert "while blocked" in told


@pytest.mark.parametrize("delay", [0, 1, 3, 5])
def test_a_number_that_is_added_by_a_call_that_waits_is_noted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, delay: int
) -> None:
    """The answer gets lost, or another device of the same person asked."""
    ana, _friend = friends(stage)
    ben = stage.log_in(stage.new_number())
    keep(stage, 60)
    ts = int(stage.clock()) - 8
    assert names(ana, 0)
    stage.clock.advance(60)
    ben.ok("profile", name="changed before the number was added")
    stage.clock.advance(10.5 - delay)
    _before(monkeypatch, contacts, "add", partial(keep, stage, delay))
    ana.ok("getcontacts", phones=ben.number, ts=ts)
    keep(stage)
    keep(stage, 30)
    told, walked = told_and_walked(stage, ana, ts)
    assert told == walked


@pytest.mark.parametrize("taken", [False, True], ids=["of nobody", "of an account"])
def test_who_moves_to_another_number_is_told_what_a_block_of_the_former_one_kept_back(
    stage: Stage, taken: bool
) -> None:
    ana, cat, dan = (stage.log_in(stage.new_number()) for _ in range(3))
    ana.ok("getcontacts", phones=f"{cat.number},{dan.number}")
    keep(stage, 60)
    assert names(ana, 0)
    ts = int(stage.clock()) - 8
    stage.clock.advance(60)
    cat.ok("block", phones=ana.number)
    stage.clock.advance(60)
    cat.ok("profile", name="while the former number was blocked")
    keep(stage, 60)
    number = stage.log_in(stage.new_number()).number if taken else stage.new_number()
    stage.clock.advance(60)
    ana.ok("changenumber", phone=number)
    answer = ana.ok("changenumber", phone=number, otp=stage.product.code(number))
    moved = replace(ana, token=answer["token"], number=number)
    keep(stage, 60)
    told, walked = told_and_walked(stage, moved, ts)
    assert told == walked
    assert "while the former number was blocked" in told


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.integers(1, 90)),
        st.tuples(st.just("set back"), st.integers(1, 200)),
        st.tuples(st.just("away"), st.integers(1, 200)),
        st.tuples(st.sampled_from(["change", "block", "unblock"]), st.integers(0, 1)),
        st.tuples(st.sampled_from(["poll", "poll from 0", "a stranger polls", "add"]), st.just(0)),
    ),
    min_size=3,
    max_size=25,
)


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_whatever_happens_a_poll_tells_what_a_walk_finds(stage: Stage, steps: list[tuple[str, int]]) -> None:
    """Changes, blocks, clocks set back, and workers that are away for minutes, in any order."""
    ana, ben = friends(stage)
    cat = stage.log_in(stage.new_number())
    ana.ok("getcontacts", phones=cat.number)
    ts = 0
    for number, (what, how) in enumerate(steps):
        if what == "pass":
            for _ in range(how // 2):
                keep(stage, 2)
        elif what in ("set back", "away"):
            stage.clock.advance(-how if what == "set back" else how)
        elif what == "change":
            (ben, cat)[how].ok("profile", name=f"name {number}")
        elif what in ("block", "unblock"):
            who, whom = (ana, ben)[:: 1 if how else -1]
            who.ok(what, phones=whom.number)
        elif what == "a stranger polls":
            stage.stranger.ok("getcontacts", ts=0)
        elif what == "add":
            ana.ok("getcontacts", phones=ben.number, ts=ts)
        else:
            told = ana.contacts(ts=0 if what == "poll from 0" else ts)
            ts = max([ts, *(int(each["ts"]) for each in told)])
    for _ in range(60):
        keep(stage, 2)
    told_now, walked = told_and_walked(stage, ana, ts)
    assert told_now == walked

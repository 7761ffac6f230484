"""Workers at once, killed at every step, and frozen for longer than their claims."""

from __future__ import annotations

from collections.abc import Callable

from messenger_api.services.groups.tasks import tell
from messenger_api.storage import outbox
from tests.product import jpeg
from tests.races.conftest import ALL, every_case, in_every_order
from tests.races.scheduler import Run
from tests.races.test_accounts import ANN, BOB, CEE, ann_and, changing
from tests.races.world import Work, World

# Of the steps of a worker every so manieth is its last one.
KILLED_EVERY = 1 if ALL else 5


def queue(world: World, text: str) -> None:
    database = world.product.services.database
    database.write(lambda tx, now: outbox.add(tx, now, tell(1, ANN, [BOB], text)))


def told(world: World) -> list[str]:
    sent = [m.text for m in reversed(world.product.sandbox.store.messages(limit=1000)) if m.to == (BOB,)]
    return [text for text in sent if text in ("old", "new")]


def much_to_do(world: World) -> list[Work]:
    """An account with groups and a picture that has just ended, another that has moved, and a log-out."""
    ann, bob, _cee = ann_and(world, BOB, CEE)
    ann.ok("profile", photo=jpeg("red"))
    for phone in (ann, bob):
        phone.ok("getcontacts", phones=f"{ANN},{BOB},{CEE}")
    world.product.deliver()
    move = changing(world, bob, "4915112345678")
    move()
    ann.ok("deleteaccount")
    return [world.worker()]


def take_over_and_die(world: World) -> list[Work]:
    ann, _bob, cee = ann_and(world, BOB, CEE)
    cee.ok("setgroup", name="hers", m=f"{ANN},{BOB}")
    world.product.deliver()
    return [changing(world, ann, CEE)]


@every_case([much_to_do, take_over_and_die])
def test_whoever_is_killed_at_any_step_leaves_nothing_that_does_not_come_right(
    world: World, case: Callable[[World], list[Work]]
) -> None:
    world.keep(case(world), lambda _run: None)
    whole = world.try_one(0, ())
    for step in range(0, len(whole.turns) - 1, KILLED_EVERY):
        world.killed = (0, step)
        world.try_one(0, ())


def two_workers(world: World) -> list[Work]:
    much_to_do(world)
    return [world.worker(), world.worker()]


@every_case([two_workers])
def test_two_workers_do_no_harm_to_each_other(world: World, case: Callable[[World], list[Work]]) -> None:
    in_every_order(world, case(world))


def one_is_frozen(world: World) -> list[Work]:
    """One worker is frozen while its claim runs out; another sends what came later."""
    ann_and(world, BOB)
    world.product.deliver()
    queue(world, "old")
    work = world.worker()

    def later() -> None:
        world.later(world.product.services.settings.outbox_lease + 1)
        queue(world, "new")
        work()

    return [world.worker(), later]


@every_case([one_is_frozen])
def test_what_a_frozen_worker_had_in_hand_does_not_arrive_last(
    world: World, case: Callable[[World], list[Work]]
) -> None:
    works = case(world)

    def in_order(run: Run) -> None:
        world.product.deliver()
        world.later(world.product.services.settings.outbox_lease + 5)
        world.product.deliver()
        assert told(world)[-1] == "new", told(world)

    in_every_order(world, works, in_order)

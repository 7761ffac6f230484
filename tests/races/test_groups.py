"""Edits of groups, photos and blocks at once, also beside accounts that end: both sides agree in every order,
and nothing is a fault."""

from __future__ import annotations

from collections.abc import Callable

from tests.product import jpeg
from tests.races.conftest import every_case, in_every_order
from tests.races.scheduler import Run
from tests.races.test_accounts import ANN, BOB, CEE, ann_and
from tests.races.world import Work, World


def error_of(outcome: object) -> str:
    return str(outcome.get("error", "")) if isinstance(outcome, dict) else ""


def gone(world: World, number: str) -> Work:
    """An account is closed, and erased here and at mesibo."""
    phone, work = world.product.log_in(number, device="gone"), world.worker()
    close = world.ask(phone, "deleteaccount")

    def end() -> None:
        close()
        work()

    return end


def add_whoever_goes(world: World) -> list[Work]:
    ann, _bob = ann_and(world, BOB)
    gid = ann.ok("setgroup", name="new", m=BOB)["gid"]
    ending = gone(world, CEE)
    world.product.deliver()
    return [world.ask(ann, "editmembers", gid=gid, m=f"{BOB},{CEE}"), ending]


def make_a_group_with_whoever_goes(world: World) -> list[Work]:
    ann, _bob = ann_and(world, BOB)
    ending = gone(world, CEE)
    world.product.deliver()
    return [world.ask(ann, "setgroup", name="new", m=f"{BOB},{CEE}", photo=jpeg()), ending]


def edit_a_group_with_whoever_goes(world: World) -> list[Work]:
    ann, _bob, _cee = ann_and(world, BOB, CEE)
    world.later(400)
    ending = gone(world, CEE)
    gid = ann.ok("setgroup", name="three", m=f"{BOB},{CEE}")["gid"]
    world.product.deliver()
    return [world.ask(ann, "setgroup", gid=gid, name="changed", m=f"{BOB},{CEE}"), ending]


def remove_whoever_goes(world: World) -> list[Work]:
    ann, _bob, _cee = ann_and(world, BOB, CEE)
    world.later(400)
    ending = gone(world, CEE)
    gid = ann.ok("setgroup", name="three", m=f"{BOB},{CEE}")["gid"]
    world.product.deliver()
    return [world.ask(ann, "editmembers", gid=gid, m=CEE, delete=1), ending]


def two_edits(world: World) -> list[Work]:
    ann, bob, _cee = ann_and(world, BOB, CEE)
    gid = ann.ok("setgroup", name="two", m=BOB)["gid"]
    ann.ok("setadmin", gid=gid, m=BOB, admin=1)
    world.product.deliver()
    return [
        world.ask(ann, "editmembers", gid=gid, m=BOB, delete=1),
        world.ask(bob, "editmembers", gid=gid, m=CEE),
    ]


def leave_beside_an_edit(world: World) -> list[Work]:
    ann, bob, _cee = ann_and(world, BOB, CEE)
    gid = ann.ok("setgroup", name="two", m=BOB)["gid"]
    world.product.deliver()
    return [
        world.ask(bob, "delgroup", gid=gid),
        world.ask(ann, "setgroup", gid=gid, name="renamed", m=f"{BOB},{CEE}"),
        world.worker(),
    ]


def delete_a_group_beside_an_edit(world: World) -> list[Work]:
    ann, bob, _cee = ann_and(world, BOB, CEE)
    gid = ann.ok("setgroup", name="two", m=BOB)["gid"]
    ann.ok("setadmin", gid=gid, m=BOB, admin=1)
    world.product.deliver()
    return [
        world.ask(ann, "delgroup", gid=gid),
        world.ask(bob, "editmembers", gid=gid, m=CEE),
        world.worker(),
    ]


def two_photos(world: World) -> list[Work]:
    ann, _bob = ann_and(world, BOB)
    ann.ok("profile", photo=jpeg("red"))
    world.product.deliver()
    return [
        world.ask(ann, "profile", photo=jpeg("green")),
        world.ask(ann, "upload", profile=1, delete=1),
        world.worker(),
    ]


def a_photo_of_whoever_goes(world: World) -> list[Work]:
    ann, _bob = ann_and(world, BOB)
    ann.ok("profile", photo=jpeg("red"))
    world.product.deliver()
    work, close = world.worker(), world.ask(ann, "deleteaccount")

    def end() -> None:
        close()
        work()

    return [world.ask(ann, "profile", photo=jpeg("green"), name="new"), end]


def a_groups_photos(world: World) -> list[Work]:
    ann, bob = ann_and(world, BOB)
    gid = ann.ok("setgroup", name="two", m=BOB, photo=jpeg("red"))["gid"]
    ann.ok("setadmin", gid=gid, m=BOB, admin=1)
    world.product.deliver()
    return [
        world.ask(ann, "profile", gid=gid, photo=jpeg("green")),
        world.ask(bob, "setgroup", gid=gid, name="b", m=ANN, photo=jpeg("blue")),
    ]


def all_that_one_does_who_goes(world: World) -> list[Work]:
    ann, bob = ann_and(world, BOB)
    gid = bob.ok("setgroup", name="his", m=ANN)["gid"]
    world.product.deliver()
    work, close = world.worker(), world.ask(ann, "deleteaccount")

    def end() -> None:
        close()
        work()

    def much() -> dict[str, object]:
        for op, fields in (
            ("getcontacts", {"ts": 0, "phones": f"{BOB},{CEE}"}),
            ("block", {"phones": CEE}),
            ("report", {"phone": BOB, "reason": "spam"}),
            ("setnotify", {"notifytoken": "t"}),
            ("setgroup", {"name": "hers", "m": BOB}),
            ("delgroup", {"gid": gid}),
            ("exportaccount", {}),
        ):
            world.ask(ann, op, **fields)()
        return {"error": "AUTHFAIL"}

    return [much, end]


def a_report_of_whoever_goes(world: World) -> list[Work]:
    ann, _bob = ann_and(world, BOB)
    return [world.ask(ann, "report", phone=CEE, reason="spam", block=1), gone(world, CEE)]


def block_and_unblock(world: World) -> list[Work]:
    ann, bob = ann_and(world, BOB)
    return [
        world.ask(ann, "block", phones=f"{BOB},{CEE}"),
        world.ask(ann, "unblock", phones=f"{CEE},{BOB}"),
        world.ask(bob, "getcontacts", phones=ANN),
    ]


EDITS = [
    add_whoever_goes,
    make_a_group_with_whoever_goes,
    edit_a_group_with_whoever_goes,
    remove_whoever_goes,
    two_edits,
    leave_beside_an_edit,
    delete_a_group_beside_an_edit,
    a_groups_photos,
    two_photos,
    block_and_unblock,
    a_report_of_whoever_goes,
]


@every_case(EDITS)
def test_edits_agree_on_both_sides_and_are_no_fault(
    world: World, case: Callable[[World], list[Work]]
) -> None:
    in_every_order(world, case(world))


@every_case([a_photo_of_whoever_goes, all_that_one_does_who_goes])
def test_who_has_gone_is_told_so(world: World, case: Callable[[World], list[Work]]) -> None:
    def told(run: Run) -> None:
        assert error_of(run.outcomes[0]) in ("", "AUTHFAIL"), run.outcomes[0]

    in_every_order(world, case(world), told)


@every_case([add_whoever_goes, make_a_group_with_whoever_goes, edit_a_group_with_whoever_goes])
def test_a_group_is_edited_although_somebody_goes(world: World, case: Callable[[World], list[Work]]) -> None:
    def done(run: Run) -> None:
        assert error_of(run.outcomes[0]) == "", run.outcomes[0]

    in_every_order(world, case(world), done)

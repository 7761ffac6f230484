"""Logins, log-outs, ends and moves of accounts at once: a live session has a live token, in every order."""

from __future__ import annotations

from collections.abc import Callable

from tests.product import Answer, Phone, jpeg
from tests.races.conftest import every_case, in_every_order
from tests.races.world import Work, World

ANN, BOB, CEE, NEW = "919876543210", "919876543211", "919876543212", "4915112345678"
DAY = 24 * 3600


def ann_and(world: World, *numbers: str) -> list[Phone]:
    """Ann, who has a group with all the others, and them."""
    phones = [world.product.log_in(number, name=number[-2:], device="first") for number in (ANN, *numbers)]
    phones[0].ok("setgroup", name="all", m=",".join(numbers))
    world.product.deliver()
    return phones


def code_for(world: World, phone: Phone, number: str) -> str:
    """The code with which this phone may move to a number."""
    world.product.clock.advance(400)
    phone.ok("changenumber", phone=number)
    return world.product.code(number)


def changing(world: World, phone: Phone, number: str) -> Work:
    return world.ask(phone, "changenumber", phone=number, otp=code_for(world, phone, number))


def uid_of(world: World, number: str) -> int:
    [(uid,)] = world.product.rows(f"SELECT uid FROM users WHERE address = '{number}'")
    return int(uid)


def log_out(world: World) -> list[Work]:
    [ann] = ann_and(world)
    return [world.ask(ann, "logout"), world.worker(), world.login(ANN, world.asked(ANN), device="b")]


def log_out_of_two(world: World) -> list[Work]:
    [ann] = ann_and(world)
    world.later(400)
    other = world.product.log_in(ANN, device="b", appid="com.example.other")
    return [
        world.ask(ann, "logout"),
        world.ask(other, "logout"),
        world.login(ANN, world.asked(ANN), device="c"),
    ]


def revoke(world: World) -> list[Work]:
    [_ann] = ann_and(world)
    world.later(400)
    other = world.product.log_in(ANN, device="b", appid="com.example.other")
    return [
        world.ask(other, "revoke", others=1),
        world.worker(),
        world.login(ANN, world.asked(ANN), device="first"),
    ]


def keep_out_and_let_in(world: World) -> list[Work]:
    ann_and(world)
    uid, closing = uid_of(world, ANN), world.product.services.closing

    def operator() -> None:
        closing.keep_out(uid)
        closing.let_in(uid)

    return [operator, world.worker(), world.login(ANN, world.asked(ANN), device="b")]


def keep_out(world: World) -> list[Work]:
    ann_and(world)
    uid = uid_of(world, ANN)
    return [
        lambda: world.product.services.closing.keep_out(uid),
        world.login(ANN, world.asked(ANN), device="b"),
    ]


def delete(world: World) -> list[Work]:
    ann, _bob = ann_and(world, BOB)
    return [world.ask(ann, "deleteaccount"), world.worker(), world.login(ANN, world.asked(ANN), device="b")]


def delete_after_a_first_login(world: World) -> list[Work]:
    """Two first logins at once, of which one deletes the account again."""
    code = world.asked(ANN)

    def come_and_go() -> Answer:
        answer = world.login(ANN, code, device="b")()
        return world.client()("deleteaccount", token=answer.get("token", "none"))

    return [world.known(ANN)(device="a"), come_and_go, world.worker()]


def two_logins(world: World) -> list[Work]:
    ann_and(world)
    code = world.asked(ANN)
    return [world.login(ANN, code, device="b"), world.login(ANN, code, device="c")]


def move(world: World) -> list[Work]:
    ann, _bob = ann_and(world, BOB)
    code = world.asked(ANN)
    return [changing(world, ann, NEW), world.login(ANN, code, device="b"), world.worker()]


def move_where_somebody_comes(world: World) -> list[Work]:
    ann, _bob = ann_and(world, BOB)
    code = code_for(world, ann, NEW)
    return [
        world.ask(ann, "changenumber", phone=NEW, otp=code),
        world.known(NEW)(),
        world.worker(),
    ]


def take_over(world: World) -> list[Work]:
    ann, _bob, cee = ann_and(world, BOB, CEE)
    cee.ok("setgroup", name="hers", m=f"{ANN},{BOB}")
    cee.ok("setgroup", name="alone")
    cee.ok("profile", photo=jpeg())
    world.product.deliver()
    return [changing(world, ann, CEE), world.known(CEE)(device="b"), world.worker()]


def take_over_beside_a_log_out(world: World) -> list[Work]:
    ann, _bob, cee = ann_and(world, BOB, CEE)
    return [changing(world, ann, CEE), world.ask(cee, "logout"), world.worker()]


def take_over_beside_an_edit(world: World) -> list[Work]:
    ann, bob, _cee = ann_and(world, BOB, CEE)
    gid = bob.ok("setgroup", name="his", m=ANN)["gid"]
    world.product.deliver()
    return [changing(world, ann, CEE), world.ask(bob, "editmembers", gid=gid, m=CEE), world.worker()]


def take_over_beside_a_goodbye(world: World) -> list[Work]:
    ann, _bob, cee = ann_and(world, BOB, CEE)
    return [changing(world, ann, CEE), world.ask(cee, "deleteaccount"), world.worker()]


def take_over_beside_a_photo(world: World) -> list[Work]:
    ann, _bob, cee = ann_and(world, BOB, CEE)
    return [changing(world, ann, CEE), world.ask(cee, "profile", photo=jpeg())]


def move_and_log_out(world: World) -> list[Work]:
    ann, _bob = ann_and(world, BOB)
    return [changing(world, ann, NEW), world.ask(ann, "logout"), world.worker()]


def move_beside_an_edit(world: World) -> list[Work]:
    ann, bob = ann_and(world, BOB)
    gid = bob.ok("setgroup", name="his")["gid"]
    world.product.deliver()
    return [changing(world, ann, NEW), world.ask(bob, "editmembers", gid=gid, m=ANN), world.worker()]


def swap(world: World) -> list[Work]:
    ann, bob = ann_and(world, BOB)
    return [changing(world, ann, BOB), changing(world, bob, ANN)]


def recycle(world: World) -> list[Work]:
    _ann, _bob = ann_and(world, BOB)
    world.later(46 * DAY)
    code = world.asked(ANN)
    return [world.login(ANN, code, device="b"), world.login(ANN, code, device="c"), world.worker()]


CASES = [
    log_out,
    log_out_of_two,
    revoke,
    keep_out_and_let_in,
    keep_out,
    delete,
    delete_after_a_first_login,
    two_logins,
    move,
    move_where_somebody_comes,
    take_over,
    take_over_beside_a_log_out,
    take_over_beside_an_edit,
    take_over_beside_a_goodbye,
    take_over_beside_a_photo,
    move_and_log_out,
    move_beside_an_edit,
    swap,
    recycle,
]


@every_case(CASES)
def test_a_live_session_has_a_live_token(world: World, case: Callable[[World], list[Work]]) -> None:
    in_every_order(world, case(world))

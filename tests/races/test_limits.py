"""Limits with room for one, codes and guesses, at once."""

from __future__ import annotations

from tests.races.conftest import every_case, in_every_order
from tests.races.scheduler import Run
from tests.races.test_accounts import ANN, BOB, NEW, ann_and, code_for
from tests.races.test_groups import error_of
from tests.races.world import Work, World


def two_exports(world: World) -> list[Work]:
    [ann] = ann_and(world)
    return [world.ask(ann, "exportaccount"), world.ask(ann, "exportaccount")]


@every_case([two_exports])
def test_of_two_where_there_is_room_for_one_one_is_refused(world: World, case: object) -> None:
    def exactly_one(run: Run) -> None:
        assert sorted(map(error_of, run.outcomes)) == ["", "TOOMANY"]

    in_every_order(world, two_exports(world), exactly_one)


def two_wrong_guesses_and_the_right_one(world: World) -> list[Work]:
    ann_and(world)
    code = world.asked(ANN)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    return [world.login(ANN, wrong, device="b"), world.login(ANN, wrong), world.login(ANN, code, device="c")]


@every_case([two_wrong_guesses_and_the_right_one])
def test_guesses_count_each_and_keep_nobody_out(world: World, case: object) -> None:
    def counted(run: Run) -> None:
        assert [error_of(outcome) for outcome in run.outcomes] == ["BADCODE", "BADCODE", ""]

    in_every_order(world, two_wrong_guesses_and_the_right_one(world), counted)


def one_code_for_a_login_and_a_move(world: World) -> list[Work]:
    ann, _bob = ann_and(world, BOB)
    code = code_for(world, ann, NEW)
    return [world.ask(ann, "changenumber", phone=NEW, otp=code), world.login(NEW, code, device="b")]


@every_case([one_code_for_a_login_and_a_move])
def test_a_code_is_good_for_one(world: World, case: object) -> None:
    def one(run: Run) -> None:
        assert [error_of(outcome) for outcome in run.outcomes].count("") <= 1

    in_every_order(world, one_code_for_a_login_and_a_move(world), one)

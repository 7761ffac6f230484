"""The orders in which something went wrong once, by name: a thread gives its turn away at a kind of step."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.races import test_accounts as accounts
from tests.races import test_groups as groups
from tests.races import test_outbox as work
from tests.races.scheduler import Run
from tests.races.test_groups import error_of
from tests.races.world import Work, World


class Found(NamedTuple):
    """Begun by thread `first`; thread `whose` gives the turn to `to` before a step of this `kind`.

    `told`: what the caller in thread `asked` may be told; "" is OK.
    """

    name: str
    works: Callable[[World], list[Work]]
    first: int
    whose: int
    kind: str
    to: int
    asked: int
    told: tuple[str, ...]


FOUND = [
    Found(
        "the token of a log-out is deleted after the login that came meanwhile",
        accounts.log_out,
        *(0, 1, "to mesibo", 2, 2),
        ("", "TRYLATER"),
    ),
    Found(
        "a session is revoked while its owner logs in in the same app",
        accounts.revoke,
        *(2, 2, "from mesibo", 0, 2),
        ("", "TRYLATER"),
    ),
    Found(
        "an account is closed and erased while its owner logs in",
        accounts.delete,
        *(2, 2, "from mesibo", 0, 2),
        ("TRYLATER",),
    ),
    Found(
        "the operator keeps somebody out who is logging in",
        accounts.keep_out,
        *(1, 1, "from mesibo", 0, 1),
        ("TRYLATER", "BADUSER"),
    ),
    Found(
        "a number is given to another while it logs in for the first time",
        accounts.move_where_somebody_comes,
        *(1, 1, "from mesibo", 0, 1),
        ("TRYLATER",),
    ),
    Found(
        "an account is taken over while its owner logs in",
        accounts.take_over,
        *(1, 1, "from mesibo", 0, 1),
        ("TRYLATER",),
    ),
    Found(
        "an account that came and went leaves no dead token to a first login",
        accounts.delete_after_a_first_login,
        *(0, 0, "from mesibo", 1, 0),
        ("", "TRYLATER"),
    ),
    Found(
        "somebody is erased after an edit has asked mesibo",
        groups.add_whoever_goes,
        *(0, 0, "from mesibo", 1, 0),
        ("",),
    ),
    Found(
        "somebody is erased before mesibo makes a group with them",
        groups.make_a_group_with_whoever_goes,
        *(0, 0, "to mesibo", 1, 0),
        ("",),
    ),
    Found(
        "somebody is erased before a group with them is written",
        groups.make_a_group_with_whoever_goes,
        *(0, 0, "BEGIN", 1, 0),
        ("",),
    ),
    Found(
        "a photo is stored for an account that is erased",
        groups.a_photo_of_whoever_goes,
        *(0, 0, "BEGIN", 1, 0),
        ("AUTHFAIL",),
    ),
    Found(
        "somebody moves to another number before an edit that adds them is written",
        accounts.move_beside_an_edit,
        *(1, 1, "from mesibo", 0, 1),
        ("", "BADVALUE"),
    ),
    Found(
        "two workers, of whom one is frozen for longer than its claim",
        work.one_is_frozen,
        *(0, 0, "to mesibo", 1, 0),
        ("",),
    ),
]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("found", FOUND, ids=lambda found: found.name)
def test_what_was_found_once_stays_right(world: World, found: Found) -> None:
    def told(run: Run) -> None:
        assert error_of(run.outcomes[found.asked]) in found.told, run.outcomes[found.asked]

    world.keep(found.works(world), lambda _run: None)
    whole = world.try_one(found.first, ())
    steps = [
        step
        for step, (turn, label) in enumerate(zip(whole.turns, whole.labels, strict=True))
        if turn == found.whose and label.startswith(found.kind)
    ]
    assert steps
    world.also(told)
    for step in steps:
        world.try_one(found.first, [(step, found.to)])

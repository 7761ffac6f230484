"""The rule by which tasks are tried again, without a database and without a clock."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger_api.outbox.retry import LONGEST_WAIT, REFUSALS, WAITED_OUT, Outcome, RetryRule

MOST = 12
RULE = RetryRule(MOST)
COUNTED = [outcome for outcome in Outcome if outcome not in WAITED_OUT]
attempts = st.integers(0, 32_000)


@given(st.sampled_from(sorted(WAITED_OUT, key=lambda each: each.name)), attempts)
def test_what_is_nobodys_fault_is_waited_out_for_ever_and_not_counted(outcome: Outcome, tried: int) -> None:
    verdict = RULE.after(outcome, tried)
    assert (verdict.attempts, verdict.dead) == (tried, False)
    assert 0 < verdict.wait <= LONGEST_WAIT


@given(st.sampled_from(COUNTED), attempts)
def test_every_other_try_counts_once(outcome: Outcome, tried: int) -> None:
    assert RULE.after(outcome, tried).attempts == tried + 1


@given(st.sampled_from(COUNTED))
def test_waits_grow_up_to_the_longest(outcome: Outcome) -> None:
    waits = [RULE.after(outcome, tried).wait for tried in range(40)]
    assert waits[0] == 2
    assert all(before < after or after == LONGEST_WAIT for before, after in pairwise(waits))
    assert waits[-1] == LONGEST_WAIT


@given(st.sampled_from(COUNTED), st.integers(1, 100))
def test_a_task_that_is_dead_stays_dead_with_every_further_try(outcome: Outcome, most: int) -> None:
    lives = [not RetryRule(most).after(outcome, tried).dead for tried in range(120)]
    assert lives == sorted(lives, reverse=True)


@pytest.mark.parametrize(
    ("outcome", "tries"),
    [
        (Outcome.REFUSED, REFUSALS),
        (Outcome.IMPOSSIBLE, 1),
        (Outcome.SILENT, MOST),
        (Outcome.NOT_REMOVED, MOST),
        (Outcome.FAULT, MOST),
    ],
)
def test_a_task_is_given_up_after_so_many_tries(outcome: Outcome, tries: int) -> None:
    assert [RULE.after(outcome, tried).dead for tried in range(tries)] == [False] * (tries - 1) + [True]


def test_each_outcome_is_decided_here() -> None:
    given_up = {Outcome.REFUSED, Outcome.IMPOSSIBLE, Outcome.SILENT, Outcome.NOT_REMOVED, Outcome.FAULT}
    assert given_up | set(WAITED_OUT) == set(Outcome)

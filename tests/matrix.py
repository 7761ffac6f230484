"""Matrices of cases: a fixed sample in `make test`, or in `make test-quick` alone."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import TypeVar

import pytest
from _pytest.mark import ParameterSet

Case = TypeVar("Case")

LONG = os.environ.get("LONG_TESTS", "") == "1"


def some(cases: Sequence[Case], count: int) -> list[Case]:
    """So many of the cases, the same ones in every run; all of them in `make test-long`.

    A test that uses it is marked `long`, so that `make test-long` finds it.
    """
    if LONG or count >= len(cases):
        return list(cases)
    return [cases[index] for index in sorted(_chosen(len(cases), count))]


def some_when_quick(cases: Sequence[Case], count: int) -> list[ParameterSet]:
    """All of the cases, so many of which `make test-quick` runs: the others are marked `long`."""
    chosen = _chosen(len(cases), count)
    return [
        pytest.param(case, marks=() if index in chosen else pytest.mark.long)
        for index, case in enumerate(cases)
    ]


def _chosen(cases: int, count: int) -> set[int]:
    return set(random.Random(cases).sample(range(cases), count))

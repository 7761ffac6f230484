"""Matrices of cases: a fixed sample in `make test`, all of them in `make test-long`."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import TypeVar

Case = TypeVar("Case")

LONG = os.environ.get("LONG_TESTS", "") == "1"


def some(cases: Sequence[Case], count: int) -> list[Case]:
    """So many of the cases, the same ones in every run; all of them in `make test-long`.

    A test that uses it is marked `long`, so that `make test-long` finds it.
    """
    if LONG or count >= len(cases):
        return list(cases)
    chosen = sorted(random.Random(len(cases)).sample(range(len(cases)), count))
    return [cases[index] for index in chosen]

"""How many inputs a property is tried with."""

from __future__ import annotations

from hypothesis import settings


def examples(in_ci: int) -> int:
    """So many in CI; fewer in `make test-quick`, more in `make fuzz`, as their profiles have it."""
    return max(1, in_ci * settings().max_examples // settings.get_profile("ci").max_examples)

"""requirements.lock and the ranges of setup.cfg say the same."""

from __future__ import annotations

import configparser
import re
import runpy

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.servers import ROOT

LOCK = ROOT / "requirements.lock"
LINE = re.compile(r"([a-z0-9][a-z0-9-]*)==([0-9][0-9a-z.+!]*)")


def locked() -> dict[str, str]:
    lines = [line for line in LOCK.read_text().splitlines() if not line.startswith("#")]
    return dict(LINE.fullmatch(line).groups() for line in lines)  # type: ignore[union-attr,misc]


def asked_for() -> list[Requirement]:
    """What setup.cfg names itself, for use, for the extras and for the checks."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lists = [setup["options"]["install_requires"], *setup["options.extras_require"].values()]
    named = [Requirement(line) for text in lists for line in text.split("\n") if line.strip()]
    return [requirement for requirement in named if requirement.name != "mesibo-messenger-api"]


@pytest.mark.parametrize("requirement", asked_for(), ids=str)
def test_a_range_admits_the_locked_version(requirement: Requirement) -> None:
    version = locked()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version), f"make lock, or widen the range: {version} is locked"


def test_whatever_is_needed_is_locked() -> None:
    made = runpy.run_path(str(ROOT / "scripts" / "lock"))["lock"](("test",))
    needed = {line.partition("==")[0] for line in made.splitlines() if not line.startswith("#")}
    assert needed <= set(locked()), "run make lock"


def test_the_lock_is_sorted_and_names_packages_and_versions_alone() -> None:
    lines = [line for line in LOCK.read_text().splitlines() if not line.startswith("#")]
    assert all(map(LINE.fullmatch, lines))
    names = [line.partition("==")[0] for line in lines]
    assert names == sorted(set(names))

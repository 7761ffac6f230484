"""What scripts/make-* write is as the code has it, and the look-up pages have all that there is."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from messenger_api.cli import main
from messenger_api.domain.errors import CODES
from messenger_api.domain.figures import FIGURES, GAUGES
from tests.scripts import SCRIPTS
from tests.servers import ROOT

pytestmark = pytest.mark.server

MADE = sorted(path.name for path in SCRIPTS.glob("make-*"))


def check(root: Path, script: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(root / "scripts" / script), "--check"]
    return subprocess.run(program, capture_output=True, text=True, check=False)


def first_cells(page: str) -> set[str]:
    """The names in the first column of a page's tables."""
    return set(re.findall(r"^\| \[?`([^`]+)`", (ROOT / "docs" / "lookup" / page).read_text(), re.MULTILINE))


@pytest.mark.parametrize("script", MADE)
def test_what_a_script_has_made_is_as_the_code_has_it(script: str) -> None:
    found = check(ROOT, script)
    assert (found.returncode, found.stderr) == (0, "")


def test_a_page_that_is_not_as_the_code_has_it_is_named(tmp_path: Path) -> None:
    unneeded = shutil.ignore_patterns("__pycache__", "guide")
    for folder in ("scripts", "messenger_api"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=unneeded)
    page = tmp_path / "docs" / "lookup" / "tasks.md"
    page.parent.mkdir(parents=True)
    page.write_text((ROOT / "docs" / "lookup" / "tasks.md").read_text() + "more\n")
    found = check(tmp_path, "make-tasks-page")
    assert found.returncode == 1
    assert found.stderr == "run make fix: docs/lookup/tasks.md is not as the code has it\n"
    assert page.read_text().endswith("more\n")


def test_the_pages_have_all_that_there_is() -> None:
    assert first_cells("errors.md") == CODES
    assert first_cells("metrics.md") == {figure.sample for figure in (*FIGURES, *GAUGES)}
    commands = {name.split()[1] for name in first_cells("commands.md") if name.startswith("messenger-api ")}
    assert commands == set(main.list_commands(click.Context(main)))
    example = (ROOT / "config.example.py").read_text()
    assert first_cells("keys.md") == set(re.findall(r"^([A-Z][A-Z0-9_]+) = ", example, re.MULTILINE))
    assert first_cells("tasks.md") == set(re.findall(r'kind: ClassVar\[str\] = "(\w+)"', source_of_tasks()))


def source_of_tasks() -> str:
    """The wings' declarations of tasks."""
    found = (ROOT / "messenger_api" / "services").glob("*/tasks.py")
    return "\n".join(path.read_text() for path in sorted(found))

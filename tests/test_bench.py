"""The benchmark works: every op is driven, and what its cases ask for is answered rightly."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest

from benchmarks import versions
from benchmarks.cases import CASES, covered
from benchmarks.report import Results, drops
from benchmarks.run import Row
from benchmarks.versions import Cost
from messenger_api.ops import OPERATIONS
from tests.servers import ROOT


def test_every_op_is_measured() -> None:
    assert set(covered()) == set(OPERATIONS)


@pytest.mark.server
def test_a_tiny_run_measures_every_case_without_an_error() -> None:
    rows, printed = tiny_run("sqlite")
    assert [row.name for row in rows] == [case.name for case in CASES]
    for row in rows:
        assert row.name in printed
        assert row.errors == 0, row
        assert row.rate > 0, row
        assert row.memory > 0, row
    assert {row.name for row in rows if not row.statements} == {"no op", "loginui"}


@pytest.mark.server
def test_the_first_table_on_mariadb_is_measured_with_mysqlclient_too() -> None:
    chosen = ["--only", "unknown token", "--only", "login, step two"]
    (first, other), printed = tiny_run("mariadb", "--fast", *chosen)
    assert (first.name, first.errors, other.fast, other.fast_cpu) == ("unknown token", 0, None, None)
    assert (first.fast or 0) > 0
    table, others = (block.splitlines() for block in printed.split("\n\n")[1:3])
    heads, cells = (re.split(r"  +", line.strip()) for line in table[:2])
    # The file rounds to four digits, what is printed to three.
    assert float(cells[heads.index("fast Y")]) == pytest.approx(first.fast, abs=0.0006)
    assert "fast Y" not in others[0], "a column with nothing in it is left out"


@pytest.mark.server
def test_the_plain_way_answers_the_same_calls() -> None:
    chosen = [f"--only={case.name}" for case in CASES if case.plain]
    rows, printed = tiny_run("sqlite", "--plain", *chosen)
    assert len(rows) == len(chosen) == 5
    for row in rows:
        assert row.errors == 0, row
        assert (row.plain or 0) > 0, row
    assert "plain Y" in printed


@pytest.mark.server
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="versions are compared where git has them")
def test_a_version_of_the_repository_is_compared_with_the_working_tree() -> None:
    chosen = ["HEAD", "--small", "--only", "profile, a new name"]
    command = [sys.executable, "-m", "benchmarks.versions", *chosen]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    head, _line, row, _blank, over = done.stdout.strip().splitlines()
    assert "HEAD" in head
    _, call, calls, before, now, ratio, *_ = (cell.strip(" *") for cell in row.split("|"))
    assert (call, calls) == ("profile, a new name", "16")
    assert all(float(figure) > 0 for cost in (before, now) for figure in cost.split("+"))
    assert float(ratio) > 0
    assert over.startswith("over 1.05: ")


def test_what_costs_more_than_noise_is_listed() -> None:
    same = versions.Compared("same", 1, [Cost(2.0, 1.0)] * 3, [Cost(1.0, 2.1)] * 3, [])
    more = versions.Compared("more", 1, [Cost(2.0, 1.0)] * 3, [Cost(9, 9), Cost(2.2, 1), Cost(2.2, 1)], [])
    assert versions.table("v1", [same, more]).splitlines()[2:] == [
        "| same | 1 | 2.000 + 1.000 | 1.000 + 2.100 | 1.03 | 1.03 to 1.03 |",
        "| more | 1 | 2.000 + 1.000 | 2.200 + 1.000 | **1.07** | 1.07 to 6.00 |",
        "",
        "over 1.05: more (1.07)",
    ]


def test_what_is_compared_are_cases_of_the_benchmark() -> None:
    assert versions.CALLS.keys() <= {case.name for case in CASES}


def tiny_run(database: str, *chosen: str) -> tuple[list[Row], str]:
    """What a run on one database found, and what it printed."""
    # Not in pytest's folder, whose long name leaves MariaDB's socket no room.
    with TemporaryDirectory(prefix="bench-") as folder:
        output = Path(folder) / "figures.json"
        places = ["--data", folder, "--output", str(output)]
        command = [sys.executable, "-m", "benchmarks", "--small", "--database", database, *chosen, *places]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return msgspec.json.decode(output.read_bytes(), type=Results).databases[database], done.stdout


def test_only_a_drop_beyond_noise_is_shown() -> None:
    before = msgspec.json.decode(_results(0.100), type=Results)
    assert drops(msgspec.json.decode(_results(0.090), type=Results), before) == []
    assert drops(msgspec.json.decode(_results(0.080), type=Results), before) == [
        "mariadb, a call: 0.080 Y, was 0.100 Y (-20%)"
    ]


def _results(ratio: float) -> bytes:
    rates = ("yardstick", "rate", "p50", "p99", "cpu", "database_cpu", "cpu_ratio", "reach", "aim")
    figures = dict.fromkeys((*rates, "bytes", "memory", "shared_memory"), 1.0)
    counts = dict.fromkeys(("errors", "statements", "control", "left_in_outbox"), 0)
    nothing = dict.fromkeys(("floor", "floor_alone", "share"))
    row = {"name": "a call", "op": "", "wrong": "", "ratio": ratio, **figures, **counts, **nothing}
    head = {"taken_at": "", "machine": "", "users": 1, "rows": 1}
    return msgspec.json.encode({**head, "databases": {"mariadb": [row]}})

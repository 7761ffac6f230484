"""The benchmark works: every op is driven, and what its cases ask for is answered rightly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest

from benchmarks.cases import CASES, covered
from benchmarks.report import Results, drops
from benchmarks.run import Row
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
    assert f"{first.fast:.3f}" in table[1].split()
    assert "fast Y" in table[0]
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

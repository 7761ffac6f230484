"""What a run found: as a table, as JSON, and beside an earlier one."""

from __future__ import annotations

import os
import platform
import sysconfig
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.cases import FIRST
from benchmarks.run import Row

# A ratio that is lower by more than this is no noise.
DROP = 0.15

_RATES = ("call", "rate/s", "Y", "aim", "then", "plain Y", "fast Y", "share", "replay/s", "one conn/s")
_TIMES = ("p50 ms", "p99 ms", "cpu ms", "fast ms", "db ms", "waits ms")
HEADS = (*_RATES, *_TIMES, "cpu Y", "stmts", "bytes", "MB")


class Results(msgspec.Struct, frozen=True):
    """All of one run, by database."""

    taken_at: str
    machine: str
    users: int
    rows: int
    databases: dict[str, list[Row]]


def results(users: int, rows: int, databases: dict[str, list[Row]]) -> Results:
    """The results of a run that just ended, on this machine."""
    return Results(time.strftime("%Y-%m-%d"), machine(), users, rows, databases)


def machine() -> str:
    """This machine and its interpreter, which is slower if built without `--enable-optimizations`."""
    built = str(sysconfig.get_config_var("CONFIG_ARGS") or "")
    build = "optimized" if "--enable-optimizations" in built else "not optimized"
    python = f"{platform.python_implementation()} {platform.python_version()}, {build} build"
    return f"{os.cpu_count()} cores, {platform.machine()}, {python}"


def save(found: Results, path: Path) -> None:
    """Write JSON for people and programs, figures rounded to what they are worth."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rounded = _rounded(msgspec.to_builtins(found))
    path.write_bytes(msgspec.json.format(msgspec.json.encode(rounded)) + b"\n")


def load(path: Path) -> Results | None:
    """An earlier run; None when there is none."""
    return msgspec.json.decode(path.read_bytes(), type=Results) if path.exists() else None


def table(kind: str, rows: Sequence[Row], before: Results | None) -> str:
    """The rows of one database, those of the issue first."""
    then = {row.name: row for row in before.databases.get(kind, ())} if before else {}
    first = {case.name for case in FIRST}
    parts = [
        [row for row in rows if row.name in first],
        [row for row in rows if row.name not in first],
    ]
    yardsticks = sorted(row.yardstick for row in rows)
    head = f"{kind}: Y = {yardsticks[0]:,.0f} to {yardsticks[-1]:,.0f} empty answers a second"
    blocks = [_block([_cells(row, then.get(row.name)) for row in part]) for part in parts if part]
    wrong = [f"! {row.name}: {row.errors} errors, such as {row.wrong}" for row in rows if row.errors]
    left = [f"  {row.name}: {row.left_in_outbox} left in the outbox" for row in rows if row.left_in_outbox]
    return "\n".join([head, "", "\n\n".join(blocks), *wrong, *left, ""])


def drops(found: Results, before: Results | None) -> list[str]:
    """The cases that lost more of their ratio than noise explains, one line each."""
    if before is None:
        return []
    then = {(kind, row.name): row.ratio for kind, rows in before.databases.items() for row in rows}
    return [
        f"{kind}, {row.name}: {row.ratio:.3f} Y, was {was:.3f} Y ({row.ratio / was - 1:+.0%})"
        for kind, rows in found.databases.items()
        for row in rows
        if (was := then.get((kind, row.name))) and row.ratio < was * (1 - DROP)
    ]


def _block(lines: Sequence[Sequence[str]]) -> str:
    """The lines below their heads, without the columns in which none of them has anything."""
    filled = [column for column in range(len(HEADS)) if any(line[column] for line in lines)]
    return aligned([[line[column] for column in filled] for line in (HEADS, *lines)])


def _cells(row: Row, then: Row | None) -> Sequence[str]:
    changed = f"{row.ratio / then.ratio - 1:+.0%}" if then and then.ratio else ""
    mark = " !" if row.errors else ""
    return (
        row.name + mark,
        f"{row.rate:,.0f}",
        f"{row.ratio:.3f}",
        f"{row.aim:.3f}" if row.aim else "",
        changed,
        "" if row.plain is None else f"{row.plain:.3f}",
        "" if row.fast is None else f"{row.fast:.3f}",
        "" if row.share is None else f"{row.share:.0%}",
        "" if row.replay is None else f"{row.replay:,.0f}",
        "" if row.replay_alone is None else f"{row.replay_alone:,.0f}",
        f"{row.p50:.1f}",
        f"{row.p99:.1f}",
        f"{row.cpu:.2f}",
        "" if row.fast_cpu is None else f"{row.fast_cpu:.2f}",
        f"{row.database_cpu:.2f}",
        f"{row.waited:.2f}" if row.waited else "",
        f"{row.cpu_ratio:.3f}",
        f"{row.statements}+{row.control}" if row.control else str(row.statements),
        f"{row.bytes:,.0f}",
        f"{row.memory:.0f}",
    )


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells as columns."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_rounded(member) for member in value]
    return value

"""`python -m benchmarks`: measure, print, compare. `make bench` is this with its defaults."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from benchmarks import report
from benchmarks.cases import CASES, FIRST, Case
from benchmarks.databases import KINDS
from benchmarks.dataset import Dataset, Size
from benchmarks.report import Results
from benchmarks.run import Plan, Row, open_run

HERE = Path(__file__).parent
DATA = HERE / ".data"
LATEST = HERE / "results" / "latest.json"
BASELINE = HERE / "baseline.json"
PICTURE = HERE.parent / "docs" / "bench.png"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 1 when an answer was wrong."""
    asked = _parser().parse_args(arguments)
    plan = _plan(asked)
    found = measure(asked, _size(asked), plan)
    before = report.load(BASELINE) if not asked.small else None
    sys.stdout.write(f"\n{found.machine}\n")
    for kind, rows in found.databases.items():
        sys.stdout.write(f"\n{report.table(kind, rows, before)}")
    for line in report.drops(found, before):
        sys.stdout.write(f"slower: {line}\n")
    report.save(found, asked.output)
    if asked.baseline:
        report.save(found, BASELINE)
    if asked.plot:
        from benchmarks import plot  # only pictures need matplotlib

        plot.draw(found, report.load(BASELINE), PICTURE)
    return _wrong(found)


def measure(asked: argparse.Namespace, size: Size, plan: Plan) -> Results:
    """The chosen cases on the chosen databases."""
    data = Dataset(size, asked.seed)
    cases = _cases(asked)
    databases: dict[str, list[Row]] = {}
    for kind in asked.database or KINDS:
        with closing(KINDS[kind](data, asked.data)) as database:
            database.fill()
            with open_run(database, plan) as run:
                databases[kind] = run.measure(cases)
    return report.results(size.users, size.rows, databases)


def _wrong(found: Results) -> int:
    return int(any(row.errors for rows in found.databases.values() for row in rows))


def _compared(asked: argparse.Namespace) -> Plan:
    """A plan that only says beside what the product is measured."""
    plain = not asked.small if asked.plain is None else asked.plain
    return Plan(fast=FIRST if asked.fast else (), plain=plain)


def _cases(asked: argparse.Namespace) -> Sequence[Case]:
    if asked.only:
        return [case for case in CASES if any(part in case.name for part in asked.only)]
    return FIRST if asked.first else CASES


def _size(asked: argparse.Namespace) -> Size:
    return Size.small() if asked.small else Size.of(asked.users)


def _plan(asked: argparse.Namespace) -> Plan:
    plan = replace(_compared(asked), workers=asked.workers)
    if asked.small:
        # Two connections: eight that write would make others wait for SQLite's one writer until they give up.
        return replace(
            plan, seconds=0, rounds=1, warmup=0, replay=0.05, connections=2, workers=1, compares=False
        )
    return replace(plan, seconds=asked.seconds, rounds=asked.rounds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--database", action="append", choices=sorted(KINDS), help="only this one (default: both)")
    add("--users", type=int, default=Size().users, help="accounts; phone books grow with them")
    add("--small", action="store_true", help="a smoke test: a tiny data set, a few requests for each case")
    add("--seed", type=int, default=1, help="another data set of the same size")
    add("--seconds", type=int, default=Plan().seconds, help="for each round of a case")
    add("--rounds", type=int, default=Plan().rounds, help="of which the median counts")
    add("--workers", type=int, default=Plan().workers, help="processes that serve")
    add("--first", action="store_true", help="only the first table")
    add(
        "--fast",
        action="store_true",
        help="measure the first table on MariaDB once more with mysqlclient",
    )
    add(
        "--plain",
        action=argparse.BooleanOptionalAction,
        help="measure the plain way (benchmarks/plain.py) beside the product (default: yes)",
    )
    add("--only", action="append", metavar="TEXT", help="only cases with this in their name")
    add("--data", type=Path, default=DATA, help="the folder where data sets are kept")
    add("--output", type=Path, default=LATEST, help="where the figures go, as JSON")
    add("--baseline", action="store_true", help="keep the figures as the ones to compare with")
    add("--plot", action="store_true", help=f"draw {PICTURE.name}; needs matplotlib")
    return parser


if __name__ == "__main__":
    sys.exit(main())

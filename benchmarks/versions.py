"""`python -m benchmarks.versions REV`: what calls cost in an earlier version and in the working tree.

With `--line TEXT`, once or more, the other version is the working tree with each line that holds such a text
20 times more: so it shows what these lines cost, however little, on a machine that does other things as well.

With `--grown`, both are the working tree, and the second has a data set ten times as large.

Both are served by the same interpreter and libraries, each on a database of its own in one MariaDB. The same
calls go to the one, then to the other, round after round: the same bytes where their data sets are the same.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

from sqlalchemy import delete, func, select

from benchmarks import programs
from benchmarks.cases import CASES, Case, World
from benchmarks.databases import InMariaDB, mariadb_options
from benchmarks.dataset import Dataset, Size
from benchmarks.load import Request, drive_all
from benchmarks.progress import say
from benchmarks.report import machine
from benchmarks.reset import SANDBOX_FILE, reset, sandbox_file
from benchmarks.run import check
from messenger_api.sandbox import SandboxStore
from messenger_api.storage.models import OutboxItem
from tests.processes import wait_for
from tests.servers import ROOT, MariaDB

# How often a round makes each call: about a second of processor time.
CALLS = {
    "no op": 15_000,
    "unknown token": 3000,
    "getcontacts, nothing new": 1500,
    "getcontacts, 2,000 others changed": 1500,
    "getcontacts from 0": 300,
    "getcontacts, all numbers again": 300,
    "getcontacts, unread numbers": 200,
    "profile, a new name": 800,
    "setnotify": 2400,
    "setnotify, the same again": 2400,
    "login, step one": 1000,
    "getgroup": 1000,
    "setgroup, a new group": 120,
    "upload, profile photo": 80,
}
SMALL = 50  # a smoke test makes so many times fewer
SLOWER = 1.05
GROWN = 10
SLOWER_GROWN = 1.1
REPEATS = 20
TREE = "tree"
# Before the first round each version answers a part of its calls, unmeasured.
WARMUP = 3
OUTBOX_SECONDS = 20


class Cost(NamedTuple):
    """Milliseconds of processor time of a call: of the server's processes, and of MariaDB."""

    server: float
    database: float

    @property
    def whole(self) -> float:
        """Both."""
        return self.server + self.database


@dataclass(frozen=True)
class Compared:
    """The rounds of a case by both sides, in their order."""

    name: str
    calls: int
    before: Sequence[Cost]
    now: Sequence[Cost]
    wrong: Sequence[str]

    @property
    def ratio(self) -> float:
        """The median of the second side's rounds as a multiple of the first one's."""
        return median(cost.whole for cost in self.now) / median(cost.whole for cost in self.before)

    @property
    def of_lines(self) -> tuple[float, float]:
        """What lines cost that `before` has `REPEATS` times more: milliseconds, and the part of a call.

        By the least of the rounds: what else the machine does only adds to them.
        """
        often, once = (min(cost.whole for cost in costs) for costs in (self.before, self.now))
        each = (often - once) / REPEATS
        return each, each / once

    @property
    def ratios(self) -> list[float]:
        """Of every round alone."""
        return [now.whole / before.whole for before, now in zip(self.before, self.now, strict=True)]


@dataclass(frozen=True)
class Side:
    """One of the two that are compared.

    `make` puts its package into a folder; None: the working tree, as it is.
    """

    name: str
    size: Size
    make: Callable[[Path], None] | None = None


class Version:
    """A version that is served, on a database that holds a data set."""

    def __init__(
        self, code: Path, name: str, data: Dataset, mariadb: MariaDB, folder: Path, stack: ExitStack
    ) -> None:
        self.database = stack.enter_context(closing(_OfVersion(code, name, data, mariadb, folder)))
        self.database.fill()
        reset(self.database)
        instance = folder / "mesibo"
        sandbox_file(data, folder.parent / str(data.size.users), instance)
        self.world = World(self.database, stack.enter_context(SandboxStore(instance / SANDBOX_FILE)))
        sandbox = stack.enter_context(programs.sandbox(instance, folder / "s"))
        self.product = stack.enter_context(
            programs.product(self.database.uri, sandbox, folder / "p", 2, code)
        )

    def cost(self, requests: Sequence[Request], expected: str) -> tuple[Cost, str]:
        """The cost of a call, with all that it left to the outbox; and what was wrong with the answers."""
        server, database = self.product.cpu(), self.database.cpu()
        load = drive_all(self.product.url, requests, expected)
        left = self._empty_outbox()
        each = 1000 / max(1, load.answered)
        cost = Cost((self.product.cpu() - server) * each, (self.database.cpu() - database) * each)
        missing = len(requests) - load.answered
        if load.errors or missing or left:
            return cost, f"{load.errors} wrong, {missing} missing, {left} left to send {load.wrong}"
        return cost, ""

    def _empty_outbox(self) -> int:
        with self.database.engine.connect() as connection:
            count = select(func.count()).select_from(OutboxItem)
            try:
                wait_for(lambda: not connection.execute(count).scalar_one(), OUTBOX_SECONDS, "the outbox")
            except TimeoutError:
                return int(connection.execute(delete(OutboxItem)).rowcount)
        return 0


class _OfVersion(InMariaDB):
    """A database whose tables a version's own migrations make."""

    def __init__(self, code: Path, name: str, data: Dataset, mariadb: MariaDB, folder: Path) -> None:
        self._code = code
        super().__init__(data, folder, mariadb, name)

    def create(self) -> None:
        self._mariadb.create_database(self._name)
        programs.upgrade(self.uri, self.folder / "upgrade", self._code)


def compare(sides: tuple[Side, Side], names: Sequence[str], rounds: int, fewer: int) -> Iterator[Compared]:
    """Case after case, in the order of the names.

    Args:
        sides: which are measured by turns.
        names: of the cases.
        rounds: how often each is measured.
        fewer: by what the numbers of calls are divided.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-versions-")))
        users = sum(side.size.users for side in sides)
        mariadb = stack.enter_context(MariaDB(options=mariadb_options(users)))
        both = []
        for name, side in zip(("first", "second"), sides, strict=True):
            code = ROOT
            if side.make:
                code = folder / f"code-{name}"
                side.make(code)
            both.append(Version(code, name, Dataset(side.size), mariadb, folder / name, stack))
        cases = {case.name: case for case in CASES}
        for case in map(cases.__getitem__, names):
            yield _compare(case, both, rounds, max(1, CALLS[case.name] // fewer))


def _compare(case: Case, both: Sequence[Version], rounds: int, calls: int) -> Compared:
    requests = [cycle(case.requests(version.world, calls)) for version in both]
    for version, some in zip(both, requests, strict=True):
        if case.scene:
            case.scene(version.database)
        check(case, version.world, version.product.url)
        version.cost(list(islice(some, max(1, calls // WARMUP))), case.expected)
    costs: tuple[list[Cost], list[Cost]] = ([], [])
    wrong = []
    for _ in range(rounds):
        for version, some, found in zip(both, requests, costs, strict=True):
            cost, fault = version.cost(list(islice(some, calls)), case.expected)
            found.append(cost)
            wrong += [fault] if fault else []
    compared = Compared(case.name, calls, *costs, wrong)
    say(f"{case.name}: {compared.ratio:.2f}")
    return compared


def _check_out(revision: str, folder: Path) -> None:
    """The package as it was at a revision."""
    command = ["git", "archive", "--format=tar", revision, "messenger_api"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"git archive {revision}: {done.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")


def _repeat(texts: Sequence[str], folder: Path) -> None:
    """The package as in the working tree, each line that holds one of the texts `REPEATS` times more."""
    shutil.copytree(ROOT / "messenger_api", folder / "messenger_api")
    missing = set(texts)
    for path in folder.rglob("*.py"):
        lines = path.read_text().splitlines(keepends=True)
        held = [[text for text in texts if text in line] for line in lines]
        missing.difference_update(*held)
        path.write_text(
            "".join(line * (REPEATS + 1 if here else 1) for line, here in zip(lines, held, strict=True))
        )
    if missing:
        raise SystemExit(f"No line of messenger_api holds {' or '.join(sorted(missing))}")


def costs_of_lines(compared: Sequence[Compared]) -> str:
    """What the lines that were repeated cost, in Markdown."""
    lines = ["| call | the lines, µs | of the call |", "|---|---:|---:|"]
    for one in compared:
        milliseconds, part = one.of_lines
        lines.append(f"| {one.name} | {milliseconds * 1000:.2f} | {part:.1%} |")
    return "\n".join([*lines, ""])


def table(sides: Sequence[str], compared: Sequence[Compared], bound: float = SLOWER) -> str:
    """In Markdown; costs are medians of the rounds, in milliseconds.

    Args:
        sides: their names.
        compared: the rows.
        bound: ratios beyond it are listed once more.
    """
    heads = ("call", "calls a round", *(f"{name}: server + db" for name in sides), "ratio", "of rounds")
    lines = [f"| {' | '.join(heads)} |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    for one in compared:
        mark = f"**{one.ratio:.2f}**" if one.ratio > bound else f"{one.ratio:.2f}"
        spread = f"{min(one.ratios):.2f} to {max(one.ratios):.2f}"
        cells = (one.name, f"{one.calls:,}", _medians(one.before), _medians(one.now), mark, spread)
        lines.append(f"| {' | '.join(cells)} |")
    over = [f"{one.name} ({one.ratio:.2f})" for one in compared if one.ratio > bound]
    return "\n".join([*lines, "", f"over {bound}: {', '.join(over) or 'none'}", ""])


def _medians(costs: Sequence[Cost]) -> str:
    return f"{median(cost.server for cost in costs):.3f} + {median(cost.database for cost in costs):.3f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare; 1 when an answer was wrong."""
    asked = _parser().parse_args(arguments)
    chosen = [name for name in CALLS if any(part in name for part in asked.only or [""])]
    sides = _sides(asked)
    rounds, fewer = (1, SMALL) if asked.small else (asked.rounds, 1)
    compared = list(compare(sides, chosen, rounds, fewer))
    names, bound = [side.name for side in sides], SLOWER_GROWN if asked.grown else SLOWER
    sys.stdout.write(f"\n{machine()}\n\n{table(names, compared, bound)}")
    if asked.line:
        sys.stdout.write(f"\n{costs_of_lines(compared)}")
    faults = [f"{one.name}: {fault}" for one in compared for fault in one.wrong]
    sys.stdout.writelines(f"! {fault}\n" for fault in faults)
    return int(bool(faults))


def _sides(asked: argparse.Namespace) -> tuple[Side, Side]:
    size = Size.of(asked.users)
    if asked.small:
        size = replace(Size.small(), photos=0)  # thumbnails take seconds to make
    if asked.grown:
        larger = replace(size, users=size.users * GROWN, rows=size.rows * GROWN)
        return Side(f"{size.users:,} users", size), Side(f"{larger.users:,} users", larger)
    if asked.line:
        return Side(f"{REPEATS} more", size, partial(_repeat, asked.line)), Side(TREE, size)
    return Side(asked.revision, size, partial(_check_out, asked.revision)), Side(TREE, size)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.versions", description=__doc__)
    add = parser.add_argument
    add("revision", nargs="?", default="HEAD", help="the version to compare with, as git names it")
    add(
        "--line",
        action="append",
        metavar="TEXT",
        help="what the lines with this cost: compare with the tree that has them often",
    )
    add(
        "--grown",
        action="store_true",
        help=f"compare the tree with itself, with a data set {GROWN} times as large",
    )
    add("--rounds", type=int, default=5, help="of which the median counts")
    add("--users", type=int, default=20_000, help="accounts, each with 21 rows of phone books and a session")
    add("--small", action="store_true", help="a smoke test: a tiny data set, one round of few calls")
    add("--only", action="append", default=[], metavar="TEXT", help="only cases with this in their name")
    return parser


if __name__ == "__main__":
    sys.exit(main())

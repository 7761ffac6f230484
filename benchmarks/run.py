"""One run on one database: the servers, then case after case, the yardstick measured around each."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

import msgspec
import requests
from sqlalchemy import delete, func, select

from benchmarks import programs
from benchmarks.cases import Case, World
from benchmarks.databases import Database
from benchmarks.load import CONNECTIONS, FEW, Load, Request, drive
from benchmarks.programs import Program
from benchmarks.progress import say
from benchmarks.replay import Recorder, Recording, Replay, Replayer, statements
from benchmarks.reset import SANDBOX_FILE, reset, sandbox_file
from messenger_api.sandbox import SandboxStore
from messenger_api.storage.models import OutboxItem

# Requests whose statements are recorded: as many rows are then touched by the replay.
RECORDED = 32
CHECKS = 5
YARDSTICK = [Request(method="GET", path="/")]


# Processor time is counted in these.
TICK_MILLISECONDS = 10


class WrongAnswer(Exception):
    """An op does not answer as the data set makes it; its speed would mean nothing."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of one case. Rates are a second, times in milliseconds, memory in megabytes.

    `yardstick` to `waited` are medians of the rounds; `share` is that of the replay. `fast` and `fast_cpu`
    are `ratio` and `cpu` with mysqlclient, `plain` is the ratio of the plain way, where that was measured.
    """

    name: str
    op: str
    yardstick: float
    rate: float
    ratio: float
    p50: float
    p99: float
    cpu: float
    database_cpu: float
    cpu_ratio: float = 0.0
    waited: float = 0.0
    fast: float | None = None
    fast_cpu: float | None = None
    plain: float | None = None
    replay: float | None
    replay_alone: float | None
    share: float | None
    errors: int
    wrong: str
    statements: int
    control: int
    bytes: float
    memory: float
    shared_memory: float
    left_in_outbox: int
    reach: float
    aim: float


@dataclass(frozen=True)
class Plan:
    """How long everything takes, in seconds, how often it is measured, and how many processes serve.

    `seconds` 0: a round is a few requests, each sent once, and the times of answers are not measured.
    """

    seconds: int = 2
    rounds: int = 3
    warmup: int = 2
    yardstick: int = 1
    replay: float = 1.5
    workers: int = 2
    connections: int = CONNECTIONS
    fast: Collection[Case] = ()
    """The cases that are measured with the faster driver too, if there is one."""
    plain: bool = False
    """Whether the plain way is measured too, where there is one."""
    compares: bool = True
    """Whether the yardstick is measured again around everything, or only once: then ratios mean little."""


@dataclass(frozen=True)
class Yardstick:
    """Empty answers a second, and the milliseconds of processor time that one costs."""

    rate: float
    cpu: float


@dataclass(frozen=True)
class Round:
    """A load and the yardstick around it: what else the machine did meanwhile weighs on both."""

    load: Load
    yardstick: Yardstick
    cpu: float
    database_cpu: float
    waited: float

    @property
    def ratio(self) -> float:
        """The rate as a share of the yardstick's."""
        return self.load.rate / self.yardstick.rate

    @property
    def cpu_ratio(self) -> float:
        """The same for what a machine with nothing else to do could answer: by processor time alone."""
        return self.yardstick.cpu / max(self.cpu + self.database_cpu, TICK_MILLISECONDS / 1000)


class Run:
    """Measures cases on one database."""

    def __init__(self, database: Database, plan: Plan, stack: ExitStack) -> None:
        self._plan = plan
        self._stack = stack
        self._plain: Program | None = None
        self._database = database
        reset(database)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="messenger-bench-")))
        instance = folder / "mesibo"
        sandbox_file(database.data, database.folder, instance)
        store = stack.enter_context(SandboxStore(instance / SANDBOX_FILE))
        self._world = World(database, store)
        self._yardstick = stack.enter_context(programs.yardstick(folder / "y", plan.workers))
        self._sandbox = stack.enter_context(programs.sandbox(instance, folder / "s"))
        self.product: Program = stack.enter_context(
            programs.product(database.uri, self._sandbox, folder / "p", plan.workers)
        )
        settings = programs.settings(database.uri, self._sandbox.url, folder / "r")
        self._recorder = stack.enter_context(closing(Recorder(settings)))
        self._replayer = stack.enter_context(closing(Replayer(database.uri)))
        self._folder = folder
        self._latest = Yardstick(0.0, 0.0)

    def measure(self, cases: Sequence[Case]) -> list[Row]:
        """Every case, one after the other."""
        self._latest = self._measure_yardstick()
        return [self._case(case) for case in cases]

    def prepare(self, case: Case, seconds: int) -> Sequence[Request]:
        """The requests for so many seconds; for none, a few."""
        return case.requests(self._world, max(1, case.once * seconds) if seconds else FEW)

    def _case(self, case: Case) -> Row:
        if case.scene:
            case.scene(self._database)
        check(case, self._world, self.product.url)
        recordings = self._record(case)
        rounds = self._rounds(case)
        memory, left = self.product.memory(), self._empty_outbox()
        fast = self._fast_rounds(case) if case in self._plan.fast else []
        plain = self._plain_rounds(case) if case.plain and self._plan.plain else []
        everything = [*rounds, *fast, *plain]
        ratio = median(one.ratio for one in rounds)
        replay, replay_ratio = self._replay(case, recordings)
        work, control = statements(recordings)
        say(f"{self._database.kind}: {case.name}: {ratio:.3f} Y")
        return Row(
            name=case.name,
            op=case.op,
            yardstick=median(one.yardstick.rate for one in rounds),
            rate=median(one.load.rate for one in rounds),
            ratio=ratio,
            p50=median(one.load.p50 for one in rounds),
            p99=median(one.load.p99 for one in rounds),
            cpu=median(one.cpu for one in rounds),
            database_cpu=median(one.database_cpu for one in rounds),
            cpu_ratio=median(one.cpu_ratio for one in rounds),
            waited=median(one.waited for one in rounds),
            fast=median(one.ratio for one in fast) if fast else None,
            fast_cpu=median(one.cpu for one in fast) if fast else None,
            plain=median(one.ratio for one in plain) if plain else None,
            replay=replay.rate if replay else None,
            replay_alone=replay.alone if replay else None,
            share=ratio / replay_ratio if replay_ratio else None,
            errors=sum(one.load.errors + one.load.broken for one in everything),
            wrong=next((one.load.wrong for one in everything if one.load.wrong), ""),
            statements=work,
            control=control,
            bytes=fmean(one.load.size for one in rounds),
            memory=memory.rss,
            shared_memory=memory.pss,
            left_in_outbox=left,
            reach=case.reach,
            aim=case.aim,
        )

    def _fast_rounds(self, case: Case) -> list[Round]:
        """The same with the faster driver, by a product that takes the place of the usual one meanwhile.

        Two would share the work of the outbox.
        """
        uri = self._database.fast_uri
        if not uri:
            return []
        self.product.stop()
        with programs.product(uri, self._sandbox, self._folder / "f", self._plan.workers) as fast:
            rounds = self._rounds_of(fast, case)
        self.product.start()
        self._empty_outbox()
        return rounds

    def _plain_rounds(self, case: Case) -> list[Round]:
        """The same by the plain way, which has nothing to do between its cases."""
        if self._plain is None:
            plain = programs.plain(self._database.uri, self._folder / "n", self._plan.workers)
            self._plain = self._stack.enter_context(plain)
        return self._rounds_of(self._plain, case)

    def _rounds_of(self, other: Program, case: Case) -> list[Round]:
        """A case by another program."""
        usual, self.product = self.product, other
        try:
            check(case, self._world, self.product.url)
            self._latest = self._measure_yardstick()
            return self._rounds(case)
        finally:
            self.product = usual

    def _rounds(self, case: Case) -> list[Round]:
        self.drive(case, self._plan.warmup)
        return [self._round(case) for _ in range(self._plan.rounds)]

    def _round(self, case: Case) -> Round:
        requests = self.prepare(case, self._plan.seconds)
        before, cpu, database_cpu = self._latest, self.product.cpu(), self._database.cpu()
        waited = self.product.waited() + self._database.waited()
        load = self._drive(case, requests, self._plan.seconds)
        each = 1000 / max(1, load.answered)
        cpu, database_cpu = self.product.cpu() - cpu, self._database.cpu() - database_cpu
        waited = self.product.waited() + self._database.waited() - waited
        self._latest = self._measure_yardstick()
        return Round(load, _between(before, self._latest), cpu * each, database_cpu * each, waited * each)

    def drive(self, case: Case, seconds: int) -> Load | None:
        """Load without measuring: processes, connections and caches get warm."""
        return self._drive(case, self.prepare(case, seconds), seconds) if seconds else None

    def _drive(self, case: Case, requests: Sequence[Request], seconds: int) -> Load:
        return drive(
            self.product.url,
            requests,
            seconds=seconds,
            expected=case.expected,
            once=bool(case.once),
            connections=self._plan.connections,
        )

    def _measure_yardstick(self) -> Yardstick:
        if self._latest.rate and not self._plan.compares:
            return self._latest
        cpu = self._yardstick.cpu()
        load = drive(self._yardstick.url, YARDSTICK, seconds=self._plan.yardstick)
        return Yardstick(load.rate, (self._yardstick.cpu() - cpu) * 1000 / max(1, load.answered))

    def _record(self, case: Case) -> list[Recording]:
        """The statements of some requests, by callers who make them a second and a third time.

        Both are kept: sent in turn, they change what they changed, where one alone would find its work done.
        """
        requests = case.requests(self._world, RECORDED)
        half, turn = RECORDED // 2, len(self._world.data.callers)
        chosen = [*requests[:half], *requests[turn : turn + half]]
        if case.once:
            return self._recorder.record(chosen)
        passes = [self._recorder.record(chosen) for _ in range(3)]
        return passes[1] + passes[2]

    def _replay(self, case: Case, recordings: Sequence[Recording]) -> tuple[Replay | None, float]:
        """The replay, and its rate as a share of the yardstick around it."""
        if not case.replays or not any(recordings):
            return None, 0.0
        before = self._latest
        replay = self._replayer.replay(recordings, self._plan.replay)
        self._empty_outbox()
        self._latest = self._measure_yardstick()
        return replay, replay.rate / _between(before, self._latest).rate

    def _empty_outbox(self) -> int:
        """What one case left undone must not burden the next one."""
        with self._database.engine.connect() as connection:
            left = connection.execute(select(func.count()).select_from(OutboxItem)).scalar_one()
            connection.execute(delete(OutboxItem))
        return int(left)


def check(case: Case, world: World, url: str) -> None:
    """One request, its answer read in full; again if the machine was too busy for it.

    Raises:
        WrongAnswer: it is not what the data set says.
    """
    for left in reversed(range(CHECKS)):
        text = _answer(case.requests(world, 1)[0], url)
        if case.expected in text.replace('": ', '":'):
            break
        if '"TRYLATER"' not in text or not left:
            raise WrongAnswer(f"{case.name}: {text[:300]}")
        time.sleep(2)
    wanted = case.entries(world.data) if case.entries else None
    found = len(msgspec.json.decode(text)["contacts"]) if wanted is not None else None
    if found != wanted:
        raise WrongAnswer(f"{case.name}: {found} contacts instead of {wanted}")


def _answer(asked: Request, url: str) -> str:
    headers = {"Content-Type": asked.content_type} if asked.body else {}
    return requests.request(asked.method, url + asked.path, data=asked.body, headers=headers, timeout=30).text


def _between(before: Yardstick, after: Yardstick) -> Yardstick:
    return Yardstick(fmean([before.rate, after.rate]), fmean([before.cpu, after.cpu]))


@contextmanager
def open_run(database: Database, plan: Plan) -> Iterator[Run]:
    """A run with everything started, and everything stopped at the end."""
    with ExitStack() as stack:
        yield Run(database, plan, stack)

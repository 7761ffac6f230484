"""Runs a few callables in threads of which one goes on at a time, in an order that the caller chooses.

A thread gives its turn back at every *step*: before each statement, around each call of mesibo and before
each operation on a file. A run is told at which of its steps the turn changes, and to whom; else whoever has
it keeps it to the end. So a run can be repeated, and all runs with one or two changes can be listed.

Whoever waits for a lock of the database is passed over. With SQLite the scheduler knows who has the one
lock; with others a thread that does not come to its next step within a moment counts as waiting.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Engine, event

# How long a thread that has the turn may take to its next step before it is taken for one that waits: where
# the scheduler knows who has the lock, only for another thread in this process.
BLOCKED_SECONDS = 0.1
SLOW_SECONDS = 2.0
STUCK_SECONDS = 30.0
_WRITES = ("BEGIN", "INSERT", "UPDATE", "DELETE", "REPLACE")
_ENDS = ("COMMIT", "ROLLBACK")

Change = tuple[int, int]
"""At the step of this number (of all threads together, from 0) the turn goes to this thread."""


class Killed(BaseException):
    """The process of this thread has ended, as by kill -9."""


@dataclass
class _Thread:
    index: int
    work: Callable[[], object]
    kill_at: int | None
    go: threading.Event = field(default_factory=threading.Event)
    waits_here: bool = False
    ended: bool = False
    wants_lock: bool = False
    steps: int = 0
    dead: bool = False
    outcome: object = None
    error: BaseException | None = None


@dataclass(frozen=True)
class Run:
    """What came of a run: the outcome of each thread, who had each step, and what it was."""

    outcomes: list[object]
    turns: list[int]
    labels: list[str]


class Scheduler:
    """One run. `steps(engine)` has to be entered before."""

    def __init__(self, works: Sequence[Callable[[], object]], *, kill: Change | None = None) -> None:
        self._threads = [
            _Thread(index, work, kill[1] if kill and kill[0] == index else None)
            for index, work in enumerate(works)
        ]
        self._back = threading.Condition()
        self._mine = threading.local()
        self._holder: int | None = None
        self._sqlite = False
        self._turns: list[int] = []
        self._labels: list[str] = []

    def run(self, first: int, changes: Sequence[Change] = ()) -> Run:
        """Begin with thread `first`; raises what a thread raised."""
        wanted = dict(changes)
        for thread in self._threads:
            threading.Thread(target=self._main, args=(thread,), daemon=True).start()
        with self._back:
            self._wait_for(lambda: all(thread.waits_here for thread in self._threads), STUCK_SECONDS)
            current = self._threads[first]
            while not all(thread.ended for thread in self._threads):
                step = len(self._turns)
                if step in wanted and self._can_go(self._threads[wanted[step]]):
                    current = self._threads[wanted[step]]
                if not self._can_go(current):
                    current = self._another(current)
                self._let_go(current)
        for thread in self._threads:
            if thread.error is not None and not isinstance(thread.error, Killed):
                raise thread.error
        return Run([thread.outcome for thread in self._threads], self._turns, self._labels)

    def step(self, label: str) -> None:
        """Give the turn back and wait for it; nothing in a thread that is not of this run."""
        thread: _Thread | None = getattr(self._mine, "thread", None)
        if thread is None or (thread.dead and label in _ENDS):
            return
        if thread.kill_at is not None and thread.steps >= thread.kill_at:
            thread.dead = True
            raise Killed
        thread.steps += 1
        self._labels_of(thread, label)
        self._hand_back(thread)

    @contextmanager
    def steps(self, engine: Engine) -> Iterator[None]:
        """Make every statement on this engine a step."""
        self._sqlite = engine.dialect.name == "sqlite"

        def before(_c: object, _cursor: object, statement: str, *_: object) -> None:
            self._statement(statement.split(None, 1)[0].upper(), statement)

        event.listen(engine, "before_cursor_execute", before)
        try:
            yield
        finally:
            event.remove(engine, "before_cursor_execute", before)

    # In the threads

    def _main(self, thread: _Thread) -> None:
        self._mine.thread = thread
        self._hand_back(thread)
        try:
            thread.outcome = thread.work()
        except BaseException as error:  # noqa: BLE001 - told by `run`
            thread.error = error
        with self._back:
            thread.ended = True
            if self._holder == thread.index:
                self._holder = None
            self._back.notify_all()

    def _statement(self, verb: str, statement: str) -> None:
        thread: _Thread | None = getattr(self._mine, "thread", None)
        if thread is None:
            return
        thread.wants_lock = self._sqlite and verb.startswith(_WRITES) and self._holder != thread.index
        self.step(verb if verb in _ENDS else statement)
        thread.wants_lock = False
        if verb == "BEGIN":
            self._holder = thread.index
        elif verb in _ENDS and self._holder == thread.index:
            self._holder = None

    def _labels_of(self, thread: _Thread, label: str) -> None:
        thread.label = label  # type: ignore[attr-defined]

    def _hand_back(self, thread: _Thread) -> None:
        with self._back:
            thread.go.clear()
            thread.waits_here = True
            self._back.notify_all()
        assert thread.go.wait(STUCK_SECONDS * 2), "the run is stuck"

    # In the thread that runs them

    def _can_go(self, thread: _Thread) -> bool:
        held = self._sqlite and self._holder not in (None, thread.index)
        return not thread.ended and thread.waits_here and not (thread.wants_lock and held)

    def _another(self, current: _Thread) -> _Thread:
        after = self._threads[current.index + 1 :] + self._threads[: current.index + 1]

        def found() -> _Thread | None:
            return next((thread for thread in after if self._can_go(thread)), None)

        self._wait_for(lambda: found() is not None or all(t.ended for t in self._threads), STUCK_SECONDS)
        return found() or current

    def _let_go(self, thread: _Thread) -> None:
        if thread.ended:
            return
        self._turns.append(thread.index)
        self._labels.append(getattr(thread, "label", "begin"))
        thread.waits_here = False
        thread.go.set()
        seconds = SLOW_SECONDS if self._sqlite else BLOCKED_SECONDS
        self._back.wait_for(lambda: thread.waits_here or thread.ended, seconds)

    def _wait_for(self, what: Callable[[], bool], seconds: float) -> None:
        assert self._back.wait_for(what, seconds), "all threads wait for each other"


def orders(
    threads: int, try_one: Callable[[int, Sequence[Change]], Run], changes: int, *, most: int = 10_000
) -> int:
    """Try every order with up to so many changes of turn, fewest first; beyond `most` a fixed sample.

    `try_one` makes a run. Returns how many there were.
    """
    level: list[tuple[int, tuple[Change, ...]]] = [(first, ()) for first in range(threads)]
    tried = 0
    for depth in range(changes + 1):
        if len(level) > most - tried:
            level = random.Random(len(level)).sample(level, max(0, most - tried))
        deeper: list[tuple[int, tuple[Change, ...]]] = []
        for first, so_far in level:
            run = try_one(first, so_far)
            tried += 1
            if depth < changes:
                deeper += [(first, (*so_far, change)) for change in _next_changes(run, threads, so_far)]
        level = deeper
    return tried


def _next_changes(run: Run, threads: int, so_far: Sequence[Change]) -> Iterator[Change]:
    """A change at every later step, to every thread that has not ended by then."""
    begins = so_far[-1][0] + 1 if so_far else 1
    last = {turn: step for step, turn in enumerate(run.turns)}
    for step in range(begins, len(run.turns)):
        for other in range(threads):
            if other != run.turns[step] and last.get(other, -1) > step:
                yield step, other

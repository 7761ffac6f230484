"""Tasks: what a row of the outbox asks for, and the table of what does it.

A task is a struct: its fields are the payload, and `kind` names it in the database. A kind stands for one
shape: servers of other versions on the same database do the rows of the kinds that they know. So a field
that they could not do without, or that says something else than before, makes another kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import msgspec

from messenger_api.outbox.failures import NotUnderstood
from messenger_api.outbox.run import Run
from messenger_api.storage.models import KIND_LENGTH
from messenger_api.storage.outbox import Draft

T = TypeVar("T", bound="Task")

Begun = Callable[[Run], None]
"""A task that was read and waits to be done. Raises what `outbox.failures` has, MesiboError, TryLater."""


class Task(msgspec.Struct):
    """The base of all tasks.

    `needs_mesibo`: it is not begun while mesibo is known to be away.
    """

    kind: ClassVar[str]
    needs_mesibo: ClassVar[bool] = True

    def in_lane(self, lane: str, *, delay: int = 0) -> Draft:
        """The row to queue, not to be done before so many seconds."""
        return Draft(lane, self.kind, self, delay)


@dataclass(frozen=True)
class Handled:
    """A line of the table: a kind of task, and how a payload of it becomes work."""

    task: type[Task]
    begin: Callable[[str], Begun]
    """Raises NotUnderstood: the payload has another shape."""


def handled(task: type[T], handler: Callable[[T, Run], None]) -> Handled:
    """This kind of task is done by this function."""
    decoder = msgspec.json.Decoder(task)

    def begin(payload: str) -> Begun:
        try:
            asked = decoder.decode(payload)
        except msgspec.DecodeError as error:
            reason = "this version does not know it; a worker of the version that queued it does"
            raise NotUnderstood(reason) from error
        return lambda run: handler(asked, run)

    return Handled(task, begin)


class Tasks:
    """The table: all kinds of tasks that this version does.

    Raises:
        ValueError: two kinds have the same name, or one is longer than the database's column.
    """

    def __init__(self, *lines: Handled) -> None:
        self._by_kind: dict[str, Handled] = {}
        for line in lines:
            kind = line.task.kind
            if kind in self._by_kind or not 0 < len(kind) <= KIND_LENGTH:
                raise ValueError(f"{line.task.__name__}: its kind, {kind!r}, is another's or too long")
            self._by_kind[kind] = line

    def __iter__(self) -> Iterator[Handled]:
        """The lines of the table, in its order."""
        return iter(self._by_kind.values())

    @property
    def kinds(self) -> Sequence[str]:
        """The names of the kinds."""
        return tuple(self._by_kind)

    def find(self, kind: str) -> Handled:
        """The line of a kind that was claimed. Raises KeyError: there is none."""
        return self._by_kind[kind]

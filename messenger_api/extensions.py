"""What code of one's own adds to the product: ops, and tasks of the outbox. `EXTENSIONS` names the classes.

What is named here and in `docs/do/own-op.md` is kept from version to version, or its change is told in
CHANGELOG.md. All else may change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import ClassVar

import structlog
from sqlalchemy import Connection

from messenger_api.domain import errors
from messenger_api.domain.figures import NO_OP, UNKNOWN_OP
from messenger_api.gateways.keys.extensions import EXTENSIONS
from messenger_api.ops import OPERATIONS
from messenger_api.ops.call import Call, JsonObject, Operation, UploadedFile
from messenger_api.ops.checking import fault
from messenger_api.outbox.failures import Impossible, NotReady
from messenger_api.outbox.run import Run
from messenger_api.outbox.tasks import Handled, Task, handled
from messenger_api.reference.described import Reference
from messenger_api.settings import Keys, Settings
from messenger_api.storage import outbox

__all__ = [
    "Call",
    "Extension",
    "Handled",
    "Impossible",
    "JsonObject",
    "NotReady",
    "Operation",
    "Run",
    "Task",
    "UploadedFile",
    "errors",
    "handled",
    "queue",
]

log = structlog.get_logger(__name__)

_NAME = re.compile(r"[a-z][a-z0-9_]{1,31}")
_LANE = "own:"


class Extension:
    """Ops and tasks that belong together. Built once a process; used by several threads at a time."""

    keys: ClassVar[type[Keys]] = Keys
    """The keys that it has in the configuration."""

    def __init__(self, settings: Settings) -> None:
        """`settings.of(ItsKeys)` has its keys."""

    def operations(self) -> Mapping[str, Operation]:
        """Its ops, by their names on the wire: small letters, digits and underscores."""
        return {}

    def tasks(self) -> Sequence[Handled]:
        """Its tasks, each with what does it."""
        return ()

    def close(self) -> None:
        """Let go of what it holds open."""


def queue(tx: Connection, now: int, task: Task, lane: str) -> None:
    """Queue a task in the transaction of the change that it follows.

    Args:
        tx: the transaction's connection.
        now: its second, as `Database.write` hands both over.
        task: what is to be done.
        lane: tasks of one lane are done one after the other, in the order in which they were queued.
    """
    outbox.add(tx, now, [task.in_lane(_LANE + lane)])


def extensions_from_settings(settings: Settings) -> list[Extension]:
    """What `EXTENSIONS` names, in its order.

    Raises:
        ValueError: it cannot be loaded or made, or is no Extension.
    """
    return [_made(_class(name), settings) for name in settings.extensions]


def operations_with(extensions: Sequence[Extension]) -> Mapping[str, Operation]:
    """All ops that may be asked for: ours and theirs.

    Raises:
        ValueError: two have one name, a name cannot be one, or what an op declares cannot be used.
    """
    operations = dict(OPERATIONS)
    for extension in extensions:
        kind = type(extension)
        with _blamed(kind, "operations()"):
            theirs = dict(extension.operations())
        for name, operation in theirs.items():
            if name in operations:
                raise _fault(kind, f"there is an op {name} already")
            if not (isinstance(name, str) and _NAME.fullmatch(name)):
                raise _fault(kind, f"{name!r} is no name of an op: small letters, digits, underscores")
            if name in (NO_OP, UNKNOWN_OP):
                raise _fault(kind, f"no op can be named {name}: /metrics counts calls of no op under it")
            if reason := fault(operation):
                raise _fault(kind, f"the op {name}: {reason}")
            with _blamed(kind, f"the op {name}: to show it"):
                Reference({name: operation}).op(name)
            operations[name] = operation
    return operations


def tasks_of(extensions: Sequence[Extension]) -> list[Handled]:
    """Their tasks. Raises ValueError: one cannot be done."""
    found = []
    for extension in extensions:
        kind = type(extension)
        with _blamed(kind, "tasks()"):
            theirs = list(extension.tasks())
        for each in theirs:
            if not isinstance(each, Handled):
                raise _fault(kind, f"tasks() has {each!r}, which `handled` did not make")
            if not isinstance(getattr(each.task, "kind", None), str):
                raise _fault(kind, f"{each.task.__name__} has no `kind`")
        found += theirs
    return found


def let_go(extension: Extension) -> None:
    """Close it. What it raises is logged, and keeps nothing else open."""
    try:
        extension.close()
    except Exception:
        log.exception("extension.close", extension=type(extension).__qualname__)


def _class(name: str) -> type[Extension]:
    found = EXTENSIONS.load(name)
    if not (isinstance(found, type) and issubclass(found, Extension)):
        raise EXTENSIONS.fault(name, "no Extension of messenger_api.extensions")
    return found


def _made(kind: type[Extension], settings: Settings) -> Extension:
    with _blamed(kind, "to make it"):
        return kind(settings)


@contextmanager
def _blamed(kind: type[Extension], what: str) -> Iterator[None]:
    """Whatever the operator's code raises, the key that names it is what they must hear of."""
    try:
        yield
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise _fault(kind, f"{what} raises {reason}") from error


def _fault(kind: type[Extension], reason: str) -> ValueError:
    return EXTENSIONS.fault(f"{kind.__module__}.{kind.__qualname__}", reason)

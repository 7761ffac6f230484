"""What others' code raises: logged without what it says, and cut off from what caused it."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TypeVar

import structlog

log = structlog.get_logger(__name__)

T = TypeVar("T")
E = TypeVar("E", bound=Exception)


def cut_off(
    work: Callable[[], T], ours: type[E], other: Callable[[str], E], event: str, **facts: str
) -> T | E:
    """What `work` returns, or its failure, to be raised by the caller.

    A library's exception may quote a number or an address, or hold a whole request with its secrets, and a
    traceback prints causes. So the failure has none, and it is returned: what is raised inside a handler
    has one again.

    Args:
        work: calls others.
        ours: failures of this class are returned as they are.
        other: makes one of any other failure, from a reason that may be logged.
        event: logged, with `facts` and the places that it went through, when such a failure is met.
        facts: fields of that line.
    """
    try:
        return work()
    except ours as error:
        error.__cause__ = error.__context__ = None
        return error
    except Exception as error:  # noqa: BLE001 - whatever a library raises, the caller has a way on
        kind = type(error).__name__
        frames = "".join(traceback.format_tb(error.__traceback__))
        log.error(event, **facts, error=kind, frames=frames)
        return other(f"unexpected {kind}")

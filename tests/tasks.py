"""The tasks that the package declares."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import messenger_api.services
from messenger_api.outbox.tasks import Task


def every_task() -> list[type[Task]]:
    """Every kind of task that stands anywhere under `services`, sorted by its kind."""
    for module in pkgutil.walk_packages(messenger_api.services.__path__, "messenger_api.services."):
        if module.name.endswith(".tasks"):
            importlib.import_module(module.name)
    return sorted(_below(Task), key=lambda task: task.kind)


def _below(task: type[Task]) -> Iterator[type[Task]]:
    for each in task.__subclasses__():
        if each.__module__.startswith("messenger_api."):
            yield each
        yield from _below(each)

"""What an installation holds open: the database and what counts into it, clients, and a sandbox for them."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, TypeVar

from messenger_api import telemetry
from messenger_api.bookkeeping import Bookkeeper
from messenger_api.domain.counting import Accumulator
from messenger_api.domain.trace import Trace
from messenger_api.services.allowed import Allowed
from messenger_api.settings import Settings
from messenger_api.storage.db import Database

if TYPE_CHECKING:
    from messenger_api.sandbox import SandboxServer


class _Closable(Protocol):
    def close(self) -> None: ...


T = TypeVar("T", bound=_Closable)


class Held:
    """The base of `operating.OperatorParts`, and so of `composition.Parts`."""

    def __init__(self, settings: Settings, database: Database, *, plays: bool = False) -> None:
        """`plays`: where no mesibo is configured, the sandbox is started when something asks for it."""
        self.settings = settings
        self.database = database
        self._plays = plays and settings.uses_sandbox
        self._open = ExitStack()
        self._open.callback(database.engine.dispose)

    def close(self) -> None:
        """Let go of everything that is open, the latest first; the parts are of no use afterwards."""
        self._open.close()

    @cached_property
    def sandbox(self) -> SandboxServer | None:
        """What plays mesibo and the SMS network, for development: Flask is loaded for it where it is used."""
        if not self._plays:
            return None
        sandbox: SandboxServer = import_module("messenger_api.sandbox.starting").start(self.settings)
        self._open.callback(sandbox.store.close)
        self._open.callback(sandbox.stop)
        return sandbox

    @cached_property
    def figures(self) -> Accumulator:
        """What counts in this process."""
        return self._closing(telemetry.counting(self.settings, self.database.now))

    @cached_property
    def trace(self) -> Trace:
        """What notes the steps of log-ins in this process."""
        return Trace(self.database.now)

    @cached_property
    def allowed(self) -> Allowed:
        """How much limits allow now."""
        return Allowed(self.settings, self.database)

    @cached_property
    def bookkeeper(self) -> Bookkeeper:
        """The thread that adds it to the database."""
        bookkeeper = Bookkeeper(self.database, self.figures, self.trace, self._send_the_rest)
        self._open.callback(bookkeeper.stop)
        return bookkeeper

    def _send_the_rest(self) -> None:
        self.figures.close()
        telemetry.send_the_rest(self.settings)

    def _closing(self, part: T) -> T:
        """The same part, which `close` closes."""
        self._open.callback(part.close)
        return part

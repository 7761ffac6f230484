"""mesibo for one test: what the fixture `mesibo_sandbox` of pytest gives, and any other runner can use."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from messenger_api.sandbox.records import Fault, Group, Message, RecordedCall, User
from messenger_api.sandbox.server import SandboxServer
from messenger_api.sandbox.store import SandboxStore

_ALL = -1  # SQLite's limit for no limit


class MesiboSandbox:
    """mesibo's backend API on a free port of this machine, with a memory of its own.

    A context manager: it listens from `__enter__` to `__exit__`.

    Args:
        faults: are played from the first call on, as by `faults.set`.
        strict: refuse what mesibo does not document.

    Attributes:
        store: the memory, where users, groups and messages can be put and asked for.
        calls: what was called and answered, oldest first.
        faults: which calls fail, and how.
    """

    def __init__(self, faults: Iterable[Fault] = (), *, strict: bool = False) -> None:
        self.calls: list[RecordedCall] = []
        self.store = SandboxStore()
        self._server = SandboxServer(self.store, strict=strict, on_call=self.calls.append)
        self.faults = self._server.faults
        self.faults.set(*faults)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self.store.close()

    @property
    def url(self) -> str:
        """What takes the place of https://api.mesibo.com/backend, for JSON and forms."""
        return self._server.mesibo_json_url

    @property
    def form_url(self) -> str:
        """What takes the place of https://api.mesibo.com/api.php."""
        return self._server.mesibo_form_url

    @property
    def app_token(self) -> str:
        """The app token that it takes."""
        return self._server.app_token

    @property
    def account_key(self) -> str:
        """The account's API key, which `appadd` takes."""
        return self._server.account_key

    @property
    def users(self) -> list[User]:
        """All users, oldest first."""
        return self.store.users(limit=_ALL)[::-1]

    @property
    def groups(self) -> list[Group]:
        """All groups that did not end, oldest first."""
        return self.store.groups(limit=_ALL)[::-1]

    @property
    def messages(self) -> list[Message]:
        """All messages, oldest first."""
        return self.store.messages(_ALL)[::-1]

    @property
    def now(self) -> int:
        """Its time, in Unix seconds."""
        return self.store.now()

    def advance(self, seconds: int) -> int:
        """Put the clock ahead; the time afterwards. Raises ValueError: below 0."""
        return self.store.advance(seconds)

"""The sandbox's memory: all that it keeps, and where the memories of further apps are."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from messenger_api.sandbox.apps import AppStore
from messenger_api.sandbox.calls import CallStore
from messenger_api.sandbox.chats import ChatStore
from messenger_api.sandbox.groups import GroupStore, TooManyGroupsError, UnknownGroupError
from messenger_api.sandbox.memory import KEEP, UnknownAddressError
from messenger_api.sandbox.users import KEEP_TOKENS, UserStore

__all__ = [
    "KEEP_TOKENS",
    "SandboxStore",
    "TooManyGroupsError",
    "UnknownAddressError",
    "UnknownGroupError",
]


class SandboxStore(UserStore, GroupStore, ChatStore, AppStore, CallStore):
    """Users, groups, messages, texts and calls, in the SQLite file `path`; the faults of `Faults`, too.

    Each further app of the account has a file of its own beside it.
    """

    def __init__(
        self, path: Path | None = None, *, keep: int = KEEP, clock: Callable[[], int] | None = None
    ) -> None:
        super().__init__(path, keep=keep, clock=clock)
        self._forget: Callable[[], None] = lambda: None
        self._others: dict[int, SandboxStore] = {}
        self._opening = threading.Lock()

    def store_of(self, token: str) -> SandboxStore | None:
        """The memory of the app that `add_app` gave this token; None where there is none."""
        app = next((app for app in self.added_apps() if app.token == token), None)
        if app is None:
            return None
        with self._opening:
            if app.id not in self._others:
                path = self.path.with_name(f"{self.path.stem}-{app.id}{self.path.suffix}")
                other = self._others[app.id] = SandboxStore(path, keep=self._keep, clock=self.now)
                other._forget = partial(self.delete_app, token)
                if not other.app().id:
                    other.set_app({"name": app.name})
            return self._others[app.id]

    def remove(self) -> None:
        """Forget all of this app; where `add_app` made it, its token ends. The token of the first one is set
        from outside, and stays."""
        self.empty()
        self._forget()

    def reset(self) -> None:
        """Forget all that came to mesibo and the SMS network, and end all faults. No number comes twice."""
        self.empty()
        with self.writing() as db:
            for table in ("texts", "verifications", "calls", "faults"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours

    def close(self) -> None:
        """Close every file; a private one is removed. A second call does nothing."""
        for other in self._others.values():
            other.close()
        super().close()

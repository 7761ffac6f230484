"""The sandbox of an installation: a listener in every process, on one memory in a file."""

from __future__ import annotations

import structlog

from messenger_api.sandbox.server import SandboxServer
from messenger_api.sandbox.store import SandboxStore
from messenger_api.settings import Settings

FILE = "sandbox.sqlite3"

log = structlog.get_logger(__name__)


def start(settings: Settings) -> SandboxServer:
    """Every process has a listener of its own; what the sandbox remembers, they share in a file."""
    log.warning(
        "sandbox.in_use",
        what="a stand-in plays mesibo and the SMS network and shows everyone's codes at /sandbox",
        seen_by="everybody" if settings.shows_sandbox else "this machine alone",
        to_go_live="set MESIBO_APP_TOKEN",
    )
    # Strict, for what the product sends is ours to mend.
    store = SandboxStore(settings.in_instance(FILE))
    server = SandboxServer(store, shown=settings.shows_sandbox, strict=True, on_call=store.add_call)
    server.start()
    return server

"""A Redis on a free port of the loopback address, its data in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

from tests.processes import LOOPBACK, Server, ServerProcess, free_port, program


class Redis(Server):
    """Keeps nothing on disk: what was counted is gone when it ends."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://{LOOPBACK}:{self.port}/0"
        self.folder = Path(tempfile.mkdtemp(prefix="messenger-redis-"))

    def start(self) -> None:
        keys = {
            "bind": LOOPBACK,
            "port": str(self.port),
            "dir": str(self.folder),
            "save": "",
            "appendonly": "no",
        }
        options = [part for name, value in keys.items() for part in (f"--{name}", value)]
        self.process = ServerProcess([program("redis-server"), *options], self.folder / "log")
        self.process.wait_until(self._answers)

    def close(self) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def freeze(self, still: bool = True) -> None:
        """Let it take connections and say nothing; or go on."""
        assert self.process
        os.kill(self.process.pid, signal.SIGSTOP if still else signal.SIGCONT)

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection((LOOPBACK, self.port), 1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        return False

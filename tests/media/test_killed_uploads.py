"""Uploads that end because the server is killed in the middle of them."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from tests.cli.commands import children
from tests.matrix import LONG
from tests.media.test_hostile_pictures import call, log_in, server
from tests.processes import wait_for
from tests.servers import ProductServer

__all__ = ["server"]

pytestmark = [pytest.mark.server, pytest.mark.long]

KILLS = 12 if LONG else 3


def test_a_killed_server_leaves_nothing_half_written(server: ProductServer, tmp_path: Path) -> None:
    token, data, chance = log_in(server), b"%PDF-1.7" + bytes(4_000_000), random.Random(9)
    folder = tmp_path / "uploads"
    # What a program that knows no locks left behind.
    (folder / f".1795174363-{'a' * 32}.jpg.part").write_bytes(b"half")

    def upload(_number: int) -> None:
        while True:
            call(server, "upload", data, token=token)

    for _ in range(KILLS):
        with ThreadPoolExecutor(4) as threads:
            waiting = [threads.submit(upload, number) for number in range(4)]
            time.sleep(chance.uniform(0.3, 0.8))
            assert server.process
            for worker in children(server.process.pid):
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
            server.kill()
            for thread in waiting:
                assert isinstance(thread.exception(timeout=60), requests.RequestException | ValueError)
        server.start()

    parts: Callable[[], list[Path]] = lambda: list(folder.rglob(".*.part"))  # noqa: E731
    assert wait_for(lambda: not parts(), 30, "the half written files to go")
    assert call(server, "upload", data, token=token)["result"] in ("OK", True)

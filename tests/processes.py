"""Processes that tests start: on a free port, awaited, and never left behind."""

from __future__ import annotations

import ctypes
import functools
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from tests.stopwatch import slowness

T = TypeVar("T")

LOOPBACK = "127.0.0.1"

# A slow machine that runs other things too takes this long at most; a usual start takes a second or two.
START_SECONDS = 60
STOP_SECONDS = 30

# How often whoever waits looks whether the machine is busy.
LOOK_SECONDS = 0.2

# Below the ports that Linux (32768 and up) and macOS (49152 and up) give to outgoing connections: a server
# that was killed finds its port still free when it starts again. Each of pytest's processes (gw0, gw1, ...)
# has a part of its own, so that none takes a port between another's look and the start of its server.
_PARTS = 8
_PART = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _PARTS
PORTS = range(15_000 + _PART, 32_000, _PARTS)

# Debian keeps servers in sbin, which is not in everyone's PATH; macOS keeps Chrome out of it.
PLACES = os.pathsep.join(
    [
        os.environ.get("PATH", ""),
        "/usr/local/sbin",
        "/usr/sbin",
        "/Applications/Google Chrome.app/Contents/MacOS",
    ]
)


class ServerError(Exception):
    """A server did not start or stop; the text holds what it printed."""


def free_port() -> int:
    """A port on which nothing listens on the loopback address."""
    for port in random.SystemRandom().sample(PORTS, 100):  # Hypothesis seeds the module's own
        with socket.socket() as probe, suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise ServerError("none of 100 ports tried is free")


def wait_for(condition: Callable[[], T], timeout: float, what: str) -> T:
    """Ask until the condition gives something true, and return that.

    Raises:
        TimeoutError: after `timeout` seconds, more on a busy machine; it says `what` was waited for and what
            came last.
    """
    looked, left = time.monotonic(), timeout
    while not (result := condition()):
        now = time.monotonic()
        if now - looked > LOOK_SECONDS or now - looked > left:
            left -= (now - looked) / slowness()
            looked = now
        if left <= 0:
            raise TimeoutError(f"waited {timeout:g} s for {what}; the last answer was {result!r}")
        time.sleep(0.02)
    return result


def program(*names: str) -> str:
    """The path of the first of these programs that is installed."""
    found = (shutil.which(name, path=PLACES) for name in names)
    path = next(filter(None, found), None)
    if path is None:
        raise ServerError(f"{' or '.join(names)} is not installed; scripts/system-packages sees to it")
    return path


@functools.cache
def _adopt_orphans() -> None:
    """Have Linux give us the processes whose parent died, so that we see them end and none stays a zombie."""
    if sys.platform == "linux":
        set_child_subreaper = 36  # PR_SET_CHILD_SUBREAPER in prctl(2)
        ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)


class ServerProcess:
    """A server in a process group of its own, its output in a file.

    Where the system can do it (Linux), the server gets `orphan_signal` when the tests die: no server stays.
    The signal comes when the *thread* that started the server ends, so start servers in the main thread.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        orphan_signal: str = "KILL",
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        _adopt_orphans()
        leash = [setpriv, "--pdeathsig", orphan_signal, "--"] if (setpriv := shutil.which("setpriv")) else []
        self._name = Path(command[0]).name
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*leash, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=cwd,
                env=environment,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait for the server to be ready; one that ends instead, or hangs, is a `ServerError`."""
        with suppress(TimeoutError):
            wait_for(lambda: ready() or not self.is_running, START_SECONDS, self._name)
            if self.is_running:
                return
        self.kill()
        raise ServerError(f"{self._name} did not start:\n{self._log.read_text(errors='replace')[-4000:]}")

    def stop(self) -> None:
        """Ask the server to end, by its own process id, and wait until it has."""
        if self.is_running:
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log = self._log.read_text(errors="replace")[-4000:]
            raise ServerError(f"{self._name} did not end in {STOP_SECONDS} s:\n{log}") from None
        finally:
            self.kill()

    def kill(self) -> None:
        """SIGKILL, for the server and for every process that it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        with suppress(ChildProcessError):
            while True:
                os.waitpid(-self.pid, 0)  # workers, adopted by us when their parent died


class Server:
    """What all servers share: `with` starts and stops them, `restart` works after `kill` too."""

    process: ServerProcess | None = None

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        """End politely; nothing happens where nothing runs."""
        process, self.process = self.process, None
        if process:
            process.stop()

    def kill(self) -> None:
        """End as a power cut ends it; nothing happens where nothing runs."""
        process, self.process = self.process, None
        if process:
            process.kill()

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        """End for good."""
        self.stop()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

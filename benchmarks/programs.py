"""The processes of a run: the product as its operator starts it, mesibo's stand-in, the yardstick."""

from __future__ import annotations

import ctypes
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks import dataset as sets
from messenger_api.sandbox.server import APP_TOKEN
from tests.processes import LOOPBACK, Server, ServerError, ServerProcess, free_port
from tests.servers import ROOT


class Program(Server):
    """A Python program that serves HTTP, what it prints thrown away."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        port: int,
        folder: Path,
        *,
        health: str = "/",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port
        self.url = f"http://{LOOPBACK}:{port}"
        self._command = [sys.executable, "-m", module, *arguments]
        self._folder = folder
        self._health = health
        self._environment = surroundings(environment or {})

    def start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        log = Path(os.environ.get("BENCH_LOG", os.devnull))
        self.process = ServerProcess(
            self._command, log, orphan_signal="TERM", cwd=self._folder, environment=self._environment
        )
        self.process.wait_until(self._is_healthy)

    def memory(self) -> Memory:
        """What each of its workers holds, on average."""
        assert self.process
        workers = [_memory_of(pid) for pid in _children(self.process.pid)]
        workers = [one for one in workers if one.rss > SMALLEST_WORKER]
        if not workers:
            return Memory(0, 0)
        return Memory(
            sum(one.rss for one in workers) / len(workers), sum(one.pss for one in workers) / len(workers)
        )

    def cpu(self) -> float:
        """Seconds of processor time that it and its workers have used."""
        assert self.process
        return cpu_seconds(self.process.pid)

    def waited(self) -> float:
        """Seconds for which its threads and its workers' were ready and had no processor."""
        assert self.process
        return waited_seconds(self.process.pid)

    def _is_healthy(self) -> bool:
        with closing(http.client.HTTPConnection(LOOPBACK, self.port, timeout=5)) as connection:
            try:
                connection.request("GET", self._health)
                return connection.getresponse().status < http.client.BAD_REQUEST
            except (OSError, http.client.HTTPException):
                return False


@dataclass(frozen=True)
class Memory:
    """Megabytes of a process: resident, and its share of what is shared."""

    rss: float
    pss: float


# A process below this many megabytes only watches over others.
SMALLEST_WORKER = 20


def surroundings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program: this machine's, without the product's keys that it may have."""
    machine = {key: value for key, value in os.environ.items() if not key.startswith("MESSENGER_")}
    return {**machine, "PYTHONPATH": str(ROOT), **environment}


def product(uri: str, sandbox: Program, folder: Path, workers: int, code: Path = ROOT) -> Program:
    """`messenger-api serve`; `code`: the folder that holds the package."""
    port = free_port()
    arguments = ["serve", "--host", LOOPBACK, "--port", str(port), "--workers", str(workers)]
    return Program(
        "messenger_api",
        arguments,
        port,
        folder,
        health="/healthz",
        environment={**environment(uri, sandbox.url, folder), "PYTHONPATH": str(code)},
    )


def upgrade(uri: str, folder: Path, code: Path) -> None:
    """`messenger-api db upgrade`, by the package in the folder `code`.

    Raises:
        ServerError: it failed; the text holds what it printed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    given = surroundings({**environment(uri, f"http://{LOOPBACK}", folder), "PYTHONPATH": str(code)})
    command = [sys.executable, "-m", "messenger_api", "db", "upgrade"]
    done = subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerError(f"db upgrade failed:\n{done.stdout}{done.stderr}")


def environment(uri: str, sandbox_url: str, folder: Path) -> dict[str, str]:
    """The product's configuration: the defaults, but for what a run cannot do without.

    With its limits the product would refuse what a load from so few numbers asks for.
    """
    keys = {key.upper(): value for key, value in settings(uri, sandbox_url, folder).items()}
    return {f"MESSENGER_{key}": value for key, value in keys.items()}


def settings(uri: str, sandbox_url: str, folder: Path) -> dict[str, str]:
    """The same, as `configuration.build` takes it."""
    return {
        "sqlalchemy_database_uri": uri,
        "secret_key": sets.SECRET_KEY,
        "mesibo_api_url": f"{sandbox_url}/backend",
        "mesibo_app_token": APP_TOKEN,
        "default_country": sets.COUNTRY,
        "limits": "off",
        "instance_path": str(folder / "instance"),
        "files_path": str(folder / "files"),
        "files_tn_path": str(folder / "files" / "tn"),
    }


def sandbox(instance: Path, folder: Path) -> Program:
    """`messenger-api sandbox`; its memory is the file in the folder `instance`."""
    port = free_port()
    return Program(
        "messenger_api",
        ["sandbox", "--port", str(port)],
        port,
        folder,
        health="/sandbox",
        environment={"MESSENGER_INSTANCE_PATH": str(instance)},
    )


def yardstick(folder: Path, workers: int) -> Program:
    """An empty Flask answer."""
    port = free_port()
    return Program("benchmarks.yardstick", [str(port), str(workers)], port, folder)


def plain(uri: str, folder: Path, workers: int) -> Program:
    """The plain way to the same answers."""
    port = free_port()
    return Program("benchmarks.plain", [str(port), str(workers), uri], port, folder, health="/api.php")


def cpu_seconds(pid: int) -> float:
    """Seconds of processor time, user and system, of a process and all below it, those that ended too."""
    clock = ctypes.c_int()
    if ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock)):
        return 0.0  # it ended meanwhile
    # /proc counts in hundredths of a second; the clock of a process in nanoseconds, without its children.
    own = time.clock_gettime(clock.value)
    return own + _seconds_of_ended_children(pid) + sum(map(cpu_seconds, _children(pid)))


def _seconds_of_ended_children(pid: int) -> float:
    # After the name, which may hold blanks, come the state and twelve other fields.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def waited_seconds(pid: int) -> float:
    """Seconds for which threads of a process and of all below it were ready and had no processor.

    Of those that run still. 0 where the kernel does not tell (CONFIG_SCHED_INFO).
    """
    told = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return sum(int(fields[1]) for fields in told) / 1e9 + sum(map(waited_seconds, _children(pid)))


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task")
    return [int(child) for task in tasks.glob("*/children") for child in task.read_text().split()]


def _memory_of(pid: int) -> Memory:
    rollup = Path(f"/proc/{pid}/smaps_rollup")
    lines = rollup.read_text().splitlines() if rollup.exists() else []
    fields = {line.split(":")[0]: line.split()[1] for line in lines[1:]}
    return Memory(int(fields.get("Rss", 0)) / 1024, int(fields.get("Pss", 0)) / 1024)

"""How the tests run commands."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from click.testing import CliRunner, Result

from messenger_api.cli import main
from messenger_api.storage.schema import MIGRATIONS
from tests.processes import LOOPBACK, ServerProcess, wait_for
from tests.servers import ROOT

PATIENCE = 30
# The revision of the tables that this program needs.
NEWEST = max(path.name[:4] for path in (MIGRATIONS / "versions").glob("0*.py"))
_UPGRADED: list[bytes] = []


class Cli:
    """Runs commands in this process with `environment`."""

    def __init__(self) -> None:
        self.environment: dict[str, str] = {}

    def run(self, *arguments: str, **environment: str) -> Result:
        """Run a command. A traceback is never what an operator should see."""
        result = CliRunner().invoke(main, arguments, env={**self.environment, **environment})
        assert isinstance(result.exception, SystemExit | None), result.exception
        assert "Traceback" not in result.output
        return result

    def ok(self, *arguments: str, **environment: str) -> str:
        """Run a command that must succeed; returns what it printed."""
        result = self.run(*arguments, **environment)
        assert result.exit_code == 0, result.output
        return result.stdout

    def upgrade(self) -> None:
        """Run `db upgrade`; on SQLite copy the file that it left for the first test which did so."""
        kind, _, path = self.environment["MESSENGER_SQLALCHEMY_DATABASE_URI"].partition(":///")
        if kind != "sqlite":
            self.ok("db", "upgrade")
        elif _UPGRADED:
            Path(path).write_bytes(_UPGRADED[0])
        else:
            self.ok("db", "upgrade")
            _UPGRADED.append(Path(path).read_bytes())

    def json(self, *arguments: str, **environment: str) -> Any:
        """Run a command that must succeed and print JSON and nothing else."""
        return json.loads(self.ok(*arguments, "--json", **environment))


class Process(ServerProcess):
    """A command as a process of its own, in a group of its own, in the folder `folder`."""

    def __init__(self, folder: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self.log = folder / f"{arguments[0]}-{uuid.uuid4().hex[:8]}.log"
        machine = {key: value for key, value in os.environ.items() if not key.startswith("MESSENGER_")}
        super().__init__(
            [sys.executable, "-m", "messenger_api", *arguments],
            self.log,
            orphan_signal="TERM",
            cwd=folder,
            environment={**machine, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **environment},
        )

    def says(self, text: str) -> str:
        """Wait until it printed this; returns all that it printed."""
        self.wait_until(lambda: text in self.output())
        return self.output()

    def output(self) -> str:
        """All that it printed so far, its log included."""
        return self.log.read_text(errors="replace")

    def signal(self, number: signal.Signals, *, group: bool = False) -> None:
        """Send a signal, as `kill` does, or to the whole `group`, as a terminal does for Ctrl-C."""
        (os.killpg if group else os.kill)(self.pid, number)

    def ends(self, seconds: float = PATIENCE) -> int:
        """Wait until it ended; returns its exit code."""
        wait_for(lambda: not self.is_running, seconds, "the end of the command")
        return self._process.wait()


class Start(Protocol):
    """Starts a command."""

    def __call__(self, *arguments: str, **environment: str) -> Process: ...


def children(pid: int) -> list[int]:
    """The processes that this one started and that still run."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = (map(int, line.split()) for line in listed.stdout.splitlines())
    return [child for child, parent in pairs if parent == pid]


def url_in(text: str, path: str) -> str:
    """The first URL with this path in a command's output."""
    found = re.search(rf"http://{re.escape(LOOPBACK)}:\d+{re.escape(path)}", text)
    assert found, text
    return found[0]

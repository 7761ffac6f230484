"""Load by wrk: so many connections, each with one request under way, every answer looked at."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.processes import program

SCRIPT = Path(__file__).with_name("load.lua")
CONNECTIONS = 8
# What is sent of a case in a smoke test.
FEW = 24
PATIENCE_SECONDS = 60


class LoadError(Exception):
    """wrk did not say what it measured."""


@dataclass(frozen=True)
class Request:
    """One request, as every caller of this benchmark makes it."""

    body: bytes = b""
    content_type: str = "application/json"
    method: str = "POST"
    path: str = "/api.php"
    host: str = "127.0.0.1"

    def on_the_wire(self) -> bytes:
        """The bytes that are sent."""
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: {self.host}\r\n"
        if self.body:
            head += f"Content-Type: {self.content_type}\r\nContent-Length: {len(self.body)}\r\n"
        return head.encode() + b"\r\n" + self.body


class Load(msgspec.Struct, frozen=True):
    """What a load brought. Times of answers are in milliseconds; `errors` are answers that were wrong."""

    answered: int
    seconds: float
    p50: float
    p99: float
    errors: int
    broken: int
    bytes: int
    wrong: str

    @property
    def rate(self) -> float:
        """Answers a second, right ones only."""
        return (self.answered - self.errors) / self.seconds

    @property
    def size(self) -> float:
        """The mean size of an answer's body."""
        return self.bytes / max(1, self.answered)


def drive(
    url: str,
    requests: Sequence[Request],
    *,
    seconds: int,
    expected: str = "",
    once: bool = False,
    connections: int = CONNECTIONS,
) -> Load:
    """Send the requests in turn for so many seconds; `once` stops after the last one.

    0 seconds: the first few are sent, each once, and the times of answers are not measured.

    Raises:
        LoadError: wrk failed.
    """
    if not seconds:
        return _wrk(url, requests[:FEW], "all", PATIENCE_SECONDS, expected, connections)
    return _wrk(url, requests, "once" if once else "cycle", seconds, expected, connections)


def drive_all(url: str, requests: Sequence[Request], expected: str) -> Load:
    """Send every request once and wait for its answer; the times of answers are not measured.

    Raises:
        LoadError: wrk failed.
    """
    return _wrk(url, requests, "all", PATIENCE_SECONDS, expected, CONNECTIONS)


def _wrk(
    url: str, requests: Sequence[Request], until: str, seconds: int, expected: str, connections: int
) -> Load:
    with tempfile.NamedTemporaryFile(prefix="bench-requests-") as file:
        for request in requests:
            wire = request.on_the_wire()
            file.write(b"%d\n" % len(wire) + wire)
        file.flush()
        options = ["-t1", f"-c{connections}", f"-d{seconds}", "--timeout", "10s", "-s", str(SCRIPT)]
        arguments = [file.name, expected, until]
        done = subprocess.run(
            [program("wrk"), *options, url, "--", *arguments], capture_output=True, text=True, check=False
        )
    try:
        return msgspec.json.decode(done.stdout.splitlines()[-1], type=Load)
    except (IndexError, msgspec.DecodeError) as error:
        raise LoadError(f"wrk: {done.stdout[-2000:]}{done.stderr[-2000:]}") from error

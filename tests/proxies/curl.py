"""curl, for what Python's own client cannot do: HTTP/2, and headers as they are given."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.processes import program
from tests.proxies.fronts import NAME, Front
from tests.servers import LOOPBACK

SEPARATOR = "\x1e"


@dataclass(frozen=True)
class Request:
    """A request: its path, its headers as lines, and with a body a POST."""

    path: str
    headers: tuple[str, ...] = ()
    body: str = ""


@dataclass(frozen=True)
class Reply:
    """A status, a content type and a body."""

    status: int
    kind: str
    body: str
    version: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    front: Front | str,
    requests: Sequence[Request],
    *options: str,
    version: str = "2",
    source: str = LOOPBACK,
) -> list[Reply]:
    """The replies to some requests, made one after the other by one curl; a text is the URL of a server."""
    wanted = f"{SEPARATOR}%{{http_code}} %{{http_version}} %{{content_type}}{SEPARATOR}"
    common = ["-sS", "--max-time", "60", "--interface", source, "-w", wanted, *options]
    common += ["--http2" if version == "2" else "--http1.1"]
    url = front if isinstance(front, str) else front.url
    if not isinstance(front, str):
        common += ["--cacert", str(front.certificates.authority)]
        common += ["--resolve", f"{NAME}:{front.port}:{LOOPBACK}"]
    arguments: list[str] = []
    for request in requests:
        arguments += ["--next"] if arguments else []
        arguments += [*common, url + request.path, "-H", "Expect:"]
        for header in request.headers:
            arguments += ["-H", header]
        arguments += ["--data-raw", request.body] if request.body else []
    done = subprocess.run(
        [program("curl"), *arguments], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    parts = done.stdout.split(SEPARATOR)
    return [_reply(body, facts) for body, facts in zip(parts[::2], parts[1::2], strict=False)]


def _reply(body: str, facts: str) -> Reply:
    status, version, kind = (facts + " ").split(" ", 2)
    return Reply(int(status), kind.strip(), body, version)

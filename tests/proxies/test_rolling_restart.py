"""Two servers behind a proxy, restarted one after the other: every call is answered, and done once."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path

import pytest

from tests.matrix import LONG
from tests.product import APPID
from tests.proxies.conftest import KEY
from tests.proxies.fronts import BACKEND, DEPLOY, Change, Front
from tests.proxies.slow import post
from tests.servers import LOOPBACK, ROOT, ProductServer

pytestmark = pytest.mark.server

CALLERS = 4
# What is there to be put in the place of the one server that is gone.
NO_OTHER = f"    # {BACKEND}\n"
HOSTS = ("10.0.0.21:8080", "10.0.0.22:8080")


def in_nginx(*ports: int) -> Change:
    """What docs/scaling.md tells to put in the place of the one server."""
    section = (ROOT / "docs" / "scaling.md").read_text().split("### Behind nginx")[1]
    (block,) = re.findall(r"```nginx\n(.*?)```", section.split("\n## ")[0], re.DOTALL)
    for host, port in zip(HOSTS, ports, strict=True):
        assert host in block
        block = block.replace(host, f"{LOOPBACK}:{port}")
    (old,) = re.findall(
        r"    upstream messenger_api \{\n.*?\n    \}\n", (DEPLOY / "nginx.conf").read_text(), re.DOTALL
    )
    return old, block + NO_OTHER


def in_haproxy(*ports: int) -> Change:
    """The same for HAProxy."""
    lines = [f"    server s{port} {LOOPBACK}:{port}\n" for port in ports]
    return f"    server one {BACKEND}\n", "".join(lines) + NO_OTHER


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[ProductServer]]:
    """Two on one database."""
    environment = {
        "MESSENGER_SECRET_KEY": KEY,
        "MESSENGER_SANDBOX": "true",
        "MESSENGER_LIMITS": "off",
        "MESSENGER_TRUSTED_PROXY_HOPS": "1",
    }
    with ExitStack() as stack:
        yield [stack.enter_context(ProductServer(tmp_path, environment)) for _ in range(2)]


@pytest.mark.long
@pytest.mark.parametrize("name", ["nginx", *(["haproxy"] if LONG else [])])
def test_a_rolling_restart_loses_no_answer_and_does_nothing_twice(
    servers: list[ProductServer], front: Callable[..., Front], name: str
) -> None:
    change = {"nginx": in_nginx, "haproxy": in_haproxy}[name]
    proxy = front(name, 1, change(*(server.port for server in servers)))
    errors: Counter[str] = Counter()
    numbers = count(14155580000)
    done = threading.Event()

    def call() -> None:
        while not done.is_set():
            for asked in ({"op": "loginui"}, {"op": "login", "phone": str(next(numbers)), "appid": APPID}):
                errors[post(proxy.connect, LOOPBACK, **asked).get("error", "OK")] += 1

    callers = [threading.Thread(target=call) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    for server in servers:
        time.sleep(0.5)
        server.restart()
    time.sleep(0.5)
    done.set()
    for caller in callers:
        caller.join()
    print(errors)
    assert set(errors) == {"OK"}, errors
    sent, kept, recipients = texts(servers[0].folder)
    assert sent == errors["OK"] // 2
    assert recipients == kept


def texts(folder: Path) -> tuple[int, int, int]:
    """How many texts the sandbox's network sent; how many of them it still knows, and to how many numbers."""
    with closing(sqlite3.connect(folder / "instance" / "sandbox.sqlite3")) as sandbox:
        counts: tuple[int, int, int] = sandbox.execute(
            "SELECT max(id), count(*), count(DISTINCT recipient) FROM texts"
        ).fetchone()
        return counts

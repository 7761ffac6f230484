"""mesibo at an address of its own, as these tests break it, and what they look at afterwards."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from werkzeug.wrappers import Response

from messenger_api.gateways.sms import SmsProvider, TextMessage
from messenger_api.sandbox import Faults, SandboxServer, SandboxStore
from messenger_api.sandbox.serving import HttpServer
from messenger_api.settings import Settings
from tests.processes import LOOPBACK, free_port
from tests.product import APPID, Answer, Phone, Product
from tests.stopwatch import Stopwatch

# How long the products of these tests wait for mesibo, in seconds, and what is later than that.
TIMEOUT = 1.0
LATE = 1.4
# Longer than an unfinished edit of a group waits for its request.
INTENT_TIME = 130


class Mesibo:
    """mesibo at one fixed address: there, away, or with another server in its place."""

    def __init__(self, folder: Path) -> None:
        self.store = SandboxStore(folder / "mesibo.sqlite3")
        self.faults = Faults(self.store)
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}/backend"
        self._server = SandboxServer(self.store, port=self.port)

    def up(self) -> None:
        """Answer, and well."""
        self.faults.clear()
        self._server.start()

    def down(self) -> None:
        """Refuse connections, as a machine does on which nothing listens."""
        self._server.stop()

    @contextmanager
    def replaced(self, status: int, body: bytes) -> Iterator[None]:
        """Have another server answer everything with this."""
        self.down()
        server = HttpServer((LOOPBACK, self.port), Response(body, status))
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
            self.up()

    def close(self) -> None:
        """Let go of everything."""
        self.down()
        self.store.close()


class Inbox(SmsProvider):
    """An SMS provider that keeps the messages for the test; named by its dotted path."""

    name = "inbox"
    costs = False
    texts: ClassVar[list[TextMessage]] = []

    def __init__(self, _settings: Settings) -> None:
        self.texts.clear()

    def _deliver(self, message: TextMessage) -> str:
        self.texts.append(message)
        return "kept"

    @classmethod
    def code(cls, number: str) -> str:
        """The one-time code in the newest text message to a number."""
        text = next(text.text for text in reversed(cls.texts) if text.to == number)
        found = re.search(r"\d{6}", text)
        assert found
        return found[0]


def settings_for(mesibo: Mesibo) -> dict[str, object]:
    """The product's settings that make it talk to this mesibo, with little patience."""
    return {
        "sandbox": False,
        "mesibo_app_token": "sandbox",
        "mesibo_api_url": mesibo.url,
        "mesibo_timeout": TIMEOUT,
        "mesibo_connect_timeout": 0.8,
        "sms_providers": ["tests.faults.outside.Inbox"],
    }


def ask_code(product: Product, number: str) -> dict[str, object]:
    """Ask for a one-time code; the fields of the login that shows it."""
    product.ok("login", phone=number, appid=APPID)
    return {"phone": number, "appid": APPID, "otp": Inbox.code(number)}


def log_in(product: Product, number: str) -> Phone:
    """Log a number in by the code that the inbox received."""
    answer = product.ok("login", **ask_code(product, number))
    return Phone(product, number, answer["token"], answer)


def settle(product: Product) -> None:
    """Let everything that still waits in the outbox be done, whenever it is due."""
    for _ in range(12):
        assert product.deliver()
        if not product.rows("SELECT id FROM outbox WHERE state = 0"):
            return
        product.clock.advance(INTENT_TIME)
    raise AssertionError(f"the outbox does not empty: {product.rows('SELECT kind, last_error FROM outbox')}")


def our_groups(product: Product) -> dict[int, tuple[str, set[str]]]:
    """Name and members of every group, as our tables say."""
    found: dict[int, tuple[str, set[str]]] = {
        gid: (name, set()) for gid, name in product.rows("SELECT gid, name FROM chat_groups")
    }
    members = "SELECT m.gid, u.address FROM group_members m JOIN users u ON u.uid = m.uid"
    for gid, address in product.rows(members):
        found[gid][1].add(address)
    return found


def mesibos_groups(store: SandboxStore) -> dict[int, tuple[str, set[str]]]:
    """Name and members of every group, as mesibo has them."""
    return {group.gid: (group.name, set(group.members)) for group in store.groups(limit=1000)}


def timed(call: Callable[[], Answer]) -> tuple[float, Answer]:
    """The seconds that a call would have taken on a quiet machine, and its answer."""
    watch = Stopwatch()
    answer = call()
    return watch.quiet_seconds, answer


def assert_try_later(answer: Answer) -> None:
    """The answer says that it is not the person's fault, and when to try again."""
    assert (answer["result"], answer["error"]) == ("FAIL", "TRYLATER"), answer
    assert isinstance(answer["retry_after"], int)
    assert answer["retry_after"] > 0
    assert answer["errtitle"]
    assert answer["errmsg"]

"""What the tests of the login methods share: servers that misbehave, and the hunt for secrets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from messenger_api.gateways.login import LoginFailed
from tests.gateways.twilio_standin import everything_in
from tests.stopwatch import Stopwatch

Talk = Callable[[socket.socket], None]


@contextmanager
def tcp_server(talk: Talk) -> Iterator[int]:
    """Speaks with each caller by `talk`, in a thread each, on the port that it yields."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def converse(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(5)
            talk(connection)

    def listen() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                thread = threading.Thread(target=converse, args=(connection,))
                threads.append(thread)
                thread.start()

    accepting = threading.Thread(target=listen)
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in (accepting, *threads):
            thread.join(20)


def silence(connection: socket.socket) -> None:
    """Take everything and say nothing, until the caller has had enough."""
    while connection.recv(4096):
        pass


def drip(connection: socket.socket) -> None:
    """Send a byte now and then, longer than any test's time limit, and never a whole line."""
    for _ in range(80):
        connection.send(b"2")
        time.sleep(0.05)


@contextmanager
def quick(seconds: float) -> Iterator[None]:
    """What must not take longer than this."""
    watch = Stopwatch()
    yield
    assert watch.quiet_seconds < seconds


def assert_hidden(failure: LoginFailed, log: object, *secrets: str) -> None:
    """No secret stands in an exception, in what it carries along, or in the log."""
    shown = everything_in(failure) + repr(log)
    for secret in secrets:
        assert secret not in shown

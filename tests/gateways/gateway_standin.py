"""An SMS gateway on loopback that behaves as badly as a test wants, speaking real HTTP over real sockets."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from tests.gateways.mesibo_stub import SELF_SIGNED

PATIENCE = 15.0


@dataclass
class Request:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        found = parse_qs(self.body.decode(), keep_blank_values=True, strict_parsing=True)
        assert all(len(values) == 1 for values in found.values())
        return {name: values[0] for name, values in found.items()}


@dataclass
class Gateway:
    """Answers with `status` and `answer` as JSON, unless `behave` does something else."""

    status: int = 200
    answer: object = field(default_factory=lambda: {"id": "id-1"})
    behave: Callable[[Gateway, socket.socket], None] | None = None
    calls: list[Request] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    tls: bool = False
    # The request that this thread answers, as `call`.
    here: threading.local = field(default_factory=threading.local)

    def reply(self, client: socket.socket) -> None:
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        head = f"HTTP/1.1 {self.status} X\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        client.sendall(head.encode() + body)

    def serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), _secured(client, self.tls) as client:
            request = _read(client)
            if request is None:
                return
            self.calls.append(request)
            self.here.call = request
            (self.behave or Gateway.reply)(self, client)


def silent(gateway: Gateway, _client: socket.socket) -> None:
    """Take the request and say nothing."""
    gateway.stopping.wait(PATIENCE)


def slow(gateway: Gateway, client: socket.socket) -> None:
    """Answer well, and too late."""
    if not gateway.stopping.wait(6):
        gateway.reply(client)


def trickling_body(gateway: Gateway, client: socket.socket) -> None:
    """Begin an answer and send a byte now and then, so that no receive ever times out."""
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
    while not gateway.stopping.wait(0.1):
        client.sendall(b" ")


def trickling_head(gateway: Gateway, client: socket.socket) -> None:
    """As before, from the first line on."""
    client.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not gateway.stopping.wait(0.1):
        client.sendall(b"x")


def dropping(_gateway: Gateway, client: socket.socket) -> None:
    """Close the connection with no answer."""
    client.shutdown(socket.SHUT_RDWR)


@contextmanager
def gateway(**values: object) -> Iterator[Gateway]:
    """A gateway that listens on a free port until the block ends."""
    standin = Gateway(**values)  # type: ignore[arg-type]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        scheme = "https" if standin.tls else "http"
        standin.url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        threads: list[threading.Thread] = []
        accepting = threading.Thread(target=_accept, args=(listener, standin, threads))
        accepting.start()
        try:
            yield standin
        finally:
            standin.stopping.set()
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join()


def _accept(listener: socket.socket, standin: Gateway, threads: list[threading.Thread]) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            client.settimeout(PATIENCE)
            threads.append(threading.Thread(target=standin.serve, args=(client,)))
            threads[-1].start()


@contextmanager
def _secured(client: socket.socket, tls: bool) -> Iterator[socket.socket]:
    if not tls:
        yield client
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SELF_SIGNED)
    with context.wrap_socket(client, server_side=True) as secured:
        yield secured


def _read(client: socket.socket) -> Request | None:
    received = b""
    while b"\r\n\r\n" not in received:
        piece = client.recv(65536)
        if not piece:
            return None
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _version = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += client.recv(65536)
    return Request(method, target, headers, body)

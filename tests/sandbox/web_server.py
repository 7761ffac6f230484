"""The other side of FastCGI: a web server that sends requests in records, cut as a test likes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Self

from messenger_api.sandbox import fastcgi as wire
from messenger_api.sandbox.fastcgi import Record
from tests.processes import LOOPBACK

BEGIN = b"\0\1\0" + bytes(5)
KEEP = b"\0\1\1" + bytes(5)


def cut(kind: int, number: int, content: bytes, sizes: list[int]) -> Iterator[Record]:
    """A stream in records of these sizes, the rest in one, and its end."""
    for size in sizes:
        if content[:size]:
            yield Record(kind, number, content[:size])
        content = content[size:]
    if content:
        yield Record(kind, number, content)
    yield Record(kind, number)


def sent(params: dict[str, str], body: bytes, begin: bytes = BEGIN, number: int = 1) -> list[Record]:
    return [
        Record(wire.BEGIN_REQUEST, number, begin),
        *cut(wire.PARAMS, number, wire.encode_pairs(params), []),
        *cut(wire.STDIN, number, body, []),
    ]


def encoded(records: list[Record]) -> bytes:
    return b"".join(record.encode() for record in records)


class WebServer:
    """Speaks FastCGI over one connection with what listens at `address`."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), 10)
        self._stream = self.socket.makefile("rb")
        self.said = {"REMOTE_ADDR": LOOPBACK, "HTTP_HOST": "localhost", "SERVER_PROTOCOL": "HTTP/1.1"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self.socket.close()

    def ask(self, path: str, body: bytes = b"", begin: bytes = KEEP, **params: str) -> tuple[str, bytes]:
        """The head and the body of the answer."""
        method = "POST" if body else "GET"
        known = {"SCRIPT_NAME": path, "REQUEST_METHOD": method, "CONTENT_LENGTH": str(len(body) or "")}
        self.socket.sendall(encoded(sent({**self.said, **known, **params}, body, begin)))
        output = b""
        while (record := wire.read_record(self._stream)) and record.kind == wire.STDOUT:
            output += record.content
        assert record == wire.ended(1)
        head, _, content = output.partition(b"\r\n\r\n")
        return head.decode(), content

"""A proxy that takes CONNECT alone, as those of companies do for HTTPS."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Tunnel:
    """Answers each CONNECT with `answer`, and hands on what follows where that lets it."""

    def __init__(self, answer: bytes = ESTABLISHED) -> None:
        self.answer = answer
        self.heads: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = [self._server]
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _serve(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._server.accept()
                self._open.append(client)
                head = b""
                while b"\r\n\r\n" not in head and (more := client.recv(1024)):
                    head += more
                self.heads.append(head)
                client.sendall(self.answer)
                if self.answer == ESTABLISHED:
                    self._connect(client, head.split()[1].decode())
                else:
                    client.close()

    def _connect(self, client: socket.socket, address: str) -> None:
        host, _, port = address.rpartition(":")
        server = socket.create_connection((host, int(port)))
        self._open.append(server)
        for ends in ((client, server), (server, client)):
            threading.Thread(target=_relay, args=ends, daemon=True).start()


def _relay(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while more := source.recv(4096):
            target.sendall(more)
        target.shutdown(socket.SHUT_WR)

"""Connections whose bodies do not come, and what people who come meanwhile get."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from tests.product import APPID
from tests.proxies.fronts import NAME
from tests.servers import LOOPBACK, ProductServer

Connect = Callable[[str], socket.socket]

LONG_BODY = 10 * 1024 * 1024
# What is sent of a body, and what it is announced as: less than any proxy keeps, and more.
KINDS: dict[str, tuple[str, bytes, int]] = {
    "form": ("application/x-www-form-urlencoded", b"op=", 100),
    "json": ("application/json", b'{"op":', 200),
    "multipart": ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data", 5000),
    "large": ("multipart/form-data; boundary=b", b"--b\r\n" + b"x" * 200_000, LONG_BODY),
}


def head(length: int, *lines: str) -> bytes:
    """The head of a request."""
    first = ("POST /api.php HTTP/1.1", f"Host: {NAME}", f"Content-Length: {length}")
    return "\r\n".join([*first, *lines, "", ""]).encode()


def begin(connect: Connect, source: str, kind: str) -> socket.socket:
    """A connection with a head and the beginning of a body."""
    label, start, length = KINDS[kind]
    connection = connect(source)
    connection.settimeout(5)
    try:
        connection.sendall(head(length, f"Content-Type: {label}") + start)
    except OSError:
        connection.close()
        raise
    return connection


@contextmanager
def unfinished(
    connect: Connect, kind: str, count: int, networks: int, *, every: float = 0.0
) -> Iterator[list[socket.socket]]:
    """So many unfinished bodies from so many addresses; with `every`, another byte every so many seconds."""
    opened: list[socket.socket] = []
    done = threading.Event()

    def trickle() -> None:
        while not done.wait(every):
            for connection in opened:
                try:
                    connection.send(b"x")
                except OSError:
                    continue

    trickling = threading.Thread(target=trickle)
    try:
        for number in range(count):
            try:
                opened.append(begin(connect, f"127.0.9.{1 + number % networks}", kind))
            except OSError:  # refused, which is as good
                continue
        if every:
            trickling.start()
        yield opened
    finally:
        done.set()
        if every:
            trickling.join()
        for connection in opened:
            connection.close()


def post(connect: Connect, source: str, **fields: str) -> dict[str, Any]:
    """The answer to one call over a connection of its own."""
    body = json.dumps(fields)
    with connect(source) as connection:
        connection.settimeout(30)
        connection.sendall(head(len(body), "Connection: close") + body.encode())
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    found: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


def log_in(server: ProductServer, connect: Connect, source: str, number: str) -> str:
    """A session's token, by the code that the sandbox received."""
    assert post(connect, source, op="login", phone=number, appid=APPID)["result"] == "OK"
    with closing(http.client.HTTPConnection(LOOPBACK, server.port, timeout=10)) as page:
        page.request("GET", "/sandbox/sms.json")
        texts = json.load(page.getresponse())["sms"]
    code = next(re.findall(r"\d{6}", text["text"])[0] for text in texts if text["to"] == number)
    token: str = post(connect, source, op="login", phone=number, appid=APPID, otp=code)["token"]
    return token


def seconds_of_people(connect: Connect, source: str, token: str, calls: int, first: int) -> list[float]:
    """How long logins and syncs take, each of which must succeed, in order."""
    taken = []
    for number in range(calls):
        started = time.monotonic()
        asked = {"op": "login", "phone": f"1415555{first + number:04d}", "appid": APPID}
        answer = post(connect, source, **(asked if number % 2 else {"op": "getcontacts", "token": token}))
        taken.append(time.monotonic() - started)
        assert answer["result"] == "OK", answer
    return sorted(taken)

"""Unfinished bodies hold nobody up: logins and syncs from elsewhere are answered at once meanwhile."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from itertools import count
from itertools import product as pairs

import pytest

from tests.matrix import LONG, some
from tests.proxies.conftest import NewClient, Serving
from tests.proxies.fronts import Front
from tests.proxies.slow import KINDS, Connect, head, log_in, post, seconds_of_people, unfinished
from tests.servers import LOOPBACK, ProductServer

pytestmark = [pytest.mark.server, pytest.mark.long]

CALLS = 20
# Seconds that half of the people, and anybody, may wait; on a machine that does nothing else, hundredths.
MEDIAN, WORST = 1.0, 5.0
NUMBERS = count(100, CALLS)
Attack = tuple[int, int, str, float]  # connections, networks, what they send, seconds between two bytes

FEW: list[Attack] = list(pairs([80], [1, 10], KINDS, [0.0, 2.0]))
CASES: list[Attack] = [*FEW, *pairs([1000], [1, 10], ["form", "large"], [0.0, 2.0])]


def directly(server: ProductServer) -> Connect:
    return lambda source: socket.create_connection((LOOPBACK, server.port), 10, (source, 0))


def people_are_served(server: ProductServer, connect: Connect, new_client: NewClient, attack: Attack) -> None:
    connections, networks, kind, every = attack
    first = next(NUMBERS)
    token = log_in(server, connect, new_client(), f"1415554{first:04d}")
    with unfinished(connect, kind, connections, networks, every=every):
        time.sleep(0.5)  # until they are all where they wait
        taken = seconds_of_people(connect, new_client(), token, CALLS, first)
    print(f"{attack}: {taken[CALLS // 2]:.3f} s in the middle, {taken[-1]:.3f} s at most")
    assert taken[CALLS // 2] < MEDIAN
    assert taken[-1] < WORST


@pytest.mark.parametrize("attack", [*some(CASES, 3), (1000, 1, "form", 0.0), (1000, 10, "form", 0.0)])
def test_directly(serving: Serving, new_client: NewClient, attack: Attack) -> None:
    server = serving(0, limits="off")
    people_are_served(server, directly(server), new_client, attack)


@pytest.mark.parametrize("attack", [*(CASES if LONG else ()), (80, 1, "form", 0.0), (80, 10, "large", 0.0)])
@pytest.mark.parametrize("name", ["nginx", "caddy", "haproxy"])
def test_behind_a_proxy(
    serving: Serving,
    new_client: NewClient,
    front: Callable[..., Front],
    name: str,
    attack: Attack,
) -> None:
    server = serving(1, limits="off")
    people_are_served(server, front(name, server.port).connect, new_client, attack)


def test_fifty_slow_photos_from_one_address_all_arrive(serving: Serving, new_client: NewClient) -> None:
    server = serving(0, limits="off")
    connect, source = directly(server), new_client()
    token = log_in(server, connect, source, "14155559999")
    answers: list[str] = []

    def upload() -> None:
        part = '--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n'
        body = (part % ("op", "") + "upload\r\n" + part % ("token", "") + token + "\r\n").encode()
        body += (part % ("file", '; filename="note.bin"')).encode() + bytes(300_000) + b"\r\n--b--\r\n"
        label = "Content-Type: multipart/form-data; boundary=b"
        with connect(source) as connection:
            connection.settimeout(60)
            connection.sendall(head(len(body), "Connection: close", label))
            for start in range(0, len(body), 20_000):
                connection.sendall(body[start : start + 20_000])
                time.sleep(0.2)
            answers.append(b"".join(iter(lambda: connection.recv(65_536), b"")).decode())

    threads = [threading.Thread(target=upload) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 50
    assert all('"url":' in answer for answer in answers), answers


def test_who_sends_less_than_announced_has_no_op_run(serving: Serving, new_client: NewClient) -> None:
    server = serving(0, limits="off")
    with directly(server)(new_client()) as connection:
        connection.sendall(head(100, "Connection: close") + b"op=loginui")
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert b'"error":"BADVALUE"' in answer
    assert post(directly(server), new_client(), op="loginui")["result"] == "OK"

"""A body that does not come is cut off, one that trickles too, and one that moves is not; shares are fair."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger_api.transport import cutting
from messenger_api.transport.cutting import Cutter
from messenger_api.transport.shares import PART, Shares
from tests.processes import wait_for
from tests.servers import LOOPBACK

SOON = 0.5

Reading = tuple[socket.socket, list[bytes]]


@pytest.fixture
def cutter(monkeypatch: pytest.MonkeyPatch) -> Cutter:
    """One that looks when the test does."""
    monkeypatch.setattr(cutting, "PATIENCE", SOON)
    monkeypatch.setattr(Cutter, "_begin", lambda _cutter: None)
    return Cutter(Shares(10))


@pytest.fixture
def reading(cutter: Cutter) -> Iterator[Callable[[], Reading]]:
    """Starts a thread that reads a body of a megabyte; gives the sender's end, and what was read at last."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server((LOOPBACK, 0)))

        def begin() -> Reading:
            sender = stack.enter_context(closing(socket.create_connection(listening.getsockname())))
            taken, _ = listening.accept()
            stream = stack.enter_context(taken.makefile("rb"))
            stack.enter_context(closing(taken))
            sender.sendall(b"POST")
            found: list[bytes] = []
            thread = threading.Thread(target=lambda: found.append(cutter.read(stream, 1 << 20, LOOPBACK)))
            thread.start()
            stack.callback(thread.join)
            stack.callback(sender.close)
            wait_for(lambda: cutter.waiting, 5, "the thread to wait")
            return sender, found

        yield begin


def test_a_thread_looks_as_long_as_somebody_waits_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "LOOK_SECONDS", 0.05)
    cutter = Cutter(Shares(10))

    def looking() -> int:
        return sum(thread.name == "cutter" for thread in threading.enumerate())

    wait_for(lambda: not looking(), 30, "threads of other tests to end")
    for _ in range(2):  # it begins anew
        with io.BytesIO(b"a body") as body:
            assert cutter.read(body, 100, LOOPBACK) == b"a body"
        assert looking() == 1
        wait_for(lambda: not looking(), 30, "the thread to end")


def test_silence_is_cut_off_after_a_while(cutter: Cutter, reading: Callable[[], Reading]) -> None:
    _, found = reading()
    assert cutter.look() == 0
    wait_for(cutter.look, 5, "the connection to be cut off")
    wait_for(lambda: found, 5, "the thread to be free")
    assert found == [b"POST"]
    assert not cutter.waiting
    assert cutter.look() == 0


def test_a_byte_now_and_then_is_cut_off(cutter: Cutter, reading: Callable[[], Reading]) -> None:
    sender, found = reading()

    def cut() -> int:
        if not found:
            sender.send(b"x")
        time.sleep(0.1)
        return cutter.look()

    assert wait_for(cut, 10, "the connection to be cut off") == 1
    wait_for(lambda: found, 5, "the thread to be free")


def test_what_moves_is_not_cut_off(cutter: Cutter, reading: Callable[[], Reading]) -> None:
    sender, found = reading()
    until = time.monotonic() + 4 * SOON
    while time.monotonic() < until:
        sender.sendall(bytes(2000))
        assert cutter.look() == 0
        time.sleep(0.1)
    assert not found


def test_of_two_the_one_that_moves_stays(cutter: Cutter, reading: Callable[[], Reading]) -> None:
    moving, moved = reading()
    _, silent = reading()

    def cut() -> int:
        moving.sendall(bytes(2000))
        time.sleep(0.05)
        return cutter.look()

    wait_for(cut, 5, "the silent one to be cut off")
    wait_for(lambda: silent, 5, "its thread to be free")
    assert not moved


@pytest.mark.server
def test_a_connection_on_which_nobody_waits_is_left_alone(cutter: Cutter) -> None:
    with (
        socket.create_server((LOOPBACK, 0)) as listening,
        socket.create_connection(listening.getsockname()) as sender,
    ):
        taken, _ = listening.accept()
        sender.sendall(b"GET")
        with taken:
            taken.recv(3)
            time.sleep(SOON * 1.5)
            assert cutter.look() == 0
            sender.sendall(b"more")
            assert taken.recv(4) == b"more"


@given(st.lists(st.integers(0, 30), max_size=400))
def test_while_half_is_free_anybody_has_what_he_wants_and_then_a_part(asked: list[int]) -> None:
    shares = Shares(100)
    held: dict[str, int] = {}
    for number in asked:
        network = f"10.0.0.{number}"
        free, few = shares.free, shares.are_few
        granted = shares.take(network)
        wanted = held.get(network, 0) + 1
        assert granted == (free > 0 and (not few or wanted <= free // PART))
        held[network] = wanted if granted else wanted - 1
    assert shares.free == 100 - sum(held.values()) >= 0
    for network, count in held.items():
        if count:
            shares.release(network, count)
    assert shares.free == 100


@pytest.mark.parametrize(("networks", "left"), [(1, 400), (10, 250), (50, 30)])
def test_however_much_some_networks_take_others_find_a_place(networks: int, left: int) -> None:
    shares = Shares(960)
    for _ in range(1000):
        for number in range(networks):
            shares.take(f"10.0.0.{number}")
    assert shares.free >= left
    assert shares.take("192.0.2.1")

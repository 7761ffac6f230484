"""One time limit for several steps, and for the bytes of a slow sender."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from messenger_api.mesibo.http.deadline import LEAST_SECONDS, Deadline, reader


def test_what_is_left_becomes_less_and_then_there_is_none() -> None:
    deadline = Deadline(0.2)
    first = deadline.left()
    time.sleep(0.05)
    assert LEAST_SECONDS <= deadline.left() < first <= 0.2
    time.sleep(0.2)
    assert deadline.is_over
    with pytest.raises(TimeoutError):
        deadline.left()


@pytest.mark.parametrize("pause", [0.02, 5.0], ids=["in drops", "silent"])
def test_reading_ends_in_time_however_slowly_the_bytes_come(pause: float) -> None:
    ours, theirs = socket.socketpair()
    ended = threading.Event()

    def send() -> None:
        while not ended.wait(pause):
            theirs.sendall(b"x")

    sender = threading.Thread(target=send)
    sender.start()
    began = time.monotonic()
    with ours, theirs, reader(ours, Deadline(0.3)) as file:
        with pytest.raises(TimeoutError):
            file.readline()
        assert time.monotonic() - began < 3
        ended.set()
        sender.join()


def test_a_file_keeps_the_socket_open_as_any_file_of_it_does() -> None:
    ours, theirs = socket.socketpair()
    with theirs, reader(ours, Deadline(5)) as file:
        ours.close()
        theirs.sendall(b"line\n")
        assert file.readline() == b"line\n"
    assert ours.fileno() == -1

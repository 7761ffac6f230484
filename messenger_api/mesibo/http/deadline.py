"""One time limit for the several steps of a call.

A socket's timeout counts anew for every byte that comes: a server that sends one now and then would hold its
reader for as long as it likes. `reader` is read within the limit, however slowly the bytes come.
"""

from __future__ import annotations

import io
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# What is told of a limit that was reached.
TIMED_OUT = "timed out"

# What libraries still take for a time limit; zero means "none" or "forever" to some of them.
LEAST_SECONDS = 0.01


class Deadline:
    """Begins when it is made."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds - LEAST_SECONDS

    @property
    def is_over(self) -> bool:
        """Whether too little time is left for another step."""
        return time.monotonic() > self._end

    def left(self) -> float:
        """The seconds that are left for the next step, at least `LEAST_SECONDS`.

        Raises:
            TimeoutError: fewer are.
        """
        seconds = self._end - time.monotonic()
        if seconds < 0:
            raise TimeoutError(TIMED_OUT)
        return seconds + LEAST_SECONDS


def reader(sock: socket.socket, deadline: Deadline) -> io.BufferedReader:
    """The socket as a file whose reading ends by the deadline, with TimeoutError."""
    return io.BufferedReader(_Receiving(sock, deadline))


class _Receiving(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline
        # The socket counts its files, and is closed with the last of them.
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        self._sock.settimeout(self._deadline.left())
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()

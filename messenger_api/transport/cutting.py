"""Cuts off connections whose body does not arrive: WSGI lets no thread stop reading one.

The thread that waits knows no socket, so the sockets of this process are looked at: Linux tells of each when
it last received and sent something (TCP_INFO, linux/tcp.h), and to close one for reading ends the wait. On
other systems nothing is cut off.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from messenger_api.domain.network import network_of
from messenger_api.transport.shares import Shares

log = structlog.get_logger(__name__)

# A piece of a body (`receiving.STEP`) may take so long, and so long when few threads are free.
PATIENCE = 30.0
PATIENCE_WHEN_FEW = 15.0
# Who sends more is slow and moves: bytes a second.
SLOWEST = 2048

# In struct tcp_info: tcpi_last_data_sent and tcpi_last_data_recv (milliseconds since), tcpi_bytes_received.
SENT_AT, RECEIVED_AT, BYTES_AT = 44, 52, 128
INFO_BYTES = 136
LOOK_SECONDS = 1.0
# With nobody to wait for, the thread that looks ends after so many looks.
IDLE_LOOKS = 3
DESCRIPTORS = Path("/proc/self/fd")

Address = tuple[str, int]


@dataclass(frozen=True)
class Line:
    """A connection that somebody made to this process, as TCP knows it."""

    peer: Address
    silent: float  # seconds since anything was sent or received
    unanswered: float  # seconds since anything was sent
    received: int  # bytes, since its beginning


class Cutter:
    """Looks once a second whether a thread waits too long, and cuts off whom it waits for."""

    def __init__(self, threads: Shares) -> None:
        self.waiting: dict[int, tuple[float, str]] = {}
        self._threads = threads
        self._lock = threading.Lock()
        self._looks = False
        # When a connection was first found unanswered, and what had come by then.
        self._marks: dict[Address, tuple[float, int]] = {}

    @property
    def patience(self) -> float:
        """Seconds that a piece of a body may take now."""
        return PATIENCE_WHEN_FEW if self._threads.are_few else PATIENCE

    def read(self, stream: object, size: int, peer: str) -> bytes:
        """At most `size` bytes of a body that comes from the machine `peer`; b"" at its end."""
        thread = threading.get_ident()
        self.waiting[thread] = time.monotonic(), peer
        self._begin()
        try:
            data: bytes = stream.read(size)  # type: ignore[attr-defined]
        except (OSError, ValueError):  # other servers than ours: the connection broke, or is no HTTP
            return b""
        finally:
            del self.waiting[thread]
        return data

    def _begin(self) -> None:
        """See to it that a thread looks, as long as somebody waits."""
        with self._lock:
            if self._looks or not DESCRIPTORS.is_dir():
                return
            self._looks = True
        threading.Thread(target=self._run, name="cutter", daemon=True).start()

    def _run(self) -> None:
        idle = 0
        while idle < IDLE_LOOKS or not self._ends():
            time.sleep(LOOK_SECONDS)
            idle = 0 if self.waiting else idle + 1
            with suppress(Exception):  # whatever a socket says, the next look sees it again
                self.look()

    def _ends(self) -> bool:
        with self._lock:
            self._looks = bool(self.waiting)
            return not self._looks

    def look(self) -> int:
        """Cut off what is overdue; returns how many."""
        now, patience = time.monotonic(), self.patience
        waiting = list(self.waiting.values())
        overdue = Counter(network_of(peer) for since, peer in waiting if now - since > patience)
        if not overdue:
            self._marks = {}
            return 0
        marks, self._marks = self._marks, {}
        count = 0
        for sock, line in _lines():
            network = network_of(line.peer[0])
            if not overdue[network] or not line.received:
                continue
            if self._is_overdue(line, marks.get(line.peer), now, patience):
                overdue[network] -= 1
                count += 1
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RD)
        if count:
            log.warning("body.cut_off", connections=count, patience=patience)
        return count

    def _is_overdue(self, line: Line, mark: tuple[float, int] | None, now: float, patience: float) -> bool:
        if line.silent > patience:
            return True
        if line.unanswered < patience:
            return False
        since, received = mark or (now, line.received)
        if now - since > patience:
            if line.received - received < SLOWEST * (now - since):
                return True
            since, received = now, line.received
        self._marks[line.peer] = since, received
        return False


def _lines() -> Iterator[tuple[socket.socket, Line]]:
    """The connections that were made to ports on which this process listens."""
    ports: set[int] = set()
    found: list[tuple[socket.socket, int]] = []
    try:
        for sock in _sockets():
            port = sock.getsockname()[1]
            if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                ports.add(port)
                sock.close()
            else:
                found.append((sock, port))
        for sock, port in found:
            if port in ports and (line := _line(sock)):
                yield sock, line
    finally:
        for sock, _ in found:
            sock.close()


def _sockets() -> Iterator[socket.socket]:
    """Those of this process that speak TCP, each under a second number, which nobody else gets meanwhile."""
    for entry in DESCRIPTORS.iterdir():
        with suppress(OSError):
            sock = _socket(int(entry.name))
            if sock:
                yield sock


def _socket(descriptor: int) -> socket.socket | None:
    mine = os.dup(descriptor)
    try:
        sock = socket.socket(fileno=mine)
    except OSError:
        os.close(mine)
        return None
    if sock.type == socket.SOCK_STREAM and sock.family in (socket.AF_INET, socket.AF_INET6):
        return sock
    sock.close()
    return None


def _line(sock: socket.socket) -> Line | None:
    try:
        peer = sock.getpeername()[:2]
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, INFO_BYTES)
    except OSError:
        return None
    if len(info) < INFO_BYTES:
        return None
    sent, received = (struct.unpack_from("=I", info, at)[0] / 1000 for at in (SENT_AT, RECEIVED_AT))
    return Line(peer, min(sent, received), sent, struct.unpack_from("=Q", info, BYTES_AT)[0])

"""Receives the body of a request before anything else looks at the request.

A thread that reads a body waits for the sender's network, so the server has `THREADS` of them, while no more
than `CALLS_AT_ONCE` requests are worked on at a time. When half of the threads wait for bodies, each
network may hold a part of the rest alone (`Shares`), and bodies that come too slowly are cut off (`Cutter`).
"""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from queue import Empty, SimpleQueue
from typing import IO, TYPE_CHECKING

from messenger_api.domain.capacity import CALLS_AT_ONCE
from messenger_api.domain.errors import TryLater
from messenger_api.domain.network import network_of
from messenger_api.transport.addresses import BY_STATUS, FILES
from messenger_api.transport.bodies import has_body
from messenger_api.transport.cutting import PATIENCE_WHEN_FEW, Cutter
from messenger_api.transport.envelope import Reply, failure
from messenger_api.transport.proxies import PEER
from messenger_api.transport.shares import Shares

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Threads of a server process, which cost memory (some 70 KB each) only where they are used.
THREADS = 1024
# Those that may wait for a body. The others are for requests without one and for those that are worked on.
READING = THREADS - 2 * CALLS_AT_ONCE

# Bytes that are read at once, and of a body those that are kept in memory; the rest goes to a file.
STEP = 64 * 1024
# So many of the largest bodies may be on their way, or smaller ones that have their size together.
LARGEST_AT_ONCE = 64
# What a body of unknown length is reckoned as.
UNKNOWN = 1024 * 1024
# Of what is larger than accepted so much is read and dropped, for so long: whoever is cut off while sending
# sees a broken connection and not the answer.
DROPPED_BYTES = 128 * 1024 * 1024
DROPPED_SECONDS = 60

# In the environment of a request: the file that holds its body, when one does.
FILE = "messenger_api.body"

# So long a request waits for its turn to be worked on.
TURN_SECONDS = 10
RETRY_SECONDS = 5


class Receiving:
    """A WSGI application that hands requests on once their body is there.

    `wsgi.input` is a file that can be read again: the one of a server need not be (PEP 3333).
    """

    def __init__(self, app: WSGIApplication, largest: int) -> None:
        """`largest`: bytes that a body may have; one that has more is handed on with none of them."""
        self._app = app
        self._largest = largest
        self._threads = Shares(READING)
        self._bytes = Shares(LARGEST_AT_ONCE * largest)
        self._cutter = Cutter(self._threads)
        self._turns: SimpleQueue[None] = SimpleQueue()
        for _ in range(CALLS_AT_ONCE):
            self._turns.put(None)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Receive the body, wait for a turn, and have the request answered."""
        try:
            if has_body(environ):
                length = environ.get("CONTENT_LENGTH", "")
                self._receive(environ, int(length) if length.isdecimal() and length != "0" else None)
            else:
                environ["wsgi.input"] = io.BytesIO()
            if environ.get("PATH_INFO", "").startswith(FILES):
                return self._send(environ, start_response)
            return self._work(environ, start_response)
        except (TryLater, Empty):
            return _later(environ, start_response)

    def _work(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            self._turns.get(timeout=TURN_SECONDS)
            try:
                return self._app(environ, start_response)
            finally:
                self._turns.put(None)
        finally:
            if FILE in environ:
                environ[FILE].close()

    def _send(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """A file leaves at the pace of who reads it, in a thread that is held like one that receives."""
        network = network_of(environ.get("REMOTE_ADDR", ""))
        if not self._threads.take(network):
            raise TryLater
        try:
            return Lent(self._work(environ, start_response), partial(self._threads.release, network))
        except BaseException:
            self._threads.release(network)
            raise

    def _receive(self, environ: WSGIEnvironment, length: int | None) -> None:
        """Put a body that is here in the place of the one that comes.

        Raises:
            TryLater: the sender's network may hold no more now, or the body came too slowly.
        """
        network = network_of(environ.get("REMOTE_ADDR", ""))
        if not self._threads.take(network):
            raise TryLater
        try:
            if length is not None and length <= STEP:
                data = self._read(environ, length)
                environ["wsgi.input"] = io.BytesIO(data)
            else:
                self._receive_large(environ, length, network)
        finally:
            self._threads.release(network)

    def _receive_large(self, environ: WSGIEnvironment, length: int | None, network: str) -> None:
        reckoned = min(UNKNOWN if length is None else length, self._largest)
        if not self._bytes.take(network, reckoned):
            raise TryLater
        try:
            body, size = self._kept(environ, length)
        finally:
            self._bytes.release(network, reckoned)
        environ["wsgi.input"] = environ[FILE] = body
        if length is None:
            environ.pop("HTTP_TRANSFER_ENCODING", None)
            environ["CONTENT_LENGTH"] = str(size)

    def _kept(self, environ: WSGIEnvironment, length: int | None) -> tuple[IO[bytes], int]:
        """What came, or nothing of what is too large, and how much it was."""
        file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=STEP)  # noqa: SIM115 - closed when answered
        try:
            size = self._copy(environ, length, file)
        except BaseException:
            file.close()
            raise
        if size > self._largest:
            file.close()
            return io.BytesIO(), size
        file.seek(0)
        return file, size

    def _copy(self, environ: WSGIEnvironment, length: int | None, file: IO[bytes]) -> int:
        """Write what comes to a file, drop it once it is too large, and say how much it is."""
        until, size = time.monotonic() + DROPPED_SECONDS, 0
        announced = length or 0
        while chunk := self._read(environ, STEP if length is None else min(STEP, length - size)):
            size += len(chunk)
            if max(size, announced) <= self._largest:
                file.write(chunk)
            elif size > DROPPED_BYTES or time.monotonic() > until:
                break
        return size if announced <= self._largest else announced

    def _read(self, environ: WSGIEnvironment, size: int) -> bytes:
        """So many bytes, or fewer at the end of the body. Raises TryLater: they came too slowly."""
        cutter = self._cutter
        stream, peer = environ["wsgi.input"], environ.get(PEER) or environ.get("REMOTE_ADDR", "")
        started = time.monotonic()
        data = cutter.read(stream, size, peer)
        while len(data) < size:
            more = cutter.read(stream, size - len(data), peer)
            if more:
                data += more
                continue
            if time.monotonic() - started > PATIENCE_WHEN_FEW:
                raise TryLater
            # Whoever reads it looks then whether it is as long as it was announced.
            environ.pop("wsgi.input_terminated", None)
            break
        return data


class Lent:
    """The pieces of an answer; `at_end` is called when the server lets go of them."""

    def __init__(self, pieces: Iterable[bytes], at_end: Callable[[], None]) -> None:
        self._pieces, self._rest = pieces, iter(pieces)
        self._at_end = at_end

    def __iter__(self) -> Iterator[bytes]:
        return self._rest

    def close(self) -> None:
        """End the answer, as PEP 3333 has servers do in any case."""
        at_end, self._at_end = self._at_end, _nothing
        try:
            if close := getattr(self._pieces, "close", None):
                close()
        finally:
            at_end()


def _nothing() -> None:
    """It was called already."""


def _later(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    language = environ.get("HTTP_ACCEPT_LANGUAGE", "").partition(",")[0]
    answer = failure(TryLater(retry_after=RETRY_SECONDS), op="", ts=int(time.time()), language=language)
    by_status = environ.get("PATH_INFO", "").startswith(BY_STATUS)
    reply = Reply.of(answer, status="503 Service Unavailable" if by_status else "200 OK")
    return reply.send(environ, start_response)

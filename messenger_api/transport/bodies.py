"""The bytes of a request's body: as many as are accepted, unpacked."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from messenger_api.domain.errors import BadValue, TooLarge

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# A phone book of the largest accepted size, with room.
MAX_BODY_BYTES = 1024 * 1024
# A packed body may always hold as much as one that is not, and beyond that so many times its own size.
MOST_PACKED = 100
CHUNK = 64 * 1024
# Pieces of gzip that may stand one behind the other (RFC 1952, 2.2): what is left is copied for each.
MOST_MEMBERS = 16
GZIP_START = b"\x1f\x8b\x08"
# zlib's names of what it shall unpack: gzip, and what HTTP calls deflate, with its frame and as old servers
# and clients write it.
GZIP, FRAMED, RAW = 31, 15, -15


class Body:
    """A body that is read once, from its beginning.

    `limit`: bytes that it may have, packed or not. Reading raises TooLarge, and BadValue where it breaks off
    or cannot be unpacked.
    """

    def __init__(self, environ: WSGIEnvironment, limit: int) -> None:
        self._environ = environ
        self._limit = limit
        self._input = environ["wsgi.input"]
        self._announced = _length(environ)
        self._read = 0
        encodings = environ.get("HTTP_CONTENT_ENCODING", "").lower().replace(",", " ").split()
        self._packed = [encoding for encoding in encodings if encoding != "identity"]
        self._head: bytes | None = None

    def head(self) -> bytes:
        """Its first bytes, at most `CHUNK` of them; the whole, if it is not longer, or was packed."""
        if self._head is None:
            if (self._announced or 0) > self._limit:
                raise too_large(self._limit)
            self._head = self._some(CHUNK)
            if self._packed or self._head.startswith(GZIP_START):
                self._head = self._unpacked()
        return self._head

    def chunks(self) -> Iterator[bytes]:
        """Its bytes in pieces of at most `CHUNK`."""
        head = self.head()
        for start in range(0, len(head), CHUNK):
            yield head[start : start + CHUNK]
        while chunk := self._some(CHUNK):
            yield chunk

    def whole(self, limit: int) -> bytes:
        """Its bytes at once, of which there may be `limit`."""
        if len(self.head()) < CHUNK:
            return self.head()
        data = bytearray()
        for chunk in self.chunks():
            data += chunk
            if len(data) > limit:
                raise too_large(limit)
        return bytes(data)

    def _some(self, most: int) -> bytes:
        """So many bytes; fewer only at its end."""
        found = b""
        while len(found) < most:
            wanted = most - len(found)
            if self._announced is not None:
                wanted = min(wanted, self._announced - self._read)
            try:
                more = self._input.read(wanted) if wanted > 0 else b""
            except (OSError, ValueError):
                raise unreadable("it broke off") from None
            if not more:
                if wanted > 0 and self._announced is not None:
                    raise unreadable("it is shorter than announced")
                break
            self._read += len(more)
            if self._read > self._limit:
                raise too_large(self._limit)
            found = found + more if found else more
        return found

    def _unpacked(self) -> bytes:
        packed = b"".join([self._head or b"", *iter(lambda: self._some(CHUNK), b"")])
        encoding = self._packed[0] if self._packed else "gzip"
        if len(self._packed) > 1 or encoding not in ("gzip", "x-gzip", "deflate"):
            raise unreadable(f"its encoding {' '.join(self._packed)[:40]!a} is not one of gzip and deflate")
        if encoding == "deflate":
            try:
                return self._inflated(packed, FRAMED)
            except zlib.error:
                pass
        elif not packed.startswith(GZIP_START):  # a proxy has unpacked it and forgot to say so
            return packed
        try:
            return self._inflated(packed, RAW if encoding == "deflate" else GZIP)
        except zlib.error:
            raise unreadable("it cannot be unpacked") from None

    def _inflated(self, packed: bytes, frame: int) -> bytes:
        limit = min(self._limit, max(MAX_BODY_BYTES, MOST_PACKED * len(packed)))
        data = b""
        for _ in range(MOST_MEMBERS):
            unpacking = zlib.decompressobj(frame)
            data += unpacking.decompress(packed, limit + 1 - len(data))
            if len(data) > limit:
                raise too_large(limit)
            if not unpacking.eof:
                raise unreadable("it broke off")
            packed = unpacking.unused_data
            if frame != GZIP or not packed.startswith(GZIP_START):
                return data
        raise unreadable("it is packed in too many pieces")


def unreadable(wanted: str) -> BadValue:
    """The refusal of a body that cannot be read."""
    return BadValue("body_bad", properties=("body",), wanted=wanted)


def too_large(limit: int) -> TooLarge:
    """The refusal of one with more bytes than that. What is still to come was dropped (`receiving`)."""
    return TooLarge(limit=f"{limit // 1024} KiB")


def _length(environ: WSGIEnvironment) -> int | None:
    """The announced length. None is a body that the server ends."""
    text = environ.get("CONTENT_LENGTH") or ""
    if text.isascii() and text.isdecimal() and not environ.get("HTTP_TRANSFER_ENCODING"):
        return int(text[:19])
    return None if environ.get("wsgi.input_terminated") else 0

"""The bytes of a request's body: as many as are accepted, unpacked."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
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
    """A body that was received (`receiving`): what is read of it is there.

    `head` has its first bytes, at most `CHUNK` of them; the whole, if it is not longer, or was packed. Raises
    TooLarge, here and wherever it is read, and BadValue where it breaks off or cannot be unpacked.
    """

    def __init__(self, environ: WSGIEnvironment, limit: int) -> None:
        """`limit`: bytes that it may have, packed or not."""
        self._limit = limit
        self._input = environ["wsgi.input"]
        # Bytes that were announced and not read yet; None: as many as there are.
        self._left = _length(environ)
        self._read = 0
        if self._left is not None and self._left > limit:
            raise too_large(limit)
        self.head = self._some()
        encodings = environ.get("HTTP_CONTENT_ENCODING")
        if encodings or self.head.startswith(GZIP_START):
            self._unpack((encodings or "").lower().replace(",", " ").split())

    def chunks(self) -> Iterator[bytes]:
        """Its bytes in pieces of at most `CHUNK`."""
        head = self.head
        for start in range(0, len(head), CHUNK):
            yield head[start : start + CHUNK]
        while chunk := self._some():
            yield chunk

    def whole(self, limit: int) -> bytes:
        """Its bytes at once, of which there may be `limit`."""
        if len(self.head) < CHUNK:
            return self.head
        data = bytearray()
        for chunk in self.chunks():
            data += chunk
            if len(data) > limit:
                raise too_large(limit)
        return bytes(data)

    def _some(self) -> bytes:
        """`CHUNK` bytes; fewer only at its end."""
        left = self._left
        wanted = CHUNK if left is None or left > CHUNK else left
        try:
            found: bytes = self._input.read(wanted)
        except (OSError, ValueError):
            raise unreadable("it broke off") from None
        if left is not None:
            if len(found) < wanted:
                raise unreadable("it is shorter than announced")
            self._left = left - wanted
        self._read += len(found)
        if self._read > self._limit:
            raise too_large(self._limit)
        return found

    def _unpack(self, encodings: Sequence[str]) -> None:
        """Have the whole body in `head`, unpacked as its header says, or as it begins."""
        named = [encoding for encoding in encodings if encoding != "identity"]
        if named or self.head.startswith(GZIP_START):
            self.head = self._unpacked(b"".join([self.head, *iter(self._some, b"")]), named)

    def _unpacked(self, packed: bytes, named: Sequence[str]) -> bytes:
        encoding = named[0] if named else "gzip"
        if len(named) > 1 or encoding not in ("gzip", "x-gzip", "deflate"):
            raise unreadable(f"its encoding {' '.join(named)[:40]!a} is not one of gzip and deflate")
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


def has_body(environ: WSGIEnvironment) -> bool:
    """Whether something came with a request; its length may yet be 0."""
    return environ.get("CONTENT_LENGTH", "0") not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ


def _length(environ: WSGIEnvironment) -> int | None:
    """The announced length. None is a body that the server ends."""
    text = environ.get("CONTENT_LENGTH") or ""
    if text.isascii() and text.isdecimal() and not environ.get("HTTP_TRANSFER_ENCODING"):
        return int(text[:19])
    return None if environ.get("wsgi.input_terminated") else 0

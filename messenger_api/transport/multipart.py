"""Multipart bodies: a small number of fields and one file.

werkzeug's decoder does the reading. What it leaves to others is decided here: how many parts there may be and
how long their heads, that a missing last boundary is no fault, and in which encoding the texts are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from tempfile import SpooledTemporaryFile

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Event, Field, File, MultipartDecoder, NeedData, State

from messenger_api.domain.encodings import known, text
from messenger_api.ops.call import UploadedFile
from messenger_api.transport.bodies import CHUNK, MAX_BODY_BYTES, Body, too_large, unreadable

# iOS sends at most 200 numbers at a time, and each may be a part.
MAX_PARTS = 400
# The file's name is what takes the most room in a part's head. Reading heads is what takes time.
MAX_HEAD_BYTES = 2048
MAX_HEADS_BYTES = 128 * 1024
# RFC 2046 allows 70 characters.
MAX_BOUNDARY = 200
_FIRST_PART = re.compile(
    rb"\s*--([\x20-\x7e]{1,200})(?:\r\n|\n|\r)(?:[^:\r\n]{1,80}:[^\r\n]*(?:\r\n|\n|\r)){0,8}?Content-Disposition:",
    re.IGNORECASE,
)
_END_OF_HEAD = re.compile(rb"\r\n\r\n|\r\r|\n\n")


def boundary_of(head: bytes, declared: str) -> bytes:
    """What separates the parts of a body that begins so; b"" when it has none.

    `declared`: the boundary of its Content-Type, which may be missing or another.
    """
    boundary = declared.encode("latin-1", "replace")[:MAX_BOUNDARY]
    if boundary and b"--" + boundary in head:
        return boundary
    first = _FIRST_PART.match(head[: MAX_BOUNDARY + 2 * MAX_HEAD_BYTES])
    return first[1].rstrip() if first else b""


class Multipart:
    """The fields of a multipart body, in their order, and its first file."""

    def __init__(self, boundary: bytes, charset: str) -> None:
        self.pairs: list[tuple[str, str]] = []
        self.file: UploadedFile | None = None
        self._boundary = boundary
        self._charset = charset
        self._decoder = MultipartDecoder(boundary, MAX_BODY_BYTES, max_parts=MAX_PARTS)
        self._part: Field | File | None = None
        self._value = bytearray()
        self._left = MAX_BODY_BYTES
        self._heads_left = MAX_HEADS_BYTES
        self._kept: SpooledTemporaryFile[bytes] | None = None

    @classmethod
    def read(cls, body: Body, boundary: bytes, charset: str) -> Multipart:
        """Read a body to its end, or to the end of its last part. Raises BadValue, TooLarge."""
        found = cls(boundary, charset)
        try:
            found._take_all(body.chunks())
        except RequestEntityTooLarge:
            raise too_large(MAX_BODY_BYTES) from None
        except ValueError:
            raise unreadable("it is not a form") from None
        finally:
            if found._kept:
                found._kept.close()
        return found

    def _take_all(self, chunks: Iterable[bytes]) -> None:
        ended = False
        for chunk in chunks:
            if not ended:  # what follows the last boundary is of no interest
                self._decoder.receive_data(chunk)
                ended = self._take()
        if not ended:
            self._end()

    def _end(self) -> None:
        """Write the last boundary, or the rest of it, that is missing."""
        buffer, last = self._decoder.buffer, b"\r\n--%s--" % self._boundary
        if self._decoder.state is State.PART and not buffer.strip():
            return
        for length in range(len(last), 1, -1):
            # The decoder may have given out the first byte of it already.
            if buffer.endswith(last[:length]) or buffer == last[1:length]:
                del buffer[-length:]
                break
        self._decoder.receive_data(last + b"\r\n")
        self._take()
        if self._decoder.state is not State.EPILOGUE:
            raise ValueError("It ends within the head of a part")

    def _take(self) -> bool:
        """Take what there is by now; True when it was the last."""
        while self._head_is_well():
            event = self._decoder.next_event()
            if isinstance(event, NeedData):
                break
            self._note(event)
            if self._decoder.state is State.EPILOGUE:
                return True
        return False

    def _head_is_well(self) -> bool:
        """Whether the decoder may read on: heads are short, and in UTF-8."""
        decoder = self._decoder
        if decoder.state is not State.PART:
            return True
        end = _END_OF_HEAD.search(decoder.buffer, 0, MAX_HEAD_BYTES)
        if end is None:
            if len(decoder.buffer) > MAX_HEAD_BYTES:
                raise RequestEntityTooLarge
            return False
        self._heads_left -= end.start()
        if self._heads_left < 0:
            raise RequestEntityTooLarge
        head = bytes(decoder.buffer[: end.start()])
        if not head.isascii():
            decoder.buffer[: end.start()] = text(head, self._charset).encode()
        return True

    def _note(self, event: Event) -> None:
        if isinstance(event, (Field, File)):
            self._part = event
            self._value.clear()
            if isinstance(event, File) and self.file is None:
                self._kept = SpooledTemporaryFile(max_size=8 * CHUNK)  # noqa: SIM115
        elif isinstance(event, Data):
            self._add(event.data)
            if not event.more_data:
                self._close_part()

    def _add(self, data: bytes) -> None:
        if isinstance(self._part, Field):
            self._left -= len(data)
            if self._left < 0:
                raise RequestEntityTooLarge
            self._value += data
        elif self._kept:
            self._kept.write(data)

    def _close_part(self) -> None:
        part = self._part
        if isinstance(part, Field):
            if part.name:
                self.pairs.append((part.name, text(bytes(self._value), self._charset_of(part))))
        elif part and self._kept:
            kept, self._kept = self._kept, None
            self._keep(kept, part.filename)

    def _keep(self, kept: SpooledTemporaryFile[bytes], filename: str) -> None:
        """Keep the first file that is one: an empty choice of a web page has neither name nor content."""
        with kept:
            size = kept.tell()
            if size or filename:
                kept.seek(0)
                self.file = UploadedFile(filename, kept.read())

    def _charset_of(self, part: Field) -> str:
        _type, options = parse_options_header(part.headers.get("content-type", ""))
        return known(options.get("charset", "")) or self._charset

"""FastCGI 1.0, as far as a responder needs it: records, and the requests that a web server makes of them.

What the protocol does not allow ends the connection, which has one request at a time.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from io import BufferedIOBase
from typing import NamedTuple

BEGIN_REQUEST, ABORT_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT = range(1, 7)
GET_VALUES, GET_VALUES_RESULT, UNKNOWN_TYPE = 9, 10, 11
REQUEST_COMPLETE, CANT_MULTIPLEX, UNKNOWN_ROLE = 0, 1, 3
VALUES = {"FCGI_MAX_CONNS": "128", "FCGI_MAX_REQS": "128", "FCGI_MPXS_CONNS": "0"}
LARGEST_PARAMS = 64 * 1024
MOST_CONTENT = 0xFFFF

_VERSION, _RESPONDER, _KEEP_CONNECTION = 1, 1, 1
_HEADER = struct.Struct("!BBHHBx")  # version, type, request, length of content and of padding
_BEGIN = struct.Struct("!HB5x")  # role, flags
_END = struct.Struct("!IB3x")  # the application's status, the protocol's


class FastCgiError(Exception):
    """What came is not FastCGI, or more than is taken."""


class Record(NamedTuple):
    """What travels, in both directions; `request` is 0 where it is about the connection."""

    kind: int
    request: int
    content: bytes = b""

    def encode(self) -> bytes:
        """Its bytes, filled up to a multiple of eight."""
        padding = -len(self.content) % 8
        header = _HEADER.pack(_VERSION, self.kind, self.request, len(self.content), padding)
        return header + self.content + bytes(padding)


class Request(NamedTuple):
    """A whole request: the parameters of CGI and the body; `keep` leaves the connection open afterwards."""

    number: int
    keep: bool
    params: Mapping[str, str]
    body: bytes


def read_record(stream: BufferedIOBase) -> Record | None:
    """The next record; None where the stream ends. Raises FastCgiError: it ends inside of one, or is none."""
    header = stream.read(_HEADER.size)
    if not header:
        return None
    if len(header) < _HEADER.size:
        raise FastCgiError("a header was cut off")
    version, kind, request, length, padding = _HEADER.unpack(header)
    if version != _VERSION:
        raise FastCgiError("not version 1")
    content = stream.read(length + padding)
    if len(content) < length + padding:
        raise FastCgiError("a record was cut off")
    return Record(kind, request, content[:length])


def encode_pairs(pairs: Mapping[str, str]) -> bytes:
    """Names and values, in Latin-1 as WSGI has them, each behind its length."""

    def length(value: bytes) -> bytes:
        return bytes([len(value)]) if len(value) < 0x80 else struct.pack("!I", len(value) | 0x80000000)

    encoded = ((name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs.items())
    return b"".join(length(name) + length(value) + name + value for name, value in encoded)


def decode_pairs(data: bytes) -> dict[str, str]:
    """The names and values of a PARAMS stream; what comes twice, as a header may, is joined by commas.
    Raises FastCgiError: the lengths do not fit."""
    found: dict[str, str] = {}
    for name, value in _pairs(data):
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _pairs(data: bytes) -> Iterator[tuple[str, str]]:
    at = 0

    def taken(size: int) -> bytes:
        nonlocal at
        at += size
        if at > len(data):
            raise FastCgiError("a name or value was cut off")
        return data[at - size : at]

    def length() -> int:
        first = taken(1)
        return first[0] if first[0] < 0x80 else int.from_bytes(first + taken(3), "big") & 0x7FFFFFFF

    while at < len(data):
        name, value = length(), length()
        yield taken(name).decode("latin-1"), taken(value).decode("latin-1")


def answer(request: int, content: bytes) -> Iterator[Record]:
    """The records that answer a request with the output of CGI, a head and a body."""
    for start in range(0, len(content), MOST_CONTENT):
        yield Record(STDOUT, request, content[start : start + MOST_CONTENT])
    yield Record(STDOUT, request)
    yield ended(request)


def ended(request: int, status: int = REQUEST_COMPLETE) -> Record:
    """The record that ends a request."""
    return Record(END_REQUEST, request, _END.pack(0, status))


class Requests:
    """The requests in `stream`, what a web server sends, with bodies of up to `largest_body` bytes; `reply`
    sends a record back."""

    def __init__(self, stream: BufferedIOBase, reply: Callable[[Record], None], largest_body: int) -> None:
        self._stream = stream
        self._reply = reply
        self._largest_body = largest_body

    def __iter__(self) -> Iterator[Request]:
        """Each request when it is whole. Raises FastCgiError: what comes is not FastCGI, or too much."""
        begun: _Begun | None = None
        while record := read_record(self._stream):
            if record.request == 0:
                self._reply(_of_connection(record))
            elif record.kind == BEGIN_REQUEST:
                begun = self._begin(record, begun)
            elif begun is None or record.request != begun.number:
                continue  # of a request that was refused
            elif record.kind == ABORT_REQUEST:
                self._reply(ended(begun.number))
                begun = None
            elif request := begun.take(record):
                yield request
                if not request.keep:
                    return
                begun = None

    def _begin(self, record: Record, begun: _Begun | None) -> _Begun | None:
        if len(record.content) != _BEGIN.size or (begun and begun.number == record.request):
            raise FastCgiError("no beginning of a request")
        role, flags = _BEGIN.unpack(record.content)
        if begun is None and role == _RESPONDER:
            return _Begun(record.request, bool(flags & _KEEP_CONNECTION), self._largest_body)
        self._reply(ended(record.request, CANT_MULTIPLEX if begun else UNKNOWN_ROLE))
        return begun


class _Begun:
    """A request of which a part has come."""

    def __init__(self, number: int, keep: bool, largest_body: int) -> None:
        self.number = number
        self._keep = keep
        self._largest_body = largest_body
        self._pairs, self._body = bytearray(), bytearray()
        self._params: dict[str, str] | None = None

    def take(self, record: Record) -> Request | None:
        """The request, where this record completes it."""
        if record.kind == PARAMS:
            self._take_pairs(record.content)
        elif record.kind == STDIN:
            if self._params is None or len(self._body) + len(record.content) > self._largest_body:
                raise FastCgiError("a body before its parameters, or a longer one than is taken")
            self._body += record.content
            return None if record.content else self._whole(self._params)
        return None

    def _take_pairs(self, content: bytes) -> None:
        self._pairs += content
        if self._params is not None or len(self._pairs) > LARGEST_PARAMS:
            raise FastCgiError("more parameters than are taken")
        if not content:
            self._params = decode_pairs(bytes(self._pairs))

    def _whole(self, params: dict[str, str]) -> Request:
        said = params.get("CONTENT_LENGTH") or len(self._body)
        if str(said) != str(len(self._body)):
            raise FastCgiError("the body is not as long as was said")
        return Request(self.number, self._keep, params, bytes(self._body))


def _of_connection(record: Record) -> Record:
    """The answer to a record that is about the connection."""
    if record.kind != GET_VALUES:
        return Record(UNKNOWN_TYPE, 0, bytes([record.kind]) + bytes(7))
    asked = decode_pairs(record.content)
    return Record(
        GET_VALUES_RESULT, 0, encode_pairs({name: VALUES[name] for name in asked if name in VALUES})
    )

"""Prepared statements by the binary protocol of MySQL and MariaDB, over a connection of PyMySQL's.

PyMySQL writes values into texts, and reads of every answer what its columns are. Here a statement is prepared
once on a connection; from then on its values travel as bytes, and of an answer that describes its columns as
the one before did, only the rows are read: a third of the process's work, and less for the server
(docs/benchmarks.md).

Formats: MySQL Source Code Documentation, "Prepared Statements" and "Binary Protocol Resultset"; MariaDB's
Client/Server Protocol, "COM_STMT_EXECUTE" and "Result Set Packets".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from pymysql.constants import FIELD_TYPE, FLAG

from messenger_api.storage.wire import LONGEST, OK, Answer, ask

Read = Callable[[bytes, int], tuple[Any, int]]
Encode = Callable[[Any], bytes]
Shape = tuple[bytes, Sequence[Encode]]

_PREPARE, _EXECUTE, _CLOSE = 0x16, 0x17, 0x19
# The answer to a statement that is prepared: its number, of how many columns, with how many values.
_PREPARED = struct.Struct("<xIHH")
# What a number begins with that is longer than a byte, and how long it is.
_SIZES = {252: 2, 253: 3, 254: 8}
# The end of a column's definition: its character set, length (not looked at), type, flags, and decimals.
_KIND = struct.Struct("<H4xBH3x")
_BINARY = 63  # the character set of bytes
_INTEGERS = {
    FIELD_TYPE.TINY: 1,
    FIELD_TYPE.SHORT: 2,
    FIELD_TYPE.YEAR: 2,
    FIELD_TYPE.INT24: 4,
    FIELD_TYPE.LONG: 4,
    FIELD_TYPE.LONGLONG: 8,
}
_DECIMALS = {FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL}
_TEXTS = {
    FIELD_TYPE.VARCHAR,
    FIELD_TYPE.VAR_STRING,
    FIELD_TYPE.STRING,
    FIELD_TYPE.TINY_BLOB,
    FIELD_TYPE.MEDIUM_BLOB,
    FIELD_TYPE.LONG_BLOB,
    FIELD_TYPE.BLOB,
    FIELD_TYPE.NULL,
}


class Outcome(NamedTuple):
    """What a statement brought: its rows, or how many it changed and the id that the last one got."""

    rows: Sequence[Sequence[Any]]
    changed: int
    new_id: int


class Statement:
    """A statement that the server has prepared on one connection; it ends with it."""

    def __init__(self, connection: Any, sql: str) -> None:
        """Prepare.

        Args:
            connection: PyMySQL's.
            sql: the statement, with a `?` for each value.

        Raises:
            pymysql.MySQLError: as PyMySQL does.
            TypeError: it answers with columns that are not read here; the connection can be used on.
        """
        connection._execute_command(_PREPARE, sql)
        answer = connection._read_packet().get_all_data()
        self._number, columns, self._values = _PREPARED.unpack_from(answer)
        _described(connection, self._values)
        self._columns = _described(connection, columns)
        self._connection = connection
        self._shapes: dict[tuple[type, ...], Shape | None] = {}
        try:
            self._read = _reader(self._columns)
        except TypeError:
            self.close()
            raise

    def execute(self, values: tuple[object, ...]) -> Outcome | None:
        """Execute; None, and nothing is sent: values of such types, or so long ones, are not sent here.

        Raises:
            pymysql.MySQLError: as PyMySQL does.
        """
        kinds = tuple(map(type, values))
        try:
            shape = self._shapes[kinds]
        except KeyError:
            shape = self._shapes[kinds] = self._shape(kinds)
        if shape is None:
            return None
        head, encoders = shape
        try:
            sent = head + b"".join([encode(value) for encode, value in zip(encoders, values, strict=True)])
        except (struct.error, OverflowError):  # an integer of more than 64 bits, a text of more than 16 MB
            return None
        return ask(self._connection, sent, self._outcome) if len(sent) < LONGEST else None

    def close(self) -> None:
        """Have the server forget it. Nothing is answered to that."""
        self._connection._execute_command(_CLOSE, struct.pack("<I", self._number))

    def _shape(self, kinds: tuple[type, ...]) -> Shape | None:
        """What stands in front of values of these types, and what makes bytes of each."""
        if len(kinds) != self._values or not _SENT.keys() >= set(kinds):
            return None
        head = struct.pack("<BIBI", _EXECUTE, self._number, 0, 1)
        if kinds:
            # A bit for each value, set where it is NULL; 1: their types follow.
            nothing = sum(1 << place for place, kind in enumerate(kinds) if kind is type(None))
            head += nothing.to_bytes((len(kinds) + 7) // 8, "little") + b"\x01"
        sent = [_SENT[kind] for kind in kinds]
        return head + b"".join(bytes((kind, 0)) for kind, _encode in sent), [encode for _kind, encode in sent]

    def _outcome(self, answer: Answer) -> Outcome:
        first = answer.packet()
        if first[0] == OK:
            changed, at = _number(first, 1)
            return Outcome((), changed, _number(first, at)[0])
        columns = [answer.packet() for _ in range(_number(first, 0)[0])]
        answer.packet()
        if columns != self._columns:
            self._columns, self._read = columns, _reader(columns)
        rows = answer.rows(self._read)
        return Outcome(rows, len(rows), 0)


def _described(connection: Any, count: int) -> list[bytes]:
    """So many definitions, and the packet behind them."""
    found = [connection._read_packet().get_all_data() for _ in range(count)]
    if found:
        connection._read_packet()
    return found


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    first = data[at]
    if first not in _SIZES:
        return first, at + 1
    end = at + 1 + _SIZES[first]
    return int.from_bytes(data[at + 1 : end], "little"), end


def _reader(columns: Sequence[bytes]) -> Callable[[bytes], tuple[Any, ...]]:
    """What makes the values of a row out of its packet.

    Args:
        columns: their definitions, as they came.

    Raises:
        TypeError: one is of a type that is not read.
    """
    reads = [_value_reader(*_KIND.unpack_from(column, len(column) - _KIND.size)) for column in columns]
    if reads == [_text]:
        return _one_text
    # Behind the first byte a bit for each column, set where it is NULL; the first two bits mean nothing.
    values_at = 1 + (len(reads) + 2 + 7) // 8
    return partial(_row, [(read, 1 + bit // 8, 1 << bit % 8) for bit, read in enumerate(reads, 2)], values_at)


def _row(columns: Sequence[tuple[Read, int, int]], at: int, packet: bytes) -> tuple[Any, ...]:
    values: list[Any] = []
    for read, byte, bit in columns:
        if packet[byte] & bit:
            values.append(None)
        else:
            value, at = read(packet, at)
            values.append(value)
    return tuple(values)


def _one_text(packet: bytes) -> tuple[str | None]:
    """A row of a single text, which fills the packet."""
    if packet[1]:
        return (None,)
    return (packet[3 + _SIZES.get(packet[2], 0) :].decode(),)


def _value_reader(charset: int, kind: int, flags: int) -> Read:
    if kind in _INTEGERS:
        return partial(_integer, _INTEGERS[kind], not flags & FLAG.UNSIGNED)
    if kind in _DECIMALS:
        return _decimal
    if kind in _TEXTS:
        return _bytes if charset == _BINARY else _text
    raise TypeError(f"columns of type {kind} are not read")


def _integer(size: int, signed: bool, packet: bytes, at: int) -> tuple[int, int]:
    end = at + size
    return int.from_bytes(packet[at:end], "little", signed=signed), end


def _bytes(packet: bytes, at: int) -> tuple[bytes, int]:
    size, at = _number(packet, at)
    return packet[at : at + size], at + size


def _text(packet: bytes, at: int) -> tuple[str, int]:
    found, at = _bytes(packet, at)
    return found.decode(), at


def _decimal(packet: bytes, at: int) -> tuple[Decimal, int]:
    found, at = _text(packet, at)
    return Decimal(found), at


def _counted(value: bytes) -> bytes:
    """Bytes behind their number."""
    size = len(value)
    if size < min(_SIZES) - 1:  # 251 is no number
        return bytes((size,)) + value
    if size < 1 << 16:
        return b"\xfc" + size.to_bytes(2, "little") + value
    return b"\xfd" + size.to_bytes(3, "little") + value[:LONGEST]


def _text_sent(value: str) -> bytes:
    return _counted(value.encode())


def _nothing(_value: None) -> bytes:
    return b""


# The types of values that are sent: as which type, and what makes bytes of a value.
_SENT: dict[type, tuple[int, Encode]] = {
    int: (FIELD_TYPE.LONGLONG, struct.Struct("<q").pack),
    bool: (FIELD_TYPE.LONGLONG, struct.Struct("<q").pack),
    str: (FIELD_TYPE.VAR_STRING, _text_sent),
    bytes: (FIELD_TYPE.BLOB, _counted),
    type(None): (FIELD_TYPE.NULL, _nothing),
}

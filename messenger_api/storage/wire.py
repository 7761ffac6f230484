"""Commands to the database over a connection of PyMySQL's, and the packets of their answers.

PyMySQL makes objects of every packet and every column of an answer; here they stay bytes. Signing on, TLS,
the bounds of waiting and the errors are PyMySQL's.

Formats: MySQL Source Code Documentation, "MySQL Packets" and "Command Phase"; MariaDB's Client/Server
Protocol.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pymysql import err
from pymysql.constants import CR, SERVER_STATUS

T = TypeVar("T")

# What is used of a connection of PyMySQL's without being promised by it.
_NEEDED = (
    "_current_timeout",
    "_execute_command",
    "_force_close",
    "_read_packet",
    "_read_timeout",
    "_sock",
    "_write_bytes",
)
_QUERY = b"\x03"
# A payload of so many bytes goes on in the next packet. None is sent here that is as long.
LONGEST = 0xFFFFFF
_AT_ONCE = 64 * 1024
# The first byte of a success without rows, and of each row of a prepared statement; that of an error.
OK, _ERROR = 0x00, 0xFF
# In the packet behind the rows: the first byte of the server's status; set there when another answer follows.
_STATUS_OF_END, _MORE = 3, SERVER_STATUS.SERVER_MORE_RESULTS_EXISTS
_ENDED = "the server has ended it"


def speaks(connection: Any) -> bool:
    """Whether a driver's connection is one that these modules can use."""
    return all(hasattr(connection, name) for name in _NEEDED)


def command(connection: Any, sql: str) -> None:
    """Execute a text without values that brings no rows.

    Raises:
        pymysql.MySQLError: as PyMySQL does.
    """
    ask(connection, _QUERY + sql.encode(), _done)


class _Refused(Exception):
    """The server has answered with an error: its packet."""


class Answer:
    """The packets of an answer."""

    def __init__(self, connection: Any) -> None:
        if connection._current_timeout != connection._read_timeout:
            connection._sock.settimeout(connection._read_timeout)
            connection._current_timeout = connection._read_timeout
        self._receive = connection._sock.recv
        self._data: bytes = self._receive(_AT_ONCE)
        self._at = 0
        # What is no answer has another number than 1: a server that ends the connection says so unasked.
        if self._data[3:4] != b"\x01":
            self._need(4)
            if self._data[3] != 1:
                raise OSError(_ENDED)

    def packet(self) -> bytes:
        """The next one. Raises _Refused: it is an error."""
        data, at = self._data, self._at
        start = at + 4
        if len(data) < start:
            self._need(4)
            data, at, start = self._data, 0, 4
        size = data[at] | data[at + 1] << 8 | data[at + 2] << 16
        end = start + size
        if len(data) < end:
            self._need(4 + size)
            data, start, end = self._data, 4, 4 + size
        self._at = end
        found = data[start:end]
        if found[0] == _ERROR:
            raise _Refused(found)
        return found if size < LONGEST else found + self._more_of_it()

    def rows(self, read: Callable[[bytes], T]) -> list[T]:
        """What `read` makes of each row.

        Raises:
            _Refused: an error ends them.
            TypeError: another answer follows.
        """
        rows: list[T] = []
        while True:
            data, at = self._data, self._at
            last = len(data) - 4
            # Those that are there whole, without a call for each.
            while at < last:
                size = data[at] | data[at + 1] << 8 | data[at + 2] << 16
                start = at + 4
                at = start + size
                if at > len(data) or size == LONGEST or data[start] != OK:
                    break
                rows.append(read(data[start:at]))
                self._at = at
            row = self.packet()
            if row[0] != OK:
                if row[_STATUS_OF_END] & _MORE:
                    raise TypeError("the statement has more than one answer")
                return rows
            rows.append(read(row))

    def _more_of_it(self) -> bytes:
        pieces = []
        size = LONGEST
        while size == LONGEST:
            size = int.from_bytes(self._take(4)[:3], "little")
            pieces.append(self._take(size))
        return b"".join(pieces)

    def _take(self, size: int) -> bytes:
        self._need(size)
        found = self._data[self._at : self._at + size]
        self._at += size
        return found

    def _need(self, size: int) -> None:
        """Have so many bytes there from here on. Raises OSError: the connection has ended."""
        pieces = [self._data[self._at :]]
        missing = size - len(pieces[0])
        while missing > 0:
            piece = self._receive(max(_AT_ONCE, min(missing, LONGEST)))
            if not piece:
                raise OSError(_ENDED)
            pieces.append(piece)
            missing -= len(piece)
        self._data, self._at = b"".join(pieces), 0


def ask(connection: Any, sent: bytes, read: Callable[[Answer], T]) -> T:
    """Send a command, and read its answer.

    A connection on which an answer was not read to its end is closed, and counts as lost where the answer
    cannot be read: its columns may have become others (`storage.binary`).

    Raises:
        pymysql.MySQLError: as PyMySQL does.
    """
    if connection._sock is None:
        raise err.InterfaceError(0, "")
    connection._write_bytes(len(sent).to_bytes(4, "little") + sent)
    try:
        return read(Answer(connection))
    except _Refused as refused:
        error: bytes = refused.args[0]
    except (OSError, TypeError) as ended:
        connection._force_close()
        said = f"Lost connection to MySQL server during query ({ended})"
        raise err.OperationalError(CR.CR_SERVER_LOST, said) from ended
    except BaseException:
        connection._force_close()
        raise
    return err.raise_mysql_exception(error)


def _done(answer: Answer) -> None:
    if answer.packet()[0] != OK:
        raise TypeError("the statement brings rows")

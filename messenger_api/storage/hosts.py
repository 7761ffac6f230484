"""The host list: which of several database servers a connection goes to.

All processes read the list in the same order and take the first server that can be written to, so that
they meet on one node of a cluster. While servers come and go, processes may see it differently for a
moment. Their connections are then *unsettled*: reads wait for what other nodes have committed, and the
connection is soon given up, so that all meet on the first server again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy.exc import DisconnectionError

log = structlog.get_logger(__name__)

# A server that did not answer is passed over for so long: one that is silent costs the time of a connect.
# An unsettled connection lives as long.
PAUSE_SECONDS = 30

# In the info of a connection record: when it is to be given up, by the monotonic clock.
GIVEN_UP_AT = "given_up_at"

# Both are answered by a node that takes no part in its cluster, too.
_VARIABLES = "SHOW VARIABLES WHERE Variable_name IN ('wsrep_on', 'read_only', 'innodb_read_only')"
_STATUS = "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_ready', 'wsrep_local_state_comment')"
# Galera's words. A donor hands its data to another node and goes on working.
_WORKING = ("Synced", "Donor/Desynced")
_NOT_READY = 1047

Address = Mapping[str, object]


class Hosts:
    """Connects, by a driver's `open_connection`, to the first of several servers that can be written to."""

    def __init__(
        self,
        addresses: Sequence[Address],
        open_connection: Callable[..., Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._addresses = addresses
        self._open_connection = open_connection
        self._clock = clock
        self._paused_until = dict.fromkeys(range(len(addresses)), 0.0)

    def connect(self, dialect: Any, record: Any, _args: object, options: dict[str, Any]) -> Any:
        """SQLAlchemy's `do_connect`.

        Raises:
            dialect.dbapi.Error: what the server answered that was tried last.
        """
        *others, last = self._in_turn()
        for place in others:
            try:
                return self._connect_to(place, dialect, record, options)
            except dialect.dbapi.Error as error:
                self._pause(place, error)
        return self._connect_to(last, dialect, record, options)

    def check_out(self, _connection: object, record: Any, _proxy: object) -> None:
        """SQLAlchemy's `checkout`. Raises DisconnectionError, upon which it connects anew."""
        if record.info.get(GIVEN_UP_AT, math.inf) < self._clock():
            raise DisconnectionError("the connection is unsettled and has had its time")

    def _in_turn(self) -> list[int]:
        """The places in the list: those that answer in their order, then the paused ones."""
        now = self._clock()
        return sorted(self._paused_until, key=lambda place: self._paused_until[place] > now)

    def _pause(self, place: int, error: Exception) -> None:
        self._paused_until[place] = self._clock() + PAUSE_SECONDS
        host = "{host}:{port}".format_map(self._addresses[place])
        log.warning("database.host_failed", host=host, error=f"{type(error).__name__}: {str(error)[:200]}")

    def _connect_to(self, place: int, dialect: Any, record: Any, options: dict[str, Any]) -> Any:
        connection = self._open_connection(**self._addresses[place], **options)
        if len(self._addresses) > 1:
            try:
                _check(connection, dialect)
                self._settle(place, connection, record)
            except BaseException:
                connection.close()
                raise
        return connection

    def _settle(self, place: int, connection: Any, record: Any) -> None:
        # Others may still be where this process was a moment ago.
        recently = self._clock() - PAUSE_SECONDS
        if place == 0 and all(until < recently or not until for until in self._paused_until.values()):
            return
        record.info[GIVEN_UP_AT] = self._clock() + PAUSE_SECONDS
        with connection.cursor() as cursor:
            if _rows(cursor, "SHOW VARIABLES LIKE 'wsrep_sync_wait'"):
                cursor.execute("SET SESSION wsrep_sync_wait = 1")


def _check(connection: Any, dialect: Any) -> None:
    """Refuse a server that answers and cannot be written to, as a connect that fails.

    Raises:
        dialect.dbapi.OperationalError: it is a replica, or a node that takes no part in its cluster.
    """
    with connection.cursor() as cursor:
        variables, status = _rows(cursor, _VARIABLES), _rows(cursor, _STATUS)
    node = status.get("wsrep_local_state_comment")
    if variables.get("wsrep_on") == "ON" and (status["wsrep_ready"] != "ON" or node not in _WORKING):
        raise dialect.dbapi.OperationalError(_NOT_READY, f"the node is not ready: {node}")
    if "ON" in (variables.get("read_only"), variables.get("innodb_read_only")):
        raise dialect.dbapi.OperationalError(_NOT_READY, "the server is read-only")


def _rows(cursor: Any, statement: str) -> dict[str, str]:
    cursor.execute(statement)
    return {str(name).lower(): str(value) for name, value in cursor.fetchall()}

"""The database: where transactions begin, end and are tried again.

Connections are in autocommit, so that reading costs no transaction; `Database.write` opens one
explicitly. Work is handed over as a function, because a deadlock, a Galera certification conflict or a
lost connection is answered by running it again.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, CursorResult, Engine, ExceptionContext, Insert, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from messenger_api import private_files
from messenger_api.domain.capacity import CALLS_AT_ONCE
from messenger_api.domain.errors import TryLater
from messenger_api.settings import Settings
from messenger_api.storage.complaints import READ_ONLY_CODES, code, complain, short
from messenger_api.storage.connections import Connections, wait_as_told
from messenger_api.storage.hosts import Hosts
from messenger_api.storage.prepared import PREPARED, Prepared
from messenger_api.storage.set_backs import SetBacks
from messenger_api.storage.statements import command, send
from messenger_api.storage.tls import sharing_context
from messenger_api.storage.wire import speaks

log = structlog.get_logger(__name__)

# In `Connection.info` where the server is a node of a Galera cluster.
CLUSTERED = "clustered"
# In `Connection.info` while a transaction has queued work for after its commit (`note_queued`).
_QUEUED = "queued"

T = TypeVar("T")
Clock = Callable[[], float]

# What runs beside the requests: the outbox, housekeeping, a call that was given up and goes on.
OTHERS_AT_ONCE = 4

ATTEMPTS = 4
BACKOFF_SECONDS = 0.02
# After this long a person has waited enough: nothing is tried again. A lock is waited for once more.
PATIENCE_SECONDS = 4

# A change carries the second in which its transaction began. Readers may rely on every change of second
# `s` being visible at `s + SETTLE_SECONDS`: a transaction older than MAX_TRANSACTION_SECONDS is never
# committed, and what is left between the two is for the commit itself, which a cluster holds for up to 4
# seconds while it finds out that a node is dead (docs/scaling.md), and for hosts whose clocks differ.
MAX_TRANSACTION_SECONDS = 2
SETTLE_SECONDS = 8

# MySQL/MariaDB error numbers (server error reference): lock wait timeout, deadlock or certification
# conflict, record changed since last read.
_RETRY_CODES = frozenset({1205, 1213, 1020})

# The server has become one that cannot be used, and a new connection may lead to another: node not ready
# for queries (it lost its cluster, or joins one), shutdown in progress, no such prepared statement (a proxy
# has put another server behind the connection), running read-only.
_GONE_CODES = frozenset({1047, 1053, 1243}) | READ_ONLY_CODES

# Bytes up to which the server joins texts into one, which it would cut after 1,024 without a word: a phone
# book (`storage.contacts`) of a quarter of a million numbers. Half of MariaDB's `max_allowed_packet`.
LONGEST_LIST = 8 * 1024 * 1024

# Returns when this node has applied everything that the cluster had committed before.
_CATCH_UP = "SET STATEMENT wsrep_sync_wait = 1 FOR SELECT 1"


class Uncertain(TryLater):
    """The connection was lost while a transaction was being committed: nobody knows whether it was."""


class Database:
    """Runs reads and transactions on an engine, and says `TryLater` when it cannot.

    `queued` is set by every commit that queued work: whoever does that work in this process waits for it.
    `set_backs` has what `now` noticed of the clock.
    """

    def __init__(self, engine: Engine, clock: Clock = time.time) -> None:
        self.engine = engine
        self.clock = clock
        self.queued = threading.Event()
        self.set_backs = SetBacks()
        self._connections = Connections(engine)
        self._begin = "BEGIN IMMEDIATE" if engine.dialect.name == "sqlite" else "BEGIN"

    def now(self) -> int:
        """The current unix second."""
        wall = self.clock()
        self.set_backs.look(wall, time.monotonic() if self.clock is time.time else 0)
        return int(wall)

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in autocommit: each statement stands alone and sees all that is committed.

        Raises:
            TryLater: the database does not answer.
        """
        return self._tried_again(partial(self._connections.use, work))

    def find(self, work: Callable[[Connection], T | None]) -> T | None:
        """Run a read whose finding nothing has consequences.

        Another node of a cluster may have committed what this one has not applied yet: where `work` finds
        nothing, it runs once more when the node has caught up. Waiting before every read instead would
        halve what a node can read.

        Raises:
            TryLater: the database does not answer.
        """

        def look(connection: Connection) -> T | None:
            found = work(connection)
            if found is None and connection.info.get(CLUSTERED):
                send(connection, _CATCH_UP)
                found = work(connection)
            return found

        return self.run(look)

    def write(self, work: Callable[[Connection, int], T]) -> T:
        """Run `work(connection, now)` in one transaction and commit; `now` is its stamp in unix seconds.

        `work` may run several times and must do nothing but use the connection.

        Raises:
            TryLater: the database does not answer, or stays locked.
            Uncertain: the same, and the work may have been done.
            IntegrityError: a unique key was violated; rolled back.
        """

        def transaction(connection: Connection) -> T:
            command(connection, self._begin)
            connection.info.pop(_QUEUED, None)
            try:
                started = time.monotonic()
                result = work(connection, self.now())
                if time.monotonic() - started > MAX_TRANSACTION_SECONDS:
                    raise TryLater(retry_after=2)
            except BaseException:
                _roll_back(connection)
                raise
            _commit(connection)
            if connection.info.pop(_QUEUED, False):
                self.queued.set()
            return result

        return self._tried_again(partial(self._connections.use, transaction))

    def _tried_again(self, once: Callable[[], T]) -> T:
        until = time.monotonic() + PATIENCE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return once()
            except IntegrityError:
                raise
            except (DBAPIError, PoolTimeout) as error:
                # Where nothing may be written, another connection may lead to another server: once.
                last = 2 if code(getattr(error, "orig", None)) in READ_ONLY_CODES else ATTEMPTS
                if attempt >= last or time.monotonic() > until or not _passing(error):
                    complain(self.engine, error, attempt)
                    raise TryLater from error
                log.info("database.retry", error=short(error), attempt=attempt)
            time.sleep(BACKOFF_SECONDS * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311
        raise AssertionError("unreachable")


def ignoring_known(statement: Insert) -> Insert:
    """The same insertion; rows whose key is there already are left alone."""
    statement = statement.prefix_with("OR IGNORE", dialect="sqlite")
    return statement.prefix_with("IGNORE", dialect="mysql").prefix_with("IGNORE", dialect="mariadb")


def new_id(inserted: CursorResult[Any]) -> int:
    """The id that the database gave to the row just inserted."""
    return int((inserted.inserted_primary_key or (0,))[0])


def note_queued(connection: Connection) -> None:
    """Say that this transaction queues work, so that it is begun as soon as it is committed."""
    connection.info[_QUEUED] = True


def _commit(connection: Connection) -> None:
    try:
        command(connection, "COMMIT")
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Uncertain from error
        _roll_back(connection)
        raise


def _roll_back(connection: Connection) -> None:
    if not connection.invalidated:
        try:
            command(connection, "ROLLBACK")
        except DBAPIError:
            connection.invalidate()


def _passing(error: DBAPIError | PoolTimeout) -> bool:
    """Whether the same work may succeed at once: a conflict with others, or a connection that was stale."""
    if isinstance(error, PoolTimeout):
        return False
    if error.connection_invalidated:
        return True
    return code(error.orig) in _RETRY_CODES or "database is locked" in str(code(error.orig))


def engine_options(settings: Settings) -> dict[str, Any]:
    """What `create_engine` is to be called with, by Flask-SQLAlchemy or by `open_database`."""
    options: dict[str, Any] = {
        "isolation_level": "AUTOCOMMIT",
        # A connection in autocommit has nothing to roll back when it returns to the pool.
        "skip_autocommit_rollback": True,
        # Parameters hold phone numbers; an exception's text must not.
        "hide_parameters": True,
        # Every request that is worked on, the outbox and the health page have one, without a wait. Those
        # beyond DB_POOL_SIZE are closed when they are no longer needed.
        "pool_size": settings.db_pool_size,
        "max_overflow": max(0, CALLS_AT_ONCE + OTHERS_AT_ONCE - settings.db_pool_size),
        "pool_timeout": 3,
        "pool_recycle": 1800,
    }
    if settings.is_sqlite:
        options["connect_args"] = {"timeout": 2}
    else:
        options["connect_args"] = {
            "charset": "utf8mb4",
            "connect_timeout": 3,
            # Beyond every transaction's age (MAX_TRANSACTION_SECONDS): a server that is silent so long hangs.
            "read_timeout": 5,
            "write_timeout": 5,
        }
    if settings.database_driver == "mysqldb":
        # What PyMySQL does by itself: bytes are told from text, and a call is a single statement.
        options["connect_args"] |= {"binary_prefix": True, "multi_statements": False}
    return options


def open_database(settings: Settings) -> Database:
    """The database of these settings, without a Flask application. It is asked, or made, at its first use."""
    engine = create_engine(settings.database_uri, **engine_options(settings))
    prepare(engine, settings)
    return Database(engine)


def prepare(engine: Engine, settings: Settings) -> None:
    """Set what every connection of this engine needs. Call once, before the first connection."""
    # First of its kind: the next one connects, and SQLAlchemy asks no other after it.
    event.listen(engine, "do_connect", partial(wait_as_told, engine))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "do_connect", _make_sqlite)
        event.listen(engine, "connect", _prepare_sqlite)
        return
    event.listen(engine, "connect", _prepare_mysql)
    event.listen(engine, "handle_error", _leave_what_is_gone)
    dialect = engine.dialect
    connect = sharing_context(dialect.dbapi) if engine.driver == "pymysql" else dialect.connect
    if settings.sqlalchemy_database_uri:
        event.listen(engine, "do_connect", lambda _dialect, _record, args, named: connect(*args, **named))
    else:
        hosts = Hosts(addresses(settings), connect)
        event.listen(engine, "do_connect", hosts.connect)
        event.listen(engine, "checkout", hosts.check_out)


def _make_sqlite(_dialect: object, _record: object, args: Sequence[str], options: Mapping[str, Any]) -> None:
    """Have the file of a new database be its owner's alone, and so SQLite's logs, which get its mode."""
    if not options.get("uri"):
        with suppress(OSError):  # SQLite says what is wrong with the place
            private_files.make(Path(args[0]))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    for pragma in ("journal_mode = WAL", "foreign_keys = ON", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_mysql(connection: Any, record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        cursor.execute(
            "SET SESSION innodb_lock_wait_timeout = %s, group_concat_max_len = %s,"
            " sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'",
            (MAX_TRANSACTION_SECONDS, LONGEST_LIST),
        )
        cursor.execute("SHOW VARIABLES LIKE 'wsrep_on'")
        if speaks(connection):
            record.info[PREPARED] = Prepared(connection)
        record.info[CLUSTERED] = ("wsrep_on", "ON") in cursor.fetchall()


def _leave_what_is_gone(context: ExceptionContext) -> None:
    """Give up connections, as those that broke, when the server cannot be used."""
    if code(context.original_exception) in _GONE_CODES:
        context.is_disconnect = True
    if code(context.original_exception) in READ_ONLY_CODES:
        # Those who read are served on: the others of the pool are left when they are used for writing.
        context.invalidate_pool_on_disconnect = False


def addresses(settings: Settings) -> list[dict[str, object]]:
    """The servers of `DB_HOST`, and what is said to each of them, in the words of the drivers."""
    return [_address(host.strip(), settings) for host in settings.db_host.split(",")]


def _address(host: str, settings: Settings) -> dict[str, object]:
    name, _, port = host.partition(":")
    return {
        "host": name,
        "port": int(port or settings.db_port),
        "user": settings.db_user,
        "password": settings.db_pass,
        "database": settings.db_name,
    }

"""The databases of a run: filled once, kept in `benchmarks/.data/`, and reset before every run."""

from __future__ import annotations

import shutil
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pymysql
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, NullPool, create_engine

from benchmarks import dataset as sets
from benchmarks.dataset import Dataset
from benchmarks.programs import cpu_seconds, waited_seconds
from benchmarks.progress import say
from messenger_api import configuration
from messenger_api.app import build_app, parts_of
from messenger_api.domain.members import Member, Role, Roster
from messenger_api.domain.secrets import token_hash
from messenger_api.ops.examples import APPID
from messenger_api.storage.schema import MIGRATIONS
from tests.processes import LOOPBACK
from tests.servers import MariaDB

DATABASE = "messenger"
BATCH = 100_000

# The whole data set fits into memory, as it does on a machine that was chosen for it.
BUFFER_BYTES_A_USER = 6 * 1024
SMALLEST_BUFFER = 1536 * 1024**2
# What a commit promises is the server's default: it is on the disk before it is answered.
MARIADB_OPTIONS = (
    "--innodb-log-file-size=256M",
    "--innodb-flush-log-at-trx-commit=1",
    "--local-infile=ON",
    "--max-connections=300",
)


@dataclass(frozen=True)
class Table:
    """What goes into a table. A column whose name ends in `!` holds bytes."""

    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[object]]
    count: int


class Database:
    """A database that holds a data set."""

    kind: str

    def __init__(self, data: Dataset, home: Path) -> None:
        self.data = data
        self.folder = folder_of(data, home)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.engine: Engine = create_engine(self.uri, poolclass=NullPool, isolation_level="AUTOCOMMIT")

    @property
    def uri(self) -> str:
        """SQLAlchemy's address."""
        raise NotImplementedError

    @property
    def fast_uri(self) -> str | None:
        """The same with the faster driver; None where there is none."""
        return None

    def fill(self) -> None:
        """Load the data set, unless an earlier run did."""
        done = self.folder / f"{self.kind}.complete"
        if done.exists():
            return
        say(f"{self.kind}: filling {self.folder}, once")
        self.create()
        self.before()
        for table in tables(self.data):
            self._load(table)
        self.after()
        done.touch()

    def create(self) -> None:
        """Make the empty database with its tables."""
        make_tables(self.uri, self.folder)

    def before(self) -> None:
        """Make loading quick."""

    def after(self) -> None:
        """Undo what made it quick, and let the database look at what it holds."""

    def load(self, table: Table, rows: Sequence[Sequence[object]]) -> None:
        """Put some rows into a table."""
        raise NotImplementedError

    def cpu(self) -> float:
        """Seconds of processor time that a server of its own has used."""
        return 0.0

    def waited(self) -> float:
        """Seconds for which the threads of a server of its own were ready and had no processor."""
        return 0.0

    def close(self) -> None:
        """Stop what runs."""
        self.engine.dispose()

    def _load(self, table: Table) -> None:
        loaded = 0
        for batch in batches(table.rows, BATCH):
            self.load(table, batch)
            loaded += len(batch)
            say(f"{self.kind}: {table.name} {loaded:,} of {table.count:,}", again=True)


class InMariaDB(Database):
    """A database in a MariaDB that runs, and that others may share."""

    kind = "mariadb"

    def __init__(self, data: Dataset, home: Path, mariadb: MariaDB, name: str = DATABASE) -> None:
        self._mariadb = mariadb
        self._name = name
        super().__init__(data, home)

    @property
    def uri(self) -> str:
        return self._mariadb.uri(self._name)

    @property
    def fast_uri(self) -> str:
        return self._mariadb.uri(self._name, "mysqldb")

    def create(self) -> None:
        self._mariadb.create_database(self._name)
        super().create()

    def before(self) -> None:
        # Built over all rows at the end, an index costs a fraction of what it costs row by row.
        self._run("ALTER TABLE contacts DROP INDEX ix_contacts_contact_key")

    def after(self) -> None:
        say("mariadb: indexes and statistics")
        self._run("ALTER TABLE contacts ADD INDEX ix_contacts_contact_key (contact_key)")
        for name in ("users", "sessions", "contacts", "thumbnails", "chat_groups", "group_members"):
            self._run(f"ANALYZE TABLE {name}")

    def load(self, table: Table, rows: Sequence[Sequence[object]]) -> None:
        path = self.folder / "rows.tsv"
        with path.open("w") as file:
            file.writelines("\t".join(map(_as_text, row)) + "\n" for row in rows)
        known = {
            name for (name, *_rest) in self._mariadb.query(f"DESCRIBE {table.name}", database=self._name)
        }
        columns = [_variable_or_column(name, known) for name in table.columns]
        unhexed = [f"`{name[:-1]}` = UNHEX(@{name[:-1]})" for name in table.columns if name.endswith("!")]
        into = f"INTO TABLE {table.name} CHARACTER SET utf8mb4 ({', '.join(columns)})"
        self._run(
            f"LOAD DATA LOCAL INFILE '{path}' {into}" + (f" SET {', '.join(unhexed)}" if unhexed else "")
        )
        path.unlink()

    def cpu(self) -> float:
        assert self._mariadb.process
        return cpu_seconds(self._mariadb.process.pid)

    def waited(self) -> float:
        assert self._mariadb.process
        return waited_seconds(self._mariadb.process.pid)

    def _run(self, statement: str) -> None:
        connection = pymysql.connect(
            host=LOOPBACK,
            port=self._mariadb.port,
            user="root",
            database=self._name,
            charset="utf8mb4",
            autocommit=True,
            local_infile=True,
        )
        with closing(connection), connection.cursor() as cursor:
            cursor.execute("SET foreign_key_checks = 0, unique_checks = 0")
            cursor.execute(statement)


class OnMariaDB(InMariaDB):
    """A MariaDB of its own, in the folder of the data set; runs from the beginning."""

    def __init__(self, data: Dataset, home: Path) -> None:
        folder = folder_of(data, home) / self.kind
        if not folder.with_suffix(".complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        mariadb = MariaDB(folder, mariadb_options(data.size.users))
        mariadb.start()
        super().__init__(data, home, mariadb)

    def close(self) -> None:
        super().close()
        self._mariadb.close()


def mariadb_options(users: int) -> Sequence[str]:
    """How MariaDB is started for data sets with so many users."""
    buffer = max(SMALLEST_BUFFER, users * BUFFER_BYTES_A_USER)
    return (*MARIADB_OPTIONS, f"--innodb-buffer-pool-size={buffer}")


class OnSQLite(Database):
    """A SQLite file."""

    kind = "sqlite"

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.path}"

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / "messenger.sqlite3"

    def create(self) -> None:
        for file in self.folder.glob(f"{self.path.name}*"):
            file.unlink()
        super().create()

    def load(self, table: Table, rows: Sequence[Sequence[object]]) -> None:
        names = ", ".join(name.removesuffix("!") for name in table.columns)
        marks = ", ".join("?" * len(table.columns))
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)

    def after(self) -> None:
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("ANALYZE")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


KINDS = {kind.kind: kind for kind in (OnMariaDB, OnSQLite)}


def tables(data: Dataset) -> Iterator[Table]:
    """The data set, in the order in which foreign keys want it."""
    size = data.size
    at = (sets.LONG_AGO, sets.LONG_AGO)
    columns = ("uid", "address", "contact_key!", "name", "photo", "country", "created_at", "changed_at")
    # Everybody was told of everybody.
    rows = ((*row, sets.COUNTRY, *at, sets.LONG_AGO) for row in data.users())
    yield Table("users", (*columns, "news_at"), rows, size.users)
    yield Table(
        "sessions",
        ("uid", "token_hash!", "appid", "created_at", "seen_at"),
        ((uid, token_hash(data.token(uid)), APPID, *at) for uid in data.others),
        len(data.others),
    )
    yield Table("contacts", ("owner", "contact_key!"), data.contacts(), size.rows)
    yield Table("thumbnails", ("photo", "tn"), _thumbnails(data), round(size.users * size.photos))
    groups = [(uid, group) for uid in data.callers for group in range(size.groups)]
    yield Table(
        "chat_groups",
        ("gid", "name", "version", "roster", "roster_version", "created_at", "changed_at"),
        ((data.gid(*one), f"Group {one[1]} of {one[0]}", 1, _roster(data, *one), 1, *at) for one in groups),
        len(groups),
    )
    yield Table(
        "group_members",
        ("gid", "uid", "role", "position"),
        (
            (data.gid(*one), uid, 2 if position == 0 else 0, position)
            for one in groups
            for position, uid in enumerate(data.group_members(*one))
        ),
        len(groups) * size.members,
    )


def _roster(data: Dataset, uid: int, group: int) -> str:
    members = (Member(one, data.number(one)) for one in data.group_members(uid, group))
    owner, *others = members
    return Roster((replace(owner, role=Role.OWNER), *others)).wire()


def make_tables(uri: str, instance: Path) -> None:
    """The product's own migrations, as `messenger-api db upgrade` runs them."""
    app = build_app(
        configuration.build(
            sqlalchemy_database_uri=uri,
            secret_key=sets.SECRET_KEY,
            mesibo_app_token="unused",
            instance_path=str(instance / "instance"),
            files_path=str(instance / "instance" / "files"),
            files_tn_path=str(instance / "instance" / "files" / "tn"),
            log_level="error",
        )
    )
    parts = parts_of(app)
    parts.schema.upgrade()
    parts.close()


def batches(rows: Iterable[Any], count: int) -> Iterator[list[Any]]:
    """The rows, so many at a time."""
    iterator = iter(rows)
    while batch := list(islice(iterator, count)):
        yield batch


def _thumbnails(data: Dataset) -> Iterator[tuple[str, str]]:
    photos = (row.photo for row in data.users() if row.photo)
    return ((photo, data.thumbnails[index % len(data.thumbnails)]) for index, photo in enumerate(photos))


def folder_of(data: Dataset, home: Path) -> Path:
    """Where a data set is kept below the folder `home`.

    What was filled by another version of the tables, or of the data set, is not found.
    """
    revision = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    version = zlib.crc32(Path(sets.__file__).read_bytes() + Path(__file__).read_bytes())
    return (
        home.absolute() / f"{data.size.users}-{zlib.crc32(data.name.encode()):08x}-{version:08x}-{revision}"
    )


def _variable_or_column(name: str, known: Collection[object]) -> str:
    """What a field of a line is read into; a column that an earlier version has not got is dropped."""
    bare = name.removesuffix("!")
    return f"`{name}`" if name in known else f"@{bare}"


def _as_text(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)

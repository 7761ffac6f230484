"""An installation of the PHP demo as old ones are: its database in MariaDB, and its two folders."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pymysql

from tests.processes import LOOPBACK
from tests.product import jpeg
from tests.servers import MariaDB

SCHEMA = (
    "CREATE TABLE users (uid INT UNSIGNED NOT NULL DEFAULT 0, name BLOB, phone BIGINT UNSIGNED NOT NULL"
    " DEFAULT 0, cc INT DEFAULT 1, status BLOB, photo VARCHAR(128) DEFAULT '', credits FLOAT DEFAULT 0,"
    " flag INT DEFAULT 0, ts INT DEFAULT 0, n BLOB, PRIMARY KEY (uid), UNIQUE KEY phone (phone))"
    " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
    "CREATE TABLE tokens (uid INT UNSIGNED NOT NULL DEFAULT 0, token CHAR(64) CHARACTER SET ascii NOT NULL,"
    " updatetime TIMESTAMP NOT NULL DEFAULT '0000-00-00 00:00:00', expirytime TIMESTAMP NOT NULL DEFAULT"
    " '0000-00-00 00:00:00', ipaddr INT DEFAULT 0, device INT DEFAULT 0, createdby INT DEFAULT 0,"
    " PRIMARY KEY (token), UNIQUE KEY uid (uid)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
    "CREATE TABLE contacts (uid INT UNSIGNED NOT NULL DEFAULT 0, phone BIGINT UNSIGNED NOT NULL DEFAULT 0,"
    " subscribed TINYINT DEFAULT 0, UNIQUE KEY both_of (uid, phone)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
    "CREATE TABLE `groups` (gid INT UNSIGNED NOT NULL DEFAULT 0, name BLOB, status CHAR(2), photo"
    " VARCHAR(128) DEFAULT '', flag INT DEFAULT 0, type TINYINT DEFAULT 0, ts INT DEFAULT 0,"
    " PRIMARY KEY (gid)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
    "CREATE TABLE members (gid INT UNSIGNED DEFAULT 0, phone BIGINT DEFAULT 0, role TINYINT DEFAULT 0,"
    " UNIQUE KEY both_of (gid, phone)) ENGINE=InnoDB DEFAULT CHARSET=utf8",
    "CREATE TABLE notifytokens (uid INT UNSIGNED NOT NULL DEFAULT 0, device TINYINT DEFAULT 0, token"
    " VARCHAR(256) DEFAULT '', production TINYINT DEFAULT 0, PRIMARY KEY (uid))"
    " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
    "CREATE TABLE names (name VARCHAR(128), status VARCHAR(128))",
)
COLUMNS = {
    "users": ("uid", "phone", "name", "status", "photo", "ts"),
    "tokens": ("uid", "token", "updatetime", "device"),
    "contacts": ("uid", "phone"),
    "groups": ("gid", "name", "photo", "ts"),
    "members": ("gid", "phone", "role"),
    "notifytokens": ("uid", "device", "token", "production"),
}
AT_ONCE = 5_000


def token(uid: int) -> str:
    """The token that the phone of an account holds."""
    return f"{uid:064x}"


@dataclass
class Demo:
    """The demo's database; rows are put in without strict mode, as its PHP did."""

    server: MariaDB
    name: str
    folder: Path
    uri: str = field(init=False)

    def __post_init__(self) -> None:
        self.uri = f"mysql://root@{LOOPBACK}:{self.server.port}/{self.name}"
        self.files.mkdir(parents=True, exist_ok=True)
        self.thumbnails.mkdir(exist_ok=True)

    @property
    def files(self) -> Path:
        """`$files_path`."""
        return self.folder / "files"

    @property
    def thumbnails(self) -> Path:
        """`$files_tn_path`."""
        return self.folder / "tn"

    def run(self, *statements: str) -> None:
        """Run statements without strict mode."""
        with self._connected() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def add(self, table: str, rows: Iterable[Sequence[object]]) -> None:
        """Put rows in, with the values of `COLUMNS`."""
        columns = COLUMNS[table]
        marks = ", ".join(["%s"] * len(columns))
        with self._connected() as connection, connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO `{table}` ({', '.join(columns)}) VALUES ({marks})", list(rows))

    def rows(self) -> list[object]:
        """All that the database holds."""
        return [self.server.query(f"SELECT * FROM `{table}`", database=self.name) for table in COLUMNS]

    def picture(self, name: str, color: str = "teal", *, thumbnail: bool = True) -> None:
        """A photo, and its thumbnail under the same name."""
        (self.files / name).write_bytes(jpeg(color))
        if thumbnail:
            (self.thumbnails / name).write_bytes(jpeg(color, (100, 100)))

    @contextmanager
    def _connected(self) -> Iterator[pymysql.Connection[pymysql.cursors.Cursor]]:
        connection = pymysql.connect(
            host=LOOPBACK,
            port=self.server.port,
            user="root",
            database=self.name,
            charset="utf8mb4",
            autocommit=True,
            sql_mode="",
        )
        with closing(connection):
            yield connection


@contextmanager
def demo_in(server: MariaDB, folder: Path) -> Iterator[Demo]:
    """An installation without accounts, gone afterwards."""
    name = f"demo_{uuid.uuid4().hex[:12]}"
    server.create_database(name)
    demo = Demo(server, name, folder)
    try:
        demo.run(*SCHEMA)
        yield demo
    finally:
        server.drop_database(name)

"""The client programs of MySQL and MariaDB; a file and not an argument tells them the password."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import make_url

from messenger_api.keeping.manifest import KeepingError
from messenger_api.private_files import create
from messenger_api.settings import Settings
from messenger_api.storage.db import addresses

DUMP = ("mariadb-dump", "mysqldump")
CLIENT = ("mariadb", "mysql")
# A dump is read as SQL alone: by default a client runs programs that it names (`\!`), and sends files of this
# machine to the server where it asks for them.
SQL_ALONE = ("--binary-mode", "--local-infile=0")
PACKAGES = "mariadb-client (Debian, Ubuntu, Fedora: mariadb) or mysql-client"

# The first MariaDB whose dumps are known to have each row on a line of its own.
_ROWS_ON_LINES = (10, 11)
_MARIADB = re.compile(r"(\d+)\.(\d+)\.\d+-MariaDB")

Options = Mapping[str, object]


def places(settings: Settings) -> list[Options]:
    """The servers of these settings as options of the clients, in the order in which they are to be tried."""
    if not settings.sqlalchemy_database_uri:
        return [_without_name(address) for address in addresses(settings)]
    url = make_url(settings.database_uri)
    given = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "socket": url.query.get("unix_socket"),
        "ssl-ca": url.query.get("ssl_ca"),
        "ssl-cert": url.query.get("ssl_cert"),
        "ssl-key": url.query.get("ssl_key"),
    }
    return [{name: value for name, value in given.items() if value is not None}]


def database_name(settings: Settings) -> str:
    """The name of the database on its server."""
    given = settings.sqlalchemy_database_uri
    return (make_url(settings.database_uri).database or "") if given else settings.db_name


def program(names: tuple[str, ...]) -> str:
    """The path of the first of these programs. Raises KeepingError: none is installed."""
    for name in names:
        if path := shutil.which(name):
            return path
    raise KeepingError(f"Neither {' nor '.join(names)} is installed: install the package {PACKAGES}")


def dump_command(path: str, database: str, without: str) -> list[str]:
    """The arguments behind --defaults-file, for a dump with each row on a line."""
    ran = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = _MARIADB.search(ran.stdout)
    is_mariadb, release = bool(found), tuple(map(int, found.groups())) if found else (0, 0)
    return [
        "--single-transaction",
        "--quick",
        "--hex-blob",
        "--no-tablespaces",
        "--skip-triggers",
        "--skip-add-locks",
        "--default-character-set=utf8mb4",
        "--max-allowed-packet=1G",
        f"--ignore-table={database}.{without}",
        *([] if is_mariadb else ["--set-gtid-purged=OFF"]),
        *([] if release >= _ROWS_ON_LINES else ["--skip-extended-insert"]),
        "--",
        database,
    ]


@contextmanager
def defaults(options: Options) -> Iterator[str]:
    """An option file for as long as a client runs, which its owner alone may read; its argument."""
    with tempfile.TemporaryDirectory(prefix="messenger-") as folder:  # made with mode 0700
        path = Path(folder) / "client.cnf"
        lines = (f"{name} = {_quoted(str(value))}\n" for name, value in options.items())
        with os.fdopen(create(path), "w", encoding="utf-8") as file:
            file.writelines(["[client]\n", *lines])
        yield f"--defaults-file={path}"


@contextmanager
def answering(settings: Settings) -> Iterator[str]:
    """`defaults` of the first server that lets a client in. Raises KeepingError: none does."""
    client, said = program(CLIENT), ""
    for options in places(settings):
        with defaults(options) as argument:
            asked = subprocess.run(  # noqa: S603
                [client, argument, "--execute=SELECT 1"], capture_output=True, text=True, check=False
            )
            if asked.returncode == 0:
                yield argument
                return
            said = last_line(asked.stderr)
    raise KeepingError(f"The database's server does not let {Path(client).name} in: {said}")


def last_line(text: str) -> str:
    """The last thing that a program said."""
    return next(reversed(text.strip().splitlines()), "nothing")


def fed(argument: str, database: str, file: BinaryIO) -> None:
    """Have a client put a dump into a database; `argument` is that of `defaults`.

    Raises KeepingError: there is no client, or it failed.
    """
    command = [program(CLIENT), argument, *SQL_ALONE, "--default-character-set=utf8mb4", "--", database]
    ran = subprocess.run(command, stdin=file, capture_output=True, text=True, check=False)  # noqa: S603
    if ran.returncode:
        raise KeepingError(f"{Path(command[0]).name} failed: {last_line(ran.stderr)}")


def _without_name(address: Options) -> Options:
    return {name: value for name, value in address.items() if name != "database"}


def _quoted(value: str) -> str:
    for char, instead in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        value = value.replace(char, instead)
    return f'"{value}"'

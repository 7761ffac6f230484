"""`messenger-api db copy`: from SQLite to MariaDB and back, killed and run again, the content is the same."""

from __future__ import annotations

import os
import random
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, insert, select
from sqlalchemy.pool import NullPool

from messenger_api.storage.models import (
    Base,
    Contact,
    Fact,
    Group,
    GroupMember,
    OneTimeCode,
    OutboxItem,
    Session,
    Thumbnail,
    User,
)
from tests.cli.commands import Cli
from tests.matrix import LONG
from tests.product import Product
from tests.servers import ROOT, MariaDB

pytestmark = pytest.mark.server

PAGE = (ROOT / "docs" / "operations" / "backup.md").read_text()
URI, KEY = "MESSENGER_SQLALCHEMY_DATABASE_URI", "MESSENGER_SECRET_KEY"
ANA = "14155550101"
KILLS = 10 if LONG else 2
USERS = 1_200

# A command that dies as a power cut has it, when it has told of its progress so often.
CUT_SHORT = """
import os, sys
from messenger_api.cli import main, progress
left = int(sys.argv[1])
def die(self, what, done, expected):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), 9)
progress.Progress.__call__ = die
main(sys.argv[2:])
"""

# Texts that databases, drivers and collations treat specially.
HOSTILE = [
    "",
    "Ana 🏔",
    'it\'s "so" \\n \\',
    "a\nb\r\n\t",
    "ß SS ss",
    "é e\u0301",
    "\x00 \x1a",
    " ends ",
    "%s {0} :x",
    "NULL",
]
# Bytes that are no text, end with zeros or blanks, and differ in what collations ignore.
KEYS = [
    bytes(16),
    b"\xff" * 16,
    b"a" * 15 + b" ",
    b"a" * 15 + b"\0",
    b"A" * 16,
    b"a" * 16,
    b"'\\\"%s\n\r\x00\x1a.......",
]


def execute(uri: str, statement: Any, rows: list[dict[str, Any]] | None = None) -> None:
    engine = create_engine(uri, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(statement, rows) if rows else connection.exec_driver_sql(statement)


def content(uri: str) -> dict[str, list[Any]]:
    engine = create_engine(uri, poolclass=NullPool)
    with engine.connect() as connection:
        return {
            table.name: sorted(map(repr, map(tuple, connection.execute(select(table)))))
            for table in Base.metadata.sorted_tables
        }


def fill(uri: str, users: int = USERS) -> None:
    """Accounts with hostile values in every kind of column."""
    chance = random.Random(users)
    keys = [*KEYS, *(chance.randbytes(16) for _ in range(users - len(KEYS)))]
    uids = [n * 3 + 10 for n in range(users)]
    rows = [
        {
            "uid": uids[n],
            "address": str(14155600000 + n),
            "contact_key": key,
            "mesibo_uid": 2**63 - 1 - n,
            "name": HOSTILE[n % len(HOSTILE)],
            "created_at": n,
            "changed_at": 2**40 + n,
        }
        for n, key in enumerate(keys)
    ]
    execute(uri, insert(User), rows)
    execute(
        uri, insert(Contact), [{"owner": uid, "contact_key": key} for uid in uids[:40] for key in keys[:60]]
    )
    execute(
        uri,
        insert(Session),
        [
            {
                "uid": uid,
                "token_hash": chance.randbytes(32),
                "appid": "App" if uid % 2 else "app ",
                "created_at": 1,
            }
            for uid in uids
        ],
    )
    execute(uri, insert(Thumbnail), [{"photo": f"{n}-Aa.jpg", "tn": "x" * (n % 7 * 1000)} for n in range(90)])
    execute(
        uri,
        insert(Group),
        [
            {"gid": 2**32 - 1, "name": HOSTILE[1], "created_at": 0, "changed_at": 0, "roster": None},
            {"gid": 0, "name": HOSTILE[3], "created_at": 0, "changed_at": 0, "roster": "🏔" * 100_000},
        ],
    )
    execute(uri, insert(GroupMember), [{"gid": 0, "uid": uid, "role": uid % 3} for uid in uids[:700]])
    execute(
        uri,
        insert(OneTimeCode),
        [
            {
                "contact_key": key,
                "code_hash": bytes(32),
                "sent_at": 0,
                "expires_at": 0,
                "reply": reply,
                "reply_to": None,
            }
            for key, reply in zip(KEYS, [None, b"", b"\0", b"\xff\n'", b" ", b"a" * 1024, None], strict=True)
        ],
    )
    execute(
        uri,
        insert(OutboxItem),
        [{"lane": "l", "kind": "k", "payload": text, "created_at": 0, "due_at": 0} for text in HOSTILE],
    )
    execute(uri, f"DELETE FROM outbox WHERE id > {len(HOSTILE) - 2}")
    execute(uri, insert(Fact), [{"name": "of a test", "value": "x"}])


@pytest.fixture
def other(database_kind: str, tmp_path: Path, mariadb: MariaDB, new_database: Callable[[], str]) -> str:
    """An empty database of the other kind."""
    if database_kind == "sqlite":
        return mariadb.uri(new_database())
    return f"sqlite:///{tmp_path / 'other.sqlite3'}"


@pytest.fixture
def here(cli: Cli, keys: dict[str, str]) -> str:
    """A database with the tables of this version."""
    cli.environment.update(keys)
    cli.upgrade()
    return keys[URI]


def refusal(cli: Cli, *arguments: str, **environment: str) -> str:
    result = cli.run(*arguments, **environment)
    assert result.exit_code == 1, result.output
    return result.stderr


def test_everything_is_there_and_people_are_still_logged_in(
    cli: Cli, here: str, other: str, keys: dict[str, str], tmp_path: Path
) -> None:
    product = Product(here, tmp_path, secret_key=keys[KEY])
    ana = product.log_in(ANA, name="Ana 🏔")
    product.close()
    fill(here, 60)
    [line] = re.findall(r"^```sh\n(.+)\n```", PAGE, re.MULTILINE)
    variable, _program, *arguments = shlex.split(line)
    assert variable.startswith("COPY_TO=mysql+pymysql://")
    said = cli.ok(*arguments, COPY_TO=other)
    assert "rows are alike in both" in said
    assert content(other) == content(here)
    assert cli.ok("db", "current", **{URI: other}) == cli.ok("db", "current")
    product = Product(other, tmp_path, secret_key=keys[KEY])
    ana.product = product
    ana.ok("getcontacts")
    # An id that was given once is not given again, although its row is gone.
    execute(
        other, insert(OutboxItem), [{"lane": "new", "kind": "k", "payload": "", "created_at": 0, "due_at": 0}]
    )
    [(number,)] = product.rows("SELECT id FROM outbox WHERE lane = 'new'")
    assert number > len(HOSTILE)
    product.close()


def test_killed_at_any_moment_and_run_again_the_content_is_the_same(
    cli: Cli, here: str, other: str, tmp_path: Path
) -> None:
    fill(here)
    machine = {name: value for name, value in os.environ.items() if not name.startswith("MESSENGER_")}
    chance = random.Random()
    for _ in range(KILLS):
        ran = subprocess.run(
            [sys.executable, "-c", CUT_SHORT, str(chance.randrange(20)), "db", "copy"],
            cwd=tmp_path,
            env={**machine, "PYTHONPATH": str(ROOT), **cli.environment, "COPY_TO": other},
            capture_output=True,
            check=False,
        )
        assert ran.returncode == -9, ran.stderr
        assert "db copy again" in refusal(cli, "db", "upgrade", **{URI: other})
    cli.ok("db", "copy", other)
    assert content(other) == content(here)
    assert "name an empty database" in refusal(cli, "db", "copy", other)


def test_what_was_changed_meanwhile_is_found_and_copied_by_the_next_run(
    cli: Cli, here: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(here, 60)

    def change(_self: object, what: str, _done: int, _expected: int) -> None:
        if what == "comparing users":
            execute(here, "UPDATE users SET name = 'changed' WHERE uid = 10")

    with monkeypatch.context() as patch:
        patch.setattr("messenger_api.cli.progress.Progress.__call__", change)
        assert "changed while they were copied (users)" in refusal(cli, "db", "copy", other)
    assert "db copy again" in refusal(cli, "db", "upgrade", **{URI: other})
    cli.ok("db", "copy", other)
    assert content(other) == content(here)


def test_a_target_that_holds_something_stays_as_it_is(cli: Cli, here: str, other: str) -> None:
    execute(other, "CREATE TABLE mine (id INTEGER)")
    execute(other, "INSERT INTO mine VALUES (1)")
    assert "name an empty database" in refusal(cli, "db", "copy", other)
    assert "name an empty database" in refusal(cli, "db", "copy", other)
    fill(here, 60)
    assert "name an empty database" in refusal(cli, "db", "copy", here)
    assert refusal(cli, "db", "copy", "mysql://of.nobody/x")

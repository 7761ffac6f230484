"""A move that is killed at any moment and started again brings the same content as one that was not."""

from __future__ import annotations

import random
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect

from messenger_api.storage.moved import COLUMNS
from tests.cli.commands import Cli, Process, Start
from tests.matrix import LONG, some
from tests.moving.demo import Demo
from tests.moving.large import fill
from tests.processes import wait_for

pytestmark = [pytest.mark.server, pytest.mark.long]

# 50 kills in `make test-long`, in ten moves.
USERS = 1_500 if LONG else 200
KILLS_A_MOVE = 5 if LONG else 2
CONTACTS = 20
PATIENCE = 120
# What tells two moves apart: the second in which they began.
TIMES = {
    "users": {"seen_at"},
    "sessions": {"seen_at", "synced_to"},
    "push_tokens": {"changed_at"},
}


def content(uri: str) -> dict[str, list[tuple[Any, ...]]]:
    """All that a move wrote, but for the second of the move itself."""
    engine = create_engine(uri)
    found = {}
    with closing(engine.connect()) as connection:
        for table, columns in COLUMNS.items():
            kept = [column for column in columns if column not in TIMES.get(table, ())]
            rows = connection.exec_driver_sql(f"SELECT {', '.join(kept)} FROM {table}").all()
            found[table] = sorted(map(tuple, rows))
    engine.dispose()
    return found


def indexes(uri: str) -> dict[str, set[str | None]]:
    """The indexes of each table that a move writes."""
    engine = create_engine(uri)
    found = {table: {index["name"] for index in inspect(engine).get_indexes(table)} for table in COLUMNS}
    engine.dispose()
    return found


def has_begun(process: Process, skipped: Path) -> bool:
    """Whether there is something to kill, or nothing to wait for."""
    return skipped.exists() or not process.is_running


@pytest.mark.parametrize("seed", some(range(10), 1))
def test_killed_at_random_moments_and_started_again_the_content_is_the_same(
    cli: Cli,
    start: Start,
    keys: dict[str, str],
    demo: Demo,
    tmp_path: Path,
    seed: int,
) -> None:
    fill(demo, USERS, CONTACTS)
    whole = {**keys, "MESSENGER_SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'whole.sqlite3'}"}
    for environment in (whole, keys):
        cli.ok("db", "upgrade", **environment)
    made = indexes(keys["MESSENGER_SQLALCHEMY_DATABASE_URI"])
    arguments = ["move", "php", "--from", demo.uri, "--appid", "app", "--go", "--files", str(demo.files)]
    seconds = cli.json(*arguments, **whole)["seconds"]
    chance = random.Random(seed)
    skipped = tmp_path / "move-skipped-go.csv"
    for _ in range(KILLS_A_MOVE):
        skipped.unlink(missing_ok=True)
        process = start(*arguments, **keys)
        # It is made as soon as there is something to move. After a kill that came too late, nothing is.
        wait_for(partial(has_begun, process, skipped), PATIENCE, "the move's begin")
        time.sleep(chance.uniform(0, seconds))
        process.kill()
    last = cli.run(*arguments, **keys)
    # The last kill may have come too late: then all was moved.
    assert last.exit_code == 0 or "has the accounts of" in last.output
    moved = content(keys["MESSENGER_SQLALCHEMY_DATABASE_URI"])
    assert moved == content(whole["MESSENGER_SQLALCHEMY_DATABASE_URI"])
    assert indexes(keys["MESSENGER_SQLALCHEMY_DATABASE_URI"]) == made
    assert len(moved["users"]) == len(moved["sessions"]) == USERS
    assert len(moved["contacts"]) == USERS * CONTACTS

"""A large installation moves in a minute: 100,000 accounts with 20 contacts each in `make test-long`."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import Cli
from tests.matrix import LONG
from tests.moving.demo import Demo
from tests.moving.large import MEMBERS, fill
from tests.stopwatch import Stopwatch

pytestmark = [pytest.mark.server, pytest.mark.long]

# The sample is just large enough that numbers are read in processes of their own.
USERS, CONTACTS = (100_000, 20) if LONG else (1_050, 20)
MOST_SECONDS = 60 if LONG else 15


def test_a_move_takes_under_a_minute(
    cli: Cli, keys: dict[str, str], database_kind: str, demo: Demo, tmp_path: Path
) -> None:
    fill(demo, USERS, CONTACTS)
    cli.environment.update(keys)
    cli.ok("db", "upgrade")
    arguments = ["move", "php", "--from", demo.uri, "--appid", "app", "--files", str(demo.files)]
    watch, before = Stopwatch(), _cpu()
    told: dict[str, Any] = cli.json(*arguments, "--go")
    seconds, cpu = watch.quiet_seconds, _cpu() - before
    figures = {name: table["seconds"] for name, table in told["tables"].items()}
    print(f"\n{database_kind}: {USERS} accounts, {seconds:.0f} s, processor {cpu:.0f} s, {figures}")
    moved = {name: table["moved"] for name, table in told["tables"].items()}
    assert moved == {
        "users": USERS,
        "tokens": USERS,
        "notifytokens": USERS // 10,
        "contacts": USERS * CONTACTS,
        "groups": USERS // MEMBERS,
        "members": USERS,
        "pictures": 0,
    }
    assert seconds < MOST_SECONDS


def _cpu() -> float:
    """Seconds of processor time that this process and those that ended have used."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system

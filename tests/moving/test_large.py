"""A large installation moves in a minute: 100,000 accounts with 20 contacts each in `make test-long`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks.programs import cpu_seconds
from tests.cli.commands import Cli
from tests.matrix import LONG
from tests.moving.demo import Demo
from tests.moving.large import MEMBERS, fill
from tests.stopwatch import Stopwatch

pytestmark = [pytest.mark.server, pytest.mark.long]

USERS, CONTACTS = (100_000, 20) if LONG else (1_000, 20)
MOST_SECONDS = 60 if LONG else 15


def test_a_move_takes_under_a_minute(
    cli: Cli, keys: dict[str, str], database_kind: str, demo: Demo, tmp_path: Path
) -> None:
    fill(demo, USERS, CONTACTS)
    cli.environment.update(keys)
    cli.ok("db", "upgrade")
    arguments = ["move", "php", "--from", demo.uri, "--appid", "app", "--files", str(demo.files)]
    watch, before = Stopwatch(), _cpu(demo)
    told: dict[str, Any] = cli.json(*arguments, "--go")
    seconds, passed, cpu = watch.quiet_seconds, watch.seconds, _cpu(demo) - before
    figures = {name: table["seconds"] for name, table in told["tables"].items()}
    print(f"\n{database_kind}: {USERS} accounts, {CONTACTS} contacts each: {passed:.0f} s by the clock,")
    print(f"{seconds:.0f} s on a quiet machine, {cpu:.0f} s of processors, databases included; {figures}")
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


def _cpu(demo: Demo) -> float:
    """Seconds of processor time: of this process, those that it started and that ended, and MariaDB."""
    assert demo.server.process
    times = os.times()
    mine = times.user + times.system + times.children_user + times.children_system
    return mine + cpu_seconds(demo.server.process.pid)

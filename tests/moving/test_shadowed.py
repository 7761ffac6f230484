"""A moved copy behind the shadow: a phone that is logged in at the demo is answered alike here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from messenger_api.settings import Settings
from messenger_api.shadow.front import PHP
from tests.cli.commands import Cli
from tests.contract.recorder import RecordingMesibo
from tests.moving.demo import Demo, token
from tests.shadow.demo import PhpDemo, Played, running
from tests.shadow.test_shadow import called, mesibo, settings, shadowing

__all__ = ["mesibo", "settings"]

ANA, BEN, TS = "14155550101", "919876543210", 1_600_000_000


def entry(**values: Any) -> dict[str, Any]:
    """An entry of `contacts` as the demo writes it."""
    return {"name": "", "status": "", "phone": "", "photo": "", "gid": "0", "ts": str(TS), **values}


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_phone_of_the_demo_is_answered_alike_by_a_moved_copy(
    cli: Cli, demo: Demo, settings: Settings, mesibo: RecordingMesibo, tmp_path: Path
) -> None:
    demo.add("users", [(101, ANA, b"Ana", b"", "", TS), (102, BEN, b"Ben", b"Hi", "", TS)])
    demo.add("tokens", [(101, token(101), 0, 0)])
    demo.add("contacts", [(101, BEN)])
    demo.add("groups", [(5001, b"Hike", "", TS)])
    demo.add("members", [(5001, ANA, 2), (5001, BEN, 0)])
    keys = {
        "MESSENGER_SQLALCHEMY_DATABASE_URI": settings.sqlalchemy_database_uri,
        "MESSENGER_SECRET_KEY": settings.secret_key,
        "MESSENGER_INSTANCE_PATH": settings.instance_path,
        "MESSENGER_MESIBO_APP_TOKEN": "of mesibo",
    }
    cli.ok("db", "upgrade", **keys)
    cli.ok("move", "php", "--from", demo.uri, "--appid", "app", "--go", **keys)
    told = [entry(name="Ben", status="Hi", phone=BEN)]
    told.append(entry(name="Hike", gid="5001", members=f"1:{ANA},{BEN}"))
    php = PhpDemo([], other={"op": "getcontacts", "ts": TS, "contacts": told, "result": "OK"})
    asked = Played("POST", {"op": "getcontacts", "token": token(101), "ts": "0"}, {}, {})
    with running(php):
        with shadowing(settings, php.url, PHP, tmp_path / "report.json") as (phone, _ours, tally):
            assert called(phone, asked) == php.other
        found = [(line.field, line.php) for line in tally.report().surprises]
    # What its configuration tells the apps was left out of the demo's answer here.
    assert found == [("invite", "absent"), ("share", "absent"), ("urls", "absent")]
    assert tally.report().compared == 1
    assert mesibo.taken() == []

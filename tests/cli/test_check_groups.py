"""The doctor tells a mesibo that takes log-ins alone; a neighbour's fault takes no server out of service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from messenger_api.gateways.mesibo import MesiboClient
from messenger_api.sandbox import SandboxServer, SandboxStore
from tests.cli.commands import Cli
from tests.product import Product


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[SandboxServer]:
    with SandboxStore(tmp_path / "outside.sqlite3") as store, SandboxServer(store) as server:
        yield server


def checked(cli: Cli, url: str, token: str) -> dict[str, str]:
    environment = {"MESSENGER_MESIBO_API_URL": url, "MESSENGER_MESIBO_APP_TOKEN": token}
    findings = json.loads(cli.run("check", "--json", **environment).stdout)
    return next(finding for finding in findings if finding["check"] == "mesibo")


@pytest.mark.parametrize("style", ["json", "form"])
def test_a_mesibo_that_serves_groups_is_told_from_one_that_takes_log_ins_alone(
    cli: Cli, outside: SandboxServer, style: str
) -> None:
    url = outside.mesibo_json_url if style == "json" else outside.mesibo_form_url
    assert checked(cli, url, outside.app_token)["state"] == "ok"
    with closing(MesiboClient(url, outside.app_token)) as client:
        for error in ("BADOP", "NOTALLOWED", "FORBIDDEN"):
            outside.faults.add("groupgetmembers", error=error)
            refusal = client.refusal_of_groups()
            assert refusal is not None
            assert refusal.error == error
            outside.faults.clear()
        for error in ("BADVALUE", "NOTFOUND", "BADGROUP"):
            outside.faults.add("groupgetmembers", error=error)
            assert client.refusal_of_groups() is None
            outside.faults.clear()
    for error, state in (("BADOP", "fault"), ("NOTALLOWED", "warning")):
        outside.faults.add("groupgetmembers", error=error)
        finding = checked(cli, url, outside.app_token)
        assert finding["state"] == state
        assert "no groups" in finding["found"]
        assert "-b PORT" in finding["to_do"]
        outside.faults.clear()


def test_a_neighbours_fault_takes_no_server_out_of_service(installation: Product) -> None:
    phone = installation.log_in("14155550101", "Ana")
    installation.sandbox.faults.add("*", drop=True)
    phone.ok("logout")
    assert not installation.deliver()
    with installation.services.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE sent_texts SET state = 2")
        connection.exec_driver_sql("UPDATE limit_counters SET slots = '999999999'")
    installation.clock.advance(1000)
    answer = installation.http.get("/readyz")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "ok")

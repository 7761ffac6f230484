"""`messenger-api status`: one screen that says whether people can log in, on both databases."""

from __future__ import annotations

import datetime as dt
import json
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import text as sql

from messenger_api.domain.health.judgement import RECENT_SECONDS
from messenger_api.processes import warn_of_key
from tests.cli.commands import Cli, Start
from tests.processes import free_port
from tests.product import APPID, Product

ANA, BEN = "14155550101", "14155550102"
WELL = "People can log in."
QUIET = "Nothing keeps people from logging in."
NOBODY = "People cannot log in."


def status(cli: Cli, **environment: str) -> dict[str, Any]:
    """The judgement, of whichever exit code."""
    told: dict[str, Any] = json.loads(cli.run("status", "--json", **environment).stdout)
    return told


def codes(cli: Cli) -> list[str]:
    return [finding["code"] for finding in status(cli)["findings"]]


def try_to_log_in(product: Product) -> None:
    """With a code that is right, whatever comes of it; what was counted meanwhile is kept."""
    product.clock.advance(3600)
    product.call("login", phone=ANA, appid=APPID)
    product.call("login", phone=ANA, appid=APPID, otp=product.code(ANA))
    product.clock.offset = 0.0
    assert product.parts.bookkeeper.keep()


def log_in(product: Product, number: str = ANA) -> None:
    product.log_in(number)
    assert product.parts.bookkeeper.keep()


def test_where_nothing_ever_happened_nothing_is_said_to_be_well(cli: Cli, installation: Product) -> None:
    shown = cli.ok("status")
    assert shown.startswith(QUIET)
    assert "none was ever seen" in shown
    assert "was not asked yet" in shown
    assert WELL not in shown


def test_after_a_log_in_people_can_log_in(cli: Cli, installation: Product) -> None:
    log_in(installation)
    shown = cli.ok("status")
    assert shown.startswith(WELL)
    assert "1 begun and 1 completed in the last hour" in shown
    assert status(cli)["login"] == "yes"


def test_without_traffic_it_says_when_something_last_happened(cli: Cli, installation: Product) -> None:
    installation.clock.advance(-7200)
    log_in(installation)
    shown = cli.ok("status")
    assert shown.startswith(QUIET)
    assert shown.count("nothing happened since") >= 2
    assert "(2 h ago)" in shown


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ({"drop": True}, "mesibo_away", "mesibo does not answer."),
        ({"html": True}, "mesibo_away", "mesibo does not answer."),
        ({"error": "AUTHFAIL"}, "app_token_refused", "mesibo refuses the app token."),
        ({"error": "TOKENBREACH"}, "app_disabled", "mesibo has disabled the app."),
    ],
)
def test_a_mesibo_that_lets_nobody_in_is_told_until_it_does(
    cli: Cli, installation: Product, fault: dict[str, Any], code: str, said: str
) -> None:
    log_in(installation)
    installation.sandbox.faults.add("useradd", **fault)
    time.sleep(1.1)  # what happens in one second is in no order
    call_in = installation.call("login", phone=BEN, appid=APPID)
    assert call_in["result"] == "OK"
    refused = installation.call("login", phone=BEN, appid=APPID, otp=installation.code(BEN))
    assert refused["error"] == "TRYLATER"
    assert installation.parts.bookkeeper.keep()

    shown = cli.run("status")

    assert shown.exit_code == 1
    assert shown.stdout.startswith(NOBODY)
    assert said in shown.stdout
    assert f"docs/operations/status.md#{code}" in shown.stdout
    assert ("; last refused the app token 20" in shown.stdout) == ("error" in fault)
    assert codes(cli) == [code]
    installation.sandbox.faults.clear()
    time.sleep(1.1)
    installation.ok("login", phone=BEN, appid=APPID, otp=installation.code(BEN))
    assert installation.parts.bookkeeper.keep()
    assert cli.ok("status").startswith(WELL)


def test_a_failure_of_long_ago_says_nothing_of_now(cli: Cli, installation: Product) -> None:
    installation.sandbox.faults.add("useradd", drop=True)
    installation.clock.advance(-RECENT_SECONDS - 60)
    installation.ok("login", phone=BEN, appid=APPID)
    installation.call("login", phone=BEN, appid=APPID, otp=installation.code(BEN))
    assert installation.parts.bookkeeper.keep()
    assert codes(cli) == []


def insert(product: Product, statement: str, **values: object) -> None:
    with product.services.database.engine.begin() as connection:
        connection.execute(sql(statement), values)


def test_money_that_is_gone_keeps_all_out_and_half_of_it_nobody(cli: Cli, paying: Product) -> None:
    day = f"sms_budget_day:{dt.datetime.now(dt.UTC):%Y-%m-%d}"
    until = int(time.time()) + 86_400
    insert(
        paying,
        "INSERT INTO limit_counters (name, slots, expires_at) VALUES (:name, '24980000', :until)",
        name=day,
        until=until,
    )
    cli.environment["MESSENGER_SMS_PROVIDERS"] = '["tests.trust.network.Network"]'
    cli.environment["MESSENGER_SMS_COUNTRIES"] = '["DE"]'
    shown = cli.run("status")
    assert (shown.exit_code, shown.stdout.startswith(NOBODY)) == (1, True)
    assert "24.98 of 25.00 USD of the day are spent" in shown.stdout
    assert status(cli, MESSENGER_SMS_BUDGET_DAY="26")["login"] == "limited"
    half = status(cli, MESSENGER_SMS_BUDGET_DAY="40")
    assert half["login"] == "yes"
    assert [finding["code"] for finding in half["findings"]] == ["budget_half_spent"]
    assert status(cli, MESSENGER_LIMITS="track")["login"] == "yes"


def test_work_that_nobody_does_is_a_fault_that_keeps_nobody_out(cli: Cli, installation: Product) -> None:
    at = int(time.time()) - 100
    insert(
        installation,
        "INSERT INTO outbox (lane, kind, payload, state, created_at, due_at)"
        " VALUES ('a', 'x', '{}', 0, :at, :at), ('b', 'x', '{}', 1, :at, :at)",
        at=at,
    )
    shown = cli.ok("status")
    assert "Nobody does the work that follows" in shown
    assert "1 wait, the oldest for 1" in shown
    assert codes(cli) == ["nobody_delivers", "outbox_dead"]
    installation.parts.worker.housekeeping.beat()
    assert codes(cli) == ["outbox_dead"]


def test_a_database_that_is_away_is_said_to_be(cli: Cli, installation: Product) -> None:
    nowhere = f"mysql+pymysql://root@127.0.0.1:{free_port()}/none"
    away = {"MESSENGER_SQLALCHEMY_DATABASE_URI": nowhere}
    shown = cli.run("status", **away)
    assert shown.exit_code == 1
    assert shown.stdout.startswith(NOBODY)
    assert "The database does not answer." in shown.stdout
    assert "nothing else is known" in shown.stdout
    told = status(cli, **away)
    assert [finding["code"] for finding in told["findings"]] == ["database_away"]


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_authority_that_cannot_be_read_is_named(
    cli: Cli, installation: Product, tmp_path: Path, content: str | None
) -> None:
    authority = tmp_path / "authority.pem"
    if content is not None:
        authority.write_text(content)
    uri = f"mysql+pymysql://root@127.0.0.1:{free_port()}/none?ssl_ca={authority}"
    wrong = {"MESSENGER_SQLALCHEMY_DATABASE_URI": uri}
    assert [finding["code"] for finding in status(cli, **wrong)["findings"]] == ["database_away"]
    checked = json.loads(cli.run("check", "--json", **wrong).stdout)
    [database] = [line for line in checked if line["check"] == "database"]
    assert f"ssl_ca {authority}: " in database["found"]


def test_tables_of_another_version_are_said_to_be(cli: Cli, installation: Product) -> None:
    insert(installation, "UPDATE alembic_version SET version_num = '0001'")
    assert "The tables are not those of this version." in cli.run("status").stdout
    assert codes(cli) == ["schema_old"]
    assert "messenger-api db upgrade" in cli.run("status").stdout


def test_of_tables_of_a_newer_version_is_said_to_install_it(cli: Cli, installation: Product) -> None:
    insert(installation, "UPDATE alembic_version SET version_num = '9999'")
    shown = cli.run("status").stdout
    assert "The tables are not those of this version." in shown
    assert "install the version that made the tables" in shown
    assert "db upgrade" not in shown


def test_a_table_that_is_gone_is_named_by_status_and_check(cli: Cli, installation: Product) -> None:
    insert(installation, "DROP TABLE one_time_codes")
    shown = cli.run("status")
    assert (shown.stdout.startswith(NOBODY), shown.exit_code) == (True, 1)
    assert "one_time_codes" in shown.stdout
    assert codes(cli) == ["table_missing"]
    [schema] = [line for line in json.loads(cli.run("check", "--json").stdout) if line["check"] == "schema"]
    assert schema["state"] == "fault"
    assert "one_time_codes" in schema["found"]


def test_before_the_first_start_there_is_nothing_to_judge(cli: Cli, tmp_path: Path) -> None:
    shown = cli.run("status", MESSENGER_SANDBOX="true")
    assert (shown.exit_code, "no database yet" in shown.stderr) == (1, True)
    assert not (tmp_path / "instance").exists()
    assert f"read from: no file (there is no {tmp_path / 'config.py'})" in shown.stderr


@pytest.mark.server
def test_watch_shows_what_changed_until_it_is_stopped(
    start: Start, installation: Product, keys: dict[str, str]
) -> None:
    command = start("status", "--watch", **keys)
    command.says(QUIET)
    insert(
        installation,
        "INSERT INTO outbox (lane, kind, payload, state, created_at, due_at)"
        " VALUES ('b', 'x', '{}', 1, :at, :at)",
        at=int(time.time()) - 100,
    )
    command.says("Work was given up")
    command.signal(signal.SIGINT)
    assert command.ends() == 0


@pytest.mark.parametrize(("length", "told"), [(15, True), (16, False)])
def test_a_short_key_is_told_to_the_operator_and_in_the_log(
    cli: Cli, installation: Product, length: int, told: bool
) -> None:
    key = "k" * length
    with structlog.testing.capture_logs() as log:
        warn_of_key(replace(installation.services.settings, secret_key=key))
    assert [line["event"] for line in log] == ["secret_key.short"] * told
    said = cli.run("status", MESSENGER_SECRET_KEY=key).stdout
    assert ("SECRET_KEY has fewer than 16 characters" in said) is told
    assert key not in said

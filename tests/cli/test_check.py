"""`messenger-api check`, the doctor: every check says what is so, by real calls, and none stops another."""

from __future__ import annotations

import datetime as dt
import errno
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import ClassVar

import pymysql
import pytest

from messenger_api.cli.doctor import proxy
from messenger_api.cli.doctor.checks import CHECKS
from messenger_api.gateways.sms import SmsProvider, TextMessage
from messenger_api.sandbox import SandboxServer, SandboxStore
from messenger_api.settings import Settings
from messenger_api.storage.files import folder
from tests.cli.commands import Cli
from tests.processes import LOOPBACK, free_port
from tests.product import Product
from tests.servers import MariaDB
from tests.stopwatch import Stopwatch

Findings = dict[str, dict[str, str]]


class Slow(SmsProvider):
    """A provider of the operator's own whose check takes longer than anyone waits."""

    seconds: ClassVar[float] = 3.0

    def __init__(self, settings: Settings) -> None: ...

    def check(self) -> None:
        time.sleep(self.seconds)

    def _deliver(self, message: TextMessage) -> str:
        raise NotImplementedError


class Broken(Slow):
    """A provider whose check has a fault of its own."""

    def check(self) -> None:
        raise ZeroDivisionError("not foreseen")


@pytest.fixture(autouse=True)
def proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    """PUBLIC_URL leads through a proxy that overwrites the header; tests/proxies asks real ones."""
    report = proxy.Report(client="203.0.113.7", peer="10.0.0.9")
    monkeypatch.setattr(proxy, "ask", lambda *_: report)


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[SandboxServer]:
    """mesibo and Twilio, for a product that takes them for real."""
    with SandboxStore(tmp_path / "outside.sqlite3") as store, SandboxServer(store) as server:
        yield server


@pytest.fixture
def live(outside: SandboxServer) -> dict[str, str]:
    """A configuration without a fault or a warning, in SQLite."""
    return {
        "MESSENGER_MESIBO_API_URL": outside.mesibo_json_url,
        "MESSENGER_MESIBO_APP_TOKEN": outside.app_token,
        "MESSENGER_SMS_PROVIDERS": "twilio",
        "MESSENGER_SMS_COUNTRIES": "IN",
        "MESSENGER_TWILIO_ACCOUNT_SID": outside.twilio_sid,
        "MESSENGER_TWILIO_AUTH_TOKEN": outside.twilio_token,
        "MESSENGER_TWILIO_FROM": "+15005550006",
        "MESSENGER_TWILIO_API_URL": outside.twilio_url,
        "MESSENGER_SECRET_KEY": "0123456789abcdef" * 4,
        "MESSENGER_PUBLIC_URL": "https://chat.example.com",
        "MESSENGER_TRUSTED_PROXY_HOPS": "1",
    }


def examined(cli: Cli, environment: dict[str, str], *arguments: str) -> tuple[Findings, int]:
    """The findings by check, and the exit code."""
    result = cli.run("check", "--json", *arguments, **environment)
    findings = json.loads(result.stdout)
    assert result.stderr == "", "what goes wrong is a finding and no line of the log"
    return {finding["check"]: finding for finding in findings}, result.exit_code


def states(findings: Findings) -> dict[str, str]:
    return {check: finding["state"] for check, finding in findings.items()}


def test_a_sound_installation_has_nothing_but_ok(cli: Cli, live: dict[str, str]) -> None:
    cli.ok("db", "upgrade", **live)
    findings, code = examined(cli, live)
    assert states(findings) == dict.fromkeys(["configuration", *CHECKS], "ok")
    assert code == 0


def test_people_get_a_line_for_each_check(cli: Cli, live: dict[str, str]) -> None:
    output = cli.ok("check", **live, MESSENGER_LIMITS="off")
    lines = output.splitlines()
    assert len(lines) == len(CHECKS) + 1
    assert all(line.split()[0] in {"ok", "warning", "FAULT"} for line in lines)
    (limits,) = (line for line in lines if line.split()[1] == "limits")
    assert limits.startswith("warning")
    assert limits.endswith('-> set LIMITS = "enforce"')


def test_nothing_secret_is_printed(cli: Cli, live: dict[str, str]) -> None:
    environment = {
        **live,
        "MESSENGER_OTP_TEST_NUMBERS": '{"14155550123": "739164"}',
        "MESSENGER_OTP_TEST_NUMBERS_UNTIL": "2099-01-31",
        "MESSENGER_MESIBO_API_URL": live["MESSENGER_MESIBO_API_URL"].replace("://", "://user:hunter2@"),
    }
    output = cli.run("check", **environment).output
    for secret in (live["MESSENGER_SECRET_KEY"], "739164", "14155550123", "hunter2"):
        assert secret not in output


def test_a_new_folder_is_well_and_stays_empty_of_a_database(cli: Cli, tmp_path: Path) -> None:
    findings, code = examined(cli, {"MESSENGER_SANDBOX": "local"})
    assert code == 0
    assert [check for check, state in states(findings).items() if state != "ok"] == ["sandbox"]
    assert not (tmp_path / "instance").exists()


def test_the_faults_of_the_configuration_have_a_line_each(cli: Cli) -> None:
    result = cli.run("check", MESSENGER_OTP_LENGTH="4", MESSENGER_LIMITS="maybe")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["FAULT", "configuration", "OTP_LENGTH"],
        ["FAULT", "configuration", "LIMITS"],
    ]


# mesibo


def test_mesibo_is_asked_by_a_real_call(cli: Cli, live: dict[str, str]) -> None:
    wrong = {**live, "MESSENGER_MESIBO_APP_TOKEN": "not-the-token"}
    findings, code = examined(cli, wrong)
    assert findings["mesibo"]["state"] == "fault"
    assert "AUTHFAIL" in findings["mesibo"]["found"]
    assert "MESIBO_APP_TOKEN" in findings["mesibo"]["to_do"]
    assert "not-the-token" not in json.dumps(findings)
    assert code == 1


def test_a_mesibo_that_is_away_is_a_fault_and_the_others_are_looked_at(
    cli: Cli, live: dict[str, str]
) -> None:
    away = {**live, "MESSENGER_MESIBO_API_URL": f"http://{LOOPBACK}:{free_port()}/backend"}
    findings, code = examined(cli, away)
    assert code == 1
    assert [check for check, state in states(findings).items() if state != "ok"] == ["mesibo"]
    assert "connect" in findings["mesibo"]["found"]


def test_the_sandbox_is_a_warning_with_the_way_out(cli: Cli, live: dict[str, str]) -> None:
    findings, _ = examined(cli, {"MESSENGER_SANDBOX": "local"})
    assert findings["sandbox"]["state"] == "warning"
    assert "set MESIBO_APP_TOKEN" in findings["sandbox"]["to_do"]
    findings, _ = examined(cli, {**live, "MESSENGER_SANDBOX": "true"})
    assert findings["sandbox"]["state"] == "warning"
    assert "remove SANDBOX = True" in findings["sandbox"]["to_do"]


def test_nobody_who_plays_mesibo_is_a_fault_as_it_is_for_serve(cli: Cli) -> None:
    findings, code = examined(cli, {})
    assert code == 1
    assert findings["mesibo"]["state"] == "fault"
    assert "MESIBO_APP_TOKEN: required" in findings["mesibo"]["found"]


# Text messages


def test_the_credentials_of_the_sms_provider_are_proven(cli: Cli, live: dict[str, str]) -> None:
    findings, code = examined(cli, {**live, "MESSENGER_TWILIO_AUTH_TOKEN": "wrong-one"})
    assert findings["sms"]["state"] == "fault"
    assert "credentials" in findings["sms"]["found"]
    assert "wrong-one" not in json.dumps(findings)
    assert code == 1


@pytest.mark.parametrize("providers", ["console", "twilio,console"])
def test_codes_that_would_be_printed_instead_of_sent_are_a_fault(
    cli: Cli, live: dict[str, str], providers: str
) -> None:
    findings, code = examined(cli, {**live, "MESSENGER_SMS_PROVIDERS": providers})
    assert findings["sms"]["state"] == "fault"
    assert "prints codes" in findings["sms"]["found"]
    assert code == 1


def test_a_provider_that_does_not_exist_is_a_fault(cli: Cli, live: dict[str, str]) -> None:
    findings, _ = examined(cli, {**live, "MESSENGER_SMS_PROVIDERS": "carrier_pigeon"})
    assert findings["sms"]["state"] == "fault"
    assert "carrier_pigeon" in findings["sms"]["found"]


def test_texts_to_any_country_are_a_warning(cli: Cli, live: dict[str, str]) -> None:
    findings, code = examined(cli, {**live, "MESSENGER_SMS_COUNTRIES": "*"})
    assert findings["sms"]["state"] == "warning"
    assert "SMS_COUNTRIES" in findings["sms"]["to_do"]
    assert code == 0


def test_texts_to_no_country_are_a_fault_as_they_are_for_serve(cli: Cli, live: dict[str, str]) -> None:
    nowhere = {**live, "MESSENGER_SMS_COUNTRIES": ""}
    findings, code = examined(cli, nowhere)
    assert (findings["sms"]["state"], code) == ("fault", 1)
    served = cli.run("serve", "--port", str(free_port()), **nowhere)
    assert served.exit_code == 1
    assert findings["sms"]["found"] in served.stderr
    findings, code = examined(cli, {**nowhere, "MESSENGER_DEFAULT_COUNTRY": "IN"})
    assert (findings["sms"]["state"], code) == ("ok", 0)


def test_a_check_that_fails_in_an_unforeseen_way_is_a_fault_of_its_own(
    cli: Cli, live: dict[str, str]
) -> None:
    findings, code = examined(cli, {**live, "MESSENGER_SMS_PROVIDERS": f"{__name__}.Broken"})
    assert findings["sms"]["found"] == "ZeroDivisionError: not foreseen"
    assert [check for check, state in states(findings).items() if state != "ok"] == ["sms"]
    assert code == 1


def test_every_check_is_bounded_in_time(cli: Cli, live: dict[str, str]) -> None:
    watch = Stopwatch()
    findings, code = examined(cli, {**live, "MESSENGER_SMS_PROVIDERS": f"{__name__}.Slow"}, "--timeout", "1")
    assert watch.quiet_seconds < Slow.seconds
    assert findings["sms"]["state"] == "fault"
    assert findings["sms"]["found"] == "no result within 1 s"
    assert code == 1


def test_a_mesibo_that_accepts_and_never_answers_is_waited_for_as_long_as_configured(
    cli: Cli, live: dict[str, str]
) -> None:
    with socket.create_server((LOOPBACK, 0)) as silent:
        url = f"http://{LOOPBACK}:{silent.getsockname()[1]}/backend"
        environment = {**live, "MESSENGER_MESIBO_API_URL": url, "MESSENGER_MESIBO_TIMEOUT": "0.3"}
        findings, _ = examined(cli, environment)
    assert findings["mesibo"]["state"] == "fault"
    assert "timeout" in findings["mesibo"]["found"]


# The database


def test_a_database_that_is_down_is_a_fault_and_the_others_are_looked_at(
    cli: Cli, live: dict[str, str]
) -> None:
    down = {**live, "MESSENGER_DB_HOST": f"{LOOPBACK}:{free_port()}", "MESSENGER_DB_PASS": "hunter2"}
    findings, code = examined(cli, down)
    assert code == 1
    assert findings["database"]["state"] == "fault"
    assert "Can't connect" in findings["database"]["found"]
    assert "DB_HOST" in findings["database"]["to_do"]
    others = [check for check, state in states(findings).items() if state != "ok"]
    assert others == ["database", "schema", "log-ins", "outbox"], (
        "the texts of a database that is away are its fault"
    )
    assert "hunter2" not in json.dumps(findings)


@pytest.fixture
def in_mariadb(mariadb: MariaDB, live: dict[str, str]) -> Iterator[dict[str, str]]:
    """The configuration above with an empty database in MariaDB."""
    mariadb.create_database("doctor")
    yield {
        **live,
        "MESSENGER_DB_HOST": LOOPBACK,
        "MESSENGER_DB_PORT": str(mariadb.port),
        "MESSENGER_DB_NAME": "doctor",
        "MESSENGER_DB_USER": "root",
    }
    mariadb.drop_database("doctor")


def test_tables_of_another_version_in_mysql_are_a_fault_with_the_command_to_run(
    cli: Cli, in_mariadb: dict[str, str]
) -> None:
    findings, code = examined(cli, in_mariadb)
    assert (findings["database"]["state"], findings["schema"]["state"], code) == ("ok", "fault", 1)
    assert "MariaDB" in findings["database"]["found"]
    assert findings["database"]["found"].endswith("through PyMySQL")
    assert "messenger-api db upgrade" in findings["schema"]["to_do"]

    cli.ok("db", "upgrade", **in_mariadb)

    findings, code = examined(cli, in_mariadb)
    assert (set(states(findings).values()), code) == ({"ok"}, 0)


@pytest.mark.parametrize(
    ("wrong", "to_do"),
    [
        ({"DB_PASS": "of yesterday"}, "check DB_USER and DB_PASS"),
        ({"DB_NAME": "no_such_database"}, "rights that README.md names"),
        ({"DB_NAME": "no_such_database", "DB_USER": "root", "DB_PASS": ""}, "check DB_NAME"),
        ({}, "raise max_connections"),
    ],
)
def test_a_database_that_refuses_is_told_with_what_helps(
    cli: Cli, in_mariadb: dict[str, str], mariadb: MariaDB, wrong: dict[str, str], to_do: str
) -> None:
    mariadb.query("CREATE USER doctor IDENTIFIED BY 'right' WITH MAX_USER_CONNECTIONS 1")
    mariadb.query("GRANT ALL ON doctor.* TO doctor")
    names = {"DB_USER": "doctor", "DB_PASS": "right", **wrong}
    environment = {**in_mariadb, **{f"MESSENGER_{key}": value for key, value in names.items()}}
    try:
        with ExitStack() as stack:
            if not wrong:  # the one connection that it may have
                stack.enter_context(
                    closing(
                        pymysql.connect(host=LOOPBACK, port=mariadb.port, user="doctor", password="right")
                    )
                )
            findings, code = examined(cli, environment)
    finally:
        mariadb.query("DROP USER doctor")
    assert (findings["database"]["state"], code) == ("fault", 1)
    assert to_do in findings["database"]["to_do"]


def test_one_of_several_hosts_that_is_away_is_a_warning(
    cli: Cli, in_mariadb: dict[str, str], mariadb: MariaDB
) -> None:
    cli.ok("db", "upgrade", **in_mariadb)
    hosts = f"{LOOPBACK}:{free_port()}, {LOOPBACK}:{mariadb.port}"
    result = cli.run("check", **{**in_mariadb, "MESSENGER_DB_HOST": hosts})
    assert result.exit_code == 0
    lines = [line.split()[0] for line in result.stdout.splitlines() if line.split()[1] == "database"]
    assert lines == ["warning", "ok"]


def test_old_tables_in_sqlite_are_a_warning_as_they_are_upgraded_by_themselves(
    cli: Cli, live: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "messenger.sqlite3").touch()
    findings, _ = examined(cli, live)
    assert findings["schema"]["state"] == "warning"
    assert "upgrades it" in findings["schema"]["to_do"]


Queue = Callable[..., None]


@pytest.fixture
def queue(installation: Product) -> Queue:
    """Puts an item into the outbox of the installation."""

    def queue(*, state: int, age: int) -> None:
        second = int(time.time()) - age
        columns = "lane, kind, payload, state, created_at, due_at"
        with installation.services.database.engine.connect() as connection:
            connection.exec_driver_sql(
                f"INSERT INTO outbox ({columns}) VALUES ('a', 'x', '{{}}', {state}, {second}, {second})"
            )

    return queue


def test_an_outbox_that_nobody_empties_is_a_fault(cli: Cli, queue: Queue) -> None:
    queue(state=0, age=10)
    assert examined(cli, {})[0]["outbox"]["state"] == "ok"
    queue(state=0, age=1000)
    findings, code = examined(cli, {})
    assert (findings["outbox"]["state"], code) == ("fault", 1)
    assert "the oldest for 1" in findings["outbox"]["found"]


def test_dead_items_are_a_warning(cli: Cli, queue: Queue) -> None:
    queue(state=1, age=1000)
    findings, code = examined(cli, {})
    assert (findings["outbox"]["state"], code) == ("warning", 0)
    assert "1 were given up" in findings["outbox"]["found"]
    assert "messenger-api outbox status" in findings["outbox"]["to_do"]


# This machine, and the configuration's dangers


def test_a_folder_that_cannot_be_written_to_is_a_fault(
    cli: Cli, live: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    findings, code = examined(cli, {**live, "MESSENGER_FILES_PATH": str(tmp_path / "taken")})
    assert (findings["files"]["state"], code) == ("fault", 1)
    assert "taken" in findings["files"]["found"]
    assert [check for check, state in states(findings).items() if state == "fault"] == ["files"]


def test_of_a_full_disk_is_said_to_make_room(
    cli: Cli, live: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_named: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "uploads")

    monkeypatch.setattr(folder, "_write_synced", full)
    findings, code = examined(cli, live)
    assert (findings["files"]["state"], findings["files"]["to_do"], code) == (
        "fault",
        "make room on its disk",
        1,
    )


def test_https_without_a_trusted_proxy_is_a_warning(cli: Cli, live: dict[str, str]) -> None:
    findings, code = examined(cli, {**live, "MESSENGER_TRUSTED_PROXY_HOPS": "0"})
    assert (findings["proxy"]["state"], code) == ("warning", 0)
    assert "TRUSTED_PROXY_HOPS" in findings["proxy"]["to_do"]


@pytest.mark.parametrize("mode", ["off", "track"])
def test_limits_that_do_not_hold_are_a_warning(cli: Cli, live: dict[str, str], mode: str) -> None:
    findings, code = examined(cli, {**live, "MESSENGER_LIMITS": mode})
    assert (findings["limits"]["state"], code) == ("warning", 0)


@pytest.mark.parametrize(("days", "state"), [(1, "warning"), (0, "warning"), (-1, "warning")])
def test_test_numbers_are_a_warning_and_after_their_end_one_of_no_use(
    cli: Cli, live: dict[str, str], days: int, state: str
) -> None:
    until = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days)
    environment = {
        **live,
        "MESSENGER_OTP_TEST_NUMBERS": '{"14155550123": "739164"}',
        "MESSENGER_OTP_TEST_NUMBERS_UNTIL": str(until),
    }
    findings, code = examined(cli, environment)
    assert (findings["test numbers"]["state"], code) == (state, 0)
    assert str(until) in findings["test numbers"]["found"]
    assert ("nobody logs in" in findings["test numbers"]["found"]) == (days < 0)


def test_a_short_secret_key_is_a_warning(cli: Cli, live: dict[str, str]) -> None:
    findings, code = examined(cli, {**live, "MESSENGER_SECRET_KEY": "short"})
    assert (findings["secret key"]["state"], code) == ("warning", 0)


@pytest.mark.parametrize(
    ("content", "mode", "state"),
    [("k" * 64, 0o600, "ok"), ("k" * 64, 0o644, "warning"), ("", 0o600, "fault")],
)
def test_the_secret_key_that_was_made_by_itself_is_looked_at(
    cli: Cli, live: dict[str, str], tmp_path: Path, content: str, mode: int, state: str
) -> None:
    (tmp_path / "instance").mkdir()
    path = tmp_path / "instance" / "secret_key"
    path.write_text(content)
    path.chmod(mode)
    findings, _ = examined(cli, {**live, "MESSENGER_SECRET_KEY": ""})
    assert findings["secret key"]["state"] == state
    assert str(path) in findings["secret key"]["found"]

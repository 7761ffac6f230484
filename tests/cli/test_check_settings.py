"""The doctor's look at keys that are accepted, or not, and at what money and texts do just now."""

from __future__ import annotations

import datetime as dt
import errno
import json
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from shutil import which

import pytest
from sqlalchemy import text as sql
from structlog.testing import capture_logs

from messenger_api.cli.doctor.codes import without_money
from messenger_api.cli.doctor.configuration import public_url_verdict, redis_verdict
from messenger_api.cli.doctor.judged import log_ins, of_area
from messenger_api.composition import Parts
from messenger_api.configuration import build
from messenger_api.domain.errors import TooMany, TryLater
from messenger_api.gateways.keys.twilio import TwilioKeys
from messenger_api.services import limits
from messenger_api.services.otp.requests import CodeRequest
from messenger_api.settings import Settings, SettingsError
from messenger_api.storage.files import folder
from messenger_api.throttle import Throttle
from tests.cli.commands import Cli
from tests.processes import LOOPBACK, free_port, wait_for
from tests.product import Product

LIVE = {
    "mesibo_app_token": "t",
    "sms_providers": ["twilio"],
    "sms_countries": ["IN"],
    "twilio_account_sid": "AC1",
    "twilio_auth_token": "t",
    "twilio_from": "+15005550006",
}


# Keys with a fault, which stop the start and are the doctor's findings


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"sms_countries": ["UK"]}, "UK is none, write GB"),
        ({"sms_countries": "DE, uk"}, "UK is none, write GB"),
        ({"sms_countries": ["DE", "QQ"]}, "QQ is none"),
        ({"default_country": "UK"}, "UK is none, write GB"),
        ({"sms_prices": {"UK": 0.04}}, "SMS_PRICES"),
        ({"twilio_from": "my number"[::-1] + "????"}, "TWILIO_FROM"),
        ({"twilio_from": "+1 500 555 0006"}, "TWILIO_FROM"),
        ({"twilio_from": "15005550006"}, "TWILIO_FROM"),
        ({"twilio_from": "MG123"[::-1] + "-a-name-that-is-too-long"}, "TWILIO_FROM"),
        (
            {"otp_test_numbers": {"14155550123": "1234"}, "otp_test_numbers_until": "2099-01-01"},
            "OTP_LENGTH = 6",
        ),
        ({"files_path": "a", "files_tn_path": "a"}, "FILES_TN_PATH"),
        ({"files_path": "a", "files_tn_path": "b/../a/"}, "FILES_TN_PATH"),
    ],
)
def test_a_key_with_a_fault_is_said_with_what_is_accepted(keys: dict[str, object], line: str) -> None:
    with pytest.raises(SettingsError) as refused:
        build(**{**LIVE, **keys})
    (fault,) = refused.value.faults
    assert line in fault
    assert "14155550123" not in fault


@pytest.mark.parametrize("sender", ["+15005550006", "12345", "Messenger", "A & B", "MG" + "0f" * 16])
def test_every_kind_of_sender_is_accepted(sender: str) -> None:
    assert build(**{**LIVE, "twilio_from": sender}).of(TwilioKeys).twilio_from == sender


def test_a_redis_without_its_library_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messenger_api.settings.contradictions.find_spec", lambda _name: None)
    with pytest.raises(SettingsError, match="pip install"):
        build(**LIVE, redis_url="redis://127.0.0.1/0")


# Keys that would not do what they are for


@pytest.mark.parametrize(
    ("url", "state", "to_do"),
    [
        ("https://chat.example.com", "ok", ""),
        ("https://chat.example.com/", "ok", ""),
        ("https://example.com/chat", "ok", ""),
        ("http://127.0.0.1:5000", "ok", ""),
        ("https://chat.example.com/api.php", "fault", '"https://chat.example.com"'),
        ("https://example.com/chat/api.php/", "fault", '"https://example.com/chat"'),
        ("https://chat.example.com/?op=x", "fault", '"https://chat.example.com"'),
        ("https://u:hunter2@chat.example.com", "fault", '"https://chat.example.com"'),
        ("http://chat.example.com", "warning", '"https://chat.example.com"'),
    ],
)
def test_an_address_that_phones_cannot_use_is_found(url: str, state: str, to_do: str) -> None:
    verdict = public_url_verdict(build(public_url=url))
    assert verdict[0] == state
    assert verdict[2].endswith(to_do)
    assert "hunter2" not in str(verdict)


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({"sms_budget_day": 0}, ["SMS_BUDGET_DAY"]),
        ({"sms_budget_month": 0.01}, ["SMS_BUDGET_MONTH"]),
        ({"sms_budget_day": 0, "sms_budget_month": 0}, ["SMS_BUDGET_DAY", "SMS_BUDGET_MONTH"]),
        ({"sms_budget_day": 0, "sms_price": 0}, []),
        ({"sms_budget_day": 0, "limits": "track"}, []),
        ({"sms_budget_day": 0, "limit_modes": {"sms_budget_day": "off"}}, []),
        ({}, []),
    ],
)
def test_a_budget_without_room_for_a_text_is_found(keys: dict[str, object], found: list[str]) -> None:
    verdicts = without_money(build(**{**LIVE, **keys}))
    assert [to_do.removeprefix("raise ") for _, _, to_do in verdicts] == found


def test_a_redis_that_is_away_or_no_redis_is_a_fault() -> None:
    for url in (f"redis://:hunter2@{LOOPBACK}:{free_port()}/0", "redis://[::1", f"redis://{LOOPBACK}:1/x"):
        verdict = redis_verdict(build(redis_url=url))
        assert verdict is not None
        assert (verdict[0], "hunter2" in str(verdict)) == ("fault", False)
        assert "REDIS_URL" in verdict[2]
    assert redis_verdict(build()) is None


@pytest.mark.server
@pytest.mark.skipif(which("redis-server") is None, reason="needs redis-server")
def test_a_redis_that_wants_another_password_or_lacks_the_database_is_a_fault(tmp_path: Path) -> None:
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", LOOPBACK, "--requirepass", "right"]
    server = subprocess.Popen([*command, "--save", "", "--dir", str(tmp_path)], stdout=subprocess.DEVNULL)
    try:
        right = f"redis://:right@{LOOPBACK}:{port}"
        wait_for(lambda: (redis_verdict(build(redis_url=f"{right}/0")) or [""])[0] == "ok", 20, "Redis")
        for url in (f"redis://:hunter2@{LOOPBACK}:{port}/0", f"redis://{LOOPBACK}:{port}/0", f"{right}/9999"):
            verdict = redis_verdict(build(redis_url=url))
            assert verdict is not None
            assert (verdict[0], "hunter2" in str(verdict), "right@" in str(verdict)) == (
                "fault",
                False,
                False,
            )
    finally:
        server.terminate()
        server.wait()


def test_people_refused_for_want_of_money_are_an_error_once_a_minute(
    paying: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_seldom", Throttle())
    count(paying, f"sms_budget_day:{dt.datetime.now(dt.UTC):%Y-%m-%d}", "25000000")
    with capture_logs() as lines:
        for n in range(3):
            asking = CodeRequest(network=f"203.0.113.{n}")
            with pytest.raises(TooMany):
                paying.services.login.request_code(f"491511{n:03d}0000", "", asking)
    (told,) = [line for line in lines if line["event"] == "sms.budget_spent"]
    assert (told["log_level"], "SMS_BUDGET_DAY" in told["to_do"]) == ("error", True)


def test_a_full_disk_is_an_error_with_the_folder_once_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folder, "_seldom", Throttle())
    monkeypatch.setattr(folder, "_write_synced", full)
    with capture_logs() as lines:
        for _ in range(3):
            with pytest.raises(TryLater):
                folder.Folder(tmp_path).put("a.jpg", b"x")
    (told,) = lines
    assert (told["log_level"], told["folder"], told["reason"]) == (
        "error",
        str(tmp_path),
        "No space left on device",
    )
    assert "make room" in told["to_do"]


def found(cli: Cli, check: str, **environment: str) -> dict[str, str]:
    findings = json.loads(cli.run("check", "--json", **environment).stdout)
    return next(finding for finding in findings if finding["check"] == check)


def test_a_configuration_that_everybody_may_read_is_a_warning(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "config.py"
    path.write_text('SANDBOX = "local"\n')
    for mode, state in ((0o644, "warning"), (0o640, "ok"), (0o604, "warning"), (0o600, "ok")):
        path.chmod(mode)
        finding = found(cli, "config file")
        assert finding["state"] == state
        assert (f"chmod 640 {path}" in finding["to_do"]) == (state == "warning")


def test_tables_of_a_newer_version_are_a_fault(cli: Cli, installation: Product) -> None:
    assert found(cli, "schema")["state"] == "ok"
    with installation.services.database.engine.begin() as connection:
        connection.execute(sql("UPDATE alembic_version SET version_num = '9999_newer'"))
    finding = found(cli, "schema")
    assert finding["state"] == "fault"
    assert "newer version" in finding["found"]
    assert "install the version" in finding["to_do"]


# Money and texts just now


def live(product: Product, **keys: object) -> tuple[Settings, Parts]:
    own = product.services.settings
    settings = replace(
        build(**{**LIVE, **keys}),
        secret_key=own.secret_key,
        sqlalchemy_database_uri=own.sqlalchemy_database_uri,
    )
    return settings, Parts(settings, product.services.database)


def verdicts(product: Product, **keys: object) -> list[str]:
    found = of_area("texts", *live(product, **keys))
    return [f"{state}: {said} -> {to_do}" for state, said, to_do in found]


def count(product: Product, name: str, state: str) -> None:
    with product.services.database.engine.begin() as connection:
        connection.execute(
            sql("INSERT INTO limit_counters (name, slots, expires_at) VALUES (:name, :state, :until)"),
            {"name": name, "state": state, "until": int(time.time()) + 86_400},
        )


def test_money_that_is_spent_is_a_fault_and_half_of_it_a_warning(installation: Product) -> None:
    day = f"sms_budget_day:{dt.datetime.now(dt.UTC):%Y-%m-%d}"
    count(installation, day, "24980000")
    (spent,) = verdicts(installation)
    assert spent.startswith("fault: The budget for texts is spent. 24.98 of 25.00 USD of the day are spent")
    assert "SMS_BUDGET_DAY" in spent
    (half,) = verdicts(installation, sms_budget_day=40)
    assert half.startswith("warning: Half of the budget")
    assert verdicts(installation, sms_budget_day=1000) == []
    assert verdicts(installation, limits="track") == []


def test_that_people_cannot_log_in_is_never_said_to_be_ok(installation: Product) -> None:
    assert list(log_ins(*live(installation))) == [("ok", "Nothing keeps people from logging in.", "")]
    count(installation, f"sms_budget_day:{dt.datetime.now(dt.UTC):%Y-%m-%d}", "24980000")
    assert list(log_ins(*live(installation))) == [("warning", "People cannot log in.", "")]


def test_a_paused_country_and_texts_that_fail_are_faults(paying: Product) -> None:
    for n in range(20):
        asking = CodeRequest(network=f"203.0.113.{n}")
        paying.services.login.request_code(f"491511{n:03d}0000", "", asking)
    assert verdicts(paying, sms_pause_grace=0) == [
        "fault: Texts to a country are paused: the codes sent there are not entered."
        " DE: of 20 codes in the last hour 0 were entered"
        " -> messenger-api sms resume DE, if these are your users (docs/operations/status.md#country_paused)"
    ]
    with paying.services.database.engine.begin() as connection:
        connection.execute(sql("UPDATE sent_texts SET state = 2"))
    failing = verdicts(paying, limits="track")
    assert len(failing) == 1
    assert failing[0].startswith("fault: A provider reports half")
    assert "network reports 20 of 20 texts" in failing[0]


def test_nothing_sent_is_nothing_found(installation: Product) -> None:
    assert verdicts(installation) == []

"""`messenger-api support-packet`: it tells who helps what they need, and nothing about people."""

from __future__ import annotations

import json
import re
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, update

from messenger_api.domain.redaction import redacted, redacted_value
from messenger_api.storage import new_groups
from messenger_api.storage.models import NewGroup
from tests.cli.commands import NEWEST, Cli
from tests.product import Product
from tests.whole_log import WholeLog

ANA, BEN = "14155550123", "919876543210"
SECRET = "a test's own secret key, long enough"
TWILIO = {
    "MESSENGER_SMS_PROVIDERS": '["twilio"]',
    "MESSENGER_TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef",
    "MESSENGER_TWILIO_AUTH_TOKEN": "the auth token of Twilio",
    "MESSENGER_TWILIO_FROM": "+14155550199",
    "MESSENGER_REDIS_URL": "redis://:hushhush@127.0.0.1:1/0",
}


def packed(cli: Cli, *arguments: str, **environment: str) -> dict[str, str]:
    """The files of a packet, by name."""
    cli.ok("support-packet", "packet.zip", "--timeout", "2", *arguments, **environment)
    with zipfile.ZipFile("packet.zip") as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def scan(text: str, *, codes: set[str], tokens: set[str]) -> list[str]:
    """What the scan of the whole log finds."""
    log = WholeLog(tokens=tokens)
    log.read(text, codes=codes)
    return log.found


def test_it_says_how_the_installation_is(cli: Cli, installation: Product) -> None:
    installation.log_in(ANA, "Ana")
    files = packed(cli)
    assert "versions.json" in files, files
    said: dict[str, Any] = {name: json.loads(text) for name, text in files.items() if name.endswith(".json")}
    assert said["versions.json"]["packages"]["Flask"]
    assert {finding["check"] for finding in said["check.json"]} >= {"database", "mesibo", "outbox"}
    assert said["status.json"]["login"] == "yes"
    assert said["database.json"]["tables"] == said["database.json"]["tables of this version"] == NEWEST
    assert {"users", "sessions", "outbox"} <= said["database.json"]["rows"].keys()
    assert said["outbox.json"]["queued"] >= 0
    assert "INSTANCE_PATH" in files["settings.txt"]


def test_it_is_for_its_owner_alone_and_replaces_nothing(cli: Cli, installation: Product) -> None:
    packed(cli)
    assert stat.S_IMODE(Path("packet.zip").stat().st_mode) == 0o600
    again = cli.run("support-packet", "packet.zip")
    assert again.exit_code == 1
    assert again.stderr == "packet.zip: File exists\n"


def test_it_names_what_is_in_it(cli: Cli, installation: Product) -> None:
    said = cli.ok("support-packet", "--timeout", "2")
    [path] = Path().glob("messenger-support-*.zip")
    with zipfile.ZipFile(path) as archive:
        assert set(re.findall(r"^(\w+\.(?:json|txt)) ", said, re.M)) == set(archive.namelist())
    assert str(path) in said


def test_no_secret_number_code_or_token_is_in_it(cli: Cli, installation: Product, tmp_path: Path) -> None:
    """Not even from a log that holds what no log of ours does."""
    ana = installation.log_in(ANA, "Ana")
    installation.ok("login", phone=BEN, appid="com.example.messenger")
    code = installation.code(BEN)
    lines = [
        f"a token={ana.token} and a number {ANA}, again +{BEN} or +91 98765-43210 and (49) 1511",
        f"code {code}",
        f"mesibo said {SECRET!r} to ana.b@example.com at https://me:hidden1@example.com/",
        *TWILIO.values(),
        "2026-11-30T16:56:56.458602Z [warning  ] sms.console note=fine status=200 seconds=0.25",
    ]
    (tmp_path / "server.log").write_text("\n".join(lines))
    files = packed(cli, "--log", "server.log", **TWILIO)
    whole = "\n".join(files.values())
    assert scan(whole, codes={code}, tokens={ana.token}) == []
    for secret in (SECRET, "the auth token of Twilio", "hushhush", "hidden1", "ana.b@", ana.token):
        assert secret not in whole
    assert "5550199" not in whole
    assert "98765-43210" not in whole
    assert "TWILIO_AUTH_TOKEN = ***" in files["settings.txt"]
    assert lines[-1] in files["log.txt"]


def test_no_group_and_no_member_is_named_in_it(cli: Cli, installation: Product) -> None:
    def work(tx: Connection, now: int) -> None:
        noted = new_groups.add(tx, now, "Call 0171 234 5678", ["silvia", "bruno"])
        tx.execute(update(NewGroup).where(NewGroup.id == noted).values(asked_at=now))

    installation.services.database.write(work)
    files = packed(cli)
    assert json.loads(files["outbox.json"])["unknown_groups"] == 1
    for told in ("0171", "silvia", "bruno"):
        assert told not in "\n".join(files.values())


def test_of_a_long_log_it_takes_the_end_in_whole_lines(
    cli: Cli, installation: Product, tmp_path: Path
) -> None:
    lines = [f"line {n:05} of the log" for n in range(60_000)]
    (tmp_path / "server.log").write_text("\n".join(lines))
    kept = packed(cli, "--log", "server.log")["log.txt"].splitlines()
    assert kept == lines[-len(kept) :]
    assert 10_000 < len(kept) < 60_000


def test_where_the_configuration_is_wrong_it_says_that(cli: Cli) -> None:
    files = packed(cli, MESSENGER_OTP_LENGTH="4")
    assert set(files) == {"versions.json", "faults.txt"}
    assert files["faults.txt"] == "OTP_LENGTH = 4: accepted is a whole number from 6 to 10\n"


def test_where_the_database_is_away_the_rest_is_there(cli: Cli) -> None:
    away = {
        "MESSENGER_SANDBOX": "true",
        "MESSENGER_SECRET_KEY": SECRET,
        "MESSENGER_SQLALCHEMY_DATABASE_URI": "mysql+pymysql://root@127.0.0.1:1/away",
    }
    files = packed(cli, **away)
    assert files["database.txt"].startswith("This could not be gathered: ")
    assert "database" in files["check.json"]
    assert json.loads(files["status.json"])["login"] == "no"


DIGITS = st.from_regex(r"[1-9][0-9]{8,14}", fullmatch=True)


@given(st.text(" =:,/'\"()", max_size=4), DIGITS, st.text(" =:,/'\"()", max_size=4))
@pytest.mark.parametrize("plus", ["", "+"])
def test_a_number_is_found_wherever_it_stands(plus: str, before: str, number: str, after: str) -> None:
    text = f"{before}{plus}{number}{after}"
    assert number not in redacted(text)
    assert scan(redacted(text), codes=set(), tokens=set()) == []


@given(DIGITS.map(int), st.sampled_from(["gid", "at", "free", "created_at"]))
def test_no_integer_looks_like_a_number(number: int, field: str) -> None:
    if field in ("at", "created_at"):
        number %= 4_000_000_000
    told = str(redacted_value({field: number}))
    assert scan(told, codes=set(), tokens=set()) == []

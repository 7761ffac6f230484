"""`messenger-api mesibo pushupload`: a credential is read before it leaves, and its end is remembered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from tests.cli.commands import Cli
from tests.gateways.mesibo_stub import Stub, refused, serving
from tests.product import Product

KEY = ec.generate_private_key(ec.SECP256R1())
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
SANDBOX, PRODUCTION = "1.2.840.113635.100.6.3.1", "1.2.840.113635.100.6.3.2"
ACCOUNT = {"type": "service_account", "project_id": "acme-chat", "client_email": "x@y", "private_key": PEM}


@pytest.fixture
def stub(cli: Cli) -> Iterator[Stub]:
    with serving() as stub:
        cli.environment["MESSENGER_MESIBO_API_URL"] = stub.url
        cli.environment["MESSENGER_MESIBO_APP_TOKEN"] = "app0token"
        yield stub


def p12(
    *marks: str, days: int = 90, bundle: str = "com.acme.chat", key: bool = True, password: str = ""
) -> bytes:
    names = [x509.NameAttribute(NameOID.COMMON_NAME, f"Apple Push Services: {bundle}")]
    if bundle:
        names.insert(0, x509.NameAttribute(NameOID.USER_ID, bundle))
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(x509.Name(names), x509.Name(names), KEY.public_key(), 1)
    made = made.not_valid_before(now - timedelta(200)).not_valid_after(now + timedelta(days))
    for mark in marks:
        oid = x509.ObjectIdentifier(mark)
        made = made.add_extension(x509.UnrecognizedExtension(oid, b"\x05\x00"), critical=False)
    sealed = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    certificate = made.sign(KEY, hashes.SHA256())
    return pkcs12.serialize_key_and_certificates(b"push", KEY if key else None, certificate, None, sealed)


GOOD = [
    ("a.json", json.dumps(ACCOUNT).encode(), [], "Firebase project acme-chat"),
    ("a.p12", p12(SANDBOX), [], "Apple bundle com.acme.chat, sandbox, until "),
    ("a.p12", p12(PRODUCTION, SANDBOX), [], "Apple bundle com.acme.chat, sandbox and production, until "),
    ("a.txt", json.dumps(ACCOUNT).encode(), ["--type", "fcm"], "Firebase project acme-chat"),
    ("a.txt", p12(PRODUCTION), ["--type", "apn"], "Apple bundle com.acme.chat, production, until "),
]
BAD = [
    ("a.json", b"{", "no service account of Firebase"),
    ("a.json", b"[]", "no service account of Firebase"),
    ("a.json", b'{"type":"authorized_user"}', "no service account of Firebase"),
    ("a.json", json.dumps({**ACCOUNT, "project_id": ""}).encode(), "it lacks project_id"),
    ("a.json", json.dumps({**ACCOUNT, "private_key": "x"}).encode(), "its private_key is no key"),
    ("a.p12", b"x", "no .p12 file"),
    ("a.p12", p12(PRODUCTION, password="secret"), "has a password"),
    ("a.p12", p12(PRODUCTION, key=False), "it lacks the key"),
    ("a.p12", p12(), "not Apple's for push notifications"),
    ("a.p12", p12(PRODUCTION, bundle=""), "not Apple's for push notifications"),
    ("a.p12", p12(PRODUCTION, days=-1), "its certificate ended on "),
    ("a.txt", b"x", "say --type"),
]


@pytest.mark.parametrize(("name", "content", "more", "says"), GOOD)
def test_whose_a_credential_is_and_until_when_is_told(
    cli: Cli, stub: Stub, tmp_path: Path, name: str, content: bytes, more: list[str], says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    result = cli.run("mesibo", "pushupload", "--file", name, *more)
    assert (result.exit_code, result.stdout) == (0, "Done.\n")
    assert result.stderr.startswith(says)
    assert content in stub.seen[0].body


@pytest.mark.parametrize(("name", "content", "says"), BAD)
def test_what_no_push_can_be_sent_with_is_not_sent_unless_that_is_meant(
    cli: Cli, stub: Stub, tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    result = cli.run("mesibo", "pushupload", "--file", name)
    assert result.exit_code == 1
    assert says in result.stderr
    assert "PRIVATE KEY" not in result.output
    assert stub.seen == []
    cli.ok("mesibo", "pushupload", "--file", name, "--unread")
    assert len(stub.seen) == 1


# What is remembered


def handed_over(cli: Cli, folder: Path, content: bytes, kind: str = "apn", **environment: str) -> str:
    """Hand a credential over; returns what was said beside the answer."""
    file = folder / "push"
    file.write_bytes(content)
    result = cli.run("mesibo", "pushupload", "--file", str(file), "--type", kind, **environment)
    assert (result.exit_code, result.stdout) == (0, "Done.\n")
    return result.stderr


def remembered(cli: Cli) -> list[tuple[str, str, str]]:
    return [(each["kind"], each["app"], each["place"]) for each in cli.json("mesibo", "credentials")]


def found_by_doctor(cli: Cli) -> list[tuple[str, str]]:
    findings = json.loads(cli.run("check", "--json").stdout)
    return [(each["state"], each["found"]) for each in findings if each["check"] == "push"]


def put_end(product: Product, seconds_left: int) -> None:
    with product.services.database.engine.connect() as connection:
        end = product.services.database.now() + seconds_left
        connection.exec_driver_sql(f"UPDATE push_credentials SET ends_at = {end}")


DAY = 24 * 3600


def test_what_was_handed_over_is_remembered_until_the_next_of_its_kind(
    cli: Cli, installation: Product, stub: Stub, tmp_path: Path
) -> None:
    for content in (p12(SANDBOX), p12(PRODUCTION), p12(PRODUCTION), p12(PRODUCTION, bundle="com.acme.other")):
        handed_over(cli, tmp_path, content)
    for project in ("acme-old", "acme-chat"):
        handed_over(cli, tmp_path, json.dumps({**ACCOUNT, "project_id": project}).encode(), "fcm")
    assert remembered(cli) == [
        ("apn", "com.acme.chat", "production"),
        ("apn", "com.acme.chat", "sandbox"),
        ("apn", "com.acme.other", "production"),
        ("fcm", "acme-chat", ""),
    ]
    first, *_, last = cli.json("mesibo", "credentials")
    assert set(first) == {"kind", "app", "place", "fingerprint", "ends_at", "uploaded_at"}
    assert 89 * DAY < first["ends_at"] - first["uploaded_at"] <= 90 * DAY
    assert last["ends_at"] == 0
    head, *lines = cli.ok("mesibo", "credentials").splitlines()
    assert head.split() == ["KIND", "APP", "PLACE", "ENDS", "HANDED", "OVER", "FINGERPRINT"]
    assert [line.split()[-1] for line in lines] == [
        each["fingerprint"][:16] for each in cli.json("mesibo", "credentials")
    ]


def test_the_fingerprint_is_the_certificates_as_openssl_tells_it(
    cli: Cli, installation: Product, stub: Stub, tmp_path: Path
) -> None:
    content = p12(PRODUCTION)
    _key, certificate, _ = pkcs12.load_key_and_certificates(content, None)
    assert certificate
    handed_over(cli, tmp_path, content)
    [kept] = cli.json("mesibo", "credentials")
    assert kept["fingerprint"] == certificate.fingerprint(hashes.SHA256()).hex()


def test_what_mesibo_refuses_or_nobody_can_read_is_not_remembered(
    cli: Cli, installation: Product, stub: Stub, tmp_path: Path
) -> None:
    (tmp_path / "a.p12").write_bytes(b"no credential")
    cli.ok("mesibo", "pushupload", "--file", "a.p12", "--unread")
    (tmp_path / "a.p12").write_bytes(p12(PRODUCTION))
    stub.answers.append(refused(400, error="BADVALUE", code=400))
    assert cli.run("mesibo", "pushupload", "--file", "a.p12").exit_code == 1
    assert remembered(cli) == []


def test_where_there_is_no_database_that_is_said_and_none_is_made(
    cli: Cli, stub: Stub, tmp_path: Path
) -> None:
    assert "Its end is not kept: there is no database here" in handed_over(cli, tmp_path, p12(PRODUCTION))
    assert len(stub.seen) == 1
    assert not (tmp_path / "instance").exists()


def test_one_is_forgotten_by_its_fingerprint(
    cli: Cli, installation: Product, stub: Stub, tmp_path: Path
) -> None:
    for mark in (SANDBOX, PRODUCTION):
        handed_over(cli, tmp_path, p12(mark))
    ours, other = cli.json("mesibo", "credentials")
    for wrong in ("", "no"):
        assert cli.run("mesibo", "credentials", "--forget", wrong).exit_code == 1
    told = cli.ok("mesibo", "credentials", "--forget", ours["fingerprint"][:16].upper())
    assert told.startswith("com.acme.chat: not remembered any more.")
    assert cli.json("mesibo", "credentials") == [other]


@pytest.mark.parametrize(
    ("days", "state", "says"),
    [
        (31, "ok", "Apple com.acme.chat production, until "),
        (29, "warning", "Apple com.acme.chat production ends on "),
        (-1, "fault", "Apple com.acme.chat production ended on "),
    ],
)
def test_the_doctor_warns_a_month_before_the_end(
    cli: Cli, installation: Product, stub: Stub, tmp_path: Path, days: int, state: str, says: str
) -> None:
    assert found_by_doctor(cli) == [("ok", "mesibo was handed no credential from here")]
    handed_over(cli, tmp_path, p12(PRODUCTION))
    put_end(installation, days * DAY)
    [(found, text)] = found_by_doctor(cli)
    assert found == state
    assert text.startswith(says)


def test_a_renewed_credential_ends_the_doctors_complaint(
    cli: Cli, installation: Product, stub: Stub, tmp_path: Path
) -> None:
    handed_over(cli, tmp_path, p12(PRODUCTION))
    put_end(installation, -DAY)
    handed_over(cli, tmp_path, p12(PRODUCTION))
    handed_over(cli, tmp_path, json.dumps(ACCOUNT).encode(), "fcm")
    assert [state for state, _ in found_by_doctor(cli)] == ["ok", "ok"]
    assert found_by_doctor(cli)[1] == ("ok", "Firebase acme-chat, without end")


def test_the_metrics_tell_the_end(cli: Cli, installation: Product, stub: Stub, tmp_path: Path) -> None:
    handed_over(cli, tmp_path, p12(PRODUCTION))
    handed_over(cli, tmp_path, json.dumps(ACCOUNT).encode(), "fcm")
    end = cli.json("mesibo", "credentials")[0]["ends_at"]
    lines = installation.app.test_client().get("/metrics").text.splitlines()
    [line] = [each for each in lines if each.startswith("messenger_push_credential_ends_timestamp_seconds{")]
    name, value = line.rsplit(" ", 1)
    assert name.endswith('{app="com.acme.chat",kind="apn",place="production"}')
    assert float(value) == end


def test_whether_a_credential_fits_the_phones_is_told(
    cli: Cli, installation: Product, stub: Stub, tmp_path: Path
) -> None:
    def register(number: str, **fields: Any) -> None:
        installation.log_in(number).ok("setnotify", notifytoken=f"of {number}", **fields)

    register("919876543210", dt=2, prod=1)
    register("919876543211", dt=2, prod=1)
    register("919876543212", dt=2)
    register("919876543213", dt=1, fcm=1)
    told = handed_over(cli, tmp_path, p12(SANDBOX))
    assert "For 1 of Apple's push tokens here; 2 have registered for the other place.\n" in told
    assert found_by_doctor(cli)[1:] == [
        ("warning", "2 iPhones have registered for production, and no credential is for that")
    ]
    assert "For 3 of Apple's push tokens here.\n" in handed_over(cli, tmp_path, p12(SANDBOX, PRODUCTION))
    assert {state for state, _ in found_by_doctor(cli)} == {"ok"}
    told = handed_over(cli, tmp_path, json.dumps(ACCOUNT).encode(), "fcm")
    assert "For 1 of Firebase's push tokens here.\n" in told

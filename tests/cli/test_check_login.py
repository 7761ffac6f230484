"""The doctor's look at the login method: a real call, and a fault that says what to do."""

from __future__ import annotations

import json
from pathlib import Path

from messenger_api.sandbox import SandboxServer, SandboxStore
from tests.cli.commands import Cli
from tests.login.issuer import CLIENT, serving
from tests.processes import LOOPBACK, free_port


def login(cli: Cli, **keys: str) -> dict[str, str]:
    """The doctor's finding about the login."""
    environment = {f"MESSENGER_{key}": value for key, value in keys.items()}
    findings = json.loads(cli.run("check", "--json", **environment).stdout)
    (found,) = (finding for finding in findings if finding["check"] == "login")
    return dict(found)


def test_codes_by_text_message_are_looked_at_as_sms(cli: Cli) -> None:
    assert login(cli)["state"] == "ok"


def test_a_method_is_asked_by_a_real_call(cli: Cli) -> None:
    with serving() as issuer:
        keys = {"LOGIN_METHOD": "oidc", "OIDC_ISSUER": issuer.url, "OIDC_CLIENT_ID": CLIENT}
        assert login(cli, **keys) == {"check": "login", "state": "ok", "found": "oidc", "to_do": ""}
        assert issuer.fetches == ["/.well-known/openid-configuration", "/keys"]
    finding = login(cli, **keys)
    assert finding["state"] == "fault"
    assert finding["found"].startswith("oidc: no connection to the issuer")
    assert "docs/login-methods.md" in finding["to_do"]


def test_a_password_in_the_configuration_is_not_shown(cli: Cli) -> None:
    keys = {
        "LOGIN_METHOD": "email",
        "SMTP_HOST": LOOPBACK,
        "SMTP_PORT": str(free_port()),
        "SMTP_TLS": "none",
        "SMTP_USER": "chat",
        "SMTP_PASS": "a-secret-password",
        "SMTP_FROM": "no-reply@example.com",
    }
    finding = login(cli, **keys)
    assert finding["state"] == "fault"
    assert "SMTP_HOST" in finding["found"]
    assert "a-secret-password" not in json.dumps(finding)


def test_a_method_that_cannot_be_loaded_is_a_fault(cli: Cli) -> None:
    finding = login(cli, LOGIN_METHOD="no_such_module.Method")
    assert finding["state"] == "fault"
    assert "LOGIN_METHOD = 'no_such_module.Method'" in finding["found"]


def test_passwords_need_their_table(cli: Cli, keys: dict[str, str]) -> None:
    finding = login(
        cli, LOGIN_METHOD="password", **{k.removeprefix("MESSENGER_"): v for k, v in keys.items()}
    )
    sqlite = "sqlite" in keys["MESSENGER_SQLALCHEMY_DATABASE_URI"]
    assert finding["state"] == ("ok" if sqlite else "fault"), "SQLite's tables are made at the first start"


def test_text_messages_are_not_looked_at_when_nobody_logs_in_by_them(cli: Cli) -> None:
    environment = {"MESSENGER_LOGIN_METHOD": "password", "MESSENGER_MESIBO_APP_TOKEN": "t"}
    findings = json.loads(cli.run("check", "--json", **environment).stdout)
    (sms,) = (finding for finding in findings if finding["check"] == "sms")
    assert (sms["state"], sms["found"]) == ("ok", "not in use")


def test_mesibo_is_asked_whether_it_makes_codes(cli: Cli, tmp_path: Path) -> None:
    with SandboxStore(tmp_path / "outside.sqlite3") as store, SandboxServer(store) as outside:
        for url in (outside.mesibo_json_url, outside.mesibo_form_url):
            keys = {"LOGIN_METHOD": "mesibo_otp", "MESIBO_API_URL": url}
            found = login(cli, **keys, MESIBO_APP_TOKEN=outside.app_token)
            assert (found["state"], found["found"]) == ("ok", "one-time codes of mesibo, by text message")
            outside.faults.add("otp", error="BADOP")
            found = login(cli, **keys, MESIBO_APP_TOKEN=outside.app_token)
            assert (found["state"], found["to_do"]) == ("fault", 'set LOGIN_METHOD = "otp"')
            outside.faults.clear()
            found = login(cli, **keys, MESIBO_APP_TOKEN="another")
            assert (found["state"], found["to_do"]) == ("fault", "see the finding about mesibo")
    assert login(cli, **keys, MESIBO_APP_TOKEN="t")["state"] == "fault"
    assert login(cli, LOGIN_METHOD="mesibo_otp", SANDBOX="true")["state"] == "ok"

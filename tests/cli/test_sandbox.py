"""`messenger-api sandbox`: the stand-in alone, for a product that runs elsewhere."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest
import requests

from messenger_api import configuration
from messenger_api.clients import mesibo_client
from messenger_api.gateways.sms import TextMessage, sender_from_settings
from tests.cli.commands import Cli, Start, url_in
from tests.processes import LOOPBACK
from tests.sandbox.web_server import WebServer

pytestmark = pytest.mark.server


def value_of(output: str, key: str) -> str:
    """The first quoted value behind a key in what the command printed."""
    (line,) = (line for line in output.splitlines() if line.split()[:1] == [key])
    return line.split('"')[1]


def test_what_it_prints_connects_a_product_to_it(start: Start, tmp_path: Path) -> None:
    output = start("sandbox", "--port", "0").says("Stop with Ctrl-C.")
    keys = (
        "MESIBO_API_URL",
        "MESIBO_APP_TOKEN",
        "TWILIO_API_URL",
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
        "TWILIO_VERIFY_SID",
        "VONAGE_API_URL",
        "VONAGE_API_KEY",
        "VONAGE_API_SECRET",
    )
    settings = configuration.build(
        sms_providers=["twilio", "twilio_verify", "vonage"],
        sms_countries=["US"],
        twilio_from="+15005550006",
        vonage_from="Messenger",
        **{key.lower(): value_of(output, key) for key in keys},
    )
    mesibo, sms = mesibo_client(settings), sender_from_settings(settings)
    mesibo.ping()
    assert mesibo.add_user("14155550101", appid="com.example.messenger").token
    sms.check()
    sms.send(TextMessage("14155550101", "123456 is your code"))
    mesibo.close()
    sms.close()

    page = requests.get(url_in(output, "/sandbox"), timeout=5)
    assert page.ok
    texts = requests.get(url_in(output, "/sandbox") + "/sms.json", timeout=5)
    assert "123456 is your code" in texts.text
    assert (tmp_path / "instance" / "sandbox.sqlite3").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_without_a_traceback(start: Start, number: signal.Signals) -> None:
    sandbox = start("sandbox", "--port", "0")
    sandbox.says("Stop with Ctrl-C.")
    sandbox.signal(number, group=number == signal.SIGINT)
    assert sandbox.ends(8) == 0
    assert "Traceback" not in sandbox.output()


def test_it_remembers_what_came_before_it_was_stopped(start: Start) -> None:
    for expected in ("0", "1"):
        sandbox = start("sandbox", "--port", "0")
        output = sandbox.says("Stop with Ctrl-C.")
        texts = requests.get(url_in(output, "/sandbox") + "/sms.json", timeout=5).text
        assert texts.count("your code") == int(expected)
        settings = configuration.build(
            sms_providers=["twilio"],
            sms_countries=["US"],
            twilio_from="+15005550006",
            twilio_api_url=value_of(output, "TWILIO_API_URL"),
            twilio_account_sid=value_of(output, "TWILIO_ACCOUNT_SID"),
            twilio_auth_token=value_of(output, "TWILIO_AUTH_TOKEN"),
        )
        sender = sender_from_settings(settings)
        sender.send(TextMessage("14155550101", "123456 is your code"))
        sender.close()
        sandbox.stop()


def test_a_port_that_is_taken_is_said_in_a_line(cli: Cli) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = str(taken.getsockname()[1])
        result = cli.run("sandbox", "--port", port)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Cannot listen on {LOOPBACK}:{port}: Address already in use.")


def test_it_is_not_shown_to_other_machines_unless_that_is_meant(cli: Cli) -> None:
    result = cli.run("sandbox", "--host", "0.0.0.0", MESSENGER_MESIBO_APP_TOKEN="token")
    assert result.exit_code == 1
    assert "everyone's login codes" in result.stderr


def test_it_serves_a_web_server_by_fastcgi_where_it_is_told_to(start: Start) -> None:
    output = start("sandbox", "--port", "0", "--fastcgi", f"{LOOPBACK}:0").says("fastcgi_pass")
    line = next(line for line in output.splitlines() if "fastcgi_pass" in line)
    with WebServer(line.split()[-1].rstrip(";")) as web:
        assert web.ask("/mesiboapi")[1] == b'{"error":"MISSINGOP","result":false}'


@pytest.mark.parametrize("address", ["5000", "127.0.0.1", "127.0.0.1:x", ":5000", "127.0.0.1:70000"])
def test_what_is_no_address_for_fastcgi_is_told(cli: Cli, address: str) -> None:
    result = cli.run("sandbox", "--fastcgi", address)
    assert result.exit_code == 2
    assert "such as 127.0.0.1:5000" in result.stderr


def test_the_address_for_fastcgi_is_as_hidden_as_the_other_and_may_be_taken(cli: Cli) -> None:
    shown = cli.run("sandbox", "--port", "0", "--fastcgi", "0.0.0.0:5000")
    assert "everyone's login codes" in shown.stderr
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        result = cli.run("sandbox", "--port", "0", "--fastcgi", f"{LOOPBACK}:{port}")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Cannot listen on {LOOPBACK}:{port}: Address already in use.")
    assert "--fastcgi" in result.stderr

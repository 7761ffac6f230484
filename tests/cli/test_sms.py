"""`messenger-api sms test`: one message through the configured providers, and who took it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from messenger_api.sandbox import SandboxServer, SandboxStore
from tests.cli.commands import Cli

NUMBER = "+91 98765 43210"
DIGITS = "919876543210"


@pytest.fixture
def sandbox(cli: Cli) -> Iterator[SandboxServer]:
    """A sandbox that plays the providers of the configuration."""
    with SandboxStore() as store, SandboxServer(store) as server:
        cli.environment.update(
            MESSENGER_SMS_PROVIDERS="twilio,vonage",
            MESSENGER_SMS_APP_NAME="Example Chat",
            MESSENGER_SMS_COUNTRIES='["IN", "US"]',
            MESSENGER_TWILIO_ACCOUNT_SID=server.twilio_sid,
            MESSENGER_TWILIO_AUTH_TOKEN=server.twilio_token,
            MESSENGER_TWILIO_FROM="+15005550006",
            MESSENGER_TWILIO_API_URL=server.twilio_url,
            MESSENGER_VONAGE_API_KEY=server.vonage_key,
            MESSENGER_VONAGE_API_SECRET=server.vonage_secret,
            MESSENGER_VONAGE_FROM="Example",
            MESSENGER_VONAGE_API_URL=server.vonage_url,
        )
        yield server


def test_it_tells_who_took_it_its_id_and_the_time(cli: Cli, sandbox: SandboxServer) -> None:
    output = cli.ok("sms", "test", NUMBER)
    assert re.fullmatch(r"twilio took it in \d+ ms, id SM[0-9a-f]{32}\n", output)
    (text,) = sandbox.store.texts()
    assert (text.to, text.text) == (DIGITS, "This is a test from Example Chat")


def test_the_console_needs_no_database_to_be_there(cli: Cli) -> None:
    result = cli.run("sms", "test", NUMBER)
    assert (result.exit_code, "console took it in" in result.stdout) == (0, True)
    assert "database.failed" not in result.output


def test_one_provider_may_be_chosen(cli: Cli, sandbox: SandboxServer) -> None:
    assert cli.ok("sms", "test", NUMBER, "--provider", "vonage").startswith("vonage took it in ")
    assert sandbox.store.texts()[0].provider == "vonage"


def test_a_call_may_be_chosen(cli: Cli, sandbox: SandboxServer) -> None:
    assert cli.ok("sms", "test", NUMBER, "--channel", "voice").startswith("twilio took it in ")
    said = sandbox.store.texts()[0].text
    assert said == "(call) This is a test from Example Chat 1, 2, 3, 4, 5, 6"


def test_a_provider_that_failed_before_another_took_it_is_told(cli: Cli, sandbox: SandboxServer) -> None:
    sandbox.faults.add("twilio", error="20003")
    result = cli.run("sms", "test", NUMBER)
    assert (result.exit_code, result.stdout.split()[0]) == (0, "vonage")
    assert "the credentials were not accepted" in result.stderr
    assert DIGITS not in result.output


def test_a_message_that_nobody_takes_says_why_and_fails(cli: Cli, sandbox: SandboxServer) -> None:
    sandbox.faults.add("twilio", error="20003")
    sandbox.faults.add("vonage", error="9")
    result = cli.run("sms", "test", NUMBER)
    assert result.exit_code == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("Not sent. twilio: error 20003: the credentials were not accepted")
    assert "vonage: status 9: the account has no credit left" in last
    assert sandbox.store.texts() == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["+15005550001"], "Not sent. twilio: error 21211"),
        ([NUMBER, "--provider", "vonage", "--channel", "voice"], "no provider has this channel"),
        ([NUMBER, "--provider", "pigeon"], "pigeon is none of SMS_PROVIDERS: twilio, vonage"),
        (["12"], "12 is no phone number"),
    ],
)
def test_what_cannot_be_says_why_and_fails(
    cli: Cli, sandbox: SandboxServer, arguments: list[str], told: str
) -> None:
    result = cli.run("sms", "test", *arguments)
    assert result.exit_code == 1
    assert told in result.stderr
    assert sandbox.store.texts() == []


def test_a_provider_that_does_not_exist_is_a_fault_of_the_configuration(cli: Cli) -> None:
    result = cli.run("sms", "test", NUMBER, MESSENGER_SMS_PROVIDERS="pigeon")
    assert (result.exit_code, "SMS_PROVIDERS = 'pigeon'" in result.stderr) == (1, True)


# --- It costs, and is held to what codes are held to


def spent(cli: Cli) -> list[float]:
    """What the day and the month have cost."""
    return [budget["spent"] for budget in cli.json("sms", "status")["budgets"]]


def test_it_is_booked_at_the_price_of_its_channel(cli: Cli, sandbox: SandboxServer) -> None:
    prices = {"MESSENGER_SMS_PRICES": '{"IN": 0.08}', "MESSENGER_SMS_PRICE_VOICE": "0.3"}
    cli.environment.update(prices)
    cli.ok("sms", "test", NUMBER)
    assert spent(cli) == [0.08, 0.08]
    cli.ok("sms", "test", NUMBER, "--channel", "voice")
    assert spent(cli) == [0.38, 0.38]
    sendings = cli.json("sms", "status")["sendings"]
    assert [(each["provider"], each["texts"], each["cost"]) for each in sendings] == [("twilio", 2, 0.38)]


def test_one_that_nobody_took_costs_nothing_and_one_that_may_have_been_sent_does(
    cli: Cli, sandbox: SandboxServer
) -> None:
    sandbox.faults.add("twilio", error="20003")
    assert cli.run("sms", "test", NUMBER, "--provider", "twilio").exit_code == 1
    assert spent(cli) == [0, 0]
    sandbox.faults.clear()
    sandbox.faults.add("twilio", drop=True)
    result = cli.run("sms", "test", NUMBER, "--provider", "twilio")
    assert result.exit_code == 1
    assert "It may have been sent, and is booked. twilio: connection failed" in result.stderr
    assert spent(cli) == [0.05, 0.05]
    assert cli.json("sms", "status")["sendings"][0]["outcome"] == "unknown"


@pytest.mark.parametrize(
    ("arguments", "keys", "told"),
    [
        (["+4915123456789"], {}, "SMS_COUNTRIES"),
        (["+8816012345678"], {"MESSENGER_SMS_COUNTRIES": "*"}, "SMS_TO_SATELLITE"),
        (["+8816012345678", "--channel", "voice"], {"MESSENGER_SMS_COUNTRIES": "*"}, "SMS_TO_SATELLITE"),
        (["+449098790000"], {"MESSENGER_SMS_COUNTRIES": "*"}, "of this kind"),
        ([NUMBER], {"MESSENGER_SMS_BUDGET_DAY": "0.04"}, "SMS_BUDGET_DAY"),
        ([NUMBER, "--channel", "voice"], {"MESSENGER_SMS_BUDGET_MONTH": "0.09"}, "messenger-api sms status"),
    ],
)
def test_what_a_code_may_not_a_test_may_not(
    cli: Cli, sandbox: SandboxServer, arguments: list[str], keys: dict[str, str], told: str
) -> None:
    result = cli.run("sms", "test", *arguments, **keys)
    assert (result.exit_code, result.stderr.splitlines()[-1].startswith("Not sent. ")) == (1, True)
    assert told in result.stderr
    assert (sandbox.store.texts(), spent(cli)) == ([], [0, 0])

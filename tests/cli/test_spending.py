"""What texts cost, and a country that is let go on."""

from __future__ import annotations

import pytest

from messenger_api.domain.errors import TooMany
from messenger_api.services.otp.requests import CodeRequest
from tests.cli.commands import Cli
from tests.console.scene import play_pauses
from tests.product import Product


def ask(product: Product, n: int) -> None:
    """A code for a number in a range of its own, asked for from a network of its own."""
    product.services.login.request_code(f"491511{n:03d}0000", "", CodeRequest(network=f"203.0.113.{n}"))


def test_status_tells_what_was_spent_and_resume_ends_the_pause_of_a_country(
    paying: Product, cli: Cli
) -> None:
    paying.clock.advance(-240)
    for n in range(20):
        ask(paying, n)
    told = cli.json("sms", "status")
    assert [(budget["period"], budget["spent"], budget["most"]) for budget in told["budgets"]] == [
        ("day", 1.0, 25.0),
        ("month", 1.0, 250.0),
    ]
    assert told["sendings"] == [
        {"provider": "network", "country": "DE", "outcome": "sent", "texts": 20, "cost": 1.0}
    ]
    assert told["countries"] == [{"country": "DE", "sent": 20, "entered": 0, "paused": True}]
    paying.clock.advance(240)
    with pytest.raises(TooMany):
        ask(paying, 20)
    assert cli.ok("sms", "resume", "de") == "Texts go to DE again.\n"
    ask(paying, 20)
    assert "DE" in cli.ok("sms", "status")


def test_there_is_nothing_to_resume_where_nothing_was_sent(paying: Product, cli: Cli) -> None:
    assert paying.rows("SELECT * FROM sent_texts") == []
    result = cli.run("sms", "resume", "FR")
    assert (result.exit_code, "nothing to resume" in result.output) == (1, True)


def resumed(cli: Cli) -> list[dict[str, str]]:
    """What the audit has of pauses that commands ended, newest first."""
    rows = cli.json("audit", "list")
    return [row["fields"] for row in rows if (row["event"], row["actor"]) == ("TextsResumed", "")]


def test_whoever_ends_a_pause_by_a_command_stands_in_the_audit_as_on_the_console(
    paying: Product, cli: Cli
) -> None:
    play_pauses(paying)
    was = {"old": "paused", "new": "open"}
    assert cli.ok("sms", "resume", "in", "--reason", "a fair") == "Texts go to IN again.\n"
    assert resumed(cli) == [{"what": "country", "subject": "IN", "reason": "a fair", **was}]
    [found] = cli.json("sms", "status")["paused_ranges"]
    assert (found["name"], found["networks"]) == ("5c0ffee5" * 4, 40)
    assert "5c0ffee5 " in cli.ok("sms", "status")
    assert cli.ok("sms", "resume", "--range", "5C0FFEE5") == "Texts go to that range again.\n"
    reason = "by a command on the server"
    assert resumed(cli)[0] == {"what": "range", "subject": found["name"], "reason": reason, **was}
    assert cli.json("sms", "status")["paused_ranges"] == []
    assert cli.json("audit", "verify")["faults"] == []


def test_what_is_not_paused_or_not_named_is_not_resumed_and_not_noted(paying: Product, cli: Cli) -> None:
    play_pauses(paying)
    for arguments in ((), ("IN", "--range", "5c0ffee5"), ("GB",), ("--range", "beef")):
        assert cli.run("sms", "resume", *arguments).exit_code == 1, arguments
    assert resumed(cli) == []


def test_a_limit_is_raised_for_some_hours_and_ended_by_commands(paying: Product, cli: Cli) -> None:
    assert "SMS_BUDGET_DAY is 100 until" in cli.ok("sms", "raise", "sms_budget_day", "100", "--hours", "2")
    told = cli.json("sms", "status")
    assert told["budgets"][0]["most"] == 100
    assert [(limit["key"], limit["configured"]) for limit in told["raised_limits"]] == [
        ("SMS_BUDGET_DAY", 25)
    ]
    raised = cli.ok("sms", "status").split("Limits that are raised\n")[1].splitlines()[1]
    assert raised.split()[:3] == ["SMS_BUDGET_DAY", "25", "100"]
    row = cli.json("audit", "list")[0]
    assert (row["event"], row["actor"], row["fields"]["new"]) == ("LimitRaised", "", "100")
    assert cli.ok("sms", "raise", "SMS_BUDGET_DAY", "--end") == "SMS_BUDGET_DAY is as configured.\n"
    assert cli.json("sms", "status")["raised_limits"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("SMS_BUDGET_DAY", "10"), "accepted is more than 25, which is configured, up to 250"),
        (("SMS_BUDGET_DAY", "100", "--hours", "169"), "within 7 days"),
        (("SMS_PRICE", "100"), "Those that can: SMS_BUDGET_DAY,"),
        (("SMS_BUDGET_DAY",), "or --end"),
        (("SMS_BUDGET_DAY", "100", "--end"), "or --end"),
        (("SMS_BUDGET_DAY", "--end"), "is not raised"),
    ],
)
def test_what_cannot_be_raised_is_refused_with_what_is_accepted(
    paying: Product, cli: Cli, arguments: tuple[str, ...], said: str
) -> None:
    result = cli.run("sms", "raise", *arguments)
    assert (result.exit_code, said in result.output) == (1, True), result.output
    assert paying.rows("SELECT * FROM raised_limits") == []

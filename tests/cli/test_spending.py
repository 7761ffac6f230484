"""What texts cost, and a country that is let go on."""

from __future__ import annotations

import pytest

from messenger_api.domain.errors import TooMany
from messenger_api.services.otp.requests import CodeRequest
from tests.cli.commands import Cli
from tests.product import Product


def ask(product: Product, n: int) -> None:
    """A code for a number in a range of its own, asked for from a network of its own."""
    product.services.login.request_code(f"491511{n:03d}0000", "", CodeRequest(network=f"203.0.113.{n}"))


def test_status_tells_what_was_spent_and_resume_ends_the_pause_of_a_country(
    paying: Product, cli: Cli
) -> None:
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
    assert told["countries"] == [{"country": "DE", "sent": 20, "entered": 0, "paused": False}]
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

"""`messenger-api sessions`: who is logged in where, on both databases."""

from __future__ import annotations

import pytest

from tests.cli.commands import Cli
from tests.product import APPID, Phone, Product

ANA, BEN = "14155550101", "919876543210"


@pytest.fixture
def phones(installation: Product) -> tuple[Phone, Phone]:
    """Two phones of one person."""
    first = installation.log_in(ANA, "Ana", device="Pixel")
    installation.clock.advance(60)
    return first, installation.log_in(ANA, device="Tablet")


def is_dead(phone: Phone) -> bool:
    return bool(phone.call("getcontacts").get("error") == "AUTHFAIL")


def test_sessions_are_listed_newest_first_without_tokens(cli: Cli, phones: tuple[Phone, Phone]) -> None:
    phones[1].ok("setnotify", notifytoken="a-push-token")
    first, second = cli.json("sessions", "list", f"+{ANA}")
    assert set(first) == {"sid", "appid", "device", "device_type", "created_at", "seen_at", "push"}
    assert (first["device"], first["appid"], bool(first["push"])) == ("Tablet", APPID, True)
    assert (second["device"], bool(second["push"])) == ("Pixel", False)
    output = cli.ok("sessions", "list", ANA)
    head, *lines = output.splitlines()
    assert head.split() == ["SID", "APP", "DEVICE", "SINCE", "SEEN", "PUSH"]
    assert len(lines) == 2
    assert not [secret for secret in ("a-push-token", phones[1].token) if secret in output]


def test_one_session_is_revoked(cli: Cli, phones: tuple[Phone, Phone]) -> None:
    tablet, _pixel = cli.json("sessions", "list", ANA)
    assert cli.ok("sessions", "revoke", str(tablet["sid"])) == "Sessions ended: 1\n"
    assert [is_dead(phone) for phone in phones] == [False, True]


def test_every_session_of_a_user_is_revoked_and_mesibos_token_goes(
    cli: Cli, installation: Product, phones: tuple[Phone, Phone]
) -> None:
    ben = installation.log_in(BEN)
    assert cli.ok("sessions", "revoke", "--user", ANA) == "Sessions ended: 2\n"
    assert [is_dead(phone) for phone in (*phones, ben)] == [True, True, False]
    assert installation.deliver()
    assert installation.sandbox.store.tokens(ANA) == []


@pytest.mark.parametrize("arguments", [(), ("1", "--user", ANA)])
def test_revoke_wants_a_session_or_a_user(
    cli: Cli, phones: tuple[Phone, Phone], arguments: tuple[str, ...]
) -> None:
    result = cli.run("sessions", "revoke", *arguments)
    assert (result.exit_code, result.stderr) == (1, "Name a session or, with --user, a user.\n")
    assert not is_dead(phones[0])


def test_what_is_not_there_is_said_not_to_be(cli: Cli, phones: tuple[Phone, Phone]) -> None:
    for arguments, wanted in (
        (("revoke", "999999"), "There is no session 999999.\n"),
        (("revoke", "--user", BEN), f"No user has the number {BEN}.\n"),
        (("list", BEN), f"No user has the number {BEN}.\n"),
    ):
        result = cli.run("sessions", *arguments)
        assert (result.exit_code, result.stderr) == (1, wanted)

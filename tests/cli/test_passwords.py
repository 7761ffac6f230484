"""`messenger-api users password`: sets and removes a password, and never shows one."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from messenger_api.cli import main
from messenger_api.configuration import build
from messenger_api.gateways.login import Denied
from messenger_api.services.login.passwords import PasswordMethod
from messenger_api.storage.models import Base
from tests.cli.commands import Cli
from tests.product import Product

PASSWORD = "correct horse battery"


@pytest.fixture
def method(installation: Product) -> PasswordMethod:
    """What the server compares with."""
    database = installation.services.database
    Base.metadata.create_all(database.engine)
    return PasswordMethod(build(login_method="password"), database)


def run(cli: Cli, *arguments: str, typed: str = "") -> Result:
    result = CliRunner().invoke(main, ["users", "password", *arguments], input=typed, env=cli.environment)
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert "Traceback" not in result.output
    assert PASSWORD not in result.output
    return result


def test_a_password_is_asked_for_twice_without_being_shown(cli: Cli, method: PasswordMethod) -> None:
    result = run(cli, "Ana", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 0, result.output
    assert "ana has a new password." in result.stdout
    assert method.authenticate("ana", PASSWORD)


def test_two_passwords_that_differ_are_asked_for_again(cli: Cli, method: PasswordMethod) -> None:
    typed = f"one password\nanother password\n{PASSWORD}\n{PASSWORD}\n"
    assert run(cli, "ana", typed=typed).exit_code == 0
    assert method.authenticate("ana", PASSWORD)


def test_a_script_hands_it_over_as_a_line(cli: Cli, method: PasswordMethod) -> None:
    assert run(cli, "ana", "--stdin", typed=f"{PASSWORD}\nanother line\n").exit_code == 0
    assert method.authenticate("ana", PASSWORD)


def test_it_can_be_removed(cli: Cli, method: PasswordMethod) -> None:
    method.set("ana", PASSWORD)
    assert run(cli, "ana", "--remove").stdout == "ana has no password any more.\n"
    with pytest.raises(Denied):
        method.authenticate("ana", PASSWORD)
    gone = run(cli, "ana", "--remove")
    assert (gone.exit_code, gone.stderr) == (1, "ana has no password.\n")


@pytest.mark.parametrize("typed", ["", "\n", "short\n", "x" * 129 + "\n"])
def test_a_password_that_cannot_be_used_is_refused(cli: Cli, method: PasswordMethod, typed: str) -> None:
    result = run(cli, "ana", "--stdin", typed=typed)
    assert (result.exit_code, result.stderr) == (
        1,
        "This password cannot be used: accepted are 8 to 128 characters.\n",
    )


@pytest.mark.parametrize("address", ["a b", "a,b", "añb", "x" * 65])
def test_an_address_that_cannot_log_in_is_refused(cli: Cli, address: str) -> None:
    result = run(cli, address, "--stdin", typed=f"{PASSWORD}\n")
    assert result.exit_code == 1
    assert "cannot log in" in result.stderr

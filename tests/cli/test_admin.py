"""`messenger-api admin`: makes administrators, lists them, keeps them out, gives them other proofs."""

from __future__ import annotations

from pathlib import Path

import pyotp
from click.testing import CliRunner, Result

from messenger_api.cli import main
from tests.cli.commands import Cli
from tests.product import Product

PASSWORD = "correct horse battery"


def run(cli: Cli, *arguments: str, typed: str = f"{PASSWORD}\n") -> Result:
    result = CliRunner().invoke(main, ["admin", *arguments], input=typed, env=cli.environment)
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert "Traceback" not in result.output
    assert PASSWORD not in result.output
    return result


def secret_in(output: str) -> str:
    return output.partition("or type")[2].split()[0]


def test_an_administrator_is_made_and_may_log_in(cli: Cli, installation: Product) -> None:
    made = run(cli, "create", "Ana", "--role", "own", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert made.exit_code == 0, made.output
    assert "▄" in made.output, "a QR code for the authenticator"
    code = pyotp.TOTP(secret_in(made.output)).now()
    assert installation.parts.console.sessions.log_in("ana", PASSWORD, code, "127.0.0.1")
    [row] = cli.json("admin", "list")
    assert (row["name"], row["role"], row["disabled"]) == ("ana", "own", False)
    assert row["seen_at"] > 0
    assert "ana" in cli.ok("admin", "list")


def test_the_qr_code_goes_to_a_file_for_its_owner_alone(
    cli: Cli, installation: Product, tmp_path: Path
) -> None:
    file = tmp_path / "ana.svg"
    made = run(cli, "create", "ana", "--role", "look", "--stdin", "--svg", str(file))
    assert made.exit_code == 0, made.output
    assert file.read_bytes().startswith(b"<?xml")
    assert file.stat().st_mode & 0o777 == 0o600
    again = run(cli, "create", "ben", "--role", "look", "--stdin", "--svg", str(file))
    assert again.exit_code == 2
    assert "is there already" in again.output
    assert [row["name"] for row in cli.json("admin", "list")] == ["ana"], "nobody whose code was never shown"


def test_what_cannot_be_is_said(cli: Cli, installation: Product) -> None:
    assert "begins with" in run(cli, "create", "Ana B", "--role", "own", "--stdin").output
    assert "12 to 128" in run(cli, "create", "ana", "--role", "own", "--stdin", typed="short\n").output
    assert run(cli, "create", "ana", "--role", "own", "--stdin").exit_code == 0
    assert "there is an administrator" in run(cli, "create", "ana", "--role", "own", "--stdin").output
    for command in (("disable", "ben"), ("reset", "ben", "--stdin")):
        result = run(cli, *command)
        assert result.exit_code == 1
        assert "no administrator ben" in result.output


def test_disabled_and_reset(cli: Cli, installation: Product) -> None:
    run(cli, "create", "ana", "--role", "support", "--stdin")
    assert run(cli, "disable", "ANA").exit_code == 0
    assert cli.json("admin", "list")[0]["disabled"] is True
    again = run(cli, "reset", "ana", "--stdin", typed="another password 1\n")
    code = pyotp.TOTP(secret_in(again.output)).now()
    assert installation.parts.console.sessions.log_in("ana", "another password 1", code, "127.0.0.1")
    assert cli.json("admin", "list")[0]["role"] == "support"

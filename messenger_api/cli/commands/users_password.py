"""`messenger-api users password`: the passwords of LOGIN_METHOD = "password"."""

from __future__ import annotations

import sys

import click

from messenger_api.cli.commands.users import users
from messenger_api.cli.common import fail, looking
from messenger_api.operating import OperatorParts
from messenger_api.services.login.passwords import PasswordMethod


@users.command()
@click.argument("address")
@click.option("--stdin", is_flag=True, help="Read the password as a line from the standard input.")
@click.option("--remove", is_flag=True, help="Remove the password instead: nobody logs in with it any more.")
def password(address: str, stdin: bool, remove: bool) -> None:
    """Set the password with which ADDRESS logs in; it is asked for twice and not shown."""
    with looking() as parts:
        method = _method(parts)
        name = method.read(address)
        if name is None:
            fail(
                f"{address!r} cannot log in: accepted are up to 64 letters, digits and signs without , and :"
            )
        if remove:
            _remove(method, name)
        else:
            _set(method, name, _from_stdin() if stdin else _from_terminal())


def _method(parts: OperatorParts) -> PasswordMethod:
    try:
        return parts.passwords
    except ImportError as error:
        fail(f"Passwords need: pip install '.[password]' ({error})")


def _from_terminal() -> str:
    entered: str = click.prompt("Password", hide_input=True, confirmation_prompt="Once more")
    return entered


def _from_stdin() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _set(method: PasswordMethod, address: str, entered: str) -> None:
    try:
        method.set(address, entered)
    except ValueError as error:
        fail(f"This password cannot be used: {error}.")
    click.echo(f"{address} has a new password.")


def _remove(method: PasswordMethod, address: str) -> None:
    if not method.remove(address):
        fail(f"{address} has no password.")
    click.echo(f"{address} has no password any more.")

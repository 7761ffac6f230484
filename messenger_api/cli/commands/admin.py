"""`messenger-api admin`: who may use the console."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from messenger_api.cli.common import (
    as_json,
    fail,
    local_time,
    looking,
    print_json,
    print_table,
    printable,
    say,
)
from messenger_api.cli.qr import as_text, write_svg
from messenger_api.cli.root import main
from messenger_api.domain.administrators import Role
from messenger_api.services.operator.administrators import Administrators, NoSuchAdministrator
from messenger_api.services.operator.second_factor import Enrolment

_from_stdin = click.option(
    "--stdin", is_flag=True, help="Read the password as a line from the standard input."
)


def _new_file(_ctx: click.Context, _option: click.Parameter, path: Path | None) -> Path | None:
    """Refuse a file that is there before anybody is made whose code could then not be shown."""
    if path and path.exists():
        raise click.BadParameter(f"{path} is there already.")
    return path


_to_svg = click.option(
    "--svg",
    callback=_new_file,
    type=click.Path(path_type=Path),
    help="Write the QR code to this file instead of the terminal. Remove it when it was read.",
)


@main.group()
def admin() -> None:
    """Those who may use the console at /admin, which is off until there is one."""


@admin.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([role.word for role in Role]),
    required=True,
    help="look: see all, numbers masked. support: and reveal numbers, end sessions. operate: and block,"
    " delete, replay. own: everything.",
)
@_from_stdin
@_to_svg
def create(name: str, role: str, stdin: bool, svg: Path | None) -> None:
    """Make an administrator: asks for a password, and shows what their authenticator is to read."""
    with _administrators() as administrators:
        made = administrators.create(name, Role.of(role), _password(stdin))
    say(f"{printable(name)} may log in at /admin.")
    _show(made, svg)


@admin.command("list")
@as_json
def list_admins(as_json: bool) -> None:
    """List the administrators, by name."""
    with looking() as parts:
        found = parts.administrators.every()
    if as_json:
        print_json(found)
        return
    print_table(
        ("NAME", "ROLE", "STATE", "SINCE", "LAST LOGIN"),
        [
            (
                one.name,
                one.role,
                "disabled" if one.disabled else "active",
                local_time(one.created_at),
                local_time(one.seen_at) if one.seen_at else "never",
            )
            for one in found
        ],
    )


@admin.command()
@click.argument("name")
def disable(name: str) -> None:
    """Keep an administrator out; their sessions end at once."""
    with _administrators() as administrators:
        administrators.disable(name)
    say(f"{printable(name)} cannot log in any more. messenger-api admin reset lets them in again.")


@admin.command()
@click.argument("name")
@_from_stdin
@_to_svg
def reset(name: str, stdin: bool, svg: Path | None) -> None:
    """Give an administrator another password and another code; their sessions end, and they may log in."""
    with _administrators() as administrators:
        made = administrators.reset(name, _password(stdin))
    say(f"{printable(name)} may log in at /admin, with the new password and code alone.")
    _show(made, svg)


@contextmanager
def _administrators() -> Iterator[Administrators]:
    with looking() as parts:
        try:
            yield parts.administrators
        except ImportError as error:
            fail(f"The console needs: pip install '.[console]' ({error})")
        except NoSuchAdministrator as error:
            fail(f"There is no administrator {printable(error)}.")
        except ValueError as error:
            fail(f"Not done: {error}.")


def _password(stdin: bool) -> str:
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    entered: str = click.prompt("Password", hide_input=True, confirmation_prompt="Once more")
    return entered


def _show(made: Enrolment, svg: Path | None) -> None:
    """Show the secret, this once."""
    say("Add it to an authenticator now (any app for one-time codes); it is not shown again:")
    if svg is None:
        click.echo(as_text(made.uri))
    else:
        write_svg(made.uri, svg)
        say(f"  QR code    {svg}")
    say(f"  or type    {made.secret}")

"""`messenger-api users block|unblock|delete|reports`: what an operator does about a user."""

from __future__ import annotations

import click

from messenger_api.cli.commands.users import users
from messenger_api.cli.common import (
    as_json,
    built,
    limit_of,
    local_time,
    looking,
    print_json,
    print_table,
    printable,
    ready_product,
    ready_services,
    say,
    uid_of,
)


@users.command()
@click.argument("number")
def block(number: str) -> None:
    """Keep a user out: all sessions end, with mesibo's tokens, and logins are refused."""
    with ready_product() as parts:
        built(lambda: parts.acts).keep_out(uid_of(parts, number))
    say(f"{printable(number)} is blocked.")


@users.command()
@click.argument("number")
def unblock(number: str) -> None:
    """Let a user in again."""
    with ready_product() as parts:
        built(lambda: parts.acts).let_in(uid_of(parts, number))
    say(f"{printable(number)} may log in again.")


@users.command()
@click.argument("number")
@click.option("--yes", is_flag=True, help="Delete without asking.")
def delete(number: str, yes: bool) -> None:
    """Delete a user's account, as the user can do in the app."""
    with ready_services() as (parts, _services):
        uid = uid_of(parts, number)
        if not yes:
            click.confirm(f"Delete the account of {number}, its memberships and its pictures?", abort=True)
        if not built(lambda: parts.acts).delete(uid):
            say(f"The account of {printable(number)} is closed; the outbox goes on with the rest.")
            return
    say(f"The account of {printable(number)} is deleted.")


@users.command()
@click.option("--before", default=0, metavar="ID", help="Begin behind this report: the next page.")
@limit_of("Reports")
@as_json
def reports(before: int, limit: int, as_json: bool) -> None:
    """List what users have reported, newest first."""
    with looking() as parts:
        found = parts.operator.users.reports(before=before, limit=limit)
    if as_json:
        print_json(found)
        return
    print_table(
        ("ID", "SINCE", "REPORTER", "REPORTED", "GID", "REASON", "TEXT"),
        [
            (r.id, local_time(r.created_at), r.reporter, r.reported, r.gid or "", r.reason, r.text)
            for r in found
        ],
    )

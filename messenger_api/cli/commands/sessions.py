"""`messenger-api sessions`: who is logged in where."""

from __future__ import annotations

import click

from messenger_api.cli.common import (
    as_json,
    built,
    fail,
    local_time,
    looking,
    print_json,
    print_table,
    ready_product,
    uid_of,
)
from messenger_api.cli.root import main


@main.group()
def sessions() -> None:
    """The apps in which a user is logged in."""


@sessions.command("list")
@click.argument("number")
@as_json
def list_sessions(number: str, as_json: bool) -> None:
    """List a user's sessions, newest first."""
    with looking() as parts:
        found = parts.devices.of(uid_of(parts, number))
    if as_json:
        print_json(found)
        return
    print_table(
        ("SID", "APP", "DEVICE", "SINCE", "SEEN", "PUSH"),
        [
            (
                s.sid,
                s.appid,
                s.device,
                local_time(s.created_at),
                local_time(s.seen_at),
                "yes" if s.push else "no",
            )
            for s in found
        ],
    )


@sessions.command()
@click.argument("sid", required=False, type=click.IntRange(1))
@click.option("--user", "number", default="", metavar="NUMBER", help="Every session of this user.")
def revoke(sid: int | None, number: str) -> None:
    """End a session, or all of a user's, with the push token and mesibo's token."""
    if bool(sid) == bool(number):
        fail("Name a session or, with --user, a user.")
    with ready_product() as parts:
        acts = built(lambda: parts.acts)
        ended = acts.end_session(sid) if sid else acts.end_sessions(uid_of(parts, number))
    if sid and not ended:
        fail(f"There is no session {sid}.")
    click.echo(f"Sessions ended: {ended}")

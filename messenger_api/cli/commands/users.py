"""`messenger-api users`: the accounts."""

from __future__ import annotations

import click

from messenger_api.cli.common import (
    as_json,
    fail,
    limit_of,
    local_time,
    looking,
    nobody,
    print_details,
    print_json,
    print_table,
)
from messenger_api.cli.root import main
from messenger_api.services.operator.users import ShownUser

# Digits of a push token's keyed hash.
SHOWN = 12


@main.group()
def users() -> None:
    """The accounts, and what their users report."""


@users.command("list")
@click.option("--after", default=0, metavar="UID", help="Begin behind this uid: the next page.")
@limit_of("Users")
@click.option("--phone", default="", metavar="NUMBER", help="Only the user with this number.")
@as_json
def list_users(after: int, limit: int, phone: str, as_json: bool) -> None:
    """List users in the order of their uids."""
    with looking() as parts:
        users = parts.operator.users
        if phone:
            one = users.find(phone)
            found = [one] if one else []
        else:
            found = users.page(after=after, limit=limit)
    if as_json:
        print_json(found)
        return
    print_table(
        ("UID", "NUMBER", "NAME", "COUNTRY", "SINCE"),
        [(u.uid, u.address, u.name, u.country, local_time(u.created_at)) for u in found],
    )
    if len(found) == limit:
        click.echo(f"There may be more: --after {found[-1].uid}", err=True)


@users.command()
@click.argument("number")
@as_json
def show(number: str, as_json: bool) -> None:
    """Show a user's profile, sessions, groups, the size of the phone book, and why push tokens went."""
    with looking() as parts:
        user = parts.operator.users.show(number)
    if user is None:
        fail(nobody(number))
    if as_json:
        print_json(user)
    else:
        _print(user)


def _print(user: ShownUser) -> None:
    print_details(
        [
            ("number", user.address),
            ("uid", user.uid),
            ("name", user.name),
            ("status", user.status),
            ("photo", user.photo),
            ("country", user.country),
            ("since", local_time(user.created_at)),
            ("changed", local_time(user.changed_at)),
            ("seen", local_time(user.seen_at)),
            ("blocked", "yes" if user.blocked else "no"),
            ("contacts", user.contacts),
        ]
    )
    click.echo(f"\nSessions: {len(user.sessions)}")
    if user.sessions:
        print_table(
            ("SID", "APP", "DEVICE", "SINCE", "PUSH"),
            [
                (s.sid, s.appid, s.device, local_time(s.created_at), "yes" if s.push else "no")
                for s in user.sessions
            ],
        )
    click.echo(f"\nGroups: {len(user.groups)}")
    if user.groups:
        rows = [(g.gid, g.name, g.role, g.members) for g in user.groups]
        print_table(("GID", "NAME", "ROLE", "MEMBERS"), rows)
    click.echo(f"\nPush tokens that went within 90 days: {len(user.gone_push_tokens)}")
    if user.gone_push_tokens:
        print_table(
            ("GONE", "WHY", "DEVICE", "REGISTERED", "TOKEN"),
            [
                (local_time(g.gone_at), g.why, g.device_type, local_time(g.registered_at), g.token[:SHOWN])
                for g in user.gone_push_tokens
            ],
        )

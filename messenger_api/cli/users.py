"""`messenger-api users`: the accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
import msgspec
from sqlalchemy import Row

from messenger_api.app import Parts
from messenger_api.cli.common import (
    as_json,
    fail,
    local_time,
    prepare_schema,
    print_details,
    print_json,
    print_table,
    printable,
    product,
)
from messenger_api.storage import contacts, groups, sessions
from messenger_api.storage import users as storage

PAGE = 50


class ListedUser(msgspec.Struct, frozen=True):
    """A line of the list; times are unix seconds."""

    uid: int
    address: str
    name: str
    country: str
    created_at: int
    changed_at: int


class ShownSession(msgspec.Struct, frozen=True):
    """A logged-in app: never its token. `push`: it can be woken."""

    sid: int
    appid: str
    device: str
    device_type: int
    created_at: int
    push: bool


class ShownGroup(msgspec.Struct, frozen=True):
    """A group of the user; `role` is member, admin or owner."""

    gid: int
    name: str
    role: str
    members: int


class ShownUser(msgspec.Struct, frozen=True):
    """All that is known of an account; its phone book is stored blind, so that only its size is.

    `blocked`: kept out by the operator; `closed`: being deleted.
    """

    uid: int
    address: str
    name: str
    status: str
    photo: str
    country: str
    created_at: int
    changed_at: int
    seen_at: int
    blocked: bool
    closed: bool
    contacts: int
    sessions: list[ShownSession]
    groups: list[ShownGroup]


@click.group()
def users() -> None:
    """The accounts, and what their users report."""


@users.command("list")
@click.option("--after", default=0, metavar="UID", help="Begin behind this uid: the next page.")
@click.option("--limit", default=PAGE, show_default=True, type=click.IntRange(1), help="Users to list.")
@click.option("--phone", default="", metavar="NUMBER", help="Only the user with this number.")
@as_json
def list_users(after: int, limit: int, phone: str, as_json: bool) -> None:
    """List users in the order of their uids."""
    with product() as parts:
        prepare_schema(parts)
        if phone:
            rows = _with_number(parts, phone)
        else:
            rows = parts.services.database.run(lambda tx: storage.page(tx, after=after, limit=limit))
    found = [ListedUser(*row) for row in rows]
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
    """Show a user's profile, sessions, groups and the size of the phone book."""
    with product() as parts:
        prepare_schema(parts)
        user = _shown(parts, number)
    if user is None:
        fail(nobody(number))
    if as_json:
        print_json(user)
    else:
        _print(user)


def uid_of(parts: Parts, number: str) -> int:
    """The uid of the account with this number, however it is written; without one the command ends."""
    rows = _with_number(parts, number)
    if not rows:
        fail(nobody(number))
    return int(rows[0].uid)


def nobody(number: str) -> str:
    """What is said when a number has no account."""
    return f"No user has the number {printable(number)}."


def _with_number(parts: Parts, number: str) -> Sequence[Row[*tuple[Any, ...]]]:
    """The row of the account that this number or address would log in to, if there is one.

    What nobody could log in as any more, after a change of LOGIN_METHOD, is found by its very address.
    """
    services = parts.services
    run, key = services.database.run, services.identities.key_at_login(number)
    if key is None:
        # MySQL would not even compare other letters with an address.
        address = number if number.isascii() else ""
    else:
        address = next((account.address for account in run(lambda tx: storage.accounts(tx, [key]))), "")
    return run(lambda tx: storage.page(tx, after=0, limit=1, address=address)) if address else []


def _shown(parts: Parts, number: str) -> ShownUser | None:
    run = parts.services.database.run
    rows = _with_number(parts, number)
    profile = run(lambda tx: storage.find_profile(tx, rows[0].uid)) if rows else None
    if profile is None:
        return None
    record = run(lambda tx: storage.record(tx, profile.uid))
    return ShownUser(
        uid=profile.uid,
        address=profile.address,
        name=profile.name,
        status=profile.status,
        photo=profile.photo,
        country=rows[0].country,
        created_at=rows[0].created_at,
        changed_at=profile.changed_at,
        seen_at=record.seen_at,
        blocked=bool(record.blocked),
        closed=bool(record.closed_at),
        contacts=run(lambda tx: contacts.count(tx, profile.uid)),
        sessions=_sessions(parts, profile.uid),
        groups=_groups(parts, profile.uid),
    )


def _sessions(parts: Parts, uid: int) -> list[ShownSession]:
    rows = parts.services.database.run(lambda tx: sessions.of_user(tx, uid))
    return [
        ShownSession(row.sid, row.appid, row.device, row.device_type, row.created_at, bool(row.push))
        for row in rows
    ]


def _groups(parts: Parts, uid: int) -> list[ShownGroup]:
    found = parts.services.database.run(lambda tx: groups.of_user(tx, uid))
    return [
        ShownGroup(group.gid, group.name, member.role.name.lower(), len(group.roster.members))
        for group in found
        for member in group.roster.members
        if member.uid == uid
    ]


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

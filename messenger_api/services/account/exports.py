"""All that we keep about a person, for that person: `exportaccount` and `users export`."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from messenger_api.domain.times import iso
from messenger_api.services.account.devices import LoggedIn
from messenger_api.services.people.blocks import Allow, always
from messenger_api.storage import blocks, contacts, gone_push_tokens, groups, sessions, users
from messenger_api.storage.db import Database
from messenger_api.storage.groups import GroupState
from messenger_api.storage.sessions import Caller

# A person who reports the most that is allowed, every day for a year and a half, is told of all.
MOST_REPORTS = 10_000
EXPORTS_A_DAY = 1


class OwnAccount(msgspec.Struct, frozen=True):
    """The profile. Dates are ISO 8601 in UTC; "" where there is none."""

    phone: str
    """The number."""
    name: str
    """The name."""
    status: str
    """The status."""
    photo: str
    """The photo's address."""
    country: str
    """The number's country, in two ISO letters."""
    created: str
    """When the account was made."""
    changed: str
    """When the profile changed last."""
    seen: str
    """When the person was seen last, at most a day late."""


class OwnSession(msgspec.Struct, frozen=True):
    """A device on which the person is logged in."""

    id: int
    """Names the session."""
    appid: str
    """The app."""
    device: str
    """The device's own id."""
    dt: int
    """The device's type."""
    created: str
    """When it logged in."""
    seen: str
    """When it was seen last, at most a day late."""
    push: int
    """1 when it can be woken, else 0."""


class OwnGroup(msgspec.Struct, frozen=True):
    """A group that the person is in."""

    gid: int
    """The group."""
    name: str
    """Its name."""
    role: str
    """member, admin or owner."""
    size: int
    """How many are in it."""
    changed: str
    """When it changed last."""


class OwnReport(msgspec.Struct, frozen=True):
    """A report that the person made."""

    phone: str
    """Who was reported."""
    gid: int
    """The group; 0 without one."""
    reason: str
    """spam, abuse, fake or other."""
    text: str
    """What the person wrote."""
    created: str
    """When."""


class OwnPushToken(msgspec.Struct, frozen=True):
    """A push token that went within 90 days."""

    dt: int
    """The device's type."""
    registered: str
    """When it was stored."""
    gone: str
    """When it went."""
    why: str
    """Why it went, in a word: "replaced" by another, or how its session ended."""


class Export(msgspec.Struct, frozen=True):
    """A person's data. The phone book rests blind: only its size can be told."""

    profile: OwnAccount
    """The profile."""
    sessions: list[OwnSession]
    """The devices on which the person is logged in."""
    groups: list[OwnGroup]
    """The groups that the person is in."""
    contacts: int
    """How many numbers stand in the phone book."""
    blocked: list[str]
    """The numbers of those who are blocked and have an account."""
    blocked_count: int
    """How many numbers are blocked in all."""
    reports: list[OwnReport]
    """What the person has reported."""
    push_tokens: list[OwnPushToken]
    """The push tokens that went within 90 days."""


class Exports:
    """Puts together what is kept about a user."""

    def __init__(self, database: Database, allow: Allow = always) -> None:
        self._database = database
        self._allow = allow

    def own(self, caller: Caller, files_url: str) -> Export:
        """What is kept about the caller; `files_url` is where photos are fetched. Raises TooMany."""
        self._allow(caller)
        return self.of(caller.uid, files_url)

    def of(self, uid: int, files_url: str) -> Export:
        """What is kept about a user."""
        return self._database.run(lambda tx: _export(tx, uid, files_url))


def _export(tx: Connection, uid: int, files_url: str) -> Export:
    return Export(
        profile=_profile(tx, uid, files_url),
        sessions=[_session(LoggedIn(*row)) for row in sessions.of_user(tx, uid)],
        groups=[_group(group, uid) for group in groups.of_user(tx, uid)],
        contacts=contacts.count(tx, uid),
        blocked=[address for _uid, address in blocks.accounts(tx, uid)],
        blocked_count=blocks.count(tx, uid),
        reports=_reports(tx, uid),
        push_tokens=[
            OwnPushToken(gone.device_type, iso(gone.registered_at), iso(gone.gone_at), gone.why)
            for gone in gone_push_tokens.of_user(tx, uid)
        ],
    )


def _profile(tx: Connection, uid: int, files_url: str) -> OwnAccount:
    row = users.record(tx, uid)
    return OwnAccount(
        phone=row.address,
        name=row.name,
        status=row.status,
        photo=files_url + row.photo if row.photo else "",
        country=row.country,
        created=iso(row.created_at),
        changed=iso(row.changed_at),
        seen=iso(row.seen_at),
    )


def _session(found: LoggedIn) -> OwnSession:
    return OwnSession(
        id=found.sid,
        appid=found.appid,
        device=found.device,
        dt=found.device_type,
        created=iso(found.created_at),
        seen=iso(found.seen_at),
        push=int(found.push),
    )


def _group(found: GroupState, uid: int) -> OwnGroup:
    role = found.roster.role(uid)
    return OwnGroup(
        gid=found.gid,
        name=found.name,
        role=role.name.lower() if role is not None else "",
        size=len(found.roster.members),
        changed=iso(found.changed_at),
    )


def _reports(tx: Connection, uid: int) -> list[OwnReport]:
    return [
        OwnReport(row.reported, row.gid, row.reason, row.text, iso(row.created_at))
        for row in blocks.reports(tx, reporter=uid, most=MOST_REPORTS)
    ]

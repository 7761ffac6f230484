"""All that we keep about a person, for that person: `exportaccount` and `users export`."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from messenger_api.domain.times import iso
from messenger_api.services.account.sessions import LoggedIn
from messenger_api.services.people.blocks import Allow, always
from messenger_api.storage import blocks, contacts, groups, push_tokens, sessions, users
from messenger_api.storage.db import Database
from messenger_api.storage.groups import GroupState
from messenger_api.storage.sessions import Caller

# A person who reports the most that is allowed, every day for a year and a half, is told of all.
MOST_REPORTS = 10_000


class OwnProfile(msgspec.Struct, frozen=True):
    """The profile. Dates are ISO 8601 in UTC; "" where there is none."""

    phone: str
    name: str
    status: str
    photo: str
    country: str
    created: str
    changed: str
    seen: str


class OwnSession(msgspec.Struct, frozen=True):
    """A device on which the person is logged in; `push` is 1 when it can be woken."""

    id: int
    appid: str
    device: str
    dt: int
    created: str
    seen: str
    push: int


class OwnGroup(msgspec.Struct, frozen=True):
    """A group that the person is in; `role` is member, admin or owner, `size` how many are in it."""

    gid: int
    name: str
    role: str
    size: int
    changed: str


class OwnReport(msgspec.Struct, frozen=True):
    """A report that the person made."""

    phone: str
    gid: int
    reason: str
    text: str
    created: str


class OwnPushToken(msgspec.Struct, frozen=True):
    """A push token that went within 90 days, and why (`storage.push_tokens.Why`)."""

    dt: int
    registered: str
    gone: str
    why: str


class Export(msgspec.Struct, frozen=True):
    """A person's data. The phone book rests blind: only its size can be told."""

    profile: OwnProfile
    sessions: list[OwnSession]
    groups: list[OwnGroup]
    contacts: int
    blocked: list[str]
    blocked_count: int
    reports: list[OwnReport]
    push_tokens: list[OwnPushToken]


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
            for gone in push_tokens.gone(tx, uid)
        ],
    )


def _profile(tx: Connection, uid: int, files_url: str) -> OwnProfile:
    row = users.record(tx, uid)
    return OwnProfile(
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

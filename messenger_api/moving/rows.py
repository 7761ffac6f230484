"""Rows of the PHP demo's tables as they are read, before anybody has judged them."""

from __future__ import annotations

from typing import NamedTuple


class UserRow(NamedTuple):
    """A row of `users`; `ts` in unix seconds, 0 for none."""

    uid: int
    phone: str
    name: bytes
    status: bytes
    photo: str
    ts: int


class TokenRow(NamedTuple):
    """A row of `tokens`; `updated` in unix seconds, 0 for a zero date."""

    uid: int
    token: str
    updated: int
    device: int


class PushRow(NamedTuple):
    """A row of `notifytokens`; `device` as the apps' `dt`, 1 for Android and 2 for iOS."""

    uid: int
    token: str
    device: int
    production: int


class Book(NamedTuple):
    """All rows of `contacts` with one uid."""

    uid: int
    phones: list[str]


class GroupRow(NamedTuple):
    """A row of `groups`; `ts` in unix seconds, 0 for none."""

    gid: int
    name: bytes
    photo: str
    ts: int


class MemberRow(NamedTuple):
    """A row of `members`; `role` 0 member, 1 admin, 2 owner."""

    gid: int
    phone: str
    role: int

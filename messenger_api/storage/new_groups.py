"""Groups that mesibo is being asked to make, noted before it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from messenger_api.storage.models import NewGroup
from messenger_api.storage.statements import execute


@dataclass(frozen=True)
class Intended:
    """A group that mesibo was asked to make, with the members that it was told.

    `asked_at`: the last second in which mesibo could not say whether it made the group; 0: it was not asked.
    """

    id: int
    name: str
    members: list[str]
    created_at: int
    asked_at: int


_COLUMNS = (NewGroup.id, NewGroup.name, NewGroup.members, NewGroup.created_at, NewGroup.asked_at)
_ADD = insert(NewGroup)
_DONE = delete(NewGroup).where(NewGroup.id == bindparam("id"))


def add(connection: Connection, now: int, name: str, members: Sequence[str]) -> int:
    """Note that mesibo is about to be asked; returns the note's id."""
    told = msgspec.json.encode(list(members)).decode()
    return execute(connection, _ADD, {"name": name, "members": told, "created_at": now}).new_id


def done(connection: Connection, note: int) -> None:
    """The group is written, or was not made, or is being deleted."""
    execute(connection, _DONE, {"id": note})


def left_over(connection: Connection, before: int, most: int) -> list[Intended]:
    """Notes older than the second `before`, first those that were never asked for, then by when they were."""
    order = NewGroup.asked_at, NewGroup.id
    query = select(*_COLUMNS).where(NewGroup.created_at < before).order_by(*order).limit(most)
    return _intended(connection.execute(query).all())


def for_a_person(connection: Connection, most: int) -> list[Intended]:
    """Notes of groups of which mesibo could not say whether it made them, oldest first."""
    query = select(*_COLUMNS).where(NewGroup.asked_at > 0).order_by(NewGroup.id).limit(most)
    return _intended(connection.execute(query).all())


def _intended(rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Intended]:
    return [Intended(i, name, msgspec.json.decode(told, type=list[str]), *at) for i, name, told, *at in rows]


def note_asked(connection: Connection, note: int, now: int) -> None:
    """mesibo cannot say whether it made the group: a person has to look."""
    connection.execute(update(NewGroup).where(NewGroup.id == note).values(asked_at=now))


def is_being_made(connection: Connection, name: str, since: int) -> bool:
    """Whether mesibo is asked for a group of this name by a request that began at the second `since` or
    later."""
    query = (
        select(func.count()).select_from(NewGroup).where(NewGroup.name == name, NewGroup.created_at >= since)
    )
    return bool(connection.execute(query).scalar_one())

"""What is called so: users and groups by a part of their names, for operators."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Row, select

from messenger_api.storage.models import Group, User


def users(connection: Connection, part: str, most: int) -> Sequence[Row[int, str, str]]:
    """Up to `most` accounts with a part of a name, as (uid, address, name): a look through all of them."""
    query = select(User.uid, User.address, User.name).where(User.name.contains(part, autoescape=True))
    return connection.execute(query.order_by(User.uid).limit(most)).all()


def group_name(connection: Connection, gid: int) -> str:
    """The name of a group, or what stands for it where it has none; "" when there is no such group."""
    name = connection.execute(select(Group.name).where(Group.gid == gid)).scalar()
    return "" if name is None else str(name) or f"Group {gid}"


def groups(connection: Connection, part: str, most: int) -> Sequence[Row[int, str]]:
    """Up to `most` groups with a part of a name, as (gid, name): a look through all of them."""
    query = select(Group.gid, Group.name).where(Group.name.contains(part, autoescape=True))
    return connection.execute(query.order_by(Group.gid).limit(most)).all()

"""Who has news: `users.news_at`, noted behind the changes, so that a sync need not walk what others changed.

A place in all changes of accounts, in the order of (`changed_at`, uid), is kept as a fact: what lies before
it has been noted for everybody who has the number in the phone book. So nobody there changed after a second
that `news_at` does not exceed, but for what lies behind the place. Noting twice does no harm, and a place too
early is sound; one too late would hide changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, and_, bindparam, literal_column, or_, select, update

from messenger_api.storage import facts
from messenger_api.storage.blocks import by_owner, of_owner
from messenger_api.storage.models import Contact, Fact, User
from messenger_api.storage.models.base import aliased
from messenger_api.storage.statements import execute

# In one step, and holders of their numbers in one statement.
ACCOUNTS_AT_ONCE = 200
HOLDERS_AT_ONCE = 5_000
ROWS_A_STATEMENT = 500
# While nothing changes the place is moved on this often.
STANDS_SECONDS = 20

PLACE = select(Fact.value).where(Fact.name == literal_column(f"'{facts.NEWS}'")).scalar_subquery()
"""The place as it is kept (`noted_to`)."""

_holder = aliased(User)


class Place(NamedTuple):
    """Every change before it, and the one at it, is noted; without a uid, all of that second."""

    second: int
    uid: int | None = None

    @classmethod
    def of(cls, kept: str) -> Place:
        """As it is kept."""
        second, _, uid = kept.partition(" ")
        return cls(int(second or 0), int(uid) if uid else None)

    def __str__(self) -> str:
        return f"{self.second}" if self.uid is None else f"{self.second} {self.uid}"


_LATER = User.changed_at > bindparam("second")
_CHANGED = (
    select(User.changed_at, User.uid)
    .where(
        or_(_LATER, and_(User.changed_at == bindparam("second"), User.uid > bindparam("uid"))),
        # What the first says already: without it SQLite would begin with the oldest.
        User.changed_at >= bindparam("second"),
        User.changed_at <= bindparam("until"),
    )
    .order_by(User.changed_at, User.uid)
    .limit(bindparam("most"))
)
# Whom a block keeps apart has no news: it is told of everything when the block ends.
_HOLDERS = (
    select(Contact.owner, User.changed_at)
    .join(Contact, Contact.contact_key == User.contact_key)
    .join(_holder, _holder.uid == Contact.owner)
    .outerjoin(by_owner, and_(by_owner.owner == _holder.uid, by_owner.contact_key == User.contact_key))
    .outerjoin(of_owner, and_(of_owner.owner == User.uid, of_owner.contact_key == _holder.contact_key))
    .where(
        User.uid.in_(bindparam("uids", expanding=True)),
        _holder.news_at < User.changed_at,
        _holder.uid != User.uid,
        by_owner.owner.is_(None),
        of_owner.owner.is_(None),
    )
    .limit(bindparam("most"))
)
_RAISE = (
    update(User)
    .where(User.uid == bindparam("of"), User.news_at < bindparam("at"))
    .values(news_at=bindparam("at"))
)


def noted_to(kept: str) -> int:
    """The second up to which every change is noted."""
    place = Place.of(kept)
    return place.second if place.uid is None else place.second - 1


def note(connection: Connection, *, until: int, rewind_from: int) -> bool:
    """Note some of the changes up to the second `until`; returns whether there may be more.

    A place behind the second `rewind_from` was reached by a clock that has gone back since: what changed
    after that may lie before it, and everything is noted anew.
    """
    kept = facts.read(connection, facts.NEWS)
    place = Place.of(kept)
    if place.second > rewind_from:
        place, kept = Place(0), str(Place(0))
        facts.write(connection, facts.NEWS, kept)
    after = {"second": place.second, "uid": 2**63 - 1 if place.uid is None else place.uid}
    values = {**after, "until": until, "most": ACCOUNTS_AT_ONCE}
    changed = [(second, uid) for second, uid in execute(connection, _CHANGED, values).rows]
    _note_for_holders(connection, [uid for _second, uid in changed])
    more = len(changed) == ACCOUNTS_AT_ONCE
    if changed or until - place.second >= STANDS_SECONDS:
        # Unless another worker has taken it back meanwhile.
        facts.move(connection, facts.NEWS, kept, str(Place(*changed[-1]) if more else Place(until)))
    return more


def rewind(connection: Connection, *, to: int) -> None:
    """Have what is stamped from the second `to` on be noted anew."""
    kept = facts.read(connection, facts.NEWS)
    if Place.of(kept).second >= to:
        facts.write(connection, facts.NEWS, str(Place(to - 1)))


def _note_for_holders(connection: Connection, uids: Sequence[int]) -> None:
    values = {"uids": uids, "most": HOLDERS_AT_ONCE}
    while uids and (rows := connection.execute(_HOLDERS, values).all()):
        newest: dict[int, int] = {}
        for owner, changed_at in rows:
            newest[owner] = max(changed_at, newest.get(owner, 0))
        _write(connection, newest.items())
        if len(rows) < HOLDERS_AT_ONCE:
            break


def _write(connection: Connection, news: Iterable[tuple[int, int]]) -> None:
    owners: defaultdict[int, list[int]] = defaultdict(list)
    # In order, so that two who write lock the same rows in the same order.
    for owner, at in sorted(news):
        owners[at].append(owner)
    for at, those in owners.items():
        for first in range(0, len(those), ROWS_A_STATEMENT):
            some = User.uid.in_(those[first : first + ROWS_A_STATEMENT])
            connection.execute(update(User).where(some, User.news_at < at).values(news_at=at))


def tell(connection: Connection, owner: int, at: int) -> None:
    """Note a change of the second `at` for one holder of the number."""
    execute(connection, _RAISE, {"of": owner, "at": at})

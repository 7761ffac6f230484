"""Before a run: the data set as it was filled, with the callers logged in; and mesibo's side of it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from sqlalchemy import Connection, delete, func, insert, inspect, select, update

from benchmarks import dataset as sets
from benchmarks.databases import Database, batches
from benchmarks.dataset import Dataset
from benchmarks.progress import say
from messenger_api.domain.secrets import token_hash
from messenger_api.ops.examples import APPID
from messenger_api.sandbox import SandboxStore
from messenger_api.storage import facts
from messenger_api.storage.models import (
    Contact,
    Fact,
    Group,
    GroupMember,
    OneTimeCode,
    OutboxItem,
    PushToken,
    Session,
    Thumbnail,
    User,
)
from messenger_api.storage.news import Place

SANDBOX_FILE = "sandbox.sqlite3"

FRESH_SECONDS = 3600


def reset(database: Database) -> None:
    """Take back what earlier runs changed, and log the callers in."""
    data = database.data
    with database.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        for table in (OutboxItem, PushToken, OneTimeCode):
            connection.execute(delete(table))
        # Those of the others were there before.
        connection.execute(delete(Session).where(Session.created_at > sets.LONG_AGO))
        # SQLite would leave the members of a group that is gone, unless every connection asks for more.
        first = data.gid(data.size.callers + 1, 0)
        connection.execute(delete(GroupMember).where(GroupMember.gid >= first))
        connection.execute(delete(Group).where(Group.gid >= first))
        connection.execute(delete(User).where(User.uid > data.size.users))
        connection.execute(delete(Thumbnail).where(Thumbnail.photo >= f"{sets.LONG_AGO + 1}"))
        connection.execute(
            update(User)
            .where(User.uid <= data.size.callers)
            .values(name="", status="", photo="", changed_at=sets.LONG_AGO)
        )
        connection.execute(
            update(User).where(User.changed_at > sets.LONG_AGO).values(changed_at=sets.LONG_AGO)
        )
        # An account that nobody has used for long is recycled by the next login with its number; such a
        # session is ended.
        now = int(time.time())
        for model in (User, Session):
            stale = model.seen_at < now - FRESH_SECONDS
            connection.execute(update(model).where(stale).values(seen_at=now))
        if inspect(connection).has_table(Fact.__tablename__):  # the first versions had none
            facts.write(connection, facts.NEWS, str(Place(sets.LONG_AGO)))
        _restore_phone_books(connection, data)
        connection.execute(insert(Session), sessions(data))
        connection.exec_driver_sql("COMMIT")


def sessions(data: Dataset) -> list[dict[str, object]]:
    """A session for every caller, whose app has seen everything there is."""
    now = int(time.time())
    return [
        {
            "uid": uid,
            "token_hash": token_hash(data.token(uid)),
            "appid": APPID,
            "created_at": now,
            "seen_at": now,
            "synced_to": now,
        }
        for uid in data.callers
    ]


def _restore_phone_books(connection: Connection, data: Dataset) -> None:
    """Only where a run left them changed."""
    mine = Contact.owner <= data.size.callers
    found = connection.execute(select(func.count()).select_from(Contact).where(mine)).scalar_one()
    wanted = [
        {"owner": uid, "contact_key": key}
        for uid in data.callers
        for key in sorted({data.key(number) for number in data.phone_book(uid)})
    ]
    if found == len(wanted):
        return
    connection.execute(delete(Contact).where(mine))
    for rows in batches(wanted, 5_000):
        connection.execute(insert(Contact), rows)


def sandbox_file(data: Dataset, folder: Path, into: Path) -> Path:
    """A fresh copy of mesibo's side, kept in a folder: the callers, their friends, their groups."""
    kept = folder / SANDBOX_FILE
    if not kept.exists():
        _fill_sandbox(data, kept)
    into.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(kept, into / SANDBOX_FILE))


def _fill_sandbox(data: Dataset, path: Path) -> None:
    say("sandbox: users and groups, once")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    with SandboxStore(unfinished) as store:
        people = {friend for uid in data.callers for friend in data.friends(uid)}
        for uid in [*data.callers, *sorted(people)]:
            store.put_user(data.number(uid))
        for uid in data.callers:
            for group in range(data.size.groups):
                members = [data.number(member) for member in data.group_members(uid, group)]
                made = store.add_group(f"Group {group} of {uid}", members)
                assert made.gid == data.gid(uid, group), "the sandbox counts differently"
    unfinished.rename(path)

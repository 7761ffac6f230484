"""Those who may use the console, and their sessions in it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select, update

from messenger_api.storage.db import new_id
from messenger_api.storage.models import Administrator, AdminSession
from messenger_api.storage.packed import columns


class KnownAdministrator(Struct, frozen=True):
    """An administrator's row; `totp` is sealed."""

    id: Annotated[int, Administrator.id]
    name: Annotated[str, Administrator.name]
    role: Annotated[str, Administrator.role]
    password: Annotated[str, Administrator.password]
    totp: Annotated[bytes, Administrator.totp]
    disabled: Annotated[int, Administrator.disabled]
    created_at: Annotated[int, Administrator.created_at]
    seen_at: Annotated[int, Administrator.seen_at]


class OpenSession(Struct, frozen=True):
    """A session in the console, with whose it is. `revealed`: the uid whose number it shows, for a while."""

    administrator: Annotated[int, AdminSession.administrator]
    name: Annotated[str, Administrator.name]
    role: Annotated[str, Administrator.role]
    created_at: Annotated[int, AdminSession.created_at]
    seen_at: Annotated[int, AdminSession.seen_at]
    revealed: Annotated[int, AdminSession.revealed]
    revealed_until: Annotated[int, AdminSession.revealed_until]


_ALL = select(*columns(KnownAdministrator)).order_by(Administrator.name)
_SESSION = (
    select(*columns(OpenSession))
    .join(Administrator, Administrator.id == AdminSession.administrator)
    .where(Administrator.disabled == 0)
)


def exist(connection: Connection) -> bool:
    """Whether there is an administrator, be they disabled."""
    return connection.execute(select(Administrator.id).limit(1)).scalar() is not None


def every(connection: Connection) -> list[KnownAdministrator]:
    """All of them, by name."""
    return [KnownAdministrator(*row) for row in connection.execute(_ALL)]


def find(connection: Connection, name: str) -> KnownAdministrator | None:
    """The administrator of this name."""
    row = connection.execute(_ALL.where(Administrator.name == name)).first()
    return KnownAdministrator(*row) if row else None


def add(connection: Connection, now: int, *, name: str, role: str) -> int:
    """Make one who cannot log in before `set_proofs`. Raises IntegrityError: the name is taken."""
    values = {"name": name, "role": role, "password": "", "totp": b"", "created_at": now}
    return new_id(connection.execute(insert(Administrator).values(values)))


def set_proofs(connection: Connection, administrator: int, *, password: str, totp: bytes) -> None:
    """Give them a password's hash and a sealed secret for codes, and let them in."""
    values = {"password": password, "totp": totp, "totp_step": 0, "disabled": 0}
    connection.execute(update(Administrator).where(Administrator.id == administrator).values(values))


def disable(connection: Connection, administrator: int) -> None:
    """Keep them out."""
    connection.execute(update(Administrator).where(Administrator.id == administrator).values(disabled=1))


def use_step(connection: Connection, known: KnownAdministrator, step: int) -> bool:
    """Note that the code of this step of time was used.

    False: it, or a later one, was used already, or they were disabled or given other proofs meanwhile.
    """
    same = (Administrator.id == known.id, Administrator.password == known.password)
    unused = (*same, Administrator.disabled == 0, Administrator.totp_step < step)
    return connection.execute(update(Administrator).where(*unused).values(totp_step=step)).rowcount > 0


def open_session(connection: Connection, now: int, administrator: int, token_hash: bytes) -> None:
    """Note a session, and when its administrator was last here."""
    values = {"token_hash": token_hash, "administrator": administrator, "created_at": now, "seen_at": now}
    connection.execute(insert(AdminSession).values(values))
    connection.execute(update(Administrator).where(Administrator.id == administrator).values(seen_at=now))


def session(connection: Connection, token_hash: bytes) -> OpenSession | None:
    """The session with this token, unless its administrator is disabled."""
    row = connection.execute(_SESSION.where(AdminSession.token_hash == token_hash)).first()
    return OpenSession(*row) if row else None


def note_seen(connection: Connection, now: int, token_hash: bytes) -> None:
    """Note that a session is in use."""
    connection.execute(update(AdminSession).where(AdminSession.token_hash == token_hash).values(seen_at=now))


def reveal(connection: Connection, token_hash: bytes, *, uid: int, until: int) -> None:
    """Have a session show one user's number for a while, and no other's."""
    values = {"revealed": uid, "revealed_until": until}
    connection.execute(update(AdminSession).where(AdminSession.token_hash == token_hash).values(values))


def end_session(connection: Connection, token_hash: bytes) -> None:
    """End a session."""
    connection.execute(delete(AdminSession).where(AdminSession.token_hash == token_hash))


def end_sessions(connection: Connection, administrator: int) -> int:
    """End an administrator's sessions; returns how many."""
    return connection.execute(
        delete(AdminSession).where(AdminSession.administrator == administrator)
    ).rowcount


def purge(connection: Connection, *, seen_before: int, created_before: int) -> int:
    """Remove sessions that have ended; returns how many."""
    over = (AdminSession.seen_at < seen_before) | (AdminSession.created_at < created_before)
    return connection.execute(delete(AdminSession).where(over)).rowcount

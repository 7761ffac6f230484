"""Credentials for push notifications that mesibo was handed: what they are for and until when, no secret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Struct
from sqlalchemy import Connection, case, delete, func, insert, select

from messenger_api.storage.models import PushCredential, PushToken
from messenger_api.storage.packed import columns

FIREBASE = "fcm"
SANDBOX, PRODUCTION = "sandbox", "production"
ANDROID, IOS = 1, 2
"""The device types (`dt`) of which it is known who wakes them."""


class KeptCredential(Struct, frozen=True):
    """A credential. `kind`: fcm or apn; `app`: Firebase's project, Apple's bundle id.

    `place`: sandbox, production, or both; "" for Firebase's. `ends_at` in unix seconds, 0: it does not end.
    `fingerprint`: SHA-256 of Apple's certificate, of the public key in Firebase's.
    """

    kind: Annotated[str, PushCredential.kind]
    app: Annotated[str, PushCredential.app]
    place: Annotated[str, PushCredential.place]
    fingerprint: Annotated[bytes, PushCredential.fingerprint]
    ends_at: Annotated[int, PushCredential.ends_at]
    uploaded_at: Annotated[int, PushCredential.uploaded_at]


_ALL = select(*columns(KeptCredential)).order_by(
    PushCredential.kind, PushCredential.app, PushCredential.place
)
_IS_FIREBASES = (PushToken.fcm == 1) | (PushToken.device_type == ANDROID)
_WHO = case((_IS_FIREBASES, FIREBASE), (PushToken.production == 1, PRODUCTION), else_=SANDBOX).label("who")
_COUNT = select(_WHO, func.count()).where(_IS_FIREBASES | (PushToken.device_type == IOS)).group_by(_WHO)


def keep(connection: Connection, found: KeptCredential) -> None:
    """Keep a credential in the place of the one before it: Firebase's one, Apple's of this bundle and place.

    To be called in a transaction.
    """
    same = PushCredential.kind == found.kind
    if found.kind != FIREBASE:
        same &= (PushCredential.app == found.app) & (PushCredential.place == found.place)
    connection.execute(delete(PushCredential).where(same))
    connection.execute(insert(PushCredential).values({n: getattr(found, n) for n in found.__struct_fields__}))


def kept(connection: Connection) -> Sequence[KeptCredential]:
    """Every credential that is kept."""
    return [KeptCredential(*row) for row in connection.execute(_ALL)]


def forget(connection: Connection, fingerprint: bytes) -> bool:
    """Forget a credential; whether there was one."""
    this = PushCredential.fingerprint == fingerprint
    return connection.execute(delete(PushCredential).where(this)).rowcount > 0


def count_tokens(connection: Connection) -> dict[str, int]:
    """How many push tokens phones have handed over: Firebase's, and Apple's by their place. Reads all."""
    found = {FIREBASE: 0, SANDBOX: 0, PRODUCTION: 0}
    return found | {str(who): int(count) for who, count in connection.execute(_COUNT)}

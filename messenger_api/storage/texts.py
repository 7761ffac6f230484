"""Text messages and calls that were handed to a provider: what they cost, and whether they arrived.

One whose provider did not say that it took it, and may have, is there as well: it has no id of the provider,
so that no receipt can be about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Annotated, Any

from msgspec import Struct, convert
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from messenger_api.storage.models import SentText
from messenger_api.storage.packed import columns
from messenger_api.storage.statements import execute


class Delivery(IntEnum):
    """How far a text got."""

    SENT = 0
    DELIVERED = 1
    FAILED = 2


class Text(Struct, frozen=True, array_like=True):
    """A text that was handed over."""

    id: Annotated[int, SentText.id]
    contact_key: Annotated[bytes, SentText.contact_key]
    provider: Annotated[str, SentText.provider]
    channel: Annotated[str, SentText.channel]
    country: Annotated[str, SentText.country]
    state: Annotated[Delivery, SentText.state]
    sent_at: Annotated[int, SentText.sent_at]


class NamedText(Struct, frozen=True, array_like=True):
    """A text as the operator looks at it; `provider_id` is "" where nobody knows whether it was taken."""

    provider: Annotated[str, SentText.provider]
    provider_id: Annotated[str, SentText.provider_id]
    channel: Annotated[str, SentText.channel]
    state: Annotated[Delivery, SentText.state]
    sent_at: Annotated[int, SentText.sent_at]


_ADD = insert(SentText)
_TEXT = select(*columns(Text))


def add(
    connection: Connection,
    now: int,
    *,
    contact_key: bytes,
    provider: str,
    provider_id: str,
    channel: str,
    country: str,
    cost: int,
) -> int:
    """Note a text that a provider has taken, or may have; returns our id of it."""
    text = {
        "contact_key": contact_key,
        "provider": provider,
        "provider_id": _kept(provider_id),
        "channel": channel,
        "country": country,
        "cost": cost,
        "sent_at": now,
    }
    return execute(connection, _ADD, text).new_id


def _kept(provider_id: str) -> str:
    """A provider's id in the characters and the length of the column: the text is sent, whatever it is."""
    return provider_id.encode("ascii", "backslashreplace").decode()[:128]


def find(connection: Connection, text_id: int) -> Text | None:
    """A text by our id."""
    return _text(connection.execute(_TEXT.where(SentText.id == text_id)).one_or_none())


def of(connection: Connection, key: bytes, since: int) -> list[NamedText]:
    """What was sent to an address since a second, the oldest first."""
    sent = select(*columns(NamedText)).where(SentText.contact_key == key, SentText.sent_at >= since)
    return [convert(tuple(row), NamedText) for row in connection.execute(sent.order_by(SentText.id))]


def by_provider(connection: Connection, provider: str, provider_id: str) -> Text | None:
    """The newest text by the provider's id of it."""
    named = _TEXT.where(SentText.provider_id == _kept(provider_id), SentText.provider == provider)
    return _text(connection.execute(named.order_by(SentText.id.desc()).limit(1)).one_or_none())


def _text(row: Row[*tuple[Any, ...]] | None) -> Text | None:
    return None if row is None else convert(tuple(row), Text)


def settle(connection: Connection, text_id: int, state: Delivery) -> bool:
    """Note what became of a text; receipts come twice and out of order, and the first final word holds."""
    waiting = (SentText.id == text_id, SentText.state == Delivery.SENT)
    return connection.execute(update(SentText).where(*waiting).values(state=int(state))).rowcount == 1


def sums(connection: Connection, since: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """Per provider, country, state and whether that is known: how many texts since a second, at what cost."""
    is_known = (SentText.provider_id != "").label("is_known")
    kinds = (SentText.provider, SentText.country, SentText.state, is_known)
    query = (
        select(*kinds, func.count().label("texts"), func.sum(SentText.cost).label("cost"))
        .where(SentText.sent_at >= since)
        .group_by(*kinds)
        .order_by(*kinds)
    )
    return connection.execute(query).all()


def purge(connection: Connection, before: int) -> int:
    """Remove texts that were sent before this second."""
    return connection.execute(delete(SentText).where(SentText.sent_at < before)).rowcount

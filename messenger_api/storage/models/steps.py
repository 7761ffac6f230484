"""The table of what became of log-ins."""

from __future__ import annotations

from sqlalchemy import BigInteger, ColumnElement, Index, Integer

from messenger_api.storage.columns import EMPTY, ID, KEY, NUMBERED, ascii_text
from messenger_api.storage.models.base import Base, column


class LoginStep(Base):
    """A step of a log-in (`domain.trace`), blind: the keyed hash of the number. Kept for a day.

    It was taken `times` from the second `at` to `last_at`.
    One whose detail is `forgotten` is none (`storage.steps`).
    """

    __tablename__ = "login_steps"
    __table_args__ = (Index(None, "contact_key"), Index(None, "last_at"), NUMBERED)

    id: ColumnElement[int] = column(ID, primary_key=True, autoincrement=True)
    contact_key: ColumnElement[bytes] = column(KEY)
    step: ColumnElement[str] = column(ascii_text(24))
    detail: ColumnElement[str] = column(ascii_text(32), server_default=EMPTY)
    times: ColumnElement[int] = column(Integer)
    at: ColumnElement[int] = column(BigInteger)
    last_at: ColumnElement[int] = column(BigInteger)

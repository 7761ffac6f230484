"""The table of limits that are raised until a time."""

from __future__ import annotations

from sqlalchemy import BigInteger, ColumnElement, Double, Text

from messenger_api.storage.columns import MYSQL, ascii_text
from messenger_api.storage.models.base import Base, column
from messenger_api.storage.models.console import ADMINISTRATOR_LENGTH

LIMIT_LENGTH = 32


class RaisedLimit(Base):
    """A limit by the name of its key, and how much is allowed until the second `ends_at`.

    `administrator`: who raised it; "" is a command on the server.
    """

    __tablename__ = "raised_limits"
    __table_args__ = (MYSQL,)

    name: ColumnElement[str] = column(ascii_text(LIMIT_LENGTH), primary_key=True)
    most: ColumnElement[float] = column(Double)
    raised_at: ColumnElement[int] = column(BigInteger)
    ends_at: ColumnElement[int] = column(BigInteger)
    administrator: ColumnElement[str] = column(ascii_text(ADMINISTRATOR_LENGTH))
    reason: ColumnElement[str] = column(Text)

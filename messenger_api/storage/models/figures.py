"""What processes count."""

from __future__ import annotations

from sqlalchemy import BigInteger, ColumnElement, Index

from messenger_api.storage.columns import MYSQL, ascii_text
from messenger_api.storage.models.base import Base, column


class FigureRow(Base):
    """How much a series of a figure (`domain.figures`) has grown, in all processes together.

    `bucket` 0: since ever; else in the time that begins in this second (`storage.figures`). `last_at`: when
    it last grew.
    """

    __tablename__ = "figures"
    __table_args__ = (Index(None, "bucket"), MYSQL)

    name: ColumnElement[str] = column(ascii_text(48), primary_key=True)
    bucket: ColumnElement[int] = column(BigInteger, primary_key=True, autoincrement=False)
    labels: ColumnElement[str] = column(ascii_text(192), primary_key=True)
    value: ColumnElement[int] = column(BigInteger)
    last_at: ColumnElement[int] = column(BigInteger)

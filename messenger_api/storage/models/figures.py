"""What processes count."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from messenger_api.storage.columns import MYSQL, ascii_text
from messenger_api.storage.models.base import Base


class FigureRow(Base):
    """How much a series of a figure (`domain.figures`) has grown, in all processes together.

    `bucket` 0: since ever; else in the time that begins in this second (`storage.figures`). `last_at`: when
    it last grew.
    """

    __tablename__ = "figures"
    __table_args__ = (Index(None, "bucket"), MYSQL)

    name: Mapped[str] = mapped_column(ascii_text(48), primary_key=True)
    bucket: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    labels: Mapped[str] = mapped_column(ascii_text(192), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[int] = mapped_column(BigInteger)

"""The types of columns, for the models and for the migrations.

Databases have been made with what stands here, and a migration must make the same today: it is added to,
never changed.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BINARY, VARBINARY, BigInteger, Integer, LargeBinary, String, Text, text
from sqlalchemy.dialects.mysql import MEDIUMTEXT

MYSQL: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_unicode_ci",
}
"""The options of every table."""

NUMBERED = {**MYSQL, "sqlite_autoincrement": True}
"""The same where ids are never given twice: whoever still holds one must not meet a stranger behind it."""

ID = BigInteger().with_variant(Integer, "sqlite")
"""A number that the database gives."""

LONG_TEXT = Text().with_variant(MEDIUMTEXT, "mysql", "mariadb")
"""Up to 16 MiB of text."""

KEY = BINARY(16)
"""A keyed hash that stands for a number (`domain.secrets`)."""

HASH = BINARY(32)
"""A SHA-256 or HMAC-SHA-256."""

SEALED_LENGTH = 1024
SEALED = VARBINARY(SEALED_LENGTH).with_variant(LargeBinary, "sqlite")
"""What is encrypted under the server's key."""

EMPTY = text("''")
ZERO = text("0")


def _collated(length: int, collation: str) -> String:
    """A text compared byte for byte on both databases; MySQL's default would ignore case and more."""
    return String(length).with_variant(String(length, collation=collation), "mysql", "mariadb")


def ascii_text(length: int) -> String:
    """A text in ASCII, compared byte for byte."""
    return _collated(length, "ascii_bin")


def exact_text(length: int) -> String:
    """A text in any script, compared byte for byte."""
    return _collated(length, "utf8mb4_bin")

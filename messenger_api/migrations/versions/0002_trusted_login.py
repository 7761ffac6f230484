"""Limits, texts with their costs, sessions that expire, blocks, reports, passwords."""

import time

import sqlalchemy as sa
from alembic import op

from messenger_api.storage.columns import EMPTY, ID, MYSQL, ZERO, ascii_text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=ZERO, nullable=False)


def small(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger(), server_default=ZERO, nullable=False)


def upgrade() -> None:
    op.add_column("users", number("seen_at"))
    op.add_column("users", small("blocked"))
    op.add_column("users", number("closed_at"))
    op.add_column("sessions", number("seen_at"))
    op.create_index(op.f("ix_sessions_seen_at"), "sessions", ["seen_at"], unique=False)
    # Whoever is logged in now has not been idle.
    now = int(time.time())
    op.execute(sa.text(f"UPDATE users SET seen_at = {now}"))
    op.execute(sa.text(f"UPDATE sessions SET seen_at = {now}"))
    # Codes live for minutes: the old ones are asked for again.
    op.drop_table("one_time_codes")
    op.create_table(
        "one_time_codes",
        sa.Column("contact_key", sa.BINARY(length=16), nullable=False),
        sa.Column("code_hash", sa.BINARY(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), server_default=EMPTY, nullable=False),
        small("sends"),
        sa.Column("providers", ascii_text(255), server_default=EMPTY, nullable=False),
        sa.Column("verification", ascii_text(255), server_default=EMPTY, nullable=False),
        small("attempts"),
        number("wait_until"),
        number("used_at"),
        sa.Column("reply_to", sa.BINARY(length=16), nullable=True),
        sa.Column("reply", sa.VARBINARY(length=1024).with_variant(sa.LargeBinary(), "sqlite"), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("contact_key", name=op.f("pk_one_time_codes")),
        **MYSQL,
    )
    op.create_index(op.f("ix_one_time_codes_expires_at"), "one_time_codes", ["expires_at"], unique=False)
    op.create_table(
        "limit_counters",
        sa.Column("name", ascii_text(96), nullable=False),
        sa.Column("slots", ascii_text(2048), server_default=EMPTY, nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_limit_counters")),
        **MYSQL,
    )
    op.create_index(op.f("ix_limit_counters_expires_at"), "limit_counters", ["expires_at"], unique=False)
    op.create_table(
        "sent_texts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("contact_key", sa.BINARY(length=16), nullable=False),
        sa.Column("provider", ascii_text(64), nullable=False),
        sa.Column("provider_id", ascii_text(128), nullable=False),
        sa.Column("channel", ascii_text(8), nullable=False),
        sa.Column("country", ascii_text(2), server_default=EMPTY, nullable=False),
        number("cost"),
        small("state"),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sent_texts")),
        **MYSQL,
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_sent_texts_contact_key"), "sent_texts", ["contact_key"], unique=False)
    op.create_index(op.f("ix_sent_texts_provider_id"), "sent_texts", ["provider_id"], unique=False)
    op.create_index(op.f("ix_sent_texts_sent_at"), "sent_texts", ["sent_at"], unique=False)
    op.create_table(
        "passwords",
        sa.Column("address", ascii_text(64), nullable=False),
        sa.Column("hash", ascii_text(255), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_passwords")),
        **MYSQL,
    )
    op.create_table(
        "blocks",
        sa.Column("owner", ID, nullable=False),
        sa.Column("contact_key", sa.BINARY(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["users.uid"], name=op.f("fk_blocks_owner"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("owner", "contact_key", name=op.f("pk_blocks")),
        **MYSQL,
    )
    op.create_table(
        "reports",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("reporter", ID, nullable=False),
        sa.Column("reported", ID, nullable=False),
        number("gid"),
        sa.Column("reason", ascii_text(32), server_default=EMPTY, nullable=False),
        sa.Column("text", sa.String(length=1000), server_default=EMPTY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["reporter"], ["users.uid"], name=op.f("fk_reports_reporter"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["reported"], ["users.uid"], name=op.f("fk_reports_reported"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        **MYSQL,
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_reports_reporter"), "reports", ["reporter"], unique=False)
    op.create_index(op.f("ix_reports_reported"), "reports", ["reported"], unique=False)


def downgrade() -> None:
    op.drop_table("reports")
    op.drop_table("blocks")
    op.drop_table("passwords")
    op.drop_table("sent_texts")
    op.drop_table("limit_counters")
    op.drop_table("one_time_codes")
    op.create_table(
        "one_time_codes",
        sa.Column("contact_key", sa.BINARY(length=16), nullable=False),
        sa.Column("code_hash", sa.BINARY(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), server_default=EMPTY, nullable=False),
        small("attempts"),
        small("used"),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("contact_key", name=op.f("pk_one_time_codes")),
        **MYSQL,
    )
    op.create_index(op.f("ix_one_time_codes_expires_at"), "one_time_codes", ["expires_at"], unique=False)
    op.drop_index(op.f("ix_sessions_seen_at"), table_name="sessions")
    op.drop_column("sessions", "seen_at")
    op.drop_column("users", "closed_at")
    op.drop_column("users", "blocked")
    op.drop_column("users", "seen_at")

"""Those who may use the console, and their sessions."""

import sqlalchemy as sa
from alembic import op

from messenger_api.storage.columns import HASH, MYSQL, SEALED, ZERO, ascii_text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "administrators",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", ascii_text(64), nullable=False),
        sa.Column("role", ascii_text(16), nullable=False),
        sa.Column("password", ascii_text(255), nullable=False),
        sa.Column("totp", SEALED, nullable=False),
        sa.Column("totp_step", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.Column("disabled", sa.SmallInteger(), server_default=ZERO, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_administrators")),
        sa.UniqueConstraint("name", name=op.f("uq_administrators_name")),
        **MYSQL,
    )
    op.create_table(
        "admin_sessions",
        sa.Column("token_hash", HASH, nullable=False),
        sa.Column("administrator", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("revealed", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.Column("revealed_until", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_admin_sessions")),
        sa.ForeignKeyConstraint(
            ["administrator"],
            ["administrators.id"],
            name=op.f("fk_admin_sessions_administrator"),
            ondelete="CASCADE",
        ),
        **MYSQL,
    )
    op.create_index(op.f("ix_admin_sessions_administrator"), "admin_sessions", ["administrator"])


def downgrade() -> None:
    op.drop_table("admin_sessions")
    op.drop_table("administrators")

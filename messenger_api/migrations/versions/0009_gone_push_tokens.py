"""What became of push tokens, for 90 days."""

import sqlalchemy as sa
from alembic import op

from messenger_api.storage.columns import ID, KEY, NUMBERED, ZERO, ascii_text

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def small(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger(), server_default=ZERO, nullable=False)


def upgrade() -> None:
    # Phones hand their tokens over again and again: those from before get their keys then.
    op.add_column("push_tokens", sa.Column("token_key", KEY, nullable=True))
    op.create_table(
        "gone_push_tokens",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("uid", ID, nullable=False),
        sa.Column("token_key", KEY, nullable=True),
        small("device_type"),
        small("production"),
        small("fcm"),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("gone_at", sa.BigInteger(), nullable=False),
        sa.Column("why", ascii_text(16), nullable=False),
        sa.ForeignKeyConstraint(
            ["uid"], ["users.uid"], name=op.f("fk_gone_push_tokens_uid"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gone_push_tokens")),
        **NUMBERED,
    )
    op.create_index(op.f("ix_gone_push_tokens_uid_gone_at"), "gone_push_tokens", ["uid", "gone_at"])
    op.create_index(op.f("ix_gone_push_tokens_gone_at"), "gone_push_tokens", ["gone_at"])


def downgrade() -> None:
    op.drop_table("gone_push_tokens")
    op.drop_column("push_tokens", "token_key")

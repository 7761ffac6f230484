"""Limits that an operator has raised until a time."""

import sqlalchemy as sa
from alembic import op

from messenger_api.storage.columns import MYSQL, ascii_text

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "raised_limits",
        sa.Column("name", ascii_text(32), nullable=False),
        sa.Column("most", sa.Double(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("administrator", ascii_text(64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_raised_limits"),
        **MYSQL,
    )


def downgrade() -> None:
    op.drop_table("raised_limits")

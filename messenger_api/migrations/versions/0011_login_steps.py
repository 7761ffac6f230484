"""What became of log-ins of the last day, blind, for an operator who asks why a code did not arrive."""

import sqlalchemy as sa
from alembic import op

from messenger_api.storage.columns import EMPTY, ID, KEY, NUMBERED, ascii_text

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "login_steps",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("contact_key", KEY, nullable=False),
        sa.Column("step", ascii_text(24), nullable=False),
        sa.Column("detail", ascii_text(32), server_default=EMPTY, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_login_steps"),
        **NUMBERED,
    )
    op.create_index("ix_login_steps_contact_key", "login_steps", ["contact_key"])
    op.create_index("ix_login_steps_last_at", "login_steps", ["last_at"])


def downgrade() -> None:
    op.drop_table("login_steps")

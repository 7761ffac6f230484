"""What mesibo was handed to wake phones with, and until when."""

import sqlalchemy as sa
from alembic import op

from messenger_api.storage.columns import EMPTY, HASH, MYSQL, ZERO, ascii_text, exact_text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "push_credentials",
        sa.Column("kind", ascii_text(8), nullable=False),
        sa.Column("app", exact_text(255), nullable=False),
        sa.Column("place", ascii_text(32), server_default=EMPTY, nullable=False),
        sa.Column("fingerprint", HASH, nullable=False),
        sa.Column("ends_at", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.Column("uploaded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "app", "place", name=op.f("pk_push_credentials")),
        **MYSQL,
    )


def downgrade() -> None:
    op.drop_table("push_credentials")

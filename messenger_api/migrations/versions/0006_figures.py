"""What processes count, added up for `/metrics`, the doctor and plots."""

import sqlalchemy as sa
from alembic import op

from messenger_api.storage.columns import MYSQL, ascii_text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "figures",
        sa.Column("name", ascii_text(48), nullable=False),
        sa.Column("bucket", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("labels", ascii_text(192), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "bucket", "labels", name="pk_figures"),
        **MYSQL,
    )
    op.create_index("ix_figures_bucket", "figures", ["bucket"])


def downgrade() -> None:
    op.drop_table("figures")

"""What operators did, each row bound to the one before it; and reports that were acted on."""

import sqlalchemy as sa
from alembic import op

from messenger_api.storage.columns import HASH, KEY, MYSQL, ZERO, ascii_text

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", KEY, nullable=True),
        sa.Column("subject", KEY, nullable=True),
        sa.Column("event", ascii_text(32), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("chain", HASH, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        **MYSQL,
    )
    op.create_index(op.f("ix_audit_subject_id"), "audit", ["subject", "id"])
    op.add_column("reports", sa.Column("closed_at", sa.BigInteger(), server_default=ZERO, nullable=False))
    op.create_index(op.f("ix_reports_closed_at_id"), "reports", ["closed_at", "id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_reports_closed_at_id"), table_name="reports")
    op.drop_column("reports", "closed_at")
    op.drop_table("audit")
    op.execute(sa.text("DELETE FROM facts WHERE name IN ('audit', 'audit_key')"))

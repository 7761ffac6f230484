"""What mends codes, phone books, groups and starts."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_unicode_ci",
}


def ascii_text(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="ascii_bin"), "mysql", "mariadb")


def upgrade() -> None:
    op.add_column(
        "one_time_codes",
        sa.Column("earlier", ascii_text(255), server_default=sa.text("''"), nullable=False),
    )
    op.create_table(
        "former_contacts",
        sa.Column("owner", ID, nullable=False),
        sa.Column("contact_key", sa.BINARY(length=16), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner"], ["users.uid"], name=op.f("fk_former_contacts_owner"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner", "contact_key", name=op.f("pk_former_contacts")),
        **OPTIONS,
    )
    op.create_index(op.f("ix_former_contacts_expires_at"), "former_contacts", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_column("one_time_codes", "earlier")
    op.drop_table("former_contacts")

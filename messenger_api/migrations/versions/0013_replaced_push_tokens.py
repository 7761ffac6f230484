"""What push tokens replaced, in their own rows until it is moved to the table of those that are gone."""

import sqlalchemy as sa
from alembic import op

from messenger_api.storage.columns import EMPTY, ascii_text

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "push_tokens", sa.Column("replaced", ascii_text(2048), server_default=EMPTY, nullable=False)
    )
    op.create_index(
        op.f("ix_push_tokens_replaced"),
        "push_tokens",
        ["replaced"],
        mysql_length=1,
        mariadb_length=1,
        sqlite_where=sa.text("replaced > ''"),
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_push_tokens_replaced"), table_name="push_tokens")
    op.drop_column("push_tokens", "replaced")

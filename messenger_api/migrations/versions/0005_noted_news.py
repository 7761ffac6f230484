"""What tells a sync that nothing is new: the newest change of anybody in a phone book, beside its owner."""

import sqlalchemy as sa
from alembic import op

from messenger_api.storage.columns import ZERO

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Workers note from the first change on; until they are through, syncs walk what lies behind.
    op.add_column("users", sa.Column("news_at", sa.BigInteger(), server_default=ZERO, nullable=False))


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM facts WHERE name = 'news'"))
    op.drop_column("users", "news_at")

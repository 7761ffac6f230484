"""What syncs read: the accounts that changed by their time, and the members of a group as one text."""

import sqlalchemy as sa
from alembic import op

from messenger_api.storage.columns import LONG_TEXT

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


# `domain.members.Roster.wire`: the number of admins, then everybody in order.
MYSQL_ROSTER = """
    SELECT concat(sum(m.role >= 1), ':', group_concat(u.address ORDER BY m.role DESC, m.position, m.uid))
    FROM group_members m JOIN users u ON u.uid = m.uid WHERE m.gid = chat_groups.gid"""
SQLITE_ROSTER = """
    SELECT sum(role >= 1) || ':' || group_concat(address) FROM (
        SELECT m.role, u.address FROM group_members m JOIN users u ON u.uid = m.uid
        WHERE m.gid = chat_groups.gid ORDER BY m.role DESC, m.position, m.uid)"""


def upgrade() -> None:
    op.create_index(op.f("ix_users_changed_at"), "users", ["changed_at"], unique=False)
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.add_column("chat_groups", sa.Column("roster", LONG_TEXT, nullable=True))
    if not sqlite:
        # Longer texts would be cut without a word. 5,000 members of 65 bytes each are less.
        op.execute(sa.text("SET SESSION group_concat_max_len = 1048576"))
    roster = SQLITE_ROSTER if sqlite else MYSQL_ROSTER
    op.execute(sa.text(f"UPDATE chat_groups SET roster = ({roster})".replace("':'", "'\\:'")))


def downgrade() -> None:
    op.drop_column("chat_groups", "roster")
    op.drop_index(op.f("ix_users_changed_at"), table_name="users")

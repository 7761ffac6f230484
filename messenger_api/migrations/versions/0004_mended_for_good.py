"""What mends codes, phone books, groups and starts."""


import sqlalchemy as sa
from alembic import op

from messenger_api.storage.columns import ID, LONG_TEXT, MYSQL, ZERO, ascii_text, exact_text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


# The members of every group as one text, with the version that it was made for: a server of an older version
# may change a group at this moment, and then the text does not count.
MYSQL_ROSTERS = """
    UPDATE chat_groups JOIN (
        SELECT g.gid, g.version, concat(sum(m.role >= 1), '\\:',
            group_concat(u.address ORDER BY m.role DESC, m.position, m.uid)) AS roster
        FROM chat_groups g JOIN group_members m ON m.gid = g.gid JOIN users u ON u.uid = m.uid
        GROUP BY g.gid, g.version) made
    ON made.gid = chat_groups.gid AND made.version = chat_groups.version
    SET chat_groups.roster = made.roster, chat_groups.roster_version = made.version"""
SQLITE_ROSTERS = """
    UPDATE chat_groups SET roster_version = version, roster = (
        SELECT sum(role >= 1) || '\\:' || group_concat(address) FROM (
            SELECT m.role, u.address FROM group_members m JOIN users u ON u.uid = m.uid
            WHERE m.gid = chat_groups.gid ORDER BY m.role DESC, m.position, m.uid))"""


def upgrade() -> None:
    op.create_table(
        "facts",
        sa.Column("name", ascii_text(32), nullable=False),
        sa.Column("value", ascii_text(255), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_facts")),
        **MYSQL,
    )
    op.add_column(
        "chat_groups", sa.Column("roster_version", sa.Integer(), server_default=sa.text("'-1'"), nullable=False)
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    if not sqlite:
        op.execute(sa.text("SET SESSION group_concat_max_len = 8388608"))
    op.execute(sa.text(SQLITE_ROSTERS if sqlite else MYSQL_ROSTERS))
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
        **MYSQL,
    )
    op.create_index(op.f("ix_former_contacts_expires_at"), "former_contacts", ["expires_at"], unique=False)
    op.create_table(
        "new_groups",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", exact_text(128), nullable=False),
        sa.Column("members", LONG_TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_new_groups")),
        **MYSQL,
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_new_groups_created_at"), "new_groups", ["created_at"], unique=False)
    op.add_column("chat_groups", sa.Column("life_told", sa.SmallInteger(), server_default=ZERO, nullable=False))


def downgrade() -> None:
    op.drop_column("chat_groups", "life_told")
    op.drop_table("new_groups")
    op.drop_column("chat_groups", "roster_version")
    op.drop_table("facts")
    op.drop_column("one_time_codes", "earlier")
    op.drop_table("former_contacts")

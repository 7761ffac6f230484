"""The first tables."""


import sqlalchemy as sa
from alembic import op

from messenger_api.storage.columns import ID, LONG_TEXT, MYSQL, ascii_text, exact_text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chat_groups",
        sa.Column("gid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=128), server_default=sa.text("''"), nullable=False),
        sa.Column("photo", ascii_text(64), server_default=sa.text("''"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("gid", name=op.f("pk_chat_groups")),
        **MYSQL,
    )
    op.create_table(
        "one_time_codes",
        sa.Column("contact_key", sa.BINARY(length=16), nullable=False),
        sa.Column("code_hash", sa.BINARY(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), server_default=sa.text("''"), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("used", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("contact_key", name=op.f("pk_one_time_codes")),
        **MYSQL,
    )
    op.create_index(op.f("ix_one_time_codes_expires_at"), "one_time_codes", ["expires_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("lane", ascii_text(64), nullable=False),
        sa.Column("kind", ascii_text(24), nullable=False),
        sa.Column("payload", LONG_TEXT, nullable=False),
        sa.Column("state", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("claim", ascii_text(32), server_default=sa.text("''"), nullable=False),
        sa.Column("claimed_until", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_error", sa.String(length=255), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        **MYSQL,
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_outbox_lane_id"), "outbox", ["lane", "id"], unique=False)
    op.create_index(op.f("ix_outbox_state_due_at"), "outbox", ["state", "due_at"], unique=False)
    op.create_table(
        "thumbnails",
        sa.Column("photo", ascii_text(64), nullable=False),
        sa.Column("tn", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("photo", name=op.f("pk_thumbnails")),
        **MYSQL,
    )
    op.create_table(
        "users",
        sa.Column("uid", ID, autoincrement=True, nullable=False),
        sa.Column("address", ascii_text(64), nullable=False),
        sa.Column("contact_key", sa.BINARY(length=16), nullable=False),
        sa.Column("mesibo_uid", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("name", sa.String(length=128), server_default=sa.text("''"), nullable=False),
        sa.Column("status", sa.String(length=255), server_default=sa.text("''"), nullable=False),
        sa.Column("photo", ascii_text(64), server_default=sa.text("''"), nullable=False),
        sa.Column("country", ascii_text(2), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_users")),
        sa.UniqueConstraint("address", name=op.f("uq_users_address")),
        sa.UniqueConstraint("contact_key", name=op.f("uq_users_contact_key")),
        **MYSQL,
        sqlite_autoincrement=True,
    )
    op.create_table(
        "contacts",
        sa.Column("owner", ID, nullable=False),
        sa.Column("contact_key", sa.BINARY(length=16), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["users.uid"], name=op.f("fk_contacts_owner"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("owner", "contact_key", name=op.f("pk_contacts")),
        **MYSQL,
    )
    op.create_index(op.f("ix_contacts_contact_key"), "contacts", ["contact_key"], unique=False)
    op.create_table(
        "group_members",
        sa.Column("gid", sa.BigInteger(), nullable=False),
        sa.Column("uid", ID, nullable=False),
        sa.Column("role", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("position", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["gid"], ["chat_groups.gid"], name=op.f("fk_group_members_gid"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["uid"], ["users.uid"], name=op.f("fk_group_members_uid"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("gid", "uid", name=op.f("pk_group_members")),
        **MYSQL,
    )
    op.create_index(op.f("ix_group_members_uid"), "group_members", ["uid"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("sid", ID, autoincrement=True, nullable=False),
        sa.Column("uid", ID, nullable=False),
        sa.Column("token_hash", sa.BINARY(length=32), nullable=False),
        sa.Column("appid", exact_text(128), nullable=False),
        sa.Column("device", exact_text(128), server_default=sa.text("''"), nullable=False),
        sa.Column("device_type", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("synced_to", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["uid"], ["users.uid"], name=op.f("fk_sessions_uid"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sessions_token_hash")),
        **MYSQL,
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_sessions_uid_appid"), "sessions", ["uid", "appid"], unique=False)
    op.create_table(
        "push_tokens",
        sa.Column("sid", ID, nullable=False),
        sa.Column("token_hash", sa.BINARY(length=32), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("device_type", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("production", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("fcm", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sid"], ["sessions.sid"], name=op.f("fk_push_tokens_sid"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_push_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_push_tokens_token_hash")),
        **MYSQL,
    )


def downgrade() -> None:
    op.drop_table("push_tokens")
    op.drop_table("sessions")
    op.drop_table("group_members")
    op.drop_table("contacts")
    op.drop_table("users")
    op.drop_table("thumbnails")
    op.drop_table("outbox")
    op.drop_table("one_time_codes")
    op.drop_table("chat_groups")

-- The tables of messenger-api for MySQL and MariaDB, at revision 0001.
--
-- Into an empty database:  mysql -h HOST -u USER -p DATABASE < schema/mysql-schema.sql
-- The same is done by:     messenger-api db upgrade
--
-- Written by scripts/make-schema from messenger_api/storage/models.py. Times are unix seconds.

SET NAMES utf8mb4;

-- A group, under the id that mesibo gave it. `version` moves with every change: an optimistic lock.
CREATE TABLE chat_groups (
    gid BIGINT NOT NULL,
    name VARCHAR(128) NOT NULL DEFAULT '',
    photo VARCHAR(64) COLLATE ascii_bin NOT NULL DEFAULT '',
    version INTEGER NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    CONSTRAINT pk_chat_groups PRIMARY KEY (gid)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;

-- The live code of a number, as a keyed hash. One row a number: a new code replaces the old one.
CREATE TABLE one_time_codes (
    contact_key BINARY(16) NOT NULL,
    code_hash BINARY(32) NOT NULL,
    name VARCHAR(128) NOT NULL DEFAULT '',
    attempts SMALLINT NOT NULL DEFAULT 0,
    used SMALLINT NOT NULL DEFAULT 0,
    sent_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT pk_one_time_codes PRIMARY KEY (contact_key)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE INDEX ix_one_time_codes_expires_at ON one_time_codes (expires_at);

-- Work that must follow a commit. Items of one lane are done in the order of their ids.
CREATE TABLE outbox (
    id BIGINT NOT NULL AUTO_INCREMENT,
    lane VARCHAR(64) COLLATE ascii_bin NOT NULL,
    kind VARCHAR(24) COLLATE ascii_bin NOT NULL,
    payload MEDIUMTEXT NOT NULL,
    state SMALLINT NOT NULL DEFAULT 0,
    attempts SMALLINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    claim VARCHAR(32) COLLATE ascii_bin NOT NULL DEFAULT '',
    claimed_until BIGINT NOT NULL DEFAULT 0,
    last_error VARCHAR(255) NOT NULL DEFAULT '',
    CONSTRAINT pk_outbox PRIMARY KEY (id)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE INDEX ix_outbox_lane_id ON outbox (lane, id);
CREATE INDEX ix_outbox_state_due_at ON outbox (state, due_at);

-- The base64 JPEG that answers carry as `tn`, by the name of its photo.
CREATE TABLE thumbnails (
    photo VARCHAR(64) COLLATE ascii_bin NOT NULL,
    tn TEXT NOT NULL,
    CONSTRAINT pk_thumbnails PRIMARY KEY (photo)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;

-- An account. Times are unix seconds; `changed_at` moves whenever a contact would see a difference.
CREATE TABLE users (
    uid BIGINT NOT NULL AUTO_INCREMENT,
    address VARCHAR(64) COLLATE ascii_bin NOT NULL,
    contact_key BINARY(16) NOT NULL,
    mesibo_uid BIGINT NOT NULL DEFAULT 0,
    name VARCHAR(128) NOT NULL DEFAULT '',
    status VARCHAR(255) NOT NULL DEFAULT '',
    photo VARCHAR(64) COLLATE ascii_bin NOT NULL DEFAULT '',
    country VARCHAR(2) COLLATE ascii_bin NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (uid),
    CONSTRAINT uq_users_address UNIQUE (address),
    CONSTRAINT uq_users_contact_key UNIQUE (contact_key)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;

-- One entry of a phone book, blind: the keyed hash of the number (see `domain.secrets`).
CREATE TABLE contacts (
    owner BIGINT NOT NULL,
    contact_key BINARY(16) NOT NULL,
    CONSTRAINT pk_contacts PRIMARY KEY (owner, contact_key),
    CONSTRAINT fk_contacts_owner FOREIGN KEY(owner) REFERENCES users (uid) ON DELETE CASCADE
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE INDEX ix_contacts_contact_key ON contacts (contact_key);

-- Who is in which group; `role` is 0 member, 1 admin, 2 owner; `position` is the order of joining.
CREATE TABLE group_members (
    gid BIGINT NOT NULL,
    uid BIGINT NOT NULL,
    `role` SMALLINT NOT NULL DEFAULT 0,
    position BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT pk_group_members PRIMARY KEY (gid, uid),
    CONSTRAINT fk_group_members_gid FOREIGN KEY(gid) REFERENCES chat_groups (gid) ON DELETE CASCADE,
    CONSTRAINT fk_group_members_uid FOREIGN KEY(uid) REFERENCES users (uid) ON DELETE CASCADE
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE INDEX ix_group_members_uid ON group_members (uid);

-- A logged-in app. The token itself is never stored. `synced_to`: every change up to this second
-- has been told to the app.
CREATE TABLE sessions (
    sid BIGINT NOT NULL AUTO_INCREMENT,
    uid BIGINT NOT NULL,
    token_hash BINARY(32) NOT NULL,
    appid VARCHAR(128) COLLATE utf8mb4_bin NOT NULL,
    device VARCHAR(128) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
    device_type SMALLINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    synced_to BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT pk_sessions PRIMARY KEY (sid),
    CONSTRAINT fk_sessions_uid FOREIGN KEY(uid) REFERENCES users (uid) ON DELETE CASCADE,
    CONSTRAINT uq_sessions_token_hash UNIQUE (token_hash)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE INDEX ix_sessions_uid_appid ON sessions (uid, appid);

-- Where to wake the app of a session: FCM, APNs or PushKit.
CREATE TABLE push_tokens (
    sid BIGINT NOT NULL,
    token_hash BINARY(32) NOT NULL,
    token TEXT NOT NULL,
    device_type SMALLINT NOT NULL DEFAULT 0,
    production SMALLINT NOT NULL DEFAULT 0,
    fcm SMALLINT NOT NULL DEFAULT 0,
    changed_at BIGINT NOT NULL,
    CONSTRAINT pk_push_tokens PRIMARY KEY (sid),
    CONSTRAINT fk_push_tokens_sid FOREIGN KEY(sid) REFERENCES sessions (sid) ON DELETE CASCADE,
    CONSTRAINT uq_push_tokens_token_hash UNIQUE (token_hash)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;

-- Which revision these tables have. Upgrades begin here: messenger-api db upgrade
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

INSERT INTO alembic_version (version_num) VALUES ('0001');

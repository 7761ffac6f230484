-- The tables of messenger-api for MySQL and MariaDB, at revision 0013.
--
-- Into an empty database:  mysql -h HOST -u USER -p DATABASE < schema/mysql-schema.sql
-- The same is done by:     messenger-api db upgrade
--
-- Written by scripts/make-schema from messenger_api/storage/models/. Times are unix seconds.

SET NAMES utf8mb4;

-- Into an empty database alone: where there is any table, this fails and nothing is made.
SET @there = (SELECT MIN(table_name) FROM information_schema.tables WHERE table_schema = DATABASE());
SET @look = IF(@there IS NULL, 'DO 0', 'SELECT 1 FROM `Not empty. Use an empty database. Nothing was changed`');
PREPARE look FROM @look;
EXECUTE look;
DEALLOCATE PREPARE look;

-- Somebody who may use the console. `totp`: the secret of their codes, sealed; `totp_step`: the
-- last step of time whose code was used. They are disabled and never removed: the audit names them.
CREATE TABLE administrators (
    id INTEGER NOT NULL AUTO_INCREMENT,
    name VARCHAR(64) COLLATE ascii_bin NOT NULL,
    `role` VARCHAR(16) COLLATE ascii_bin NOT NULL,
    password VARCHAR(255) COLLATE ascii_bin NOT NULL,
    totp VARBINARY(1024) NOT NULL,
    totp_step BIGINT NOT NULL DEFAULT 0,
    disabled SMALLINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT pk_administrators PRIMARY KEY (id),
    CONSTRAINT uq_administrators_name UNIQUE (name)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;

-- Something that was done: by whom and about whom as keyed hashes, each row bound to the one before
-- it. Ids are without a gap, from 1. `actor` is NULL for a command on the server, `subject` where
-- it is about nobody. `fields`: the event as JSON. `chain`: see `domain.audit`.
CREATE TABLE audit (
    id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor BINARY(16),
    subject BINARY(16),
    event VARCHAR(32) COLLATE ascii_bin NOT NULL,
    fields TEXT NOT NULL,
    chain BINARY(32) NOT NULL,
    CONSTRAINT pk_audit PRIMARY KEY (id)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE INDEX ix_audit_subject_id ON audit (subject, id);

-- A group, under the id that mesibo gave it. `version` moves with every change: an optimistic lock.
-- `roster`: its members as apps are told (`domain.members`), so that a sync need not gather them.
-- It counts only while `roster_version` is the `version`: older programs change groups and do not
-- write it. `life_told`: mesibo knows how long the group shall live.
CREATE TABLE chat_groups (
    gid BIGINT NOT NULL,
    name VARCHAR(128) NOT NULL DEFAULT '',
    photo VARCHAR(64) COLLATE ascii_bin NOT NULL DEFAULT '',
    version INTEGER NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    roster MEDIUMTEXT,
    roster_version INTEGER NOT NULL DEFAULT '-1',
    life_told SMALLINT NOT NULL DEFAULT 0,
    CONSTRAINT pk_chat_groups PRIMARY KEY (gid)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;

-- What the installation remembers of itself: its key's fingerprint, when its outbox was looked
-- after.
CREATE TABLE facts (
    name VARCHAR(32) COLLATE ascii_bin NOT NULL,
    value VARCHAR(255) COLLATE ascii_bin NOT NULL DEFAULT '',
    CONSTRAINT pk_facts PRIMARY KEY (name)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;

-- How much a series of a figure (`domain.figures`) has grown, in all processes together. `bucket`
-- 0: since ever; else in the time that begins in this second (`storage.figures`). `last_at`: when
-- it last grew.
CREATE TABLE figures (
    name VARCHAR(48) COLLATE ascii_bin NOT NULL,
    bucket BIGINT NOT NULL,
    labels VARCHAR(192) COLLATE ascii_bin NOT NULL,
    value BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    CONSTRAINT pk_figures PRIMARY KEY (name, bucket, labels)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE INDEX ix_figures_bucket ON figures (bucket);

-- How often something happened of late: a limit and whom it counts, hashed where that is a person.
-- `slots` holds the counts of short spans of time, so that counting reads one row, whatever the
-- number.
CREATE TABLE limit_counters (
    name VARCHAR(96) COLLATE ascii_bin NOT NULL,
    slots VARCHAR(2048) COLLATE ascii_bin NOT NULL DEFAULT '',
    expires_at BIGINT NOT NULL,
    CONSTRAINT pk_limit_counters PRIMARY KEY (name)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE INDEX ix_limit_counters_expires_at ON limit_counters (expires_at);

-- A step of a log-in (`domain.trace`), blind: the keyed hash of the number. Kept for a day. It was
-- taken `times` from the second `at` to `last_at`. One whose detail is `forgotten` is none
-- (`storage.steps`).
CREATE TABLE login_steps (
    id BIGINT NOT NULL AUTO_INCREMENT,
    contact_key BINARY(16) NOT NULL,
    step VARCHAR(24) COLLATE ascii_bin NOT NULL,
    detail VARCHAR(32) COLLATE ascii_bin NOT NULL DEFAULT '',
    times INTEGER NOT NULL,
    at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    CONSTRAINT pk_login_steps PRIMARY KEY (id)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE INDEX ix_login_steps_contact_key ON login_steps (contact_key);
CREATE INDEX ix_login_steps_last_at ON login_steps (last_at);

-- A group that mesibo is being asked to make: noted before, gone with the commit that writes the
-- group. One that stays may mean a group at mesibo that nobody here knows. `members`: the addresses
-- that mesibo was told, as JSON. `asked_at`: the last second in which mesibo could not say whether
-- there is such a group.
CREATE TABLE new_groups (
    id BIGINT NOT NULL AUTO_INCREMENT,
    name VARCHAR(128) COLLATE utf8mb4_bin NOT NULL,
    members MEDIUMTEXT NOT NULL,
    created_at BIGINT NOT NULL,
    asked_at BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT pk_new_groups PRIMARY KEY (id)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE INDEX ix_new_groups_created_at ON new_groups (created_at);

-- The code last made for an address, as a keyed hash: one row an address. `earlier`: those before
-- it that are good as well, with their seconds of expiry (`storage.codes`). `sends` and
-- `providers`: how often, and by whom, a code was sent since the last login. `attempts`: wrong
-- tries; the next one may come at `wait_until`. `verification`: the provider who made the code
-- itself, and its id. `reply`: the token that the code brought, sealed, for the device `reply_to`
-- whose answer got lost.
CREATE TABLE one_time_codes (
    contact_key BINARY(16) NOT NULL,
    code_hash BINARY(32) NOT NULL,
    name VARCHAR(128) NOT NULL DEFAULT '',
    sends SMALLINT NOT NULL DEFAULT 0,
    providers VARCHAR(255) COLLATE ascii_bin NOT NULL DEFAULT '',
    verification VARCHAR(255) COLLATE ascii_bin NOT NULL DEFAULT '',
    attempts SMALLINT NOT NULL DEFAULT 0,
    wait_until BIGINT NOT NULL DEFAULT 0,
    used_at BIGINT NOT NULL DEFAULT 0,
    reply_to BINARY(16),
    reply VARBINARY(1024),
    sent_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    earlier VARCHAR(255) COLLATE ascii_bin NOT NULL DEFAULT '',
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

-- The argon2 hash of a password, for LOGIN_METHOD "password".
CREATE TABLE passwords (
    address VARCHAR(64) COLLATE ascii_bin NOT NULL,
    hash VARCHAR(255) COLLATE ascii_bin NOT NULL,
    changed_at BIGINT NOT NULL,
    CONSTRAINT pk_passwords PRIMARY KEY (address)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;

-- A credential for push that mesibo was handed: what it says of itself, and nothing that is secret.
-- `kind`: fcm or apn. `app`: Firebase's project or Apple's bundle id. `place`: sandbox, production
-- or both. `ends_at`: 0 for one without an end.
CREATE TABLE push_credentials (
    kind VARCHAR(8) COLLATE ascii_bin NOT NULL,
    app VARCHAR(255) COLLATE utf8mb4_bin NOT NULL,
    place VARCHAR(32) COLLATE ascii_bin NOT NULL DEFAULT '',
    fingerprint BINARY(32) NOT NULL,
    ends_at BIGINT NOT NULL DEFAULT 0,
    uploaded_at BIGINT NOT NULL,
    CONSTRAINT pk_push_credentials PRIMARY KEY (kind, app, place)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;

-- A limit by the name of its key, and how much is allowed until the second `ends_at`.
-- `administrator`: who raised it; "" is a command on the server.
CREATE TABLE raised_limits (
    name VARCHAR(32) COLLATE ascii_bin NOT NULL,
    most DOUBLE NOT NULL,
    raised_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    administrator VARCHAR(64) COLLATE ascii_bin NOT NULL,
    reason TEXT NOT NULL,
    CONSTRAINT pk_raised_limits PRIMARY KEY (name)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;

-- A text message or call that somebody pays for. `cost` in millionths of the budget's currency.
-- `state`: 0 handed over, 1 delivered, 2 failed; `provider_id` for its delivery receipt, "" where
-- the provider did not say that it took the text, and may have.
CREATE TABLE sent_texts (
    id BIGINT NOT NULL AUTO_INCREMENT,
    contact_key BINARY(16) NOT NULL,
    provider VARCHAR(64) COLLATE ascii_bin NOT NULL,
    provider_id VARCHAR(128) COLLATE ascii_bin NOT NULL,
    channel VARCHAR(8) COLLATE ascii_bin NOT NULL,
    country VARCHAR(2) COLLATE ascii_bin NOT NULL DEFAULT '',
    cost BIGINT NOT NULL DEFAULT 0,
    state SMALLINT NOT NULL DEFAULT 0,
    sent_at BIGINT NOT NULL,
    CONSTRAINT pk_sent_texts PRIMARY KEY (id)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE INDEX ix_sent_texts_contact_key ON sent_texts (contact_key);
CREATE INDEX ix_sent_texts_provider_id ON sent_texts (provider_id);
CREATE INDEX ix_sent_texts_sent_at ON sent_texts (sent_at);

-- The base64 JPEG that answers carry as `tn`, by the name of its photo.
CREATE TABLE thumbnails (
    photo VARCHAR(64) COLLATE ascii_bin NOT NULL,
    tn TEXT NOT NULL,
    CONSTRAINT pk_thumbnails PRIMARY KEY (photo)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;

-- An account. Times are unix seconds; `changed_at` moves whenever a contact would see a difference.
-- `seen_at`: when it was last used, to the day. `news_at`: the newest change of anybody in its
-- phone book (`storage.news`). `blocked`: the operator keeps it out. `closed_at`: its owner deleted
-- it; the row goes as soon as its groups are handed over.
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
    seen_at BIGINT NOT NULL DEFAULT 0,
    blocked SMALLINT NOT NULL DEFAULT 0,
    closed_at BIGINT NOT NULL DEFAULT 0,
    news_at BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT pk_users PRIMARY KEY (uid),
    CONSTRAINT uq_users_address UNIQUE (address),
    CONSTRAINT uq_users_contact_key UNIQUE (contact_key)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE INDEX ix_users_changed_at ON users (changed_at);

-- An administrator who is logged in; the token is never stored. `revealed`: whose number is shown.
CREATE TABLE admin_sessions (
    token_hash BINARY(32) NOT NULL,
    administrator INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    revealed BIGINT NOT NULL DEFAULT 0,
    revealed_until BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT pk_admin_sessions PRIMARY KEY (token_hash),
    CONSTRAINT fk_admin_sessions_administrator FOREIGN KEY(administrator) REFERENCES administrators (id) ON DELETE CASCADE
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE INDEX ix_admin_sessions_administrator ON admin_sessions (administrator);

-- Whom a user does not want to hear of or be found by; blind, as the phone book is.
CREATE TABLE blocks (
    owner BIGINT NOT NULL,
    contact_key BINARY(16) NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT pk_blocks PRIMARY KEY (owner, contact_key),
    CONSTRAINT fk_blocks_owner FOREIGN KEY(owner) REFERENCES users (uid) ON DELETE CASCADE
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;

-- One entry of a phone book, blind: the keyed hash of the number (see `domain.secrets`).
CREATE TABLE contacts (
    owner BIGINT NOT NULL,
    contact_key BINARY(16) NOT NULL,
    CONSTRAINT pk_contacts PRIMARY KEY (owner, contact_key),
    CONSTRAINT fk_contacts_owner FOREIGN KEY(owner) REFERENCES users (uid) ON DELETE CASCADE
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE INDEX ix_contacts_contact_key ON contacts (contact_key);

-- A number that was taken out of a phone book, blind; no new one for its owner until `expires_at`.
CREATE TABLE former_contacts (
    owner BIGINT NOT NULL,
    contact_key BINARY(16) NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT pk_former_contacts PRIMARY KEY (owner, contact_key),
    CONSTRAINT fk_former_contacts_owner FOREIGN KEY(owner) REFERENCES users (uid) ON DELETE CASCADE
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE INDEX ix_former_contacts_expires_at ON former_contacts (expires_at);

-- A push token that went, for 90 days: its keyed hash, when, and why (`storage.gone_push_tokens`).
CREATE TABLE gone_push_tokens (
    id BIGINT NOT NULL AUTO_INCREMENT,
    uid BIGINT NOT NULL,
    token_key BINARY(16),
    device_type SMALLINT NOT NULL DEFAULT 0,
    production SMALLINT NOT NULL DEFAULT 0,
    fcm SMALLINT NOT NULL DEFAULT 0,
    registered_at BIGINT NOT NULL,
    gone_at BIGINT NOT NULL,
    why VARCHAR(16) COLLATE ascii_bin NOT NULL,
    CONSTRAINT pk_gone_push_tokens PRIMARY KEY (id),
    CONSTRAINT fk_gone_push_tokens_uid FOREIGN KEY(uid) REFERENCES users (uid) ON DELETE CASCADE
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE INDEX ix_gone_push_tokens_gone_at ON gone_push_tokens (gone_at);
CREATE INDEX ix_gone_push_tokens_uid_gone_at ON gone_push_tokens (uid, gone_at);

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

-- A user's complaint about another, for the operator to read. It goes with either of the two.
-- `closed_at`: when an operator acted on it, or dismissed it; 0 while it is open.
CREATE TABLE reports (
    id BIGINT NOT NULL AUTO_INCREMENT,
    reporter BIGINT NOT NULL,
    reported BIGINT NOT NULL,
    gid BIGINT NOT NULL DEFAULT 0,
    reason VARCHAR(32) COLLATE ascii_bin NOT NULL DEFAULT '',
    text VARCHAR(1000) NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    closed_at BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT pk_reports PRIMARY KEY (id),
    CONSTRAINT fk_reports_reporter FOREIGN KEY(reporter) REFERENCES users (uid) ON DELETE CASCADE,
    CONSTRAINT fk_reports_reported FOREIGN KEY(reported) REFERENCES users (uid) ON DELETE CASCADE
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE INDEX ix_reports_closed_at_id ON reports (closed_at, id);
CREATE INDEX ix_reports_reported ON reports (reported);
CREATE INDEX ix_reports_reporter ON reports (reporter);

-- A logged-in app. The token itself is never stored. `synced_to`: every change up to this second
-- has been told to the app; with 0 and less it is told of all. `seen_at`: when the app last called,
-- to the day.
CREATE TABLE sessions (
    sid BIGINT NOT NULL AUTO_INCREMENT,
    uid BIGINT NOT NULL,
    token_hash BINARY(32) NOT NULL,
    appid VARCHAR(128) COLLATE utf8mb4_bin NOT NULL,
    device VARCHAR(128) COLLATE utf8mb4_bin NOT NULL DEFAULT '',
    device_type SMALLINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    synced_to BIGINT NOT NULL DEFAULT 0,
    seen_at BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT pk_sessions PRIMARY KEY (sid),
    CONSTRAINT fk_sessions_uid FOREIGN KEY(uid) REFERENCES users (uid) ON DELETE CASCADE,
    CONSTRAINT uq_sessions_token_hash UNIQUE (token_hash)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE INDEX ix_sessions_seen_at ON sessions (seen_at);
CREATE INDEX ix_sessions_uid_appid ON sessions (uid, appid);

-- Where to wake the app of a session: FCM, APNs or PushKit. `changed_at`: when the phone last
-- handed it over, to the day. `token_key`: the keyed hash under which it is remembered when it has
-- gone; NULL for one that an older program stored. `replaced`: about tokens that this one replaced
-- (`storage.gone_push_tokens`), a line each: key, three numbers of its kind, when it was
-- registered, when it went.
CREATE TABLE push_tokens (
    sid BIGINT NOT NULL,
    token_hash BINARY(32) NOT NULL,
    token TEXT NOT NULL,
    device_type SMALLINT NOT NULL DEFAULT 0,
    production SMALLINT NOT NULL DEFAULT 0,
    fcm SMALLINT NOT NULL DEFAULT 0,
    changed_at BIGINT NOT NULL,
    token_key BINARY(16),
    replaced VARCHAR(2048) COLLATE ascii_bin NOT NULL DEFAULT '',
    CONSTRAINT pk_push_tokens PRIMARY KEY (sid),
    CONSTRAINT fk_push_tokens_sid FOREIGN KEY(sid) REFERENCES sessions (sid) ON DELETE CASCADE,
    CONSTRAINT uq_push_tokens_token_hash UNIQUE (token_hash)
) ENGINE=InnoDB CHARSET=utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE INDEX ix_push_tokens_replaced ON push_tokens (replaced(1));

-- Which revision these tables have. Upgrades begin here: messenger-api db upgrade
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

INSERT INTO alembic_version (version_num) VALUES ('0013');

"""The tables of the sandbox's SQLite file."""

from __future__ import annotations

import sqlite3
import time

# Raise it with every change below: an older file is emptied, for nothing in it is worth a migration.
VERSION = 6

# AUTOINCREMENT never gives a number twice, not even after a deletion; `sqlite_sequence` sets the
# start of each count. Different starts keep a uid from passing for a gid or a mid in a test.
_TABLES = """
CREATE TABLE users (
    uid INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT NOT NULL UNIQUE, name TEXT NOT NULL DEFAULT '',
    active INTEGER NOT NULL DEFAULT 1, flag INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL,
    groups INTEGER, session INTEGER NOT NULL DEFAULT 0, restrictions INTEGER NOT NULL DEFAULT 0,
    pinned INTEGER NOT NULL DEFAULT 0, storage INTEGER NOT NULL DEFAULT 0, ssr INTEGER NOT NULL DEFAULT 0,
    online INTEGER NOT NULL DEFAULT 0, listening INTEGER NOT NULL DEFAULT 0);
CREATE TABLE tokens (
    token TEXT NOT NULL PRIMARY KEY, address TEXT NOT NULL, appid TEXT NOT NULL, created INTEGER NOT NULL,
    ends INTEGER NOT NULL DEFAULT 0);
CREATE INDEX tokens_by_user ON tokens (address, appid);
CREATE TABLE otps (
    address TEXT NOT NULL PRIMARY KEY, code TEXT NOT NULL, tries INTEGER NOT NULL, reuse INTEGER NOT NULL,
    ends INTEGER NOT NULL);
CREATE TABLE groups (
    gid INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL DEFAULT '', flag INTEGER NOT NULL DEFAULT 0,
    active INTEGER NOT NULL DEFAULT 1, created INTEGER NOT NULL, expiry INTEGER NOT NULL,
    expiryext INTEGER NOT NULL DEFAULT 0, ends INTEGER NOT NULL, sflags INTEGER NOT NULL DEFAULT -1,
    pinned INTEGER NOT NULL DEFAULT 0, image TEXT NOT NULL DEFAULT '', turn INTEGER NOT NULL DEFAULT 0);
CREATE INDEX groups_by_end ON groups (ends);
CREATE TABLE members (
    gid INTEGER NOT NULL, address TEXT NOT NULL, send INTEGER, recv INTEGER, pub INTEGER, sub INTEGER,
    list INTEGER, owner INTEGER, remuser INTEGER, UNIQUE (gid, address));
CREATE INDEX members_by_user ON members (address);
CREATE TABLE messages (
    mid INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, recipients TEXT NOT NULL,
    gid INTEGER NOT NULL, type INTEGER NOT NULL, expiry INTEGER NOT NULL, flag INTEGER NOT NULL,
    forced INTEGER NOT NULL, text TEXT NOT NULL, time INTEGER NOT NULL, "when" INTEGER NOT NULL,
    url TEXT NOT NULL, title TEXT NOT NULL, channel INTEGER NOT NULL);
CREATE TABLE deliveries (
    mid INTEGER NOT NULL, address TEXT NOT NULL, due INTEGER NOT NULL, ends INTEGER NOT NULL,
    received INTEGER, read INTEGER, PRIMARY KEY (mid, address));
CREATE INDEX deliveries_by_user ON deliveries (address, received);
CREATE TABLE apps (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, token TEXT NOT NULL UNIQUE,
    settings TEXT NOT NULL DEFAULT '{}', created INTEGER NOT NULL);
CREATE TABLE credentials (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL, bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL, project TEXT NOT NULL, time INTEGER NOT NULL);
CREATE TABLE scripts (
    sid INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, description TEXT NOT NULL,
    content TEXT NOT NULL, time INTEGER NOT NULL);
CREATE TABLE access (id INTEGER PRIMARY KEY AUTOINCREMENT, fields TEXT NOT NULL);
CREATE TABLE texts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, recipient TEXT NOT NULL, text TEXT NOT NULL,
    provider TEXT NOT NULL, sender TEXT NOT NULL, time INTEGER NOT NULL, due INTEGER NOT NULL);
CREATE TABLE calls (
    id INTEGER PRIMARY KEY AUTOINCREMENT, op TEXT NOT NULL, style TEXT NOT NULL, fields TEXT NOT NULL,
    answer TEXT NOT NULL, time INTEGER NOT NULL);
CREATE TABLE verifications (
    sid TEXT NOT NULL PRIMARY KEY, recipient TEXT NOT NULL UNIQUE, channel TEXT NOT NULL, code TEXT NOT NULL,
    sends INTEGER NOT NULL, checks INTEGER NOT NULL, created INTEGER NOT NULL);
CREATE TABLE faults (
    id INTEGER PRIMARY KEY AUTOINCREMENT, op TEXT NOT NULL, delay REAL NOT NULL, error TEXT NOT NULL,
    dropped INTEGER NOT NULL, html INTEGER NOT NULL, after INTEGER NOT NULL, times INTEGER NOT NULL);
INSERT INTO sqlite_sequence (name, seq) VALUES ('users', 1000), ('groups', 5000), ('messages', 100000),
    ('scripts', 200), ('apps', 0)
"""
_TRIES = 100


def create_tables(db: sqlite3.Connection) -> bool:
    """Bring the file of this connection (in autocommit mode) to the tables of this version.

    Whether it is empty now.
    """
    db.execute("PRAGMA synchronous = OFF")  # first, for the switch would wait for the disk
    _switch_to_wal(db)
    db.execute("BEGIN IMMEDIATE")
    old = db.execute("PRAGMA user_version").fetchone()[0] != VERSION
    if old:
        for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            if not name.startswith("sqlite_"):
                db.execute(f"DROP TABLE {name}")
        if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").fetchone():
            db.execute("DELETE FROM sqlite_sequence")
        for statement in _TABLES.split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")
    return bool(old)


def _switch_to_wal(db: sqlite3.Connection) -> None:
    # SQLite does not wait for its busy timeout here when two processes make the file at once.
    for left in reversed(range(_TRIES)):
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if not left:
                raise
            time.sleep(0.02)
        else:
            return

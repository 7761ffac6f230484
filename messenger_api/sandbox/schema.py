"""The tables of the sandbox's SQLite file."""

from __future__ import annotations

import sqlite3
import time

# Raise it with every change below: an older file is emptied, for nothing in it is worth a migration.
VERSION = 3

# AUTOINCREMENT never gives a number twice, not even after a deletion; `sqlite_sequence` sets the
# start of each count. Different starts keep a uid from passing for a gid or a mid in a test.
_TABLES = """
CREATE TABLE users (
    uid INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT NOT NULL UNIQUE, name TEXT NOT NULL DEFAULT '',
    active INTEGER NOT NULL DEFAULT 1, flag INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL);
CREATE TABLE tokens (
    token TEXT NOT NULL PRIMARY KEY, address TEXT NOT NULL, appid TEXT NOT NULL, created INTEGER NOT NULL);
CREATE INDEX tokens_by_user ON tokens (address, appid);
CREATE TABLE otps (
    address TEXT NOT NULL PRIMARY KEY, code TEXT NOT NULL, tries INTEGER NOT NULL, reuse INTEGER NOT NULL,
    ends INTEGER NOT NULL);
CREATE TABLE groups (
    gid INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, flag INTEGER NOT NULL,
    active INTEGER NOT NULL DEFAULT 1, created INTEGER NOT NULL);
CREATE TABLE members (gid INTEGER NOT NULL, address TEXT NOT NULL, UNIQUE (gid, address));
CREATE INDEX members_by_user ON members (address);
CREATE TABLE messages (
    mid INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, recipients TEXT NOT NULL,
    gid INTEGER NOT NULL, type INTEGER NOT NULL, expiry INTEGER NOT NULL, flag INTEGER NOT NULL,
    forced INTEGER NOT NULL, text TEXT NOT NULL, time INTEGER NOT NULL);
CREATE TABLE texts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, recipient TEXT NOT NULL, text TEXT NOT NULL,
    provider TEXT NOT NULL, sender TEXT NOT NULL, time INTEGER NOT NULL);
CREATE TABLE verifications (
    sid TEXT NOT NULL PRIMARY KEY, recipient TEXT NOT NULL UNIQUE, channel TEXT NOT NULL, code TEXT NOT NULL,
    sends INTEGER NOT NULL, checks INTEGER NOT NULL, created INTEGER NOT NULL);
CREATE TABLE faults (
    id INTEGER PRIMARY KEY AUTOINCREMENT, op TEXT NOT NULL, delay REAL NOT NULL, error TEXT NOT NULL,
    dropped INTEGER NOT NULL, html INTEGER NOT NULL, after INTEGER NOT NULL, times INTEGER NOT NULL);
INSERT INTO sqlite_sequence (name, seq) VALUES ('users', 1000), ('groups', 5000), ('messages', 100000)
"""
_TRIES = 100


def create_tables(db: sqlite3.Connection) -> None:
    """Bring the file of this connection (in autocommit mode) to the tables of this version."""
    _switch_to_wal(db)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("BEGIN IMMEDIATE")
    if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
        for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            if not name.startswith("sqlite_"):
                db.execute(f"DROP TABLE {name}")
        if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").fetchone():
            db.execute("DELETE FROM sqlite_sequence")
        for statement in _TABLES.split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")


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

"""The keys of the database."""

from __future__ import annotations

from dataclasses import dataclass

from messenger_api.settings.conversions import (
    Unacceptable,
    Verbatim,
    as_hosts,
    as_literal,
    as_text,
    whole_number,
)
from messenger_api.settings.keys import Keys, key


@Verbatim
def as_database(value: object) -> str:
    """SQLAlchemy's address of a database, or ""."""
    text = as_text(value)
    if text and not text.startswith(("sqlite:///", "mysql+", "mariadb+")):
        raise Unacceptable(
            'an address such as "mysql+pymysql://user:password@host/name" or "sqlite:////path/file"'
        )
    return text


@dataclass(frozen=True)
class DatabaseKeys(Keys):
    """Database

    Where accounts, sessions, groups and the outbox live. With none of these keys set it is a SQLite file
    under INSTANCE_PATH, made and upgraded by itself: enough to begin with, on one machine.
    """

    sqlalchemy_database_uri: str = key(
        "",
        as_database,
        "The database's address in SQLAlchemy's form, which replaces all the DB_ keys below but"
        " DB_POOL_SIZE. A relative SQLite path begins at the working folder. mysql+mysqldb:// takes the"
        " driver of mysql-fast.",
        "mysql+pymysql://messenger:password@db.example.com/messenger?charset=utf8mb4",
        secret=True,
    )
    db_host: str = key(
        "",
        as_hosts,
        "The host of MySQL or MariaDB; empty means SQLite. Several, separated by commas, are tried in"
        " turn, each with a port of its own if that is not DB_PORT.",
        "127.0.0.1",
        "db1.example.com, db2.example.com:3307",
    )
    db_port: int = key(
        3306,
        whole_number(1, 65535),
        "The port of the database.",
        3307,
    )
    db_name: str = key(
        "messenger",
        as_text,
        "The name of the database. It must exist; its tables are made by: messenger-api db upgrade",
        "chat",
    )
    db_user: str = key(
        "messenger",
        as_text,
        "The database's user, who may read and write, and for upgrades change tables.",
        "chat",
    )
    db_pass: str = key(
        "",
        as_literal,
        "The password of that user.",
        "a long password",
        secret=True,
    )
    db_pool_size: int = key(
        10,
        whole_number(1, 500),
        "Connections that each server process keeps open. It opens more, 36 in all, while as many"
        " requests are worked on at once. All processes together must stay under the database's"
        " max_connections.",
        20,
    )

"""What the doctor says of the database and its tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

from messenger_api.cli.common import is_to_be_made, reason
from messenger_api.cli.doctor.verdicts import Verdict
from messenger_api.composition import Parts
from messenger_api.domain.errors import TryLater
from messenger_api.domain.health.findings import KNOWN, NEWER_TO_DO
from messenger_api.settings import Settings

# SQLAlchemy's names of MySQL's drivers, and those by which they are installed.
DRIVERS = {"mysqldb": "mysqlclient", "pymysql": "PyMySQL"}


def database(settings: Settings, parts: Parts) -> Iterator[Verdict]:
    """Whether it answers: each of several hosts."""
    if is_to_be_made(settings):
        yield "ok", f"{settings.sqlite_path} will be made at the first start", ""
        return
    if settings.sqlalchemy_database_uri or settings.is_sqlite:
        yield _answer(parts, "")
        return
    found = list(_answers_of_hosts(settings))
    some_answer = any(state == "ok" for state, *_ in found)
    for state, what, to_do in found:
        # The others take over when one is away: without some of them the product still works.
        yield ("warning" if some_answer and state == "fault" else state), what, to_do


def _answers_of_hosts(settings: Settings) -> Iterator[Verdict]:
    for host in filter(None, map(str.strip, settings.db_host.split(","))):
        with closing(Parts.alone(replace(settings, db_host=host))) as parts:
            yield _answer(parts, f" at {host}")


def _answer(parts: Parts, where: str) -> Verdict:
    settings = parts.settings
    try:
        found = parts.health.database_version()
    except TryLater as error:
        usual = "start it, or check DB_HOST and DB_PORT, or SQLALCHEMY_DATABASE_URI"
        to_do = parts.health.what_helps(error) or usual
        return "fault", f"does not answer{where}: {reason(error.__cause__ or error)}", to_do
    name = "SQLite " if settings.is_sqlite else "version "
    driver = DRIVERS.get(settings.database_driver, settings.database_driver)
    return "ok", f"{name}{found}{where}" + (f", through {driver}" if driver else ""), ""


def schema(settings: Settings, parts: Parts) -> Iterator[Verdict]:
    """Whether the tables are those of this version, and hold all that was moved."""
    if is_to_be_made(settings):
        yield "ok", "the tables will be made at the first start", ""
        return
    tables = parts.schema
    try:
        found, needed, is_known = tables.current(), tables.newest, tables.is_known()
    except TryLater:
        yield "warning", "unknown: the database does not answer", ""
        return
    if found == needed:
        yield _whole(found, parts)
    elif not is_known:
        what = f"revision {found} is of a newer version of this program, or of another one"
        yield "fault", what, NEWER_TO_DO
    elif settings.is_sqlite:
        yield "warning", f"revision {found or 'none'} of {needed}", "messenger-api serve upgrades it"
    else:
        yield "fault", f"revision {found or 'none'} of {needed}", "run messenger-api db upgrade"


def _whole(revision: str, parts: Parts) -> Verdict:
    try:
        if missing := parts.schema.missing():
            return "fault", f"revision {revision} without {', '.join(missing)}", KNOWN["table_missing"].to_do
        half = parts.installation.half_moved()
    except TryLater:
        half = ""  # that it does not answer is a finding of its own
    return ("fault", half, "run messenger-api move php --go") if half else ("ok", f"revision {revision}", "")

"""What the doctor looks at: one function a check, each with a finding of its own.

The checks build what they need by themselves, so that a fault of one leaves the others their say.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import SQLAlchemyError

from messenger_api.app import login_method
from messenger_api.cli.common import reason
from messenger_api.cli.doctor_key import key_verdict
from messenger_api.cli.doctor_proxy import proxy_verdict
from messenger_api.cli.doctor_settings import (
    config_verdict,
    full_folders,
    public_url_verdict,
    redis_verdict,
    test_numbers_verdict,
)
from messenger_api.cli.doctor_texts import texts_verdicts, without_money
from messenger_api.clients import BREACHED, mesibo_client
from messenger_api.domain.errors import TryLater
from messenger_api.domain.secrets import Keys
from messenger_api.gateways.login import Unavailable, method_from_settings
from messenger_api.gateways.mesibo import MesiboRefused, MesiboUnreachable
from messenger_api.gateways.mesibo.client import PING_FAULTS
from messenger_api.gateways.sms import SmsError, sender_from_settings
from messenger_api.gateways.threads import Calls, TooSlow, outcome
from messenger_api.services.identities import PhoneNumbers
from messenger_api.services.limits import Claim
from messenger_api.services.operator.health import Health
from messenger_api.services.operator.outbox import OutboxControl
from messenger_api.settings import EVERYWHERE, Settings, country_faults, file_in_use, without_mesibo
from messenger_api.storage import counters, db
from messenger_api.storage.db import Database
from messenger_api.storage.files import FileStore, Unusable
from messenger_api.storage.schema import Schema

# SQLAlchemy's names of MySQL's drivers, and those by which they are installed.
DRIVERS = {"mysqldb": "mysqlclient", "pymysql": "PyMySQL"}

# Forbidden, no such method, not implemented (RFC 9110).
NOT_SERVED = frozenset({403, 405, 501})

State = Literal["ok", "warning", "fault"]


class Finding(msgspec.Struct, frozen=True):
    """How a part is, what was found, and, unless it is well, what to do."""

    check: str
    state: State
    found: str
    to_do: str = ""


Verdict = tuple[State, str, str]


class _Doubt(Exception):
    """A check that cannot say; what it depends on has a finding already."""


def examine(settings: Settings, seconds: float) -> Iterator[Finding]:
    """Make every check at once; each has `seconds` and is a fault when it takes longer."""
    deadline, calls = time.monotonic() + seconds, Calls("check", len(CHECKS))
    running = [(name, calls.start(partial(_verdicts, check, settings))) for name, check in CHECKS.items()]
    for name, future in running:
        try:
            verdicts = outcome(future, max(0.0, deadline - time.monotonic()))
        except TooSlow:
            verdicts = [("fault", f"no result within {seconds:g} s", "see what it waits for")]
        yield from (Finding(name, *verdict) for verdict in verdicts)


def _verdicts(check: Callable[[Settings], list[Verdict]], settings: Settings) -> list[Verdict]:
    try:
        return check(settings)
    except Exception as error:  # noqa: BLE001 - whatever a check meets is what it has to report
        return [("fault", reason(error), "")]


# Database


def _database(settings: Settings) -> list[Verdict]:
    if _is_to_be_made(settings):
        return [("ok", f"{_sqlite_path(settings)} will be made at the first start", "")]
    if settings.sqlalchemy_database_uri or settings.is_sqlite:
        return [_connection(settings, "")]
    hosts = [host.strip() for host in settings.db_host.split(",") if host.strip()]
    found = [_connection(replace(settings, db_host=host), f" at {host}") for host in hosts]
    if any(state == "ok" for state, *_ in found):
        # The others take over when one is away: without some of them the product still works.
        return [("warning" if state == "fault" else state, *words) for state, *words in found]  # type: ignore[misc]
    return found


def _connection(settings: Settings, where: str) -> Verdict:
    engine = _engine(settings)
    version = "sqlite_version()" if settings.is_sqlite else "version()"
    name = "SQLite " if settings.is_sqlite else "version "
    try:
        with engine.connect() as connection:
            found = connection.exec_driver_sql(f"SELECT {version}").scalar_one()
    except SQLAlchemyError as error:
        to_do = "check DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASS, or SQLALCHEMY_DATABASE_URI"
        return "fault", f"does not answer{where}: {reason(error)}", to_do
    finally:
        engine.dispose()
    driver = DRIVERS.get(settings.database_driver, settings.database_driver)
    return "ok", f"{name}{found}{where}" + (f", through {driver}" if driver else ""), ""


def _schema(settings: Settings) -> list[Verdict]:
    if _is_to_be_made(settings):
        return [("ok", "the tables will be made at the first start", "")]
    engine = _engine(settings)
    try:
        schema = Schema(Database(engine))
        found, needed, is_known = schema.current(), schema.newest, schema.is_known()
    except TryLater:
        return [("warning", "unknown: the database does not answer", "")]
    finally:
        engine.dispose()
    if found == needed:
        return [("ok", f"revision {found}", "")]
    if not is_known:
        what = f"revision {found} is of a newer version of this program, or of another one"
        return [
            ("fault", what, "install the version that made the tables, or restore a backup from before it")
        ]
    if settings.is_sqlite:
        return [("warning", f"revision {found or 'none'} of {needed}", "messenger-api serve upgrades it")]
    return [("fault", f"revision {found or 'none'} of {needed}", "run messenger-api db upgrade")]


def _outbox(settings: Settings) -> list[Verdict]:
    if _is_to_be_made(settings):
        return [("ok", "empty", "")]
    engine = _engine(settings)
    try:
        database = Database(engine)
        status = Health(database).outbox()
        notes = OutboxControl(database).unknown_groups(100)
    except TryLater:
        return [("warning", "unknown: the database does not answer, or lacks the table", "")]
    finally:
        engine.dispose()
    found = f"{status.queued} queued, the oldest for {status.oldest} s; {status.dead} dead"
    if notes:
        found += f"; {len(notes)} groups may be at mesibo that nobody here knows"
    if status.is_stale:
        return [("fault", found, "nobody delivers: run messenger-api serve or worker, and see mesibo above")]
    if status.dead or notes:
        return [("warning", found, "messenger-api outbox status says why")]
    return [("ok", found, "")]


def _engine(settings: Settings) -> Engine:
    engine = create_engine(settings.database_uri, **db.engine_options(settings))
    db.prepare(engine, settings)
    return engine


def _sqlite_path(settings: Settings) -> str:
    return settings.database_uri.partition(":///")[2].partition("?")[0]


def _is_to_be_made(settings: Settings) -> bool:
    """Whether connecting would make an empty database."""
    return settings.is_sqlite and not Path(_sqlite_path(settings)).exists()


# Outside systems


def _mesibo(settings: Settings) -> list[Verdict]:
    if settings.uses_sandbox:
        return [("ok", "not asked: the sandbox takes its place", "")]
    if faults := without_mesibo(settings):
        return [("fault", fault, "set it, or ask for the sandbox") for fault in faults]
    client = mesibo_client(settings)
    try:
        client.ping()
        refusal = client.refusal_of_groups()
    except MesiboUnreachable as error:
        return [("fault", str(error), "check MESIBO_API_URL, the network and the proxy")]
    except MesiboRefused as error:
        to_do = BREACHED if error.is_breach else "check MESIBO_APP_TOKEN, MESIBO_API_URL and MESIBO_API_STYLE"
        return [("fault", str(error), to_do)]
    finally:
        client.close()
    if refusal:
        place = _place(settings.mesibo_api_url)
        found = f"{place} takes log-ins and no groups ({refusal.label}), as for an app on premise"
        to_do = "start mesibo with -b PORT and set MESIBO_API_URL to your web server: docs/questions.md"
        # Only these say it beyond doubt: which label mesibo has for it is documented nowhere.
        certain = refusal.error in PING_FAULTS or refusal.code in NOT_SERVED
        return [("fault" if certain else "warning", found, to_do)]
    return [("ok", f"{_place(settings.mesibo_api_url)} accepts the app token", "")]


def _place(url: str) -> str:
    """A URL without the user and password that it may hold."""
    scheme, slashes, rest = url.partition("://")
    return scheme + slashes + rest.rpartition("@")[2]


def _sandbox(settings: Settings) -> list[Verdict]:
    if not settings.uses_sandbox:
        return [("ok", "not in use", "")]
    seen = "everyone's codes to everybody" if settings.shows_sandbox else "codes to this machine alone"
    found = f"a stand-in plays mesibo and shows {seen}, at /sandbox"
    to_do = f"remove SANDBOX = {settings.sandbox!r}" if settings.mesibo_app_token else "set MESIBO_APP_TOKEN"
    return [("warning", found, f"{to_do} to go live")]


def _login(settings: Settings) -> list[Verdict]:
    name, engine = settings.login_method, _engine(settings)
    try:
        # A database that is to be made holds no passwords to look at.
        made = not _is_to_be_made(settings)
        method = login_method(settings, Database(engine)) if made else method_from_settings(settings)
        if method is None or isinstance(method, PhoneNumbers):
            return [("ok", "one-time codes by text message", "")]
        try:
            method.check()
        finally:
            method.close()
    except ValueError as error:
        return [("fault", str(error), "docs/login-methods.md lists the keys of each method")]
    except Unavailable as error:
        to_do = "check the method's keys in the configuration; docs/login-methods.md explains them"
        return [("fault", f"{name}: {error.reason}", to_do)]
    finally:
        engine.dispose()
    return [("ok", name, "")]


def _sms(settings: Settings) -> list[Verdict]:
    if settings.login_method != "otp":
        return [("ok", "not in use", "")]
    names = ", ".join(settings.sms_providers)
    if "console" in settings.sms_providers and not settings.uses_sandbox:
        found = "the console provider prints codes and sends nothing, while mesibo is real"
        return [("fault", found, "name another in SMS_PROVIDERS, for example twilio")]
    try:
        sender = sender_from_settings(settings)
    except ValueError as error:
        return [("fault", str(error), "")]
    try:
        sender.check()
    except SmsError as error:
        return [("fault", str(error), "check the provider's keys in the configuration")]
    finally:
        sender.close()
    # By the rule of the start: what `serve` refuses is a fault here.
    if faults := country_faults(settings, costs=sender.costs):
        return [("fault", fault, "set SMS_COUNTRIES to those where the users are") for fault in faults]
    if sender.costs and EVERYWHERE in settings.texted_countries:
        found = f"{names}; texts may go to any country, which swindlers use to earn on them"
        return [("warning", found, "set SMS_COUNTRIES to those where the users are")]
    return [("ok", names, "")]


def _texts(settings: Settings) -> list[Verdict]:
    """Whether codes reach people just now, as far as money, pauses and receipts tell."""
    if settings.login_method != "otp":
        return [("ok", "not in use", "")]
    found = [] if settings.uses_sandbox else without_money(settings)
    key = _key_of(settings)
    if not key or _is_to_be_made(settings):
        return found or [("ok", "none were sent yet", "")]
    engine = _engine(settings)
    try:
        found += texts_verdicts(settings, Database(engine), Keys.derive(key))
    except TryLater:
        return found or [("ok", "not looked at: the database does not answer, or lacks its tables", "")]
    finally:
        engine.dispose()
    return found or [("ok", "budgets have room, and nothing is paused", "")]


# This machine


def _files(settings: Settings) -> list[Verdict]:
    places = f"{settings.files_path}, {settings.files_tn_path}"
    try:
        with closing(FileStore.from_settings(settings)) as store:
            store.check()
    except OSError as error:
        found = f"cannot write to {error.filename or places}: {error.strerror}"
        to_do = "let the server's user write to FILES_PATH and FILES_TN_PATH"
        return [("fault", found, error.to_do if isinstance(error, Unusable) else to_do)]
    if full := list(full_folders((settings.files_path, settings.files_tn_path, str(settings.instance)))):
        return [("warning", found, "make room there") for found in full]
    return [("ok", f"writable: {places}", "")]


def _secret_key(settings: Settings) -> list[Verdict]:
    def look(ask: Callable[[Database], bool]) -> bool:
        if _is_to_be_made(settings):
            return True
        engine = _engine(settings)
        try:
            return ask(Database(engine))
        finally:
            engine.dispose()

    return [key_verdict(settings, look)]


# The configuration's own dangers


def _proxy(settings: Settings) -> list[Verdict]:
    return [proxy_verdict(settings, _key_of(settings), partial(_has_seen, settings))]


def _key_of(settings: Settings) -> str:
    """The key that the server uses; "" when none is made yet."""
    path = settings.instance / "secret_key"
    return settings.secret_key or (path.read_text().strip() if path.exists() else "")


def _has_seen(settings: Settings, claim: Claim) -> bool:
    """Whether the server noticed this in the last days; False when nobody can say."""
    if _is_to_be_made(settings):
        return False
    engine = _engine(settings)
    try:
        return bool(Database(engine).run(lambda tx: counters.read(tx, [claim.counter])))
    except TryLater:
        return False
    finally:
        engine.dispose()


def _limits(settings: Settings) -> list[Verdict]:
    if settings.limits == "enforce":
        return [redis_verdict(settings) or ("ok", "enforced", "")]
    found = {"track": "counted and not enforced", "off": "off: nothing is limited"}[settings.limits]
    return [("warning", found, 'set LIMITS = "enforce"')]


def _test_numbers(settings: Settings) -> list[Verdict]:
    return [test_numbers_verdict(settings, dt.datetime.now(dt.UTC).date())]


def _config_file(_settings: Settings) -> list[Verdict]:
    return [config_verdict(file_in_use())]


def _public_url(settings: Settings) -> list[Verdict]:
    return [public_url_verdict(settings)]


CHECKS: dict[str, Callable[[Settings], list[Verdict]]] = {
    "database": _database,
    "schema": _schema,
    "mesibo": _mesibo,
    "sandbox": _sandbox,
    "login": _login,
    "sms": _sms,
    "texts": _texts,
    "files": _files,
    "secret key": _secret_key,
    "proxy": _proxy,
    "limits": _limits,
    "public url": _public_url,
    "config file": _config_file,
    "test numbers": _test_numbers,
    "outbox": _outbox,
}

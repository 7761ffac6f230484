"""The composition root: builds the services and the Flask application from the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog
from flask import Flask
from flask_migrate import Migrate

from messenger_api import configuration, logs
from messenger_api.clients import mesibo_client
from messenger_api.domain.errors import TryLater
from messenger_api.domain.secrets import Keys
from messenger_api.gateways.login import CodeMethod, method_from_settings
from messenger_api.gateways.mesibo import MesiboClient
from messenger_api.gateways.sms import sender_from_settings
from messenger_api.guard import for_own_machine
from messenger_api.keyfile import with_secret_key
from messenger_api.outbox.runner import Runner
from messenger_api.outbox.tasks import Tasks, handled
from messenger_api.processes import EachProcess
from messenger_api.sandbox import SandboxServer, SandboxStore, sandbox_pages
from messenger_api.services import Services
from messenger_api.services.account import tasks as account
from messenger_api.services.account.closing import Closing
from messenger_api.services.account.entrances import Entrances
from messenger_api.services.account.exports import Exports
from messenger_api.services.account.number_change import NumberChange
from messenger_api.services.account.push import Push
from messenger_api.services.account.sessions import Sessions
from messenger_api.services.groups import tasks as groups
from messenger_api.services.groups.changes import GroupChanges
from messenger_api.services.groups.groups import Groups
from messenger_api.services.groups.repeats import Repeats
from messenger_api.services.groups.upkeep import Upkeep
from messenger_api.services.identities import Identities, Method, PhoneNumbers, names_of
from messenger_api.services.installation import Installation
from messenger_api.services.limits import Daily, Limits
from messenger_api.services.login.accounts import Accounts
from messenger_api.services.login.attempts import Attempts
from messenger_api.services.login.flow import LoginFlow
from messenger_api.services.login.mailed_code import MailedCodeFlow
from messenger_api.services.login.rates import Rates
from messenger_api.services.login.secret import SecretFlow
from messenger_api.services.login.sms_code import SmsCodeFlow
from messenger_api.services.operator import Operator
from messenger_api.services.operator.groups import GroupQueries
from messenger_api.services.operator.health import Health
from messenger_api.services.operator.outbox import OutboxControl
from messenger_api.services.operator.users import UserQueries
from messenger_api.services.otp.codes import OneTimeCodes
from messenger_api.services.otp.failed_attempts import FailedAttempts
from messenger_api.services.otp.verification import CodeVerifier
from messenger_api.services.people import tasks as people
from messenger_api.services.people.blocks import Blocks, Reports
from messenger_api.services.people.contacts import Contacts
from messenger_api.services.people.media import Media
from messenger_api.services.people.profiles import Profiles
from messenger_api.services.sms import tasks as texts
from messenger_api.services.sms.delivery import TextDelivery
from messenger_api.services.sms.report import TextReports
from messenger_api.services.update_messages import UpdateMessages
from messenger_api.settings import Settings, SettingsError, country_faults, without_mesibo
from messenger_api.storage import db as databases
from messenger_api.storage.db import Database
from messenger_api.storage.files import FileStore
from messenger_api.storage.models import db
from messenger_api.storage.schema import MIGRATIONS, Schema
from messenger_api.transport.bodies import MAX_BODY_BYTES
from messenger_api.transport.files import files_blueprint
from messenger_api.transport.health import health_blueprint
from messenger_api.transport.metrics import metrics_blueprint
from messenger_api.transport.proxies import trust_proxies
from messenger_api.transport.receipts import receipts_blueprint
from messenger_api.transport.receiving import Receiving
from messenger_api.transport.refused import refuse
from messenger_api.transport.routes import Application, always_answered, api_blueprint, shortcut
from messenger_api.worker import Housekeeping, Worker

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = structlog.get_logger(__name__)

EXTENSION = "messenger_api"
SANDBOX_FILE = "sandbox.sqlite3"
REPORTS_A_DAY = 20
EXPORTS_A_DAY = 1
CHANGES_A_DAY = 2


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application as any WSGI server serves it: with its tables (SQLite) and its outbox worker.

    Args:
        settings: the configuration; read from `config.py` and the environment when absent.

    Raises:
        SettingsError: the configuration has faults, or nobody plays mesibo (`settings.without_mesibo`).
    """
    settings = settings or configuration.load()
    if faults := without_mesibo(settings):
        raise SettingsError(faults)
    app = build_app(settings)
    _get_ready(parts_of(app))

    def again() -> tuple[WSGIApplication, Callable[[], None]]:
        mine = build_app(settings)
        return mine.wsgi_app, parts_of(mine).begin

    app.wsgi_app = EachProcess(app.wsgi_app, parts_of(app).begin, again)  # type: ignore[method-assign]
    return app


def build_app(settings: Settings) -> Flask:
    """Build the application alone: its database is not asked, and nothing runs beside the requests.

    Raises:
        SettingsError: the configuration has faults.
    """
    logs.configure(settings.log_level, settings.log_format)
    settings = with_secret_key(settings)
    app = Application(__name__)
    database = _database(app, settings)
    sandbox = _sandbox(settings)
    services = build_services(settings, database, sandbox)
    schema = Schema(database)
    app.extensions[EXTENSION] = Parts(services, _worker(services), schema, sandbox)
    if sandbox:
        app.register_blueprint(sandbox_pages(sandbox.store))
    app.register_blueprint(api_blueprint(services))
    app.register_blueprint(files_blueprint(services.files))
    app.register_blueprint(health_blueprint(settings.secret_key, services.operator.health, schema.is_current))
    app.register_blueprint(metrics_blueprint(settings, services.operator))
    app.register_blueprint(receipts_blueprint(services))
    answering = always_answered(app, services)
    if settings.api_shortcut:
        answering = shortcut(answering, app.url_map, services)
    receiving = Receiving(answering, settings.max_upload_bytes + MAX_BODY_BYTES)
    served = trust_proxies(receiving, settings, services.limits)
    if settings.uses_sandbox and not settings.shows_sandbox:
        served = for_own_machine(served, refuse, settings.trusted_proxy_header)
    app.wsgi_app = served  # type: ignore[assignment, method-assign]
    return app


def _get_ready(parts: Parts) -> None:
    """Make SQLite's tables, refuse another key, and say what is missing. No connection is left for a fork."""
    database, schema = parts.services.database, parts.schema
    try:
        if not schema.is_current() and parts.services.settings.is_sqlite:
            schema.upgrade()
        if schema.is_current():
            parts.services.installation.check_key()
        else:
            log.error("schema.old", what="every call answers TRYLATER", to_do="messenger-api db upgrade")
    except TryLater:
        log.error("database.away", what="every call answers TRYLATER until it is there")
    finally:
        database.engine.dispose()


def build_services(settings: Settings, database: Database, sandbox: SandboxServer | None) -> Services:
    """Put the collaborators together."""
    keys = Keys.derive(settings.secret_key)
    files = FileStore.from_settings(settings)
    mesibo = mesibo_client(_towards(sandbox, settings) if sandbox else settings)
    sms = sender_from_settings(settings, inbox=_inbox(sandbox.store) if sandbox else None)
    if faults := country_faults(settings, costs=sms.costs):
        raise SettingsError(faults)
    method = login_method(settings, database)
    identities = Identities(settings, keys, names_of(method))
    limits = Limits(settings, database)
    failed = FailedAttempts(settings, keys, limits)
    codes = OneTimeCodes(settings, database, keys, limits, failed)
    verifier = CodeVerifier(settings, database, keys, limits, failed, codes, sms)
    text_delivery = TextDelivery(settings, database, keys, limits, codes, sms)
    login = login_flow(method, settings, keys, limits, failed, codes, verifier, text_delivery)
    media = Media(settings, database, files)
    changes = GroupChanges(database, mesibo)
    tasks = build_tasks(settings, database, mesibo, files, text_delivery, changes)
    runner = Runner(settings, database, mesibo, tasks)
    blocks = Blocks(settings, database, identities)
    closing = Closing(settings, database, runner)
    sessions = Sessions(settings, database)
    entrances = Entrances(settings, database, mesibo, closing)
    number_changes = Daily(limits, database, "number_changes", CHANGES_A_DAY)
    return Services(
        settings=settings,
        database=database,
        files=files,
        mesibo=mesibo,
        sms=sms,
        limits=limits,
        text_delivery=text_delivery,
        identities=identities,
        login=login,
        accounts=Accounts(settings, database, login, sessions, entrances),
        sessions=sessions,
        contacts=Contacts(settings, database, limits, identities),
        profiles=Profiles(database, media),
        groups=Groups(settings, database, identities, changes, media, Repeats(database, limits)),
        media=media,
        push=Push(database),
        blocks=blocks,
        reports=Reports(database, identities, blocks, limits.daily("reports", REPORTS_A_DAY)),
        closing=closing,
        exports=Exports(database, limits.daily("exports", EXPORTS_A_DAY)),
        number_change=NumberChange(database, entrances, number_changes),
        runner=runner,
        installation=Installation(database, keys, identities),
        operator=Operator(
            users=UserQueries(database, identities),
            groups=GroupQueries(database),
            outbox=OutboxControl(database),
            texts=TextReports(settings, database, text_delivery.spending.pauses),
            health=Health(database),
        ),
    )


def build_tasks(
    settings: Settings,
    database: Database,
    mesibo: MesiboClient,
    files: FileStore,
    text_delivery: TextDelivery,
    changes: GroupChanges,
) -> Tasks:
    """All that follows what `ops.OPERATIONS` does: each kind of task, and what does it."""
    messages = UpdateMessages(mesibo, settings.mesibo_max_body)
    of_people = people.PeopleTasks(database, files, messages)
    of_groups = groups.GroupTasks(database, mesibo, messages)
    of_accounts = account.AccountTasks(database, mesibo, messages, changes)
    return Tasks(
        handled(people.UserChanged, of_people.user_changed),
        handled(people.FileGone, of_people.file_gone),
        handled(groups.TellMembers, of_groups.tell_members),
        handled(groups.MirrorGroup, of_groups.mirror_group),
        handled(groups.GroupGone, of_groups.group_gone),
        handled(groups.GroupNews, of_groups.group_news),
        handled(account.AccountClosed, of_accounts.account_closed),
        handled(account.UserGone, of_accounts.user_gone),
        handled(account.MesiboUserGone, of_accounts.mesibo_user_gone),
        handled(account.TokenGone, of_accounts.token_gone),
        handled(texts.WatchText, text_delivery.look_after),
    )


def _worker(of: Services) -> Worker:
    upkeep = Upkeep(of.database, of.mesibo)
    housekeeping = Housekeeping(of.database, of.files, of.sessions, upkeep, of.runner)
    return Worker(of.runner, of.database.queued, housekeeping)


@dataclass(frozen=True)
class Parts:
    """What stands behind an application."""

    services: Services
    worker: Worker
    schema: Schema
    sandbox: SandboxServer | None

    def begin(self) -> None:
        """Start what runs beside the requests, unless OUTBOX_IN_SERVER leaves it to others."""
        if self.services.settings.outbox_in_server:
            self.worker.start()

    def close(self) -> None:
        """Let go of everything that is open; the application is of no use afterwards."""
        self.worker.stop()
        self.services.mesibo.close()
        self.services.sms.close()
        self.services.login.close()
        self.services.files.close()
        self.services.database.engine.dispose()
        if self.sandbox:
            self.sandbox.stop()
            self.sandbox.store.close()


def parts_of(app: Flask) -> Parts:
    """The parts behind an application."""
    parts: Parts = app.extensions[EXTENSION]
    return parts


def _database(app: Flask, settings: Settings) -> Database:
    if settings.is_sqlite:
        settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_uri
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = databases.engine_options(settings)
    db.init_app(app)
    Migrate(app, db, directory=str(MIGRATIONS))
    with app.app_context():
        databases.prepare(db.engine, settings)
        return Database(db.engine)


def _sandbox(settings: Settings) -> SandboxServer | None:
    """Every process has a listener of its own; what the sandbox remembers, they share in a file."""
    if not settings.uses_sandbox:
        return None
    log.warning(
        "sandbox.in_use",
        what="a stand-in plays mesibo and the SMS network and shows everyone's codes at /sandbox",
        seen_by="everybody" if settings.shows_sandbox else "this machine alone",
        to_go_live="set MESIBO_APP_TOKEN",
    )
    server = SandboxServer(SandboxStore(settings.in_instance(SANDBOX_FILE)), shown=settings.shows_sandbox)
    server.start()
    return server


def _towards(sandbox: SandboxServer, settings: Settings) -> Settings:
    url = sandbox.mesibo_form_url if settings.mesibo_api_style == "form" else sandbox.mesibo_json_url
    return replace(settings, mesibo_api_url=url, mesibo_app_token=sandbox.app_token)


def login_method(settings: Settings, database: Database) -> Method:
    """What LOGIN_METHOD stands for."""
    if settings.login_method != "password":
        return method_from_settings(settings) or PhoneNumbers(settings)
    # Imported only where it is used: nobody else needs its library.
    from messenger_api.services.login.passwords import PasswordMethod

    return PasswordMethod(settings, database)


def login_flow(
    method: Method,
    settings: Settings,
    keys: Keys,
    limits: Limits,
    failed: FailedAttempts,
    codes: OneTimeCodes,
    verifier: CodeVerifier,
    text_delivery: TextDelivery,
) -> LoginFlow:
    """How people log in by this method."""
    rates = Rates(settings)
    if isinstance(method, PhoneNumbers):
        return SmsCodeFlow(settings, rates, codes, verifier, method, text_delivery)
    if isinstance(method, CodeMethod):
        return MailedCodeFlow(settings, keys, rates, codes, verifier, method)
    return SecretFlow(keys, rates, Attempts(settings, keys, limits, failed), method)


def _inbox(store: SandboxStore) -> Callable[[str, str], None]:
    def inbox(to: str, text: str) -> None:
        store.record_sms(to, text)

    return inbox

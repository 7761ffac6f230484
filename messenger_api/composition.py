"""The composition root: the parts of an installation, each built here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from importlib import import_module

import phonenumbers  # noqa: F401 - before a server forks, not in its first request (`domain.later`)

from messenger_api.extensions import Extension, extensions_from_settings, let_go, operations_with, tasks_of
from messenger_api.foundation import Foundation
from messenger_api.gateways.login import CodeMethod
from messenger_api.ops.call import Operation
from messenger_api.outbox.runner import Runner
from messenger_api.services.account.closing import Closing
from messenger_api.services.account.daily import Daily
from messenger_api.services.account.entrances import Entrances
from messenger_api.services.account.exports import EXPORTS_A_DAY, Exports
from messenger_api.services.account.number_change import CHANGES_A_DAY, NumberChange
from messenger_api.services.account.push import Push
from messenger_api.services.account.sessions import Sessions
from messenger_api.services.callers import Callers
from messenger_api.services.groups.changes import GroupChanges
from messenger_api.services.groups.groups import Groups
from messenger_api.services.groups.invited import Invited
from messenger_api.services.groups.repeats import Repeats
from messenger_api.services.groups.upkeep import Upkeep
from messenger_api.services.identities import PhoneNumbers
from messenger_api.services.login.accounts import Accounts
from messenger_api.services.login.asked import Asked
from messenger_api.services.login.attempts import Attempts
from messenger_api.services.login.flow import LoginFlow
from messenger_api.services.login.mailed_code import MailedCodeFlow
from messenger_api.services.login.rates import Rates
from messenger_api.services.login.secret import SecretFlow
from messenger_api.services.login.sms_code import SmsCodeFlow
from messenger_api.services.login.tracing import Tracing
from messenger_api.services.operator.acts import Acts
from messenger_api.services.operator.admin_sessions import AdminSessions
from messenger_api.services.operator.console import Console, Finding
from messenger_api.services.operator.imports import Imports
from messenger_api.services.operator.providers import Providers
from messenger_api.services.operator.search import Search
from messenger_api.services.operator.trends import Trends
from messenger_api.services.operator.why import Why
from messenger_api.services.otp.codes import OneTimeCodes
from messenger_api.services.otp.failed_attempts import FailedAttempts
from messenger_api.services.otp.judges import Judges
from messenger_api.services.otp.verification import CodeVerifier
from messenger_api.services.people.blocks import REPORTS_A_DAY, Blocks, Reports
from messenger_api.services.people.contacts import Contacts
from messenger_api.services.people.media import Media
from messenger_api.services.people.news import News
from messenger_api.services.people.profiles import Profiles
from messenger_api.services.record import Services
from messenger_api.services.sms.budget import TextBudget
from messenger_api.services.sms.delivery import TextDelivery
from messenger_api.services.sms.mesibo_codes import MesiboCodes
from messenger_api.services.sms.text_limits import TextLimits
from messenger_api.tasks import build_tasks
from messenger_api.worker import Housekeeping, Worker

DOCTOR, DOCTOR_SECONDS = "messenger_api.cli.doctor.checks", 8.0


class Parts(Foundation):
    """All parts of an installation. `services` has what ops may ask for."""

    def begin(self) -> None:
        """Start what runs beside the requests; the outbox unless OUTBOX_IN_SERVER leaves it to others."""
        self.bookkeeper.start(self.allowed.refresh, each_minute=self.health.tell_unattended)
        if self.settings.outbox_in_server:
            self.worker.start()

    # What code of the operator's own adds

    @cached_property
    def extensions(self) -> Sequence[Extension]:
        """What EXTENSIONS names. Raises ValueError: it cannot be used."""
        extensions = extensions_from_settings(self.settings)
        for each in extensions:
            self._open.callback(let_go, each)
        return extensions

    @cached_property
    def operations(self) -> Mapping[str, Operation]:
        """Every op that may be asked for. Raises ValueError: one of theirs cannot be used."""
        return operations_with(self.extensions)

    # Logging in

    @cached_property
    def failed_attempts(self) -> FailedAttempts:
        """The counts of wrong codes and secrets."""
        return FailedAttempts(self.settings, self.keys, self.limits)

    @cached_property
    def codes(self) -> OneTimeCodes:
        """One-time codes."""
        return OneTimeCodes(
            self.settings, self.allowed, self.database, self.keys, self.limits, self.failed_attempts
        )

    @cached_property
    def text_delivery(self) -> TextDelivery:
        """Codes on their way to phones."""
        counts = (self.limits, self.codes, self.text_limits, self.text_budget)
        theirs = self.settings.codes_are_mesibos
        made_by = MesiboCodes(self.settings, self.mesibo, self.codes) if theirs else None
        outside = (self.sms, self.figures, made_by)
        return TextDelivery(self.settings, self.database, self.keys, *counts, *outside)

    @cached_property
    def text_limits(self) -> TextLimits:
        """Whether a text may leave."""
        return TextLimits(self.settings, self.allowed, self.limits, self.text_budget, self.pauses)

    @cached_property
    def text_budget(self) -> TextBudget:
        """What texts cost, and may cost."""
        return TextBudget(self.settings, self.allowed, self.sms.channels)

    @cached_property
    def verifier(self) -> CodeVerifier:
        """What says whether a code is right."""
        counts, judges = (self.limits, self.failed_attempts, self.codes), Judges(self.sms, self.mesibo)
        return CodeVerifier(self.settings, self.database, self.keys, *counts, judges)

    @cached_property
    def login(self) -> LoginFlow:
        """How people log in."""
        settings, keys, method = self.settings, self.keys, self.login_method
        rates = Rates(settings, self.allowed, self.limits)
        if isinstance(method, PhoneNumbers):
            return SmsCodeFlow(settings, keys, rates, self.codes, self.verifier, method, self.text_delivery)
        asked = Asked(self.figures, settings.login_method)
        if isinstance(method, CodeMethod):
            codes = (self.codes, self.verifier)
            return MailedCodeFlow(settings, self.allowed, keys, rates, *codes, method, asked)
        attempts = Attempts(settings, keys, self.limits, self.failed_attempts)
        return SecretFlow(keys, rates, attempts, method, asked)

    @cached_property
    def callers(self) -> Callers:
        """Whose token it is."""
        return Callers(self.settings, self.database, self.figures)

    @cached_property
    def sessions(self) -> Sessions:
        """The end of sessions."""
        return Sessions(self.database, self.devices, self.figures)

    @cached_property
    def closing(self) -> Closing:
        """The end of accounts."""
        return Closing(self.settings, self.database, self.runner)

    @cached_property
    def entrances(self) -> Entrances:
        """The opening of sessions."""
        return Entrances(self.settings, self.database, self.mesibo, self.closing)

    # What follows

    @cached_property
    def group_changes(self) -> GroupChanges:
        """The writing of groups, here and at mesibo."""
        return GroupChanges(self.database, self.mesibo)

    @cached_property
    def runner(self) -> Runner:
        """What does the outbox's tasks."""
        parts = (self.files, self.text_delivery, self.group_changes)
        own = tasks_of(self.extensions)
        tasks = build_tasks(self.settings, self.database, self.mesibo, *parts, own)
        return Runner(self.settings, self.database, self.mesibo, self.figures, tasks)

    @cached_property
    def worker(self) -> Worker:
        """The thread that runs it, and housekeeping."""
        upkeep, news = Upkeep(self.database, self.mesibo), News(self.database)
        kept = (self.sessions, self.admin_sessions, self.audit, upkeep, news)
        housekeeping = Housekeeping(self.database, self.files, *kept, self.runner)
        worker = Worker(self.runner, self.database.queued, housekeeping)
        self._open.callback(worker.stop)
        return worker

    @cached_property
    def admin_sessions(self) -> AdminSessions:
        """Who is logged in to the console."""
        return AdminSessions(self.database, self.keys, self.limits, self.audit)

    @cached_property
    def acts(self) -> Acts:
        """What operators do about users."""
        return Acts(self.database, self.audit, self.closing, self.sessions)

    @cached_property
    def why(self) -> Why:
        """Why a code did not arrive."""
        return Why(self.settings, self.database, self.identities, self.text_limits, self.sms, self.health)

    @cached_property
    def console(self) -> Console:
        """All that the console asks and does."""
        return Console(
            operator=self.operator,
            administrators=self.administrators,
            sessions=self.admin_sessions,
            audit=self.audit,
            acts=self.acts,
            search=Search(self.database, self.operator.users),
            trends=Trends(self.database, self.operator.figures),
            providers=Providers(self.operator.figures, [each.name for each in self.sms.providers]),
            spending=self.spending,
            raising=self.raising,
            why=self.why,
            settings=self.settings,
            examine=self._examine,
        )

    def _examine(self) -> Iterable[Finding]:
        """The doctor belongs to the commands, which stand above this: it is loaded when it is asked."""
        found: Iterable[Finding] = import_module(DOCTOR).examine(self.settings, DOCTOR_SECONDS)
        return found

    @cached_property
    def imports(self) -> Imports:
        """Accounts that an operator brings."""
        return Imports(self.database, self.identities, self.entrances, self.closing)

    # All that ops do

    @cached_property
    def services(self) -> Services:
        """Everything that ops may ask for. Raises SettingsError or ValueError: it cannot be built."""
        settings, database, limits, identities = self.settings, self.database, self.limits, self.identities
        media, invited = Media(settings, database, self.files), Invited(settings, database, identities)
        blocks = Blocks(settings, database, identities)
        number_changes = Daily(limits, database, "number_changes", CHANGES_A_DAY)
        return Services(
            settings=settings,
            database=database,
            figures=self.figures,
            files=self.files,
            mesibo=self.mesibo,
            sms=self.sms,
            limits=limits,
            tracing=Tracing(self.trace, identities),
            text_delivery=self.text_delivery,
            identities=identities,
            login=self.login,
            accounts=Accounts(settings, database, self.figures, self.login, self.callers, self.entrances),
            callers=self.callers,
            devices=self.devices,
            sessions=self.sessions,
            contacts=Contacts(settings, database, self.callers, limits, identities),
            profiles=Profiles(database, media),
            groups=Groups(
                database, self.callers, invited, self.group_changes, media, Repeats(database, limits)
            ),
            media=media,
            push=Push(database, self.keys),
            blocks=blocks,
            reports=Reports(database, identities, blocks, limits.daily("reports", REPORTS_A_DAY)),
            closing=self.closing,
            exports=Exports(database, limits.daily("exports", EXPORTS_A_DAY)),
            number_change=NumberChange(database, self.entrances, number_changes),
            runner=self.runner,
        )

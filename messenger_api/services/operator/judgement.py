"""Whether people can log in: the one judgement that `status`, `/readyz`, the doctor and `/metrics` show."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

import msgspec

from messenger_api.domain.errors import TryLater
from messenger_api.domain.figures import (
    LOGINS_BEGUN,
    LOGINS_COMPLETED,
    MESIBO_CALLS,
    METHOD_CALLS,
    REFUSALS,
    TEXTS,
)
from messenger_api.domain.health.facts import (
    Activity,
    Budget,
    Country,
    DatabaseState,
    Disk,
    Facts,
    Mesibo,
    Outbox,
    Outcomes,
    Receipts,
    Refusals,
    SchemaState,
    Texts,
)
from messenger_api.domain.health.judgement import RECENT_SECONDS, Judgement, judge
from messenger_api.services.limits import HOUR, Limits
from messenger_api.services.operator.figures import Figures
from messenger_api.services.operator.health import Health
from messenger_api.services.operator.machine import Machine
from messenger_api.services.sms.money import begins, cheapest, periods
from messenger_api.services.sms.report import Budget as Spent
from messenger_api.services.sms.report import TextReport, TextReports
from messenger_api.settings import Settings
from messenger_api.storage.db import Database
from messenger_api.storage.schema import Schema

# A judgement stands for so long: whoever asks more often gets it again.
FRESH_SECONDS = 5

# Outcomes that show that mesibo answers and takes the app token.
_ANSWERED = ("ok", "refused")
# Limits that all share; budgets have findings of their own.
_SHARED = ("sms_per_hour", "sms_per_country", "sms_per_prefix")
# Ops without which nobody logs in.
_LOGIN = ("useradd",)
# A number that a provider refuses says nothing against the provider.
_TOOK = ("sent", "refused", "wrong_channel", "fraud")


class Judge:
    """Gathers what is known, and judges it."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        schema: Schema,
        limits: Limits,
        health: Health,
        texts: TextReports,
        figures: Figures,
        machine: Machine,
    ) -> None:
        self._settings = settings
        self._database = database
        self._schema = schema
        self._limits = limits
        self._health = health
        self._texts = texts
        self._figures = figures
        self._machine = machine
        self._lock = threading.Lock()
        self._latest: Judgement | None = None

    def recent(self) -> Judgement:
        """The judgement of the last seconds (`FRESH_SECONDS`), or a new one. Never raises TryLater."""
        with self._lock:
            now = self._database.now()
            if self._latest is None or not 0 <= now - self._latest.at < FRESH_SECONDS:
                self._latest = self.now()
            return self._latest

    def now(self) -> Judgement:
        """The judgement of this moment; without an answer of the database, of what the machine tells."""
        try:
            return judge(self._facts())
        except TryLater:
            return self.without_database()

    def without_database(self) -> Judgement:
        """What is to be said where the database does not answer, which is not asked again."""
        return judge(self._of_machine("away"))

    def _of_machine(
        self, database: DatabaseState, schema: SchemaState = "current", missing: tuple[str, ...] = ()
    ) -> Facts:
        return Facts(
            now=self._database.now(),
            database=database,
            schema=schema,
            missing_tables=missing,
            disks=tuple(self._disks()),
            dates=tuple(self._machine.dates()),
        )

    def _facts(self) -> Facts:
        if not self._schema.is_current():
            schema: SchemaState = "older" if self._schema.is_known() else "newer"
            return msgspec.structs.replace(self._of_machine("ok"), schema=schema)
        if missing := self._schema.missing():
            return msgspec.structs.replace(
                self._of_machine("ok"), schema="incomplete", missing_tables=missing
            )
        return msgspec.structs.replace(
            self._of_machine("ok" if self._health.is_writable() else "read only"),
            mesibo=self._mesibo(),
            texts=self._of_texts() if self._settings.texts_codes else None,
            method=None if self._settings.texts_codes else self._method(),
            outbox=self._outbox(),
            refusals=tuple(self._refusals()),
            activity=self._activity(),
        )

    def _disks(self) -> Iterator[Disk]:
        """Each disk once."""
        found = {disk.device: disk for disk in self._machine.disks()}
        for disk in found.values():
            yield Disk(disk.folder, disk.free, disk.holds_database)

    def _mesibo(self) -> Mesibo:
        lasts, recent = self._figures.lasts(MESIBO_CALLS), self._figures.recent(MESIBO_CALLS, RECENT_SECONDS)

        def last(*outcomes: str) -> int:
            return max((at for (_op, outcome), at in lasts.items() if outcome in outcomes), default=0)

        def count(*outcomes: str, of: Collection[str] = ()) -> int:
            return sum(
                n for (op, outcome), n in recent.items() if outcome in outcomes and (op in of or not of)
            )

        calls = Outcomes(
            "mesibo", last(*_ANSWERED), last("unreachable"), count(*_ANSWERED), count("unreachable")
        )
        users = Outcomes("useradd", worked=count("ok", of=_LOGIN), failed=count("refused", of=_LOGIN))
        return Mesibo(calls, users, last("token_refused"), last("breached"))

    def _method(self) -> Outcomes:
        """Who judges log-ins: a denial is an answer."""
        lasts = self._figures.lasts(METHOD_CALLS)
        failed = max((at for (_, outcome), at in lasts.items() if outcome == "unavailable"), default=0)
        worked = max((at for (_, outcome), at in lasts.items() if outcome != "unavailable"), default=0)
        return Outcomes(self._settings.login_method.rpartition(".")[2], worked, failed)

    def _activity(self) -> Activity:
        begun, completed = self._figures.lasts(LOGINS_BEGUN), self._figures.lasts(LOGINS_COMPLETED)
        return Activity(
            max(begun.values(), default=0),
            max(completed.values(), default=0),
            sum(self._figures.recent(LOGINS_BEGUN, HOUR).values()),
            sum(self._figures.recent(LOGINS_COMPLETED, HOUR).values()),
        )

    def _refusals(self) -> Iterator[Refusals]:
        lasts, recent = self._figures.lasts(REFUSALS), self._figures.recent(REFUSALS, RECENT_SECONDS)
        for limit in _SHARED:
            series = (limit, "enforce")
            if refused := recent.get(series, 0):
                yield Refusals(limit, refused, lasts.get(series, 0))

    def _of_texts(self) -> Texts:
        report = self._texts.read()
        pausing = self._limits.mode("sms_pause") == "enforce"
        paused = (Country(c.country, c.sent, c.entered) for c in report.countries if c.paused and pausing)
        return Texts(
            currency=report.currency,
            providers=tuple(self._providers()),
            receipts=tuple(_receipts(report)),
            budgets=tuple(self._enforced(report.budgets)),
            paused=tuple(paused),
            paused_ranges=len(self._texts.paused_ranges()) if pausing else 0,
        )

    def _providers(self) -> Iterator[Outcomes]:
        """Those that were asked of late: whoever fails is followed by the next one at once."""
        lasts, now = self._figures.lasts(TEXTS), self._database.now()
        for name in sorted({provider for provider, *_ in lasts}):
            outcomes = [(outcome, at) for (provider, _, outcome), at in lasts.items() if provider == name]
            worked = max((at for outcome, at in outcomes if outcome in _TOOK), default=0)
            failed = max((at for outcome, at in outcomes if outcome not in _TOOK), default=0)
            if now - max(worked, failed) <= RECENT_SECONDS:
                yield Outcomes(name, worked, failed)

    def budgets(self) -> list[Budget]:
        """Those that are enforced, where texts cost anything. Raises TryLater."""
        return list(self._enforced(self._texts.budgets()))

    def _enforced(self, budgets: Iterable[Spent]) -> Iterator[Budget]:
        least, now = cheapest(self._settings), self._database.now()
        pays = least > 0 and set(self._settings.sms_providers) != {"console"}
        for budget, (_, ends_at, _) in zip(budgets, periods(now), strict=True):
            if pays and self._limits.mode(f"sms_budget_{budget.period}") == "enforce":
                began_at, raised = begins(budget.period, now), budget.raised_until
                yield Budget(budget.period, budget.spent, budget.most, least, began_at, ends_at, raised)

    def _outbox(self) -> Outbox:
        found = self._health.outbox()
        return Outbox(found.queued, found.dead, found.oldest, found.is_unattended, found.is_stale)


def _receipts(report: TextReport) -> Iterator[Receipts]:
    for provider in sorted({sending.provider for sending in report.sendings}):
        known = Counter[str]()
        for sending in report.sendings:
            if sending.provider == provider:
                known[sending.outcome] += sending.texts
        yield Receipts(provider, known["delivered"], known["failed"])

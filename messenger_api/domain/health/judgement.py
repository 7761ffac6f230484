"""From facts to a judgement: whether people can log in, and what is to be done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec

from messenger_api.domain.capacity import DISK_FULL_BYTES, DISK_NEARLY_FULL_BYTES
from messenger_api.domain.health.facts import Activity, Budget, Disk, Facts, Outcomes, Texts
from messenger_api.domain.health.findings import KNOWN, NEWER_TO_DO, Finding, Login, Severity, found
from messenger_api.domain.times import DAY_SECONDS

# What failed longer ago than this says nothing of now.
RECENT_SECONDS = 600
# After so long without anything it is told when something last happened, and not that all is well.
QUIET_SECONDS = 900
# From so many calls on, half of which failed, something is wrong although some succeed.
TELLING, HALF = 5, 2
# From so many log-ins begun in an hour on, one would have been completed.
MANY_BEGUN = 10
# What is left of a budget for networks where somebody lately logged in (`services.sms.networks`).
KNOWN_PART = 10
# From this part of a period on its pace says how it ends.
FORECAST_PART = 10
SOON_SECONDS = 14 * DAY_SECONDS

_ORDER = {code: place for place, code in enumerate(KNOWN)}
_WORSE = (Login.YES, Login.LIMITED, Login.NO)


class Judgement(msgspec.Struct, frozen=True):
    """Whether people can log in, what was found, the gravest first, and the facts that it follows from.

    `quiet`: there were no log-ins of late, so that nothing but the absence of failures speaks for it.
    """

    login: Login
    quiet: bool
    findings: tuple[Finding, ...]
    facts: Facts

    @property
    def at(self) -> int:
        """The second that it is about."""
        return self.facts.now

    def headline(self) -> str:
        """The judgement in a sentence, without amounts."""
        if self.login is Login.NO:
            return "People cannot log in."
        if self.login is Login.LIMITED:
            return "Some people cannot log in."
        return "Nothing keeps people from logging in." if self.quiet else "People can log in."


def judge(facts: Facts) -> Judgement:
    """What follows from the facts: the same facts, the same judgement."""
    findings = sorted(_findings(facts), key=_gravity)
    login = max((finding.login for finding in findings), key=_WORSE.index, default=Login.YES)
    quiet = facts.now - max(facts.activity.begun_at, facts.activity.completed_at) > QUIET_SECONDS
    return Judgement(login, quiet, tuple(findings), facts)


def _gravity(finding: Finding) -> tuple[int, bool, int]:
    """What it leaves of logging in comes first: a full disk ends it or not, as the database lies there."""
    return -_WORSE.index(finding.login), finding.severity is Severity.WARNING, _ORDER[finding.code]


def _findings(facts: Facts) -> Iterator[Finding]:
    yield from _of_database(facts)
    yield from _of_mesibo(facts)
    if facts.texts is not None:
        yield from _of_texts(facts.texts, facts.now)
    if facts.method is not None and _fails(facts.method, facts.now):
        yield found("method_away", facts.method.name, since=_since(facts.method))
    for refusals in facts.refusals:
        if refusals.refused:
            what = f"{refusals.limit} refused {refusals.refused} in {RECENT_SECONDS // 60} minutes"
            yield found("limit_reached", what, since=refusals.last_at)
    yield from _of_log_ins(facts.activity)
    yield from _of_outbox(facts)
    for disk in facts.disks:
        yield from _of_disk(disk)
    yield from _of_dates(facts)


def _of_database(facts: Facts) -> Iterator[Finding]:
    if facts.database == "away":
        yield found("database_away")
    elif facts.schema == "incomplete":
        yield found("table_missing", ", ".join(facts.missing_tables))
    elif facts.schema != "current":
        yield found("schema_old", to_do=NEWER_TO_DO if facts.schema == "newer" else "")
    elif facts.database == "read only":
        yield found("database_read_only")


def _fails(outcomes: Outcomes, now: int) -> bool:
    """Whether the last that is known of something is a failure, and lately."""
    return outcomes.failed_at > outcomes.worked_at and now - outcomes.failed_at <= RECENT_SECONDS


def _since(outcomes: Outcomes) -> int:
    return outcomes.worked_at or outcomes.failed_at


def _of_mesibo(facts: Facts) -> Iterator[Finding]:
    """What failed last is told. What answers, and refuses all, is not away."""
    mesibo, calls, now = facts.mesibo, facts.mesibo.calls, facts.now
    kinds = {
        "app_disabled": Outcomes("mesibo", calls.worked_at, mesibo.breached_at),
        "app_token_refused": Outcomes("mesibo", calls.worked_at, mesibo.token_refused_at),
        "mesibo_away": calls,
    }
    failing = [code for code, outcomes in kinds.items() if _fails(outcomes, now)]
    if failing:
        code = max(failing, key=lambda each: kinds[each].failed_at)
        yield found(code, since=_since(kinds[code]))
    elif calls.failed >= TELLING and calls.failed >= calls.worked:
        yield found("mesibo_unsteady", f"{calls.failed} of {calls.failed + calls.worked} calls failed")
    if mesibo.users.failed >= TELLING and not mesibo.users.worked:
        yield found("mesibo_refuses", f"{mesibo.users.failed} users were refused, and none was taken")


def _of_texts(texts: Texts, now: int) -> Iterator[Finding]:
    yield from _of_providers(texts, now)
    for budget in texts.budgets:
        yield from _of_budget(budget, texts.currency, now)
    for paused in texts.paused:
        what = f"{paused.country}: of {paused.sent} codes in the last hour {paused.entered} were entered"
        to_do = f"messenger-api sms resume {paused.country}, if these are your users"
        yield found("country_paused", what, to_do=to_do)
    if texts.paused_ranges:
        yield found("ranges_paused", f"{texts.paused_ranges} ranges")


def _of_providers(texts: Texts, now: int) -> Iterator[Finding]:
    failing = [provider for provider in texts.providers if _fails(provider, now)]
    names = ", ".join(provider.name for provider in failing)
    if failing and len(failing) == len(texts.providers):
        yield found("texts_fail", names, since=max(map(_since, failing)))
    elif failing:
        yield found("provider_fails", names, since=max(map(_since, failing)))
    for receipts in texts.receipts:
        known = receipts.delivered + receipts.failed
        if known >= TELLING and receipts.failed * HALF >= known:
            what = f"{receipts.provider} reports {receipts.failed} of {known} texts of the last 24 hours"
            yield found("texts_lost", f"{what} as not delivered")


def _of_budget(budget: Budget, currency: str, now: int) -> Iterator[Finding]:
    """How much of it is spent, and whether it will last; a budget of nothing is spent from the beginning."""
    left = budget.most - budget.spent
    told = f"{budget.spent:.2f} of {budget.most:.2f} {currency} of the {budget.period} are spent"
    to_do = f"raise SMS_BUDGET_{budget.period.upper()} if these are your users: messenger-api sms status"
    if left < budget.cheapest:
        yield found("budget_spent", told, to_do=to_do)
    elif left * KNOWN_PART <= budget.most:
        yield found("budget_nearly_spent", told, to_do=to_do)
    elif budget.spent * HALF >= budget.most:
        yield found("budget_half_spent", told, to_do=to_do)
    elif (ends := forecast(budget, now)) > budget.most:
        what = f"{told}; at this pace {ends:.2f} by its end, {_day_and_hour(budget.ends_at)}"
        yield found("budget_forecast", what, to_do=to_do)


def forecast(budget: Budget, now: int) -> float:
    """What the period will have cost if it goes on like this; 0 while it is too early to say."""
    gone, whole = now - budget.began_at, budget.ends_at - budget.began_at
    return budget.spent * whole / gone if gone * FORECAST_PART >= whole > 0 else 0.0


def _day_and_hour(second: int) -> str:
    return dt.datetime.fromtimestamp(second, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _of_log_ins(activity: Activity) -> Iterator[Finding]:
    if activity.begun >= MANY_BEGUN and not activity.completed:
        what = f"of {activity.begun} log-ins begun in the last hour none was completed"
        yield found("nobody_enters", what, since=activity.completed_at)


def _of_outbox(facts: Facts) -> Iterator[Finding]:
    outbox, since = facts.outbox, facts.now - facts.outbox.oldest
    waits = f"{outbox.queued} wait, the oldest for {outbox.oldest} s"
    if outbox.unattended:
        yield found("nobody_delivers", waits, since=since)
    elif outbox.late:
        yield found("outbox_late", waits, since=since)
    if outbox.dead:
        yield found("outbox_dead", f"{outbox.dead} were given up")


def _of_disk(disk: Disk) -> Iterator[Finding]:
    """A full disk ends log-ins where the database lies on it; elsewhere no picture can be kept."""
    what = f"the disk of {disk.folder} has {disk.free // 1024**2} MB left"
    if disk.free < DISK_FULL_BYTES:
        yield found("disk_full", what, login=Login.NO if disk.holds_database else Login.YES)
    elif disk.free < DISK_NEARLY_FULL_BYTES:
        yield found("disk_nearly_full", what)


def _of_dates(facts: Facts) -> Iterator[Finding]:
    for date in facts.dates:
        told = f"{date.what}: {_day_and_hour(date.ends_at)}"
        if date.ends_at <= facts.now:
            severity = Severity.FAULT if date.grave else Severity.WARNING
            yield found("date_passed", told, since=date.ends_at, to_do=date.to_do, severity=severity)
        elif date.ends_at <= facts.now + SOON_SECONDS:
            yield found("date_near", told, to_do=date.to_do)

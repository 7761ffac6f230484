"""The screen of `messenger-api status`: a judgement in lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from messenger_api.cli.common import local_time, printable
from messenger_api.domain.health.facts import Activity, Facts, Mesibo, Outbox, Outcomes, Texts
from messenger_api.domain.health.findings import Finding, Login
from messenger_api.domain.health.judgement import QUIET_SECONDS, Judgement

_NAME = 9
_UNITS = (("d", 86_400), ("h", 3600), ("min", 60))


def screen(judgement: Judgement) -> str:
    """The judgement for people, in this machine's time."""
    facts = judgement.facts
    lines = [
        f"{judgement.headline()}  ({local_time(judgement.at)})",
        *(line for finding in judgement.findings for line in _finding(finding)),
        "",
        *(f"{name:<{_NAME}} {printable(text)}" for name, text in _known(facts)),
    ]
    return "\n".join(lines)


def _finding(finding: Finding) -> Iterator[str]:
    severity = finding.severity.upper() if finding.login is Login.NO else finding.severity
    since = f" Since {local_time(finding.since)}." if finding.since else ""
    yield ""
    yield f"{severity:<{_NAME}} {finding.said}{since}"
    indent = " " * (_NAME + 1)
    if finding.detail:
        yield indent + printable(finding.detail)
    yield f"{indent}-> {printable(finding.to_do)}"
    yield f"{indent}   {finding.docs}"


def _known(facts: Facts) -> Iterator[tuple[str, str]]:
    yield "database", _database(facts)
    if facts.database == "away" or facts.schema != "current":
        return
    now = facts.now
    yield "log-ins", _log_ins(facts.activity, now)
    yield "mesibo", _mesibo(facts.mesibo, now)
    if facts.method:
        yield facts.method.name, _worked("answered", facts.method, now)
    if facts.texts:
        yield from _texts(facts.texts, now)
    yield "outbox", _outbox(facts.outbox)
    yield from (("disk", f"{disk.folder}: {disk.free // 1024**2} MB free") for disk in facts.disks)


def _database(facts: Facts) -> str:
    if facts.database == "away":
        return "does not answer: nothing else is known"
    if facts.schema == "incomplete":
        return "lacks a table: nothing else is known"
    if facts.schema != "current":
        return "has the tables of another version: nothing else is known"
    return "takes no writes" if facts.database == "read only" else "answers and takes writes"


def _log_ins(activity: Activity, now: int) -> str:
    last = max(activity.begun_at, activity.completed_at)
    if not last:
        return "none was ever seen"
    begun, completed = _when(activity.begun_at, now), _when(activity.completed_at, now)
    if now - last > QUIET_SECONDS:
        return f"nothing happened since {_when(last, now)}; last completed {completed}"
    hour = f"{activity.begun} begun and {activity.completed} completed in the last hour"
    return f"{hour}; last begun {begun}, completed {completed}"


def _mesibo(mesibo: Mesibo, now: int) -> str:
    refused = max(mesibo.token_refused_at, mesibo.breached_at)
    told = f"; last refused the app token {_when(refused, now)}" if refused > mesibo.calls.worked_at else ""
    return _worked("answered", mesibo.calls, now) + told


def _worked(what: str, outcomes: Outcomes, now: int) -> str:
    """When something last worked and failed; nothing of late is said to be nothing."""
    last = max(outcomes.worked_at, outcomes.failed_at)
    if not last:
        return "was not asked yet"
    worked, failed = _when(outcomes.worked_at, now), _when(outcomes.failed_at, now)
    quiet = f"; nothing happened since {_when(last, now)}" if now - last > QUIET_SECONDS else ""
    return f"last {what} {worked}, last failed {failed}{quiet}"


def _texts(texts: Texts, now: int) -> Iterator[tuple[str, str]]:
    if not texts.providers:
        yield "texts", "no provider was asked in the last minutes"
    for provider in texts.providers:
        yield "texts", f"{provider.name} {_worked('took one', provider, now)}"
    for budget in texts.budgets:
        spent = f"{budget.spent:.2f} of {budget.most:.2f} {texts.currency} of the {budget.period} are spent"
        raised = f"; raised until {local_time(budget.raised_until)}" if budget.raised_until else ""
        yield "money", spent + raised


def _outbox(outbox: Outbox) -> str:
    oldest = f", the oldest for {outbox.oldest} s" if outbox.oldest else ""
    return f"{outbox.queued} wait{oldest}; {outbox.dead} were given up"


def _when(second: int, now: int) -> str:
    """A moment and how long ago it was, or that there was none."""
    if not second:
        return "never"
    ago = max(0, now - second)
    unit, size = next(((u, s) for u, s in _UNITS if ago >= 2 * s), ("s", 1))
    return f"{local_time(second)} ({ago // size} {unit} ago)"

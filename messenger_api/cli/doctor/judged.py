"""What the judgement says (`services.operator.judgement`), each finding with the check that it belongs to."""

from __future__ import annotations

from collections.abc import Iterator

from messenger_api.cli.common import is_to_be_made
from messenger_api.cli.doctor.verdicts import State, Verdict
from messenger_api.composition import Parts
from messenger_api.domain.errors import TryLater
from messenger_api.domain.health.findings import Finding, Login, Severity
from messenger_api.settings import Settings

LOG_INS = "log-ins"
# Of groups that a person has to look for, so many are counted.
MOST_GROUPS = 100
_AREAS = {
    # They have checks that tell more.
    "database and schema": ("database_away", "schema_old", "table_missing"),
    "texts": (
        "texts_fail",
        "provider_fails",
        "texts_lost",
        "budget_spent",
        "budget_nearly_spent",
        "budget_half_spent",
        "budget_forecast",
        "country_paused",
        "ranges_paused",
    ),
    "outbox": ("nobody_delivers", "outbox_late", "outbox_dead"),
    "files": ("disk_full", "disk_nearly_full"),
}
_AREA_OF = {code: area for area, codes in _AREAS.items() for code in codes}


def of_area(area: str, settings: Settings, parts: Parts) -> Iterator[Verdict]:
    """The findings that a check tells; none where there is no database yet."""
    if is_to_be_made(settings):
        return
    for finding in parts.judge.recent().findings:
        if _AREA_OF.get(finding.code, LOG_INS) == area:
            yield _verdict(finding)


def log_ins(settings: Settings, parts: Parts) -> Iterator[Verdict]:
    """Whether people can log in, from what really happened."""
    if is_to_be_made(settings):
        yield "ok", "nobody could yet", ""
        return
    found = list(of_area(LOG_INS, settings, parts))
    yield from found
    if not found:
        judged = parts.judge.recent()
        # What keeps them out stands with another check, with what to do.
        state: State = "ok" if judged.login is Login.YES else "warning"
        yield state, judged.headline(), ""


def outbox(settings: Settings, parts: Parts) -> Iterator[Verdict]:
    """Whether what waits is delivered, and what a person has to look at."""
    if is_to_be_made(settings):
        yield "ok", "empty", ""
        return
    try:
        status, notes = parts.health.outbox(), parts.outbox.unknown_groups(MOST_GROUPS)
    except TryLater:
        yield "warning", "unknown: the database does not answer, or lacks the table", ""
        return
    found = list(of_area("outbox", settings, parts))
    yield from found
    if notes:
        what = f"{len(notes)} groups may be at mesibo that nobody here knows"
        yield "warning", what, "messenger-api outbox status names them"
    elif not found:
        yield "ok", f"{status.queued} queued, the oldest for {status.oldest} s; {status.dead} dead", ""


def _verdict(finding: Finding) -> Verdict:
    state: State = "fault" if finding.severity is Severity.FAULT else "warning"
    detail = f" {finding.detail}" if finding.detail else ""
    return state, f"{finding.said}{detail}", f"{finding.to_do} ({finding.docs})"

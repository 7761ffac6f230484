"""What may be found to be wrong: each with its sentence, what it leaves of logging in, and what to do.

The sentences name no amount, number or address, so that `/readyz` may show them to strangers.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

PAGE = "docs/operations/status.md"

BREACHED = (
    "mesibo disabled the app: its token leaked, or was used from more than five addresses of the internet."
    " Make a new token in mesibo's console, set MESIBO_APP_TOKEN, and let all machines call mesibo from one"
    " address (docs/scaling.md)"
)
# Of tables that a newer version of this program made.
NEWER_TO_DO = "install the version that made the tables, or restore a backup from before it"
_RAISE = "raise the budget in the configuration if these are your users: messenger-api sms status"


class Login(StrEnum):
    """Whether people can log in."""

    YES = "yes"
    LIMITED = "limited"
    NO = "no"


class Severity(StrEnum):
    """Whether somebody has to act now, or soon."""

    FAULT = "fault"
    WARNING = "warning"


class Known(msgspec.Struct, frozen=True):
    """A thing that may be found. `login`: what it leaves of logging in."""

    severity: Severity
    login: Login
    said: str
    to_do: str


class Finding(msgspec.Struct, frozen=True):
    """A thing that was found.

    `detail`: amounts and names, for those who may see them. `since`: when it last was well, or else when it
    was first seen to be wrong, in unix seconds; 0 when that is not known.
    """

    code: str
    severity: Severity
    login: Login
    said: str
    detail: str
    to_do: str
    since: int
    docs: str


def _fault(login: Login, said: str, to_do: str) -> Known:
    return Known(Severity.FAULT, login, said, to_do)


def _warning(login: Login, said: str, to_do: str) -> Known:
    return Known(Severity.WARNING, login, said, to_do)


KNOWN: dict[str, Known] = {
    "database_away": _fault(
        Login.NO, "The database does not answer.", "start it if it is down: messenger-api check has its error"
    ),
    "database_read_only": _fault(
        Login.NO,
        "The database takes no writes.",
        "see database.failed in the log: its disk is full, it is set to read_only, or its user lost rights",
    ),
    "schema_old": _fault(
        Login.NO, "The tables are not those of this version.", "run messenger-api db upgrade"
    ),
    "table_missing": _fault(
        Login.NO, "A table is gone.", "restore a backup, with all servers stopped: docs/operations/backup.md"
    ),
    "mesibo_away": _fault(
        Login.NO, "mesibo does not answer.", "check the network and MESIBO_API_URL: messenger-api check"
    ),
    "app_token_refused": _fault(
        Login.NO, "mesibo refuses the app token.", "check MESIBO_APP_TOKEN and MESIBO_API_URL"
    ),
    "app_disabled": _fault(Login.NO, "mesibo has disabled the app.", BREACHED),
    "mesibo_unsteady": _warning(
        Login.LIMITED, "Many calls of mesibo fail.", "look for mesibo_call in the log"
    ),
    "mesibo_refuses": _fault(
        Login.LIMITED,
        "mesibo refuses every user.",
        "look for login.mesibo_refused in the log: a limit in mesibo's console, or an unknown app id",
    ),
    "texts_fail": _fault(
        Login.NO,
        "No provider takes texts.",
        "messenger-api sms test NUMBER and sms.send in the log say why; another in SMS_PROVIDERS helps",
    ),
    "provider_fails": _warning(
        Login.YES,
        "A provider of texts fails; others take its place.",
        "see its console, and sms.send in the log",
    ),
    "texts_lost": _fault(
        Login.LIMITED,
        "A provider reports half of its texts or more as not delivered.",
        "see its console, or put another first in SMS_PROVIDERS",
    ),
    "method_away": _fault(
        Login.NO,
        "Who judges log-ins does not answer.",
        "see messenger-api check; docs/login-methods.md explains the keys of each method",
    ),
    "budget_spent": _fault(Login.NO, "The budget for texts is spent.", _RAISE),
    "budget_nearly_spent": _fault(
        Login.LIMITED, "What is left of the budget for texts is kept for known networks.", _RAISE
    ),
    "budget_half_spent": _warning(
        Login.YES, "Half of the budget for texts is spent: who does not enter codes gets no more.", _RAISE
    ),
    "budget_forecast": _warning(Login.YES, "At this pace the budget for texts will not last.", _RAISE),
    "country_paused": _fault(
        Login.LIMITED,
        "Texts to a country are paused: the codes sent there are not entered.",
        "messenger-api sms resume COUNTRY, if these are your users",
    ),
    "ranges_paused": _warning(
        Login.LIMITED,
        "Ranges of numbers get one text in a while: their codes are not entered.",
        "messenger-api sms resume --range NAME, if these are your users: sms status names them",
    ),
    "limit_reached": _warning(
        Login.LIMITED,
        "A limit that all share refuses people.",
        "messenger-api sms status shows the countries; of your own users sms raise KEY lets more through",
    ),
    "nobody_enters": _warning(
        Login.LIMITED,
        "Codes are asked for, and nobody completes a log-in.",
        "try it with a number of your own, and see messenger-api why NUMBER",
    ),
    "nobody_delivers": _fault(
        Login.YES, "Nobody does the work that follows: no worker runs.", "run messenger-api worker"
    ),
    "outbox_late": _fault(
        Login.YES, "Work that follows waits too long.", "see mesibo above, and messenger-api outbox status"
    ),
    "outbox_dead": _warning(
        Login.YES, "Work was given up after many tries.", "messenger-api outbox status says why"
    ),
    "disk_full": _fault(Login.YES, "A disk is full.", "make room there"),
    "disk_nearly_full": _warning(Login.YES, "A disk is nearly full.", "make room there"),
    "date_passed": _fault(Login.YES, "Something has run out.", "renew it"),
    "date_near": _warning(Login.YES, "Something runs out soon.", "renew it in time"),
}
"""All that may be found: of what weighs alike in a judgement, the first here is told first."""


def found(
    code: str,
    detail: str = "",
    *,
    since: int = 0,
    to_do: str = "",
    login: Login | None = None,
    severity: Severity | None = None,
) -> Finding:
    """A finding of a known code; `to_do`, `login` and `severity` where they are not the usual ones."""
    known = KNOWN[code]
    return Finding(
        code=code,
        severity=severity or known.severity,
        login=login or known.login,
        said=known.said,
        detail=detail,
        to_do=to_do or known.to_do,
        since=since,
        docs=f"{PAGE}#{code}",
    )

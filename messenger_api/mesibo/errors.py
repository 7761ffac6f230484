"""What can go wrong in a call of mesibo's backend API.

    MesiboError
    ├── MesiboUnreachable   no usable answer; the call may or may not have been carried out
    └── MesiboRefused       mesibo answered, and the answer is no, whatever is tried again

Their texts hold a class word or mesibo's error code, and where mesibo was asked: never a token, a user's
address or a message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# Every error code that mesibo documents is upper case without spaces (AUTHFAIL, BADVALUE). Whatever
# looks different may be prose with somebody's address in it and stays out of logs and texts.
_CODE = re.compile(r"[A-Z][A-Z_]{0,31}")

# What mesibo answers to an app token that is wrong or expired (the code 401 was observed with AUTHFAIL), and
# to one that it disabled because it leaked.
_APP_TOKEN_FAULTS = frozenset({"AUTHFAIL", "TOKENBREACH"})
_UNAUTHORIZED = 401
_BREACH = "TOKENBREACH"

# "Not found" and "gone" (RFC 9110), and labels that mesibo's backends use for what they do not know.
_GONE_CODES = frozenset({404, 410})
_GONE_LABELS = frozenset({"NOTFOUND", "BADUSER", "BADGROUP", "NOTMEMBER"})
# By what ops name a user, a group or its members, in both styles of the API.
_NAMES = frozenset({"uid", "addr", "address", "gid", "m", "members"})

# Reasons that somebody must mend before another try can end differently.
_LASTING = frozenset({"tls", "bad url", "redirect", "not json", "bad answer", "too large", "too many"})

BREACH_ADVICE = (
    "mesibo disabled the app: its token leaked, or was used from more than five addresses of the internet."
    " Make a new token in mesibo's console, and let all machines call mesibo from one address"
)


class MesiboError(Exception):
    """Base of every failure of a call to mesibo.

    Attributes:
        op: what was asked, "" when it is not known.
        error: mesibo's error code as it came, "" when there is none.
        code: a status as in RFC 9110, or None.
        cause: what is wrong, for people.
        action: what to do, for people.
        properties: names of the request's fields at fault; need not be all of them.
        request_id: of the request, or None where none was sent.
    """

    op = ""
    error = ""
    code: int | None = None
    cause = ""
    action = ""
    properties: tuple[str, ...] = ()
    request_id: int | None = None

    @property
    def can_help(self) -> bool:
        """Whether trying again later can help."""
        raise NotImplementedError


class MesiboUnreachable(MesiboError):
    """There is no usable answer.

    `reason` is one of: `connect`, `proxy`, `tls`, `timeout`, `broken` (the connection ended before the
    answer did), `redirect`, `http <status>`, `not json`, `bad answer` (something that is not mesibo, or a
    success that lacks what was asked for), `fault <label>` (mesibo told of a fault of its own), `too large`,
    `bad url`, `busy` (too many calls at once), `too late` (the time within which the caller
    may act was over), `resting` (the breaker is open), `too many` (a list cannot be read to its end).
    `detail`: where it was asked, without user and password, and what happened there, for people.
    `maybe_done` is True when mesibo may have carried the call out all the same.
    `passing` is True when another try may succeed at once. `retry_after`: seconds that the server asks for,
    or None.
    """

    def __init__(
        self,
        reason: str,
        *,
        maybe_done: bool = False,
        detail: str = "",
        passing: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"no usable answer from mesibo: {reason}" + (f" ({detail})" if detail else ""))
        self.reason = reason
        self.detail = detail
        self.maybe_done = maybe_done
        self.passing = passing
        self.retry_after = retry_after

    @property
    def can_help(self) -> bool:
        """Whether trying again later can help: not what somebody must mend first."""
        return self.passing or not (self.reason in _LASTING or self.reason.startswith("http 4"))


class MesiboRefused(MesiboError):
    """mesibo answered with a `result` that is not true.

    `error` is mesibo's code as it came ("" when there was none) and `code` an HTTP-like status or None;
    `cause` and `action` are prose for an operator, `properties` names the request fields at fault.
    The secrets of the client are blotted out of all of them.
    """

    def __init__(
        self,
        error: str,
        *,
        op: str,
        code: int | None = None,
        cause: str = "",
        action: str = "",
        properties: Sequence[str] = (),
    ) -> None:
        self.error = error
        self.op = op
        self.code = code
        self.cause = cause
        self.action = action or (BREACH_ADVICE if error == _BREACH else "")
        self.properties = tuple(properties)
        super().__init__(f"mesibo refused {op}: {self.label} (code {code})")

    @property
    def can_help(self) -> bool:
        """False: the same request is refused again."""
        return False

    @property
    def about_app_token(self) -> bool:
        """Whether mesibo refuses us, whatever is asked, and not this call."""
        return self.code == _UNAUTHORIZED or self.error in _APP_TOKEN_FAULTS

    @property
    def is_breach(self) -> bool:
        """Whether mesibo disabled the app because its token leaked, or was used from more than five
        addresses of the internet."""
        return self.error == _BREACH

    def names(self, field: str) -> bool:
        """Whether mesibo calls this field of the request one at fault."""
        words = re.findall(r"[a-z]+", self.cause.lower())
        return field in self.properties or (not self.properties and field in words)

    @property
    def is_not_there(self) -> bool:
        """Whether mesibo says that what the call is about does not exist: by status, by label, or by naming
        what it was called by as a bad value."""
        if self.code in _GONE_CODES or self.error in _GONE_LABELS:
            return True
        return self.error == "BADVALUE" and not _NAMES.isdisjoint(self.properties)

    @property
    def label(self) -> str:
        """`error` where it looks like an error code, else `OTHER`: fit for a log."""
        return self.error if _CODE.fullmatch(self.error) else "OTHER"

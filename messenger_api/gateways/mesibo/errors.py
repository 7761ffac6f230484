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


class MesiboError(Exception):
    """Base of every failure of a call to mesibo."""


class MesiboUnreachable(MesiboError):
    """There is no usable answer.

    `reason` is one of: `connect`, `proxy`, `tls`, `timeout`, `broken` (the connection ended before the
    answer did), `redirect`, `http <status>`, `not json`, `bad answer` (something that is not mesibo, or a
    success that lacks what was asked for), `fault <label>` (mesibo told of a fault of its own), `too large`,
    `bad url`, `busy` (too many calls at once), `too late` (the time within which the caller
    may act was over).
    `detail`: where it was asked, without user and password, and what happened there, for people.
    `maybe_done` is True when mesibo may have carried the call out all the same.
    """

    def __init__(self, reason: str, *, maybe_done: bool = False, detail: str = "") -> None:
        super().__init__(f"no usable answer from mesibo: {reason}" + (f" ({detail})" if detail else ""))
        self.reason = reason
        self.detail = detail
        self.maybe_done = maybe_done


class MesiboRefused(MesiboError):
    """mesibo answered with a `result` that is not true.

    `error` is mesibo's code as it came ("" when there was none) and `code` an HTTP-like status or None;
    `cause` and `action` are prose for an operator, `properties` names the request fields at fault.
    The app token is blotted out of all of them.
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
        self.action = action
        self.properties = tuple(properties)
        super().__init__(f"mesibo refused {op}: {self.label} (code {code})")

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

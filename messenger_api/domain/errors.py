"""The refusals of the API, each with the code that travels on the wire.

    ApiError
    ├── AuthFail        the user's token is unknown, expired or revoked: every app logs its user out
    ├── BadRequest      the request cannot be served as it was sent
    │   ├── BadOp  MissingAppId  BadCode  BadUser  BadAkToken  MissingPara  BadValue  BadPhone
    │   ├── BadGroup  NotMember
    │   └── MissingFile  BadImage  TooLarge
    ├── Refused         mesibo said no; its own code goes to the app
    └── Later           the same request may succeed in a while; carries `retry_after`
        ├── TooMany     a limit was reached
        └── TryLater    mesibo, the SMS network or the database is down, or a fault of ours

Everything below `transport` raises these; `transport.envelope` alone turns them into an answer.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence

# Up to here a wait is told in seconds, and in minutes.
LONGEST_IN_SECONDS = 120
LONGEST_IN_MINUTES = 120 * 60


class ApiError(Exception):
    """A request that is answered with FAIL.

    `code` is the wire's `error`; `to_do` says what an app does about it. `title` and `message` name texts in
    `domain.texts`; "" means that a person can do nothing about it and the app gets the code alone. `values`
    fill the text's placeholders. `properties` names the request fields at fault. `retry_after`: seconds after
    which another try makes sense, 0 when time changes nothing. `why` is for operators and no app is told it:
    a limit's name, or what became of a code (`domain.trace`).
    """

    code = "TRYLATER"
    to_do = ""
    title = ""
    message = ""

    def __init__(
        self,
        message: str = "",
        *,
        properties: Sequence[str] = (),
        retry_after: int = 0,
        why: str = "",
        **values: str | int,
    ) -> None:
        super().__init__(message or self.code)
        self.why = why
        self.message = message or self.message
        self.properties = tuple(properties)
        self.retry_after = retry_after
        self.values = values


class AuthFail(ApiError):
    """The session token is unknown, expired or revoked. Never raise it for a fault of ours."""

    code = "AUTHFAIL"
    to_do = "Log the user out and show the login screen."


class BadRequest(ApiError):
    """Base of everything that the sender of the request can put right."""

    code = "BADVALUE"


class BadOp(BadRequest):
    """There is no such op."""

    code = "BADOP"
    to_do = "Correct the op: this is a fault of the app."


class MissingAppId(BadRequest):
    """`login` without `appid`."""

    code = "MISSINGAPPID"
    to_do = "Send `appid`: this is a fault of the app."


class BadCode(BadRequest):
    """The one-time code is wrong, used or expired."""

    code = "BADCODE"
    to_do = "Show `errmsg`, and let the user enter the code again or ask for another."
    title = "code_title"
    message = "code_wrong"


class BadUser(BadRequest):
    """mesibo refused to make a token for this user."""

    code = "BADUSER"
    to_do = "Show `errmsg`. The operator finds the reason in the log, or has blocked the user."
    title = "login_title"
    message = "user_refused"


class BadAkToken(BadRequest):
    """Login by Facebook AccountKit, which was switched off in 2020."""

    code = "BADAKTOKEN"
    to_do = "Log in with `phone`."


class MissingPara(BadRequest):
    """A required field is absent; `properties` names it."""

    code = "MISSINGPARA"
    to_do = "Send the fields in `properties`: this is a fault of the app."


class BadValue(BadRequest):
    """A field has the wrong type or is out of range; `properties` names it."""

    code = "BADVALUE"
    to_do = "Correct the fields in `properties`. Show `errmsg` where a person has typed them."
    title = "value_title"
    message = "value_bad"


class BadPhone(BadRequest):
    """No usable phone number."""

    code = "BADPHONE"
    to_do = "Show `errmsg`, and let the user correct the number."
    title = "phone_title"
    message = "phone_bad"


class BadGroup(BadRequest):
    """No such group, or the caller may not change it."""

    code = "BADGROUP"
    to_do = "Tell the user that only admins may do this, and read the group again."


class NotMember(BadRequest):
    """The caller is not a member of the group."""

    code = "NOTMEMBER"
    to_do = "Take the group off the list: the user is in it no more."


class MissingFile(BadRequest):
    """`upload` without a file."""

    code = "MISSINGFILE"
    to_do = "Send a file as multipart/form-data: this is a fault of the app."


class BadImage(BadRequest):
    """The photo is not a picture that can be read."""

    code = "BADIMAGE"
    to_do = "Show `errmsg`, and let the user choose another picture."
    title = "photo_title"
    message = "photo_bad"


class TooLarge(BadRequest):
    """The upload is larger than the limit."""

    code = "TOOLARGE"
    to_do = "Show `errmsg`, and send less: a smaller picture, or a phone book in parts."
    title = "photo_title"
    message = "file_large"


class Refused(ApiError):
    """mesibo refused the call; its error code is passed on unchanged."""

    to_do = "Say that it did not work. The code is mesibo's own; the operator finds it in the log."

    def __init__(self, code: str) -> None:
        super().__init__(f"mesibo refused: {code}")
        self.code = code
        self.message = ""


class Later(ApiError):
    """The same request may succeed after `retry_after` seconds."""

    def __init__(self, message: str = "", *, retry_after: int, why: str = "", **values: str | int) -> None:
        minutes, hours = -(-retry_after // 60), -(-retry_after // 3600)
        times = {"seconds": retry_after, "minutes": minutes, "hours": hours}
        super().__init__(message, properties=(), retry_after=retry_after, why=why, **{**times, **values})


class TooMany(Later):
    """A limit was reached. Without a text of its own it says how long to wait, in a fitting unit."""

    code = "TOOMANY"
    to_do = "Show `errmsg` where there is one, and try again after `retry_after` seconds, not before."
    title = "wait_title"

    def __init__(self, message: str = "", *, retry_after: int, why: str = "", **values: str | int) -> None:
        super().__init__(message or _wait(retry_after), retry_after=retry_after, why=why, **values)


def _wait(seconds: int) -> str:
    if seconds <= LONGEST_IN_SECONDS:
        return "wait_seconds"
    return "wait_minutes" if seconds <= LONGEST_IN_MINUTES else "wait_hours"


class TryLater(Later):
    """Something that we depend on is down, or we made a mistake; nothing was changed."""

    code = "TRYLATER"
    to_do = "Say that the server is busy, and try again after `retry_after` seconds."
    title = "later_title"
    message = "later"

    def __init__(self, message: str = "", *, retry_after: int = 10) -> None:
        super().__init__(message, retry_after=retry_after)


def _codes(kind: type[ApiError]) -> set[str]:
    return {kind.code}.union(*map(_codes, kind.__subclasses__()))


CODES = frozenset(_codes(ApiError))
"""All codes but mesibo's own, which `Refused` passes on."""


# For operators: no request is answered with these.


class Unusable(OSError):
    """A place that no files can be kept in; `to_do` says what helps."""

    def __init__(self, place: str, found: str, to_do: str) -> None:
        super().__init__(errno.EIO, found, place)
        self.to_do = to_do


class UpgradeRefused(Exception):
    """The database's tables cannot be upgraded as things are; the text says what to do."""

"""What became of each step of a log-in, noted for the operator who asks why (`services.operator.why`).

Under the blind key of the number, in memory until the bookkeeper keeps it, and for a day. Known and unknown
numbers are noted alike, and no statement of the database is spent in the request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from messenger_api.domain.errors import ApiError, BadPhone, BadUser, Refused, TooMany, TryLater
from messenger_api.domain.trace import Step, Trace
from messenger_api.gateways.login import LoginFailed
from messenger_api.gateways.mesibo import MesiboRefused, MesiboUnreachable
from messenger_api.gateways.sms import SmsError, SmsRefused, SmsWrongChannel
from messenger_api.services.identities import Identities

_NO_LABEL = re.compile(r"[^A-Z0-9_]+")
_KINDS = {"phone_country": "country", "phone_kind": "kind"}
_STEPS = frozenset(Step)


@dataclass
class Followed:
    """What is to be noted of a step that succeeds."""

    detail: str = ""


class Tracing:
    """Notes how steps end."""

    def __init__(self, trace: Trace, identities: Identities) -> None:
        self._trace = trace
        self._identities = identities

    @contextmanager
    def following(self, entry: str, done: Step) -> Iterator[Followed]:
        """Note what comes of the step in here for what was typed; `done` when it succeeds."""
        followed = Followed()
        try:
            yield followed
        except ApiError as error:
            self._note(entry, *what_ended(error))
            raise
        self._note(entry, done, followed.detail)

    def _note(self, entry: str, step: Step, detail: str) -> None:
        """An entry that can be read as nobody's is nobody's to ask about."""
        if (key := self._identities.key_at_login(entry)) is not None:
            self._trace.note(key, step, detail)


def what_ended(error: ApiError) -> tuple[Step, str]:
    """The step by which a log-in ended, and its detail."""
    cause = error.__cause__
    if error.why in _STEPS:
        return Step(error.why), ""
    if isinstance(error, TooMany):
        return Step.LIMITED, error.why
    if isinstance(cause, SmsError):
        return _of_provider(cause), cause.provider
    if isinstance(cause, LoginFailed):
        return (Step.NUMBER_REFUSED if isinstance(error, BadPhone) else Step.METHOD_AWAY), ""
    if isinstance(error, BadPhone):
        return _of_number(error)
    return _of_mesibo(error, cause)


def _of_provider(cause: SmsError) -> Step:
    if isinstance(cause, SmsWrongChannel):
        return Step.NO_CHANNEL
    return Step.NUMBER_REFUSED if isinstance(cause, SmsRefused) else Step.NOT_SENT


def _of_number(error: BadPhone) -> tuple[Step, str]:
    if kind := _KINDS.get(error.message):
        return Step.NO_TEXTS, kind
    return Step.NUMBER_REFUSED, "mesibo" if isinstance(error.__cause__, MesiboRefused) else ""


def _of_mesibo(error: ApiError, cause: BaseException | None) -> tuple[Step, str]:
    if isinstance(error, BadUser) and isinstance(cause, Refused):
        return Step.MESIBO_REFUSED, _NO_LABEL.sub("", cause.code.upper())
    if isinstance(cause, MesiboRefused):
        return Step.TOKEN_REFUSED, ""
    if isinstance(cause, MesiboUnreachable):
        return Step.MESIBO_AWAY, ""
    return Step.TRY_LATER, "" if isinstance(error, TryLater) else error.code

"""What the client and its asynchronous twin have in common: all but waiting."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from messenger_api.mesibo.answers import Answer
from messenger_api.mesibo.errors import MesiboError, MesiboRefused, MesiboUnreachable
from messenger_api.mesibo.http.exchange import NoResponse, Response, Timeouts
from messenger_api.mesibo.http.reaching import place
from messenger_api.mesibo.operation import Operation
from messenger_api.mesibo.retry import Breaker, Retries, Tries, is_passing
from messenger_api.mesibo.specification import operations
from messenger_api.mesibo.wire import Request, Wire, style_of

log = logging.getLogger(__name__.rpartition(".")[0])

CLOUD = "https://api.mesibo.com/backend"
"""mesibo's own backend API."""

# Refusals of a request without a user that mean a wrong URL or style: no op, or none that is known, was seen.
PING_FAULTS = frozenset({"MISSINGOP", "BADOP"})

# mesibo's answers are some hundred bytes; 20 members of a group a few thousand.
MAX_ANSWER_BYTES = 1024 * 1024

HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}

# Bytes that an id adds to a body: its name and ten digits.
ID_BYTES = len(',"id":') + 10

NO_RETRIES = Retries(most=0)

Asked = TypeVar("Asked", bound=Operation[Any])


@dataclass(frozen=True)
class Done:
    """A call that came to its end: fit for a log.

    Attributes:
        op: what was asked.
        seconds: how long it took, tries and waits together.
        error: why it failed, or None.
    """

    op: str
    seconds: float
    error: MesiboError | None


def log_call(done: Done) -> None:
    """A line in the log `messenger_api.mesibo`: a warning of what failed, else for debugging. Of what was
    asked it names the op alone."""
    level = logging.WARNING if done.error else logging.DEBUG
    log.log(level, "%s: %s after %.3f s", done.op, done.error or "ok", done.seconds)


@dataclass(frozen=True)
class Options:
    """How a client goes about its calls.

    Attributes:
        url: of the backend API: mesibo's, `https://…/mesiboapi` on premise, or `…/api.php`.
        style: `json`, `form`, or `auto`: by the URL's path.
        key: the account's API key, which `appadd` wants.
        timeouts: seconds for one try.
        retries: how often a call is made again.
        breaker: turns calls away while mesibo is down; None: never.
        inferred: names in the place of those in `wire.INFERRED`.
        most_bytes: the longest request body; a longer one is refused unsent. Behind the nginx of mesibo's
            on-premise image it is `wire.ON_PREMISE_BODY`. None: any.
        ids: whether requests carry a random number, which must come back.
        on_call: told of each call that came to its end.
    """

    url: str = CLOUD
    style: str = "auto"
    key: str = ""
    timeouts: Timeouts = Timeouts()  # noqa: RUF009 - a tuple
    retries: Retries = Retries()  # noqa: RUF009 - frozen
    breaker: Breaker | None = field(default_factory=Breaker)
    inferred: Mapping[str, str] | None = None
    most_bytes: int | None = None
    ids: bool = True
    on_call: Callable[[Done], None] = log_call


class Core:
    """Makes requests of records and results of outcomes."""

    def __init__(self, token: str, options: Options) -> None:
        self.options = options
        self.wire = Wire(
            token, style_of(options.url, options.style), key=options.key, inferred=options.inferred
        )

    def request(self, op: Operation[Any]) -> Request:
        """The request for a record.

        Raises:
            ValueError: the record cannot be sent, or is too long.
        """
        return self._fitting(self.wire.encode(op, id=self._number()))

    def raw_request(self, op: str, fields: Mapping[str, Any]) -> Request:
        """The request for an op of any name. Raises ValueError where it is too long."""
        return self._fitting(self.wire.encode_raw(op, fields, id=self._number()))

    def _fitting(self, request: Request) -> Request:
        most = self.options.most_bytes
        if most is not None and len(request.body) > most:
            raise ValueError(f"{request.op}: {len(request.body)} bytes, and mesibo takes {most}")
        return request

    def _number(self) -> int | None:
        return random.randrange(1, 2**31) if self.options.ids else None  # noqa: S311 - tells answers apart

    def outcome(self, request: Request, got: Response | NoResponse) -> Answer | MesiboError:
        """What came of one try."""
        if isinstance(got, Response):
            result = self.wire.judge(request, got)
        else:
            result = unreachable(got, self.options.url, request)
        if self.options.breaker:
            self.options.breaker.note(result)
        return result

    def stopped(self, request: Request) -> MesiboUnreachable | None:
        """Why a try must not be made, or None when it may."""
        failure = self.options.breaker.check() if self.options.breaker else None
        if failure:
            failure.op, failure.request_id = request.op, request.id
        return failure

    def tries(self, request: Request) -> Tries:
        """The tries of one call."""
        return self.options.retries.begin(request.op)

    @contextmanager
    def noted(self, op: str) -> Iterator[None]:
        """A call, told to `on_call` at its end."""
        began = time.monotonic()
        try:
            yield
        except MesiboError as error:
            self.options.on_call(Done(op, time.monotonic() - began, error))
            raise
        self.options.on_call(Done(op, time.monotonic() - began, None))

    def parts(self, op: Asked) -> list[Asked]:
        """The same call in as many as needed, of which each fits: its list of addresses is split.

        Raises:
            ValueError: it does not fit with one address either.
        """
        most, found = self.options.most_bytes, operations()[op.OP].fields.values()
        name = next((each.name for each in found if each.type == "addresses"), "")
        listed = getattr(op, name, None) or ()
        if most is None or self.wire.size(op) <= most - ID_BYTES:
            return [op]
        if len(listed) < 2:
            raise ValueError(f"{op.OP}: longer than {most} bytes whatever is split")
        middle = len(listed) // 2
        halves = (replace(op, **{name: listed[:middle]}), replace(op, **{name: listed[middle:]}))
        return [part for half in halves for part in self.parts(half)]


def unreachable(failure: NoResponse, url: str, request: Request) -> MesiboUnreachable:
    """A try without an answer, in the library's words."""
    detail = ", ".join(filter(None, (failure.detail, place(url))))
    error = MesiboUnreachable(
        failure.reason, maybe_done=failure.sent, detail=detail, passing=is_passing(failure)
    )
    error.op, error.request_id = request.op, request.id
    return error


def is_fault_of_ping(error: MesiboRefused) -> bool:
    """Whether a refusal of a `useradd` without a user means that the app token or the URL is wrong; with
    right ones mesibo refuses the missing user (400, seen in public probes of 2026)."""
    return error.about_app_token or error.error in PING_FAULTS

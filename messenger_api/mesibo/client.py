"""The client of mesibo's backend API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Protocol, TypeVar

from messenger_api.mesibo.answers import Answer
from messenger_api.mesibo.core import HEADERS, MAX_ANSWER_BYTES, Core, Options, is_fault_of_ping
from messenger_api.mesibo.errors import MesiboError, MesiboRefused, MesiboUnreachable
from messenger_api.mesibo.http import HttpClient, NoResponse, Response
from messenger_api.mesibo.operation import Operation
from messenger_api.mesibo.ops import Group, GroupGetMembers, Member, User
from messenger_api.mesibo.walking import ALPHABET, GROUPS, USERS, Walk
from messenger_api.mesibo.wire import ITEMS_PER_CALL, Request

A = TypeVar("A")
Item = TypeVar("Item")
Asked = TypeVar("Asked", bound=Operation[Any])


class Transport(Protocol):
    """Brings a request to mesibo and its answer back."""

    def send(self, request: Request) -> Response:
        """Post the body of `request` and return the answer, whatever its status.

        Raises:
            NoResponse: there is none.
        """

    def close(self) -> None:
        """Close what is open."""


class HttpTransport:
    """Posts to one URL, over pooled connections."""

    def __init__(self, options: Options) -> None:
        self._url = options.url
        self._http = HttpClient(
            options.timeouts,
            url=options.url,
            most_bytes=MAX_ANSWER_BYTES,
            headers={**HEADERS, "User-Agent": "messenger-api-mesibo"},
        )

    def send(self, request: Request) -> Response:
        """Post the body. User and password in the URL are sent."""
        headers = {"Content-Type": request.content_type}
        return self._http.request("POST", self._url, data=request.body, headers=headers)

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()


class Client:
    """Calls mesibo's backend API; one object serves any number of threads.

    mesibo disables an app whose token is used from more than five addresses of the internet (documented): let
    all machines that call it go out by one.

    Args:
        token: the app's token.
        options: where to and how.
        transport: in the place of one over HTTP.
        sleep: waits between tries.
    """

    def __init__(
        self,
        token: str,
        options: Options = Options(),  # noqa: B008 - frozen
        *,
        transport: Transport | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._core = Core(token, options)
        self._transport = transport or HttpTransport(options)
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._core.wire!r})"

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close idle connections, at once."""
        self._transport.close()

    def call(self, op: Operation[A]) -> A:
        """Make a call and return what its record's type says.

        Raises:
            MesiboRefused: mesibo said no.
            MesiboUnreachable: there is no usable answer.
            ValueError: the record cannot be sent; nothing was.
        """
        request = self._core.request(op)
        with self._core.noted(request.op):
            return self._core.wire.decode(op, self._answer(request))

    def raw(self, op: str, fields: Mapping[str, Any]) -> Answer:
        """Make a call of any name. `fields` stand beside `op` and `token` on the wire, nested or flat as the
        style wants them; the answer comes as it is.

        Raises:
            MesiboRefused, MesiboUnreachable, ValueError: as `call`.
        """
        request = self._core.raw_request(op, fields)
        with self._core.noted(request.op):
            return self._answer(request)

    def ping(self) -> None:
        """Prove URL, style and app token with a real call that changes nothing: a `useradd` without a user.

        Raises:
            MesiboRefused: the app token is not valid, or the request was not understood.
            MesiboUnreachable: no usable answer.
        """
        try:
            self.raw("useradd", {})
        except MesiboRefused as refusal:
            if is_fault_of_ping(refusal):
                raise

    def users(self, pattern: str = "*", *, alphabet: str = ALPHABET) -> Iterator[User]:
        """All users whose address matches (`*` stands for any text), in as many calls of 20 as that takes.

        Raises:
            MesiboUnreachable: also `too many`: there are more than mesibo will name.
        """
        return self._walked(Walk(USERS, pattern, alphabet))

    def groups(self, pattern: str = "*", *, alphabet: str = ALPHABET) -> Iterator[Group]:
        """All groups whose name matches, as `users`. Only on one's own premises (documented)."""
        return self._walked(Walk(GROUPS, pattern, alphabet))

    def members(self, gid: int) -> tuple[Member, ...]:
        """All members of a group.

        Raises:
            MesiboUnreachable: also `too many`: 20 came, and there may be others, which mesibo does not name.
        """
        found = self.call(GroupGetMembers(gid=gid, count=ITEMS_PER_CALL))
        if len(found) >= ITEMS_PER_CALL:
            raise MesiboUnreachable("too many")
        return found

    def size(self, op: Operation[Any]) -> int:
        """Bytes of the request body of a record, without its id."""
        return self._core.wire.size(op)

    def parts(self, op: Asked) -> list[Asked]:
        """The same call in as many as `most_bytes` asks for: its list of addresses is split.

        Raises:
            ValueError: it does not fit with one address either.
        """
        return self._core.parts(op)

    def _walked(self, walk: Walk[Item]) -> Iterator[Item]:
        for op in walk:
            yield from walk.new(self.call(op))

    def _answer(self, request: Request) -> Answer:
        tries = self._core.tries(request)
        while True:
            outcome = self._core.stopped(request) or self._core.outcome(request, self._try(request))
            if (wait := tries.wait(outcome)) is not None:
                self._sleep(wait)
            elif isinstance(outcome, MesiboError):
                raise outcome
            else:
                return outcome

    def _try(self, request: Request) -> Response | NoResponse:
        try:
            return self._transport.send(request)
        except NoResponse as failure:
            return failure.with_traceback(None)

"""The asynchronous twin of `messenger_api.mesibo.client`, on aiohttp: the extra `async`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Protocol, TypeVar

import aiohttp
from urllib3.util import parse_url

from messenger_api.mesibo.answers import Answer
from messenger_api.mesibo.core import HEADERS, MAX_ANSWER_BYTES, Core, Options, is_fault_of_ping
from messenger_api.mesibo.errors import MesiboError, MesiboRefused, MesiboUnreachable
from messenger_api.mesibo.http import NoResponse, Response
from messenger_api.mesibo.http.environment import context, way_to
from messenger_api.mesibo.http.reaching import Reasons, no_response
from messenger_api.mesibo.operation import Operation
from messenger_api.mesibo.ops import Group, GroupGetMembers, Member, User
from messenger_api.mesibo.walking import ALPHABET, GROUPS, USERS, Walk
from messenger_api.mesibo.wire import ITEMS_PER_CALL, Request

A = TypeVar("A")
Item = TypeVar("Item")
Asked = TypeVar("Asked", bound=Operation[Any])


class Transport(Protocol):
    """Brings a request to mesibo and its answer back."""

    async def send(self, request: Request) -> Response:
        """Post the body of `request` and return the answer, whatever its status.

        Raises:
            NoResponse: there is none.
        """

    async def close(self) -> None:
        """Close what is open."""


class HttpTransport:
    """Posts to one URL, over pooled connections. Proxy and authorities are those of the environment, which is
    looked at when the first request is made."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._session: aiohttp.ClientSession | None = None
        self._proxy: str | None = None

    async def send(self, request: Request) -> Response:
        """Post the body. User and password in the URL are sent."""
        sent = asyncio.Event()
        answered = False
        try:
            session = self._open()
            async with session.post(
                self._options.url,
                data=request.body,
                proxy=self._proxy,
                headers={"Content-Type": request.content_type},
                allow_redirects=False,
                trace_request_ctx=sent,
            ) as response:
                answered = True
                body = await response.content.read(MAX_ANSWER_BYTES + 1)
                while len(body) <= MAX_ANSWER_BYTES and (chunk := await response.content.readany()):
                    body += chunk
                if len(body) <= MAX_ANSWER_BYTES:
                    return Response(response.status, response.headers, body)
                failure = NoResponse("too large", sent=True, answered=True)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            failure = no_response(error, self._options.url, _REASONS, sent=sent.is_set(), answered=answered)
        # Here and not in the handler: the exceptions of the library may hold the request.
        raise failure

    async def close(self) -> None:
        """Close idle connections."""
        if self._session:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        # Made in the loop that uses it.
        if self._session is None:
            seconds = self._options.timeouts
            way = way_to(parse_url(self._options.url))
            self._proxy = way.proxy or None
            trace = aiohttp.TraceConfig()
            trace.on_request_chunk_sent.append(_note_sent)
            # aiohttp would read no REQUESTS_CA_BUNDLE, no networks of NO_PROXY, and passwords of ~/.netrc.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=context(way)),
                timeout=aiohttp.ClientTimeout(total=seconds.read, sock_connect=seconds.connect),
                headers={**HEADERS, "User-Agent": "messenger-api-mesibo"},
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=[trace],
            )
        return self._session


async def _note_sent(_session: object, context: Any, _chunk: object) -> None:
    # mesibo can do nothing with a head alone: a body that never left proves that nothing was done.
    context.trace_request_ctx.set()


_REASONS: Reasons = (
    ("tls", (aiohttp.ClientSSLError,)),
    ("proxy", (aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError)),
    ("connect", (aiohttp.ClientConnectorError,)),
    ("timeout", (TimeoutError,)),
    ("bad url", (aiohttp.InvalidURL, ValueError)),
)


class AsyncClient:
    """`Client`, whose methods of the same names are awaited. One object serves the tasks of one loop.

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
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._core = Core(token, options)
        self._transport = transport or HttpTransport(options)
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._core.wire!r})"

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """As `Client.close`."""
        await self._transport.close()

    async def call(self, op: Operation[A]) -> A:
        """As `Client.call`."""
        request = self._core.request(op)
        with self._core.noted(request.op):
            return self._core.wire.decode(op, await self._answer(request))

    async def raw(self, op: str, fields: Mapping[str, Any]) -> Answer:
        """As `Client.raw`."""
        request = self._core.raw_request(op, fields)
        with self._core.noted(request.op):
            return await self._answer(request)

    async def ping(self) -> None:
        """As `Client.ping`."""
        try:
            await self.raw("useradd", {})
        except MesiboRefused as refusal:
            if is_fault_of_ping(refusal):
                raise

    def users(self, pattern: str = "*", *, alphabet: str = ALPHABET) -> AsyncIterator[User]:
        """As `Client.users`."""
        return self._walked(Walk(USERS, pattern, alphabet))

    def groups(self, pattern: str = "*", *, alphabet: str = ALPHABET) -> AsyncIterator[Group]:
        """As `Client.groups`."""
        return self._walked(Walk(GROUPS, pattern, alphabet))

    async def members(self, gid: int) -> tuple[Member, ...]:
        """As `Client.members`."""
        found = await self.call(GroupGetMembers(gid=gid, count=ITEMS_PER_CALL))
        if len(found) >= ITEMS_PER_CALL:
            raise MesiboUnreachable("too many")
        return found

    def size(self, op: Operation[Any]) -> int:
        """As `Client.size`."""
        return self._core.wire.size(op)

    def parts(self, op: Asked) -> list[Asked]:
        """As `Client.parts`."""
        return self._core.parts(op)

    async def _walked(self, walk: Walk[Item]) -> AsyncIterator[Item]:
        for op in walk:
            for item in walk.new(await self.call(op)):
                yield item

    async def _answer(self, request: Request) -> Answer:
        tries = self._core.tries(request)
        while True:
            outcome = self._core.stopped(request) or self._core.outcome(request, await self._try(request))
            if (wait := tries.wait(outcome)) is not None:
                await self._sleep(wait)
            elif isinstance(outcome, MesiboError):
                raise outcome
            else:
                return outcome

    async def _try(self, request: Request) -> Response | NoResponse:
        try:
            return await self._transport.send(request)
        except NoResponse as failure:
            return failure.with_traceback(None)

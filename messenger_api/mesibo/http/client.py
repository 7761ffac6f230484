"""The HTTP client for outside systems: mesibo, providers of text messages, issuers of tokens.

Connections are pooled. An exchange ends in finite time from the connection's first byte on, whatever the
socket does; only the lookup of a name knows no limit, so that who must not wait for one makes its calls in
threads. An answer has a bounded size. No redirect is followed, no cookie kept, nothing taken from a .netrc,
and nothing of a request is found in a log or an exception.
"""

from __future__ import annotations

import http.client
import threading
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3 import exceptions as urllib3_errors
from urllib3.util import Retry, Url, parse_url

from messenger_api.mesibo.http.connections import close_connections, use_our_pools
from messenger_api.mesibo.http.environment import Way, pools, way_to
from messenger_api.mesibo.http.exchange import NoResponse, Response, Timeouts
from messenger_api.mesibo.http.reaching import Reasons, no_response, server_of
from messenger_api.mesibo.http.sending import CURRENT, Cancelled, SendGuard

# Connections that are kept; more are opened when there are more requests at once.
POOL_SIZE = 16

# Answers of providers have some hundred bytes, keys of an issuer some thousand.
MAX_ANSWER_BYTES = 256 * 1024
CHUNK_BYTES = 16 * 1024
# Zero would mean "forever" to the library.
LEAST_SECONDS = 0.001

HEADERS = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate", "Connection": "keep-alive"}
# What was asked for may have been done although its answer got lost.
NO_RETRY = Retry(total=False)
FORM = "application/x-www-form-urlencoded"


class HttpClient:
    """Makes requests for any number of threads at a time.

    Args:
        timeouts: for requests that name no limit of their own.
        url: where all requests go. The environment's HTTPS_PROXY and REQUESTS_CA_BUNDLE are then looked up
            once, and user and password in the URL are sent. Without it they are looked up for each request,
            and nothing but `auth` is sent.
        connections: how many are kept open.
        most_bytes: the longest body of an answer.
        headers: of every request.
    """

    def __init__(
        self,
        timeouts: Timeouts,
        *,
        url: str = "",
        connections: int = POOL_SIZE,
        most_bytes: int = MAX_ANSWER_BYTES,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._timeouts = timeouts
        self._most_bytes = most_bytes
        self._connections = connections
        self._headers = {**HEADERS, **(headers or {})}
        self._pools: dict[Way, PoolManager] = {}
        self._lock = threading.Lock()
        self._is_bound = bool(url)
        self._way = _way_of(url) if url else None

    def request(
        self,
        method: str,
        url: str,
        *,
        data: Mapping[str, Any] | bytes | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        seconds: float | None = None,
        guard: SendGuard | None = None,
    ) -> Response:
        """Send a request and read its answer, whatever its status.

        Args:
            method: GET, POST and so on.
            url: where to.
            data: the body; a mapping becomes a form.
            params: added to the URL's query.
            headers: besides those of every request.
            auth: user and password.
            seconds: for the exchange as a whole, in the place of `Timeouts.read`.
            guard: told before the request is sent; by default that of the attempt which this thread makes.

        Raises:
            NoResponse: there is none, or not in time.
        """
        guard = guard or CURRENT.get() or SendGuard()
        guard.carry()
        answered = False
        token = CURRENT.set(guard)
        try:
            response = self._sent(method, url, data, params, headers, auth, seconds)
            answered = True
            try:
                return Response(response.status, response.headers, self._body(response))
            finally:
                response.close()
        except Cancelled:
            failure = NoResponse("too late", sent=False)
        except _TooLarge:
            failure = NoResponse("too large", sent=True, answered=True, server=server_of(url))
        except (urllib3_errors.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            failure = no_response(error, url, _REASONS, sent=not guard.nothing_sent, answered=answered)
        finally:
            CURRENT.reset(token)
        # Here and not in the handler: the exceptions of the library may hold the request.
        raise failure

    def close(self) -> None:
        """Close idle connections. Requests under way end by themselves; nothing waits for them."""
        with self._lock:
            for manager in self._pools.values():
                close_connections(manager)

    def _sent(
        self,
        method: str,
        url: str,
        data: Mapping[str, Any] | bytes | None,
        params: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        auth: tuple[str, str] | None,
        seconds: float | None,
    ) -> BaseHTTPResponse:
        target = _target(url, params)
        form = {"Content-Type": FORM} if isinstance(data, Mapping) else {}
        manager = self._manager(self._way or way_to(target))
        return manager.urlopen(
            method,
            target._replace(auth=None, fragment=None).url,
            redirect=False,
            body=urlencode(data, doseq=True).encode() if isinstance(data, Mapping) else data,
            headers={**self._headers, **form, **self._credentials(target, auth), **(headers or {})},
            retries=NO_RETRY,
            timeout=self._timeout(seconds),
            preload_content=False,
        )

    def _manager(self, way: Way) -> PoolManager:
        with self._lock:
            if way not in self._pools:
                self._pools[way] = use_our_pools(pools(way, self._connections))
            return self._pools[way]

    def _credentials(self, target: Url, auth: tuple[str, str] | None) -> dict[str, str]:
        named = ":".join(auth) if auth else target.auth if self._is_bound else None
        return {"Authorization": f"Basic {b64encode(named.encode()).decode()}"} if named else {}

    def _timeout(self, seconds: float | None) -> Timeout:
        whole = max(LEAST_SECONDS, self._timeouts.read if seconds is None else seconds)
        return Timeout(connect=min(self._timeouts.connect, whole), read=whole, total=whole)

    def _body(self, response: BaseHTTPResponse) -> bytes:
        body = b""
        # read1 returns with what one receive brought; read would wait until the chunk is full.
        while chunk := response.read1(CHUNK_BYTES, decode_content=True):
            body += chunk
            if len(body) > self._most_bytes:
                raise _TooLarge
        return body


class _TooLarge(Exception):
    """The answer has too many bytes."""


def _way_of(url: str) -> Way | None:
    try:
        return way_to(_target(url, None))
    except ValueError:
        return None  # which is told when a request is made


def _target(url: str, params: Mapping[str, Any] | None) -> Url:
    """The parts of a URL with its query.

    Raises:
        LocationValueError: it is none.
    """
    target = parse_url(url)
    if target.scheme not in ("http", "https") or not target.host:
        raise urllib3_errors.LocationValueError("no http URL")
    query = "&".join(filter(None, (target.query, urlencode(params or {}, doseq=True))))
    return target._replace(query=query or None)


# In this order: NewConnectionError is a TimeoutError too.
_REASONS: Reasons = (
    ("tls", (urllib3_errors.SSLError,)),
    ("proxy", (urllib3_errors.ProxyError, urllib3_errors.ProxySchemeUnknown)),
    ("connect", (urllib3_errors.NewConnectionError,)),
    ("timeout", (urllib3_errors.TimeoutError, TimeoutError)),
    ("bad url", (urllib3_errors.LocationValueError, urllib3_errors.URLSchemeUnknown)),
)

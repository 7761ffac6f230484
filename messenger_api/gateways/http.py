"""The HTTP client for outside systems: mesibo, providers of text messages, issuers of tokens.

Connections are pooled. An exchange ends in finite time from the connection's first byte on, whatever the
socket does; only the lookup of a name knows no limit, so that who must not wait for one makes its calls in
threads (`gateways.threads`). An answer has a bounded size. No redirect is followed, no cookie kept, nothing
taken from a .netrc, and nothing of a request is found in a log or an exception.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NamedTuple

import requests
from requests.utils import get_environ_proxies
from urllib3 import Timeout
from urllib3 import exceptions as urllib3_errors

from messenger_api.gateways.connections import Adapter
from messenger_api.gateways.reaching import server_of, what_happened
from messenger_api.gateways.sending import CURRENT, Cancelled, SendGuard
from messenger_api.version import VERSION

# Connections that are kept; more are opened when there are more requests at once.
POOL_SIZE = 16

# Answers of providers have some hundred bytes, keys of an issuer some thousand.
MAX_ANSWER_BYTES = 256 * 1024
CHUNK_BYTES = 16 * 1024
# Zero would mean "forever" to the library.
LEAST_SECONDS = 0.001


class Timeouts(NamedTuple):
    """Seconds: `connect` for making one connection, `read` for an exchange as a whole, connecting too."""

    connect: float = 3.0
    read: float = 10.0


@dataclass(frozen=True)
class Response:
    """An answer as it came."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class NoResponse(Exception):
    """An exchange without an answer. Holds nothing of the request, and has no cause.

    Attributes:
        reason: `connect`, `proxy`, `tls`, `timeout`, `broken` (the connection ended before the answer
            did), `too large`, `bad url`, or `too late` (it was cancelled before it was sent).
        sent: whether any of it was written, so that the server may have done what it asks for.
        answered: whether the head of an answer had come.
        detail: what happened, for people; "" when nobody can say.
        server: scheme, host and port that were asked; "" for a bad URL.
    """

    def __init__(
        self, reason: str, *, sent: bool, answered: bool = False, detail: str = "", server: str = ""
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent
        self.answered = answered
        self.detail = detail
        self.server = server

    @property
    def told(self) -> str:
        """What happened and where, for people."""
        return ", ".join(filter(None, (self.detail or self.reason, self.server)))


class HttpClient:
    """Makes requests for any number of threads at a time.

    Args:
        timeouts: for requests that name no limit of their own.
        url: where all requests go. The environment's HTTPS_PROXY and REQUESTS_CA_BUNDLE are then looked up
            once, which takes a fifth of a call's time, and user and password in the URL are sent. Without it
            they are looked up for each request, and nothing but `auth` is sent.
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
        # No retry: what was asked for may have been done although its answer got lost.
        self._adapter = Adapter(pool_connections=1, pool_maxsize=connections, max_retries=0)
        self._session = _Session()
        self._session.mount("https://", self._adapter)
        self._session.mount("http://", self._adapter)
        # Threads share the session: nothing of it changes after this, and cookies would.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update({"User-Agent": f"messenger-api/{VERSION}", **(headers or {})})
        # The environment also names a .netrc, whose credentials are for nobody here.
        self._session.trust_env = False
        self._goes_anywhere = not url
        if url:
            found = _environment(url)
            self._session.proxies, self._session.verify = found["proxies"], found["verify"]
        else:
            self._session.auth = _add_no_header

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
            with self._session.request(
                method,
                url,
                data=data,
                params=params,
                headers=headers,
                auth=auth,
                timeout=self._timeout(seconds),  # type: ignore[arg-type]  # the stubs do not know urllib3's
                stream=True,
                **(_environment(url) if self._goes_anywhere else {}),
            ) as response:
                answered = True
                return Response(response.status_code, response.headers, self._body(response))
        except Cancelled:
            failure = NoResponse("too late", sent=False)
        except _TooLarge:
            failure = NoResponse("too large", sent=True, answered=True, server=server_of(url))
        except (requests.RequestException, urllib3_errors.HTTPError, OSError) as error:
            failure = _failure(error, url, sent=not guard.nothing_sent, answered=answered)
        finally:
            CURRENT.reset(token)
        # Here and not in the handler: the exceptions of `requests` hold the whole request.
        raise failure

    def close(self) -> None:
        """Close idle connections. Requests under way end by themselves; nothing waits for them."""
        self._adapter.close_connections()
        self._session.close()

    def _timeout(self, seconds: float | None) -> Timeout:
        whole = max(LEAST_SECONDS, self._timeouts.read if seconds is None else seconds)
        return Timeout(connect=min(self._timeouts.connect, whole), read=whole, total=whole)

    def _body(self, response: requests.Response) -> bytes:
        body = b""
        # read1 returns with what one receive brought; read would wait until the chunk is full.
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
            body += chunk
            if len(body) > self._most_bytes:
                raise _TooLarge
        return body


class _Session(requests.Session):
    """A session that never follows a redirect: following would carry credentials to another place.

    `allow_redirects=False` is not enough, because requests then still reads the redirect's body to its
    end, without limit of size.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _TooLarge(Exception):
    """The answer has too many bytes."""


def _environment(url: str) -> dict[str, Any]:
    """Proxies and certificate authorities for a URL, as the environment names them."""
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    return {"proxies": get_environ_proxies(url), "verify": bundle or True}


def _add_no_header(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


# Looked through in order: in requests SSLError, ProxyError and ConnectTimeout are ConnectionErrors too.
_REASONS: tuple[tuple[str, tuple[type[Exception], ...]], ...] = (
    ("tls", (requests.exceptions.SSLError, urllib3_errors.SSLError)),
    ("proxy", (requests.exceptions.ProxyError,)),
    ("timeout", (requests.exceptions.Timeout, urllib3_errors.TimeoutError)),
    (
        "bad url",
        (
            requests.exceptions.InvalidURL,
            requests.exceptions.MissingSchema,
            requests.exceptions.InvalidSchema,
            urllib3_errors.LocationValueError,
        ),
    ),
)


def _failure(error: Exception, url: str, *, sent: bool, answered: bool) -> NoResponse:
    reason = next((reason for reason, kinds in _REASONS if isinstance(error, kinds)), "")
    return NoResponse(
        reason or ("broken" if sent else "connect"),
        sent=sent,
        answered=answered,
        detail=what_happened(error),
        server="" if reason == "bad url" else server_of(url),
    )

"""HTTP with a provider: pooled connections, an answer of bounded size in finite time, no trace left."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import requests
from urllib3 import exceptions as urllib3_errors

from messenger_api.gateways.reaching import what_happened
from messenger_api.gateways.sms.base import SmsUnavailable
from messenger_api.gateways.sms.cutoff import CuttingAdapter
from messenger_api.gateways.sms.departure import current, departing
from messenger_api.settings import Settings
from messenger_api.version import VERSION

# One connection for each login that may be under way at once; more are opened and not kept.
POOL_SIZE = 16

# Answers of providers have some hundred bytes.
MAX_ANSWER_BYTES = 256 * 1024
CHUNK_BYTES = 16 * 1024

Result = TypeVar("Result")


class Timeouts(NamedTuple):
    """Seconds to wait: for the connection, and for the answer as a whole."""

    connect: float = 3.0
    read: float = 10.0

    @classmethod
    def within(cls, settings: Settings) -> Timeouts:
        """What is left of the time that an attempt may take."""
        return cls(min(cls().connect, settings.sms_timeout), settings.sms_timeout)


@dataclass(frozen=True)
class Answer:
    """An answer as it came."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class _Session(requests.Session):
    """A session that never follows a redirect: following would carry the credentials to another place."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def _add_no_header(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class Exchange:
    """Makes requests for several threads at a time."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self.session = _Session()
        # No retry: a message whose answer got lost may have been sent, and the next provider is quicker.
        self._adapter = CuttingAdapter(pool_connections=1, pool_maxsize=POOL_SIZE, max_retries=0)
        self.session.mount("https://", self._adapter)
        self.session.mount("http://", self._adapter)
        # The session is shared by threads; cookies would be its only state that changes.
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.session.headers["User-Agent"] = f"messenger-api/{VERSION}"
        # Credentials come from the configuration and never from .netrc.
        self.session.auth = _add_no_header

    def request(
        self,
        method: str,
        url: str,
        *,
        data: Mapping[str, Any] | bytes | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Answer:
        """Send a request and read its answer.

        Raises:
            requests.RequestException: there is no answer, or not in time.
        """
        if departure := current():
            departure.hold()
        until = time.monotonic() + self._timeouts.read
        with self.session.request(
            method,
            url,
            data=data,
            params=params,
            headers=headers,
            auth=auth,
            timeout=(self._timeouts.connect, self._timeouts.read),
            stream=True,
        ) as response:
            return Answer(response.status_code, response.headers, _read(response, until))

    def close(self) -> None:
        """Close the pooled connections."""
        self._adapter.close_connections()
        self.session.close()


def spoken(provider: str, work: Callable[[], Result]) -> Result:
    """The result of `work`, with the failures of HTTP told as ours.

    Raised after the handler, not inside: the exceptions of `requests` hold the whole request with body
    and credentials.

    Raises:
        SmsUnavailable: no answer, or one that cannot be read. `not_sent` where the request never left:
            connection refused or not made in time, name not found, TLS not agreed on.
    """
    with departing() as departure:
        try:
            return work()
        except (requests.Timeout, urllib3_errors.TimeoutError):
            reason = "timed out"
        except (requests.RequestException, urllib3_errors.HTTPError, OSError) as error:
            reason = f"connection failed ({_told(error)})"
        except (ValueError, TypeError, AttributeError, LookupError):
            reason = "an answer that cannot be read"
        not_sent = departure.nothing_left
    raise SmsUnavailable(provider, reason, not_sent=not_sent)


def _told(error: Exception) -> str:
    """What happened and where, as far as the error knows its request."""
    return (what_happened(error) or type(error).__name__) + _at(error)


def _at(error: Exception) -> str:
    """The server that was asked; no more of the URL, for gateways take their keys in any part of it."""
    parts = urlsplit(getattr(getattr(error, "request", None), "url", None) or "")
    return f", {parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""


def is_refusal(status: int) -> bool:
    """Whether an HTTP status proves that what was asked for was not done: any 4xx but those about time.

    408, and nginx's 499, may be said by a machine in between, of a request that it has passed on.
    """
    return 400 <= status < 500 and status not in (408, 499)


def _read(response: requests.Response, until: float) -> bytes:
    """The answer's body, unless it is too long or takes too long."""
    body = b""
    while time.monotonic() < until:
        # read1 returns with what one receive brought; read would wait until the chunk is full.
        chunk = response.raw.read1(CHUNK_BYTES, decode_content=True)
        if not chunk:
            return body
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise requests.exceptions.ContentDecodingError
    raise requests.Timeout

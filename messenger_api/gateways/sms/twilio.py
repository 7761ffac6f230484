"""Text messages through Twilio's Programmable Messaging, with Twilio's own library.

This module alone imports that library.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

# The library is untyped.
from twilio.base.exceptions import (  # type: ignore[import-untyped]
    TwilioRestException,
    TwilioServiceException,
)
from twilio.http import HttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from messenger_api.gateways.sms.base import SmsError, SmsProvider, SmsRefused, SmsUnavailable, TextMessage
from messenger_api.settings import Settings

NAME = "twilio"

# What Twilio says about the number itself; no other provider would do better, so nobody else is tried.
# The meanings are the titles of https://www.twilio.com/docs/api/errors/<code>. Left out on purpose,
# because their pages blame something that another provider or a later try may not share: 21401 and
# 21407 (our own sender), 21421 (buying numbers), 21612 (this sender to that country), 30003 (the
# handset is switched off), 30007 (filtered by the carrier). Twilio adds codes over the years; one that
# is not here counts as the provider's fault, which costs at most a try with the next.
REFUSED: Mapping[int, str] = {
    21211: "invalid 'To' phone number",
    21214: "'To' phone number cannot be reached",  # its page speaks of calls
    21217: "phone number does not appear to be valid",  # its page speaks of calls
    21265: "'To' number cannot be a short code",
    21610: "the recipient has opted out",  # by answering STOP; going round it would break that promise
    21614: "'To' number is not a valid mobile number",
    21635: "'To' number cannot be a landline",
    30005: "unknown destination handset",
    30006: "landline or unreachable carrier",
}

# Faults that an operator can put right, in words; the rest are told by their number. Same source.
FAULTS: Mapping[int, str] = {
    20003: "the credentials were not accepted",
    20429: "too many requests",
    21408: "sending to this country is not switched on in the account",
    21606: "TWILIO_FROM cannot send messages here",
    21608: "a trial account sends to verified numbers only",
    21612: "TWILIO_FROM cannot send to this number",
    21659: "TWILIO_FROM is not a Twilio number",
}

# "MG" and 32 hexadecimal digits. The length matters: a sender's name may begin with MG too.
_MESSAGING_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")

# One connection for each login that may be under way at once; more are opened and not kept.
POOL_SIZE = 16

SERVER_ERROR = 500


class Timeouts(NamedTuple):
    """Seconds to wait: for the connection, and between two pieces of the answer."""

    connect: float = 3.0
    read: float = 10.0


DEFAULT_TIMEOUTS = Timeouts()


class TwilioProvider(SmsProvider):
    """Sends by the Messages resource of the account in the settings (keys `TWILIO_...`)."""

    name = NAME

    def __init__(self, settings: Settings, *, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> None:
        self._http = _PooledClient(settings.twilio_api_url, timeouts)
        client = Client(settings.twilio_account_sid, settings.twilio_auth_token, http_client=self._http)
        # Looked up now, since the library imports these resources on first use: 0.1 s that the start
        # should pay and not the first login.
        self._account = client.api.v2010.accounts(settings.twilio_account_sid)
        self._messages = client.messages
        key = "messaging_service_sid" if _MESSAGING_SERVICE.fullmatch(settings.twilio_from) else "from_"
        self._sender = {key: settings.twilio_from}

    def check(self) -> None:
        """Fetch the account: proves address and credentials, and that the account may send."""
        account = _call(self._account.fetch)
        if account.status != "active":
            raise SmsUnavailable(NAME, "the account is not active")

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.session.close()

    def _deliver(self, message: TextMessage) -> str:
        created = _call(
            lambda: self._messages.create(to=f"+{message.to}", body=message.text, **self._sender),
        )
        if created.error_code:
            raise _failure(created.error_code)
        if not created.sid:
            raise SmsUnavailable(NAME, "an answer without a message id")
        return str(created.sid)


class _PooledClient(HttpClient):  # type: ignore[misc]
    """Carries the library's calls: to the configured address, in finite time, without a trace.

    The library's own client writes requests to the log and keeps the last one, code and all, in
    memory; this one does neither.
    """

    def __init__(self, base_url: str, timeouts: Timeouts) -> None:
        super().__init__(logging.getLogger(__name__), is_async=False)
        self._base_url = base_url.rstrip("/")
        self._timeouts = timeouts
        self.session = requests.Session()
        # No retry: a message whose answer got lost may have been sent, and the next provider is quicker.
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=POOL_SIZE, max_retries=0)
        self.session.mount("https://", adapter)
        self.session.mount("http://", adapter)
        # The session is shared by threads; cookies would be its only state that changes.
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Send the request to the configured address, path and query kept; `timeout` is ours."""
        asked = urlsplit(uri)
        query = f"?{asked.query}" if asked.query else ""
        answer = self.session.request(
            method,
            f"{self._base_url}{asked.path}{query}",
            params=params,
            data=data,
            headers=headers,
            auth=auth,
            timeout=self._timeouts,
            allow_redirects=allow_redirects,
        )
        return Response(answer.status_code, answer.text, answer.headers)


def _call(function: Callable[[], Any]) -> Any:
    """Call the library; its exceptions become ours.

    Raised after the handler, not inside: the library's exceptions quote the number, and those of
    `requests` hold the whole request with body and credentials.
    """
    try:
        return function()
    except (TwilioRestException, TwilioServiceException) as error:
        failure = _failure(error.code, error.status)
    except requests.Timeout:
        failure = SmsUnavailable(NAME, "timed out")
    except requests.RequestException as error:
        failure = SmsUnavailable(NAME, f"connection failed ({type(error).__name__})")
    except (ValueError, TypeError, AttributeError):
        failure = SmsUnavailable(NAME, "an answer that cannot be read")
    raise failure


def _failure(code: object, status: object = None) -> SmsError:
    """Sort an error by Twilio's code and the HTTP status of the answer."""
    number = code if isinstance(code, int) else 0
    broken = isinstance(status, int) and status >= SERVER_ERROR
    if number in REFUSED and not broken:
        return SmsRefused(NAME, f"error {number}: {REFUSED[number]}")
    where = f" (HTTP {status})" if isinstance(status, int) else ""
    return SmsUnavailable(NAME, f"error {number}: {FAULTS.get(number, 'not sent')}{where}")

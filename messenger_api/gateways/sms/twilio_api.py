"""Twilio's own library, carried by our connections. Beside the providers, this module alone imports it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

# The library is untyped.
from twilio.base.exceptions import (  # type: ignore[import-untyped]
    TwilioRestException,
    TwilioServiceException,
)
from twilio.http import HttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from messenger_api.gateways.http import HttpClient as OurClient
from messenger_api.gateways.http import Timeouts
from messenger_api.gateways.keys.twilio import TwilioAccountKeys
from messenger_api.gateways.sms.answers import as_sms_failure, timeouts_within
from messenger_api.gateways.sms.base import SmsError
from messenger_api.gateways.sms.twilio_codes import failure
from messenger_api.settings import Settings

_TWILIOS_OWN = ".twilio.com"


class TwilioApi:
    """The library's client for one account, with its failures sorted."""

    def __init__(self, name: str, settings: Settings, base_url: str, timeouts: Timeouts | None) -> None:
        self._name = name
        self._http = _PooledClient(base_url, timeouts or timeouts_within(settings))
        keys = settings.of(TwilioAccountKeys)
        self.client = Client(keys.twilio_account_sid, keys.twilio_auth_token, http_client=self._http)

    def call(self, function: Callable[[], Any], *, expected: Collection[int] = ()) -> Any:
        """Call the library; its exceptions become ours, and None for a code or HTTP status `expected`.

        Raised after the handler, not inside: the library's exceptions quote the number.

        Raises:
            SmsRefused, SmsUnavailable: as `twilio_codes` sorts them.
        """
        outcome = as_sms_failure(self._name, lambda: self._outcome(function, expected))
        if isinstance(outcome, SmsError):
            raise outcome
        return outcome

    def _outcome(self, function: Callable[[], Any], expected: Collection[int]) -> Any:
        try:
            return function()
        except (TwilioRestException, TwilioServiceException) as error:
            if error.status in expected or error.code in expected:
                return None
            return failure(self._name, error.code, error.status)

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.client.close()


def verify_url(api_url: str) -> str:
    """Verify's address beside that of the main API; a stand-in has one for both."""
    parts = urlsplit(api_url)
    host = parts.hostname or ""
    if host.startswith("api.") and host.endswith(_TWILIOS_OWN):
        return api_url.replace("//api.", "//verify.", 1)
    return api_url


class _PooledClient(HttpClient):  # type: ignore[misc]
    """Carries the library's calls: to the configured address, in finite time, without a trace.

    The library's own client writes requests to the log and keeps the last one, code and all, in
    memory; this one does neither.
    """

    def __init__(self, base_url: str, timeouts: Timeouts) -> None:
        super().__init__(logging.getLogger(__name__), is_async=False)
        self._base_url = base_url.rstrip("/")
        self.client = OurClient(timeouts)

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
        """Send the request to the configured address, path and query kept; time-outs are ours."""
        asked = urlsplit(uri)
        query = f"?{asked.query}" if asked.query else ""
        url = f"{self._base_url}{asked.path}{query}"
        answer = self.client.request(method, url, data=data, params=params, headers=headers, auth=auth)
        return Response(answer.status, answer.body.decode(errors="replace"), answer.headers)

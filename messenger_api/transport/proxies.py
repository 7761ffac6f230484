"""Whose address a request has: that of the right-most hop that no trusted proxy added.

Each proxy appends to X-Forwarded-For the address that called it, so with n trusted proxies the n-th entry
from the right is true, and whatever stands left of it was written by the client: also a quotation mark that
would swallow the rest, so the header is split at its commas and not read as a list of HTTP's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog
from werkzeug.middleware.proxy_fix import ProxyFix

from messenger_api.domain.errors import TryLater
from messenger_api.domain.limits import Period
from messenger_api.domain.network import address_in
from messenger_api.services.limits import Claim, Limits
from messenger_api.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger(__name__)

# For the doctor: a proxy was seen that is not configured.
UNTRUSTED = Claim("seen", "forwarded", Period(math.inf, 0, keeps=7 * 86_400))


def trust_proxies(app: WSGIApplication, settings: Settings, limits: Limits) -> WSGIApplication:
    """The same application, which believes the configured number of proxies; with none, it notices that
    there seems to be one."""
    hops = settings.trusted_proxy_hops
    if not hops:
        return _noticing(app, limits)
    return _with_client_address(ProxyFix(app, x_for=0, x_proto=hops, x_host=hops), hops)


def _with_client_address(app: WSGIApplication, hops: int) -> WSGIApplication:
    """What is no address leaves that of the proxy, so that everybody has one to be counted by."""

    def addressed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        entries = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(entries) >= hops and (address := address_in(entries[-hops])):
            environ["REMOTE_ADDR"] = address
        return app(environ, start_response)

    return addressed


def _noticing(app: WSGIApplication, limits: Limits) -> WSGIApplication:
    noticed = False

    def noticing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        nonlocal noticed
        if not noticed and "HTTP_X_FORWARDED_FOR" in environ:
            noticed = True
            log.warning(
                "proxy.untrusted",
                what="a request came with X-Forwarded-For, which is not believed",
                to_do="if a proxy stands in front, set TRUSTED_PROXY_HOPS: limits take its clients for one",
            )
            with suppress(TryLater):
                limits.note(UNTRUSTED)
        return app(environ, start_response)

    return noticing

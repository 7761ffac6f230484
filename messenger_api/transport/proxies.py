"""Whose address a request has: that of the right-most hop that no trusted proxy added.

Each proxy appends to TRUSTED_PROXY_HEADER (X-Forwarded-For) the address that called it, so with n trusted
proxies the n-th entry from the right is true, and whatever stands left of it was written by the client: also
a quotation mark that would swallow the rest, so the header is split at its commas and not read as a list of
HTTP's.

WSGI has one key for `X-Forwarded-For` and `X_Forwarded_For` (PEP 3333 takes it over from CGI), and of two
headers with one key the server (granian 2.8) hands over the later one alone. So nobody can tell them apart
here: the proxy has to take the spellings with underscores out, as the files in deploy/ do, or to hand the
address over under a name that strangers cannot guess.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

import structlog
from werkzeug.http import parse_list_header

from messenger_api.domain.errors import TryLater
from messenger_api.domain.limits import Period
from messenger_api.domain.network import address_in
from messenger_api.services.limits import Claim, Limits
from messenger_api.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger(__name__)

# For the doctor: a proxy was seen that is not configured, or none where one is.
UNTRUSTED = Claim("seen", "forwarded", Period(math.inf, 0, keeps=7 * 86_400))
MISSING = Claim("seen", "not forwarded", Period(math.inf, 0, keeps=7 * 86_400))

# In the environment of a request whose address a proxy handed over: the address of that proxy.
PEER = "messenger_api.peer"

# What X-Forwarded-Host and -Proto say, of which an installation has a few: so many are remembered.
HOSTS_KEPT = 64

# What proxies write when nobody told them to write something else.
FORWARDED = frozenset({"HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED"})


def trust_proxies(app: WSGIApplication, settings: Settings, limits: Limits) -> WSGIApplication:
    """The same application, which believes the configured number of proxies; with none, it notices that
    there seems to be one."""
    hops = settings.trusted_proxy_hops
    if not hops:
        return _noticing(app, limits)
    return _with_client_address(app, hops, settings.trusted_proxy_header, limits)


def environ_key(header: str) -> str:
    """Under which name WSGI hands a header over."""
    return "HTTP_" + header.upper().replace("-", "_")


def _with_client_address(app: WSGIApplication, hops: int, header: str, limits: Limits) -> WSGIApplication:
    """What is no address leaves that of the proxy, so that everybody has one to be counted by."""
    key, noticed = environ_key(header), False

    def addressed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        nonlocal noticed
        entries = environ.get(key, "").split(",")
        if len(entries) >= hops and (address := address_in(entries[-hops])):
            environ[PEER], environ["REMOTE_ADDR"] = environ.get("REMOTE_ADDR", ""), address
        # Load balancers ask by GET, from themselves; phones post.
        elif not noticed and key not in environ and environ["REQUEST_METHOD"] == "POST":
            noticed = True
            log.warning(
                "proxy.header_missing",
                what=f"a request came without {header}: its client is counted as the proxy",
                to_do="let the proxy send it (deploy/), and nobody else reach this port",
            )
            with suppress(TryLater):
                limits.note(MISSING)
        _take_address_asked(environ, hops)
        return app(environ, start_response)

    return addressed


def _take_address_asked(environ: WSGIEnvironment, hops: int) -> None:
    """Put the scheme and the host that the outermost trusted proxy was asked for in the place of ours."""
    if proto := _entry(environ.get("HTTP_X_FORWARDED_PROTO", ""), hops):
        environ["wsgi.url_scheme"] = proto
    if host := _entry(environ.get("HTTP_X_FORWARDED_HOST", ""), hops):
        environ["HTTP_HOST"] = environ["SERVER_NAME"] = host
        if ":" in host and not host.endswith("]"):  # else it is of IPv6, without a port
            environ["SERVER_NAME"], environ["SERVER_PORT"] = host.rsplit(":", 1)


@lru_cache(maxsize=HOSTS_KEPT)
def _entry(header: str, hops: int) -> str:
    """The entry of a list of HTTP's that has that place from the right; "" where there is none."""
    entries = parse_list_header(header)
    return entries[-hops] if len(entries) >= hops else ""


def _noticing(app: WSGIApplication, limits: Limits) -> WSGIApplication:
    noticed = False

    def noticing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        nonlocal noticed
        if not noticed and not environ.keys().isdisjoint(FORWARDED):
            noticed = True
            log.warning(
                "proxy.untrusted",
                what="a request came with a proxy's header, which is not believed",
                to_do="if a proxy stands in front, set TRUSTED_PROXY_HOPS: limits take its clients for one",
            )
            with suppress(TryLater):
                limits.note(UNTRUSTED)
        return app(environ, start_response)

    return noticing

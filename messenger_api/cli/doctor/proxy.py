"""What the doctor says of the proxies in front, which it asks through PUBLIC_URL as a stranger would."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from itertools import combinations
from urllib.parse import urlsplit

import msgspec

from messenger_api.cli.common import is_to_be_made
from messenger_api.cli.doctor.verdicts import Verdict
from messenger_api.composition import Parts
from messenger_api.domain.errors import TryLater
from messenger_api.domain.probes import probe
from messenger_api.gateways.http import HttpClient, NoResponse, Timeouts
from messenger_api.keyfile import kept_key
from messenger_api.services.limits import Claim
from messenger_api.settings import Settings
from messenger_api.transport.proxies import MISSING, UNTRUSTED

ASK = Timeouts(connect=2, read=3)

# Addresses for documentation (RFC 3849): no phone has one. Each spelling claims to come from one of its own.
FORGED = "2001:db8:f0:{:x}::1"

SET_HOPS = "set TRUSTED_PROXY_HOPS to the number of proxies in front, usually 1"


class Report(msgspec.Struct):
    """Whom the server counts a request as, and the proxy that it has this from; "" if it has from none."""

    client: str
    peer: str


# What a proxy answers where the server behind it does not.
BEHIND_AWAY = (502, 503, 504)


class Unasked(Exception):
    """The server could not be asked through PUBLIC_URL; the text says why."""


class Unserved(Exception):
    """A proxy answers, and no server behind it; the text says so."""


def proxy(settings: Settings, parts: Parts) -> Iterator[Verdict]:
    """Whether as many proxies are trusted as there are."""

    def has_seen(claim: Claim) -> bool:
        try:
            return not is_to_be_made(settings) and parts.limits.is_noted(claim)
        except TryLater:
            return False

    yield proxy_verdict(settings, kept_key(settings), has_seen)


def proxy_verdict(settings: Settings, secret_key: str, seen: Callable[[Claim], bool]) -> Verdict:
    """The state of the proxies in front, what was found, and what to do.

    Args:
        secret_key: that of the installation; "" when it is not made yet.
        seen: whether the server noticed this in the last days.
    """
    hops, public = settings.trusted_proxy_hops, settings.public_url
    if not hops and public.startswith("https://"):
        found = "PUBLIC_URL is https, which this server does not speak, but no proxy is trusted"
        return "warning", found, SET_HOPS
    if not hops and seen(UNTRUSTED):
        found = "requests came with a proxy's header, but none is trusted: limits take its clients for one"
        return "warning", found, SET_HOPS
    if not hops:
        return "ok", "none", ""
    if public and secret_key:
        try:
            return _asked(settings, secret_key)
        except Unserved as error:
            to_do = "see systemctl status messenger-api and its log; if it runs, where the proxy leads"
            return "fault", str(error), to_do
        except Unasked as error:
            to_do = "run the doctor where PUBLIC_URL can be reached, with the server and the proxy running"
            return "warning", f"{hops} trusted, but not tried: {error}", to_do
    return _noticed(settings, seen)


def _noticed(settings: Settings, seen: Callable[[Claim], bool]) -> Verdict:
    hops, header = settings.trusted_proxy_hops, settings.trusted_proxy_header
    if seen(MISSING):
        found = f"{hops} trusted, but requests came without {header}: their clients are counted as one"
        to_do = f"let the proxy send {header} (deploy/), and nobody else reach the server's port"
        return "warning", found, to_do
    return "ok", f"{hops} trusted", ""


def _asked(settings: Settings, secret_key: str) -> Verdict:
    hops, header = settings.trusted_proxy_hops, settings.trusted_proxy_header
    url = _server_of(settings.public_url)
    plain = ask(url, secret_key, {})
    if not plain.peer:
        found = f"the proxy sends no {header} with {hops} addresses: everybody is counted as {plain.client}"
        to_do = f"let it send {header} (deploy/ has files for nginx, Caddy and HAProxy), or {SET_HOPS}"
        return "fault", found, to_do
    for number, name in enumerate((header, *underscored(header)), 1):
        address = FORGED.format(number)
        # One at a time: of several that the server takes for one, it would see the last alone.
        if ask(url, secret_key, {name: address}).client != address:
            continue
        if name == header:
            return "fault", f"a client's own {header} is believed: {hops} hops are too many", SET_HOPS
        to_do = "let the proxy take out headers with an underscore (deploy/), or set TRUSTED_PROXY_HEADER"
        return (
            "fault",
            f"the proxy lets a client's {name} through, which counts as {header} here",
            to_do,
        )
    return "ok", f"{hops} trusted; asked through {url}, no forged header counts", ""


def underscored(header: str) -> list[str]:
    """The other spellings of a header that WSGI takes for the same: any of its hyphens as underscores."""
    places = [place for place, letter in enumerate(header) if letter == "-"]
    chosen = [some for count in range(1, len(places) + 1) for some in combinations(places, count)]
    return ["".join("_" if n in some else letter for n, letter in enumerate(header)) for some in chosen]


def ask(url: str, secret_key: str, headers: Mapping[str, str]) -> Report:
    """Whom the server behind `url` counts a request with these headers as.

    Raises:
        Unasked: it does not answer, or something else does.
        Unserved: a proxy says that it does not answer.
    """
    question = {"probe": probe(secret_key, int(time.time()))}
    try:
        with closing(HttpClient(ASK)) as client:
            answer = client.request("GET", f"{url}/healthz", params=question, headers=headers)
    except NoResponse as failure:
        raise Unasked(f"{url} does not answer ({failure.detail or failure.reason})") from None
    if answer.status in BEHIND_AWAY:
        raise Unserved(f"the proxy at {url} answers HTTP {answer.status}: it reaches no server")
    try:
        return msgspec.json.decode(answer.body, type=Report)
    except msgspec.DecodeError:
        raise Unasked(f"what answers at {url} is not this version with this SECRET_KEY") from None


def _server_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

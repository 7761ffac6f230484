"""What the doctor says of mesibo, of the sandbox in its place, and of the login method."""

from __future__ import annotations

from collections.abc import Iterator

from messenger_api.cli.common import is_to_be_made
from messenger_api.cli.doctor.verdicts import Verdict
from messenger_api.composition import Parts
from messenger_api.domain.health.findings import BREACHED
from messenger_api.gateways.login import Unavailable
from messenger_api.gateways.mesibo import MesiboRefused, MesiboUnreachable
from messenger_api.gateways.mesibo.client import NOT_SERVED
from messenger_api.mesibo.core import PING_FAULTS
from messenger_api.services.identities import PhoneNumbers
from messenger_api.settings import Settings, without_mesibo


def mesibo(settings: Settings, parts: Parts) -> Iterator[Verdict]:
    """Whether mesibo answers, takes the app token, and has groups."""
    if settings.uses_sandbox:
        yield "ok", "not asked: the sandbox takes its place", ""
    elif faults := without_mesibo(settings):
        yield from (("fault", fault, "set it, or ask for the sandbox") for fault in faults)
    else:
        yield _asked(settings, parts)


def _asked(settings: Settings, parts: Parts) -> Verdict:
    try:
        parts.mesibo.ping()
        refusal = parts.mesibo.refusal_of_groups()
    except MesiboUnreachable as error:
        return "fault", str(error), "check MESIBO_API_URL, the network and the proxy"
    except MesiboRefused as error:
        to_do = "check MESIBO_APP_TOKEN, MESIBO_API_URL and MESIBO_API_STYLE"
        return "fault", str(error), BREACHED if error.is_breach else to_do
    place = _without_password(settings.mesibo_api_url)
    if refusal is None:
        return "ok", f"{place} accepts the app token", ""
    found = f"{place} takes log-ins and no groups ({refusal.label}), as for an app on premise"
    to_do = "start mesibo with -b PORT and set MESIBO_API_URL to your web server: docs/questions.md"
    # Only these say it beyond doubt: which label mesibo has for it is documented nowhere.
    certain = refusal.error in PING_FAULTS or refusal.code in NOT_SERVED
    return "fault" if certain else "warning", found, to_do


def _without_password(url: str) -> str:
    """A URL without the user and password that it may hold."""
    scheme, slashes, rest = url.partition("://")
    return scheme + slashes + rest.rpartition("@")[2]


def sandbox(settings: Settings, _parts: Parts) -> Iterator[Verdict]:
    """Whether a stand-in plays mesibo, and who may see it."""
    if not settings.uses_sandbox:
        yield "ok", "not in use", ""
        return
    seen = "everyone's codes to everybody" if settings.shows_sandbox else "codes to this machine alone"
    found = f"a stand-in plays mesibo and shows {seen}, at /sandbox"
    to_do = f"remove SANDBOX = {settings.sandbox!r}" if settings.mesibo_app_token else "set MESIBO_APP_TOKEN"
    yield "warning", found, f"{to_do} to go live"


def login(settings: Settings, parts: Parts) -> Iterator[Verdict]:
    """Whether the login method can be used; a database that is to be made holds no passwords to look at."""
    name = settings.login_method
    try:
        method = parts.login_method
        if isinstance(method, PhoneNumbers):
            yield _codes(settings, parts)
            return
        if not (name == "password" and is_to_be_made(settings)):
            method.check()
    except ValueError as error:
        yield "fault", str(error), "docs/login-methods.md lists the keys of each method"
    except Unavailable as error:
        to_do = "check the method's keys in the configuration; docs/login-methods.md explains them"
        yield "fault", f"{name}: {error.reason}", to_do
    else:
        yield "ok", name, ""


def _codes(settings: Settings, parts: Parts) -> Verdict:
    """Whether one-time codes are made, by mesibo where it makes them."""
    if not settings.codes_are_mesibos:
        return "ok", "one-time codes by text message", ""
    if settings.uses_sandbox or without_mesibo(settings):
        return "ok", "one-time codes of mesibo, which was not asked", ""
    try:
        refusal = parts.mesibo.refusal_of_otp()
    except MesiboUnreachable as error:
        return "fault", str(error), "check MESIBO_API_URL, the network and the proxy"
    if refusal is None:
        return "ok", "one-time codes of mesibo, by text message", ""
    to_do = "see the finding about mesibo" if refusal.about_app_token else 'set LOGIN_METHOD = "otp"'
    return "fault", f"mesibo makes no one-time codes for this app ({refusal.label})", to_do

"""`login`, `loginui`, `logout`."""

from __future__ import annotations

from typing import TypedDict

from msgspec import Struct

from messenger_api.domain.errors import BadAkToken, MissingAppId
from messenger_api.domain.trace import ENDED_OLDEST, Step
from messenger_api.ops import answers
from messenger_api.ops.answers import CodeSent, LoggedIn, Nothing, OwnProfile
from messenger_api.ops.call import Call
from messenger_api.ops.fields import AppId, Channel, DeviceId, DeviceType, Ignored, Name, Secret
from messenger_api.services.otp.requests import Device


class LoginParameters(Struct):
    """Log in: first with the number alone, then again with the code that came by SMS."""

    phone: str = ""
    """The phone number, best with its country code; or the address of another login method."""
    appid: AppId = ""
    """The app's package name or bundle id; mesibo's token is valid for this app only."""
    otp: Secret = ""
    """The one-time code (current apps), or what else the login method asks for."""
    code: Secret = ""
    """The same (older apps)."""
    channel: Channel = ""
    """How the code is to come: "voice" calls, where a provider can."""
    name: Name = ""
    """The name of a new user."""
    device: DeviceId = ""
    """The device's own id: its next login replaces its session and no other."""
    dt: DeviceType = 0
    """The device's type."""
    lang: Ignored = ""
    """The language of texts that a person reads."""
    aktoken: str = ""
    """A Facebook AccountKit token; discontinued in 2020."""


class LoginUiParameters(Struct):
    """Ask which login screen to show."""

    d: Ignored = ""
    """Ignored."""
    v: Ignored = ""
    """Ignored."""


class LogoutParameters(Struct):
    """End this session, its push token and mesibo's token."""


class Entered(OwnProfile, LoggedIn):
    """To a call with the right code: the user is logged in."""

    token: str
    """mesibo's user token: for mesibo's SDK, and as `token` for all other ops."""
    cc: str
    """The number's country calling code; "" where people log in by something else."""
    google: str
    """The key for Google's maps; "" where none is configured."""


class LoginScreen(TypedDict):
    """Which login screen to show."""

    ui: str
    """Always "0": the one that asks for a number, then for a code."""


def login(call: Call, given: LoginParameters) -> CodeSent | Entered:
    """Send a code, or take one and answer with mesibo's token."""
    if not given.appid:
        raise MissingAppId(properties=("appid",))
    if given.aktoken:
        raise BadAkToken(properties=("aktoken",))
    accounts = call.services.accounts
    secret = call.services.login.shown(given.otp, given.code)
    if not secret:
        with call.services.tracing.following(given.phone, Step.SENT):
            wait = accounts.begin(given.phone, given.name, call.code_request(given.channel))
        return {"retry_after": wait} if wait else {}
    device = Device(given.appid, given.device, given.dt, call.request.network)
    with call.services.tracing.following(given.phone, Step.LOGGED_IN) as followed:
        entered = accounts.login(given.phone, secret, device, given.name)
        followed.detail = ENDED_OLDEST if entered.ended_oldest else ""
    return {
        "token": entered.token,
        **answers.profile(entered.profile),
        "cc": entered.who.country_code,
        "google": call.services.settings.google_map_key,
        **answers.invitations(call),
    }


def loginui(_call: Call, _given: LoginUiParameters) -> LoginScreen:
    """The one login screen that there is."""
    return {"ui": "0"}


def logout(call: Call, _given: LogoutParameters) -> Nothing:
    """End the caller's session."""
    call.services.sessions.end(call.caller)
    return {}

"""`deleteaccount`, `exportaccount`, `changenumber`."""

from __future__ import annotations

from typing import TypedDict

from msgspec import Struct

from messenger_api.domain.errors import ApiError, BadCode
from messenger_api.domain.identity import Identity
from messenger_api.ops import answers
from messenger_api.ops.answers import CodeSent, Nothing, OwnProfile
from messenger_api.ops.call import Call
from messenger_api.ops.fields import Channel, Secret
from messenger_api.services.account.exports import Export
from messenger_api.services.account.number_change import NewLogin
from messenger_api.services.login.accounts import Login
from messenger_api.services.otp.requests import Device


class DeleteAccountParameters(Struct):
    """Delete one's account: unusable at once, and gone with all that belongs to it within the hour."""


class ExportAccountParameters(Struct):
    """Fetch all that is kept about oneself."""


class ChangeNumberParameters(Struct):
    """Move one's account to another number: first with the number alone, then with the code sent to it."""

    phone: str = ""
    """The new number, best with its country code."""
    otp: Secret = ""
    """The one-time code."""
    code: Secret = ""
    """The same, for older apps."""
    channel: Channel = ""
    """How the code is to come: "voice" calls, where a provider can."""


class Exported(TypedDict):
    """All that is kept about oneself."""

    account: Export
    """It."""


class Moved(OwnProfile):
    """To a call with the right code: the account has the new number."""

    token: str
    """mesibo's user token for the new number; the one before is good no more."""
    cc: str
    """The number's country calling code."""


def deleteaccount(call: Call, _given: DeleteAccountParameters) -> Nothing:
    """Close the caller's account."""
    call.services.closing.close(call.caller.uid)
    return {}


def exportaccount(call: Call, _given: ExportAccountParameters) -> Exported:
    """The caller's data."""
    return {"account": call.services.exports.own(call.caller, call.download_url)}


def changenumber(call: Call, given: ChangeNumberParameters) -> CodeSent | Moved:
    """Send a code to the new number, or take it and answer with mesibo's new token."""
    services = call.services
    secret = services.login.shown(given.otp, given.code)
    if not secret:
        wait = services.login.request_code(given.phone, "", call.code_request(given.channel))
        return {"retry_after": wait} if wait else {}
    device = Device(call.caller.appid, network=call.request.network)
    proof = services.login.verify(given.phone, secret, device)
    who = proof.who
    if token := proof.earlier_token():  # somebody tapped twice
        before = services.accounts.again(who, token)
        if before.profile.uid != call.caller.uid:
            raise BadCode  # it has opened a session already
        return _moved(before, who)
    try:
        entered = services.number_change.change(call.caller, who.address, proof.key, who.region)
    except ApiError:
        proof.reopen()
        raise
    proof.keep(entered.token)
    return _moved(entered, who)


def _moved(entered: Login | NewLogin, who: Identity) -> Moved:
    return {"token": entered.token, **answers.profile(entered.profile), "cc": who.country_code}

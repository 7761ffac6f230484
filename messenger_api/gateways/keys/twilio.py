"""The keys of Twilio's providers, apart from them: their library is loaded only where it is used."""

from __future__ import annotations

import re
from dataclasses import dataclass

from messenger_api.settings.conversions import Unacceptable, Verbatim, as_text, as_url
from messenger_api.settings.keys import Keys, key

# What Twilio sends as: a number, a short code, a name of up to 11 signs with a letter, a Messaging Service.
_TWILIO_FROM = re.compile(
    r"\+[1-9][0-9]{0,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 &+_-]{1,11}|MG[0-9a-fA-F]{32}"
)


@Verbatim
def _as_sender(value: object) -> str:
    text = as_text(value)
    if text and not _TWILIO_FROM.fullmatch(text):
        raise Unacceptable(
            "a number that begins with +, a short code, a name of at most 11 letters and digits, or the id"
            " of a Messaging Service (MG...)"
        )
    return text


@Verbatim
def _as_caller(value: object) -> str:
    text = as_text(value)
    if text and not text.startswith("+"):
        raise Unacceptable("a number that begins with +")
    return text


@dataclass(frozen=True)
class TwilioAccountKeys(Keys):
    """What both providers of Twilio share."""

    twilio_account_sid: str = key(
        "",
        as_text,
        'Twilio\'s account: the "Account SID" of its console.',
        "AC0123456789abcdef0123456789abcdef",
        needed=True,
    )
    twilio_auth_token: str = key(
        "",
        as_text,
        'The "Auth Token" of that account.',
        "0123456789abcdef0123456789abcdef",
        secret=True,
        needed=True,
    )
    twilio_api_url: str = key(
        "https://api.twilio.com",
        as_url,
        "Twilio's address; another one for a region of Twilio's, or for the sandbox.",
        "https://api.dublin.ie1.twilio.com",
    )


@dataclass(frozen=True)
class TwilioKeys(TwilioAccountKeys):
    """Twilio

    For the provider "twilio"; "twilio_verify" takes account, token and address from here too.
    """

    twilio_from: str = key(
        "",
        _as_sender,
        "The sender: a number of the account with + and country code, a messaging service (MG...) or a name.",
        "+14155550100",
        needed=True,
    )
    twilio_voice_from: str = key(
        "",
        _as_caller,
        "The number that calls people and says the code: one of the account, with + and country code."
        " Empty: TWILIO_FROM when that is a number, else there are no calls.",
        "+14155550100",
    )


@dataclass(frozen=True)
class TwilioVerifyKeys(TwilioAccountKeys):
    """Twilio Verify

    For the provider "twilio_verify".
    """

    twilio_verify_sid: str = key(
        "",
        as_text,
        "The service of Twilio Verify, which makes and checks the codes itself.",
        "VA0123456789abcdef0123456789abcdef",
        needed=True,
    )

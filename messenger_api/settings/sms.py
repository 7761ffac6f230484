"""The keys of text messages, whoever sends them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from messenger_api.settings.conversions import Unacceptable, Verbatim, as_flag, as_text, as_texts, seconds
from messenger_api.settings.countries import as_countries
from messenger_api.settings.keys import Keys, key

_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_APP_HASH = re.compile(r"[A-Za-z0-9+/]{11}")
DOMAIN_LENGTH = 60
"""More than that, and no other word has room in a text message with a code."""


@Verbatim
def as_domain(value: object) -> str:
    """A domain in lower case, or ""."""
    text = as_text(value).lower()
    if text and not (len(text) <= DOMAIN_LENGTH and _DOMAIN.fullmatch(text)):
        raise Unacceptable(
            f'a domain of at most {DOMAIN_LENGTH} characters such as "chat.example.com", or ""'
        )
    return text


@Verbatim
def as_app_hash(value: object) -> str:
    """The hash by which Android knows an app, or ""."""
    text = as_text(value)
    if text and not _APP_HASH.fullmatch(text):
        raise Unacceptable('11 letters, digits, "+" or "/" such as "FA+9qCX9VSu", or ""')
    return text


@dataclass(frozen=True)
class SmsKeys(Keys):
    """Text messages

    Who sends the codes, where to, and in which words.
    """

    sms_providers: tuple[str, ...] = key(
        ("console",),
        as_texts,
        'Who sends the codes, tried in this order: providers whose keys stand below, such as "twilio",'
        ' a class of your own by its dotted path, or "console", which only prints them and is for'
        " development. docs/sms.md shows how to set up each.",
        ["twilio", "mycompany.sms.MyProvider"],
    )
    sms_countries: tuple[str, ...] = key(
        (),
        as_countries,
        'The countries that may be texted, as two ISO letters each. Empty: DEFAULT_COUNTRY alone. "*" is'
        " all of them, which invites swindlers who earn on texts to dear numbers.",
        ["IN", "DE"],
    )
    sms_text: str = key(
        "",
        as_text,
        "The text message; {code} and {app} are filled in. Empty: a sentence in the language of the"
        " phone. It must fit into one message of 140 octets, with the line that SMS_ANDROID_HASH or"
        " SMS_IOS_DOMAIN adds: that is 160 characters of plain Latin text, or 70 as soon as one character"
        " is of another alphabet.",
        "{code} is your code for {app}.",
    )
    sms_app_name: str = key(
        "Messenger",
        as_text,
        "The name of your app in text messages. Where a sentence has no room for it, a shorter one is sent.",
        "Example Chat",
    )
    sms_android_hash: str = key(
        "",
        as_app_hash,
        "The 11 characters by which Android's SMS Retriever knows your app, so that it reads the code by"
        " itself. They follow from the package name and the signing certificate. Empty: the code is typed.",
        "FA+9qCX9VSu",
    )
    sms_ios_domain: str = key(
        "",
        as_domain,
        "The domain to which codes are bound on iOS: one of your app's associated domains, of at most 60"
        " characters. The code is then offered in your app and nowhere else. Empty: iOS guesses the code"
        " from the text.",
        "chat.example.com",
    )
    sms_timeout: float = key(
        4.0,
        seconds(0.5, 8),
        "Seconds that one provider may take for a message, 0.5 to 8; then the next is tried.",
        2.5,
    )
    sms_receipts: bool = key(
        True,
        as_flag,
        "Whether providers are asked to report what became of a message, at /sms/receipts/ of PUBLIC_URL,"
        " which must be https.",
        False,
    )

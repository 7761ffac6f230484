"""The keys of the provider "vonage"."""

from __future__ import annotations

from dataclasses import dataclass

from messenger_api.settings.conversions import as_text, as_url
from messenger_api.settings.keys import Keys, key


@dataclass(frozen=True)
class VonageKeys(Keys):
    """Vonage

    For the provider "vonage".
    """

    vonage_api_key: str = key(
        "",
        as_text,
        'The account: the "API key" of Vonage\'s dashboard.',
        "abcd1234",
        needed=True,
    )
    vonage_api_secret: str = key(
        "",
        as_text,
        'The "API secret" of that account.',
        "0123456789abcdef",
        secret=True,
        needed=True,
    )
    vonage_from: str = key(
        "",
        as_text,
        "The sender: a number of the account, or a name of up to eleven letters and digits.",
        "ExampleChat",
        needed=True,
    )
    vonage_signature_secret: str = key(
        "",
        as_text,
        'The account\'s "signature secret", with the method SHA-256 HMAC. Empty: no delivery receipts.',
        "0123456789abcdefghijklmnopqrstuvwxyz",
        secret=True,
    )
    vonage_api_url: str = key(
        "https://rest.nexmo.com",
        as_url,
        "Vonage's address; another one for the sandbox.",
        "http://127.0.0.1:8081/vonage",
    )

"""The keys of the login by OpenID Connect, apart from it: its library may not be installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from messenger_api.settings.conversions import Unacceptable, as_text, as_texts, as_url, is_local, whole_number
from messenger_api.settings.keys import Keys, key


def as_algorithms(value: object) -> tuple[str, ...]:
    """Names of signature algorithms with a public key, RFC 7518 and RFC 8037."""
    names = as_texts(value)
    if not names or not all(re.fullmatch(r"(RS|PS|ES)(256|384|512)|EdDSA", name) for name in names):
        raise Unacceptable('a list of algorithms with a public key such as ["RS256", "ES256"]')
    return names


@dataclass(frozen=True)
class OidcKeys(Keys):
    """Login by OpenID Connect

    Only with LOGIN_METHOD = "oidc".
    """

    oidc_issuer: str = key(
        "",
        as_url,
        "Who issues the ID tokens, exactly as it stands in them as iss.",
        "https://login.example.com",
        needed=True,
    )
    oidc_client_id: str = key(
        "",
        as_text,
        "For whom they must be issued (aud): the client ID of your app. Several are separated by commas.",
        "messenger-android, messenger-ios",
        needed=True,
    )
    oidc_address_claim: str = key(
        "email",
        as_text,
        'The claim that holds a person\'s address. "email" counts only where email_verified is true.',
        "preferred_username",
    )
    oidc_name_claim: str = key(
        "name",
        as_text,
        "The claim that holds the name for a new account.",
        "given_name",
    )
    oidc_max_age: int = key(
        600,
        whole_number(10, 86_400),
        "Seconds since its issue in which a token logs in, 10 to 86400.",
        120,
    )
    oidc_algorithms: tuple[str, ...] = key(
        ("RS256", "ES256"),
        as_algorithms,
        "The signatures that are accepted.",
        ["EdDSA"],
    )

    def faults(self) -> Iterator[str]:
        """The issuer's keys, whose way here anybody could change."""
        if self.oidc_issuer.startswith("http:") and not is_local(self.oidc_issuer):
            yield "OIDC_ISSUER: accepted is an https URL, unless the issuer is on this machine"

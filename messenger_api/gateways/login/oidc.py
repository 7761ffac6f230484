"""Logging in with an ID token of an OpenID Connect issuer (keys `OIDC_...`).

The checks are those of OpenID Connect Core 1.0, section 3.1.3.7.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import jwt

from messenger_api.domain.address import read_login_name
from messenger_api.gateways.keys.oidc import OidcKeys
from messenger_api.gateways.login.base import Denied, LoginMethod, Person
from messenger_api.gateways.login.issuer import IssuerKeys
from messenger_api.settings import Settings

# How far the issuer's clock and ours may be apart.
SKEW_SECONDS = 60

# Tokens are a few kilobytes; a longer one is not worth the work.
LONGEST_TOKEN = 16 * 1024

REQUIRED = ["iss", "sub", "aud", "exp", "iat"]

# Some issuers (Amazon Cognito for one) write the boolean as a text.
VERIFIED = ("true", "True")


class OidcMethod(LoginMethod):
    """The secret is an ID token; whoever it names is who logs in."""

    name = "oidc"

    def __init__(self, settings: Settings) -> None:
        keys = self._keys = settings.of(OidcKeys)
        self._clients = [client.strip() for client in keys.oidc_client_id.split(",") if client.strip()]
        self._issuer_keys = IssuerKeys(keys.oidc_issuer, settings.login_timeout)

    def check(self) -> None:
        """Fetch the issuer's keys."""
        self._issuer_keys.fetch()

    def _authenticate(self, address: str, secret: str) -> Person:
        claims = self._claims(secret.strip())  # a token has no blanks
        self._check_party(claims)
        self._check_age(claims)
        person = self._person_in(claims)
        if address and address != person.address:
            raise Denied("the token is another person's")
        return person

    def _claims(self, token: str) -> Mapping[str, Any]:
        """What a token says whose signature, issuer, audience and times are right."""
        key, algorithm = self._key_of(token)
        try:
            return jwt.decode(
                token,
                jwt.PyJWK(dict(key), algorithm=algorithm),
                algorithms=[algorithm],
                audience=self._clients,
                issuer=self._keys.oidc_issuer,
                leeway=SKEW_SECONDS,
                options={"require": REQUIRED},
            )
        except jwt.PyJWTError as error:
            # The text of some of these quotes claims; the name of the class says enough.
            raise Denied(f"the token is not valid ({type(error).__name__})") from None

    def _key_of(self, token: str) -> tuple[Mapping[str, Any], str]:
        if len(token) > LONGEST_TOKEN:
            raise Denied("the token is too long")
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError):
            raise Denied("this is no token") from None
        algorithm, kid = header.get("alg"), header.get("kid")
        # Chosen from our list and never by the token: "none" and shared secrets cannot be in it.
        if algorithm not in self._keys.oidc_algorithms:
            raise Denied("the token's signature is of a kind that OIDC_ALGORITHMS does not hold")
        key = self._issuer_keys.find(kid, algorithm, _issued_at(token))
        if key is None:
            raise Denied("the token's key is not the issuer's")
        return key, algorithm

    def _check_party(self, claims: Mapping[str, Any]) -> None:
        """A token for several audiences says for which of them it was made (azp)."""
        party = claims.get("azp")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (party is not None or several) and party not in self._clients:
            raise Denied("the token was issued to another app (azp)")

    def _check_age(self, claims: Mapping[str, Any]) -> None:
        if time.time() - claims["iat"] > self._keys.oidc_max_age + SKEW_SECONDS:
            raise Denied("the token is older than OIDC_MAX_AGE")

    def _person_in(self, claims: Mapping[str, Any]) -> Person:
        claim, value = self._keys.oidc_address_claim, claims.get(self._keys.oidc_address_claim)
        address = read_login_name(value) if isinstance(value, str) else None
        if address is None:
            raise Denied("the token has no usable address in OIDC_ADDRESS_CLAIM")
        # Whoever may write any e-mail address into a profile must not become its owner.
        verified = claims.get("email_verified")
        if claim == "email" and verified is not True and verified not in VERIFIED:
            raise Denied("the issuer has not verified the e-mail address")
        name = claims.get(self._keys.oidc_name_claim)
        return Person(address, name if isinstance(name, str) else "")


def _issued_at(token: str) -> float:
    """What a token that nobody has checked yet says of its age; 0 when it says nothing."""
    try:
        issued_at = jwt.decode(token, options={"verify_signature": False}).get("iat")
    except (jwt.PyJWTError, ValueError):
        return 0
    return issued_at if isinstance(issued_at, (int, float)) else 0

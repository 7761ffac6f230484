"""The keys of other ways to log in than by text message, and which of them belong together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parseaddr

from messenger_api.settings.conversions import (
    Unacceptable,
    Verbatim,
    as_flag,
    as_hosts,
    as_literal,
    as_text,
    as_texts,
    as_url,
    is_local,
    one_of,
    whole_number,
)
from messenger_api.settings.keys import Keys, key

_MAIL_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


@Verbatim
def as_mailbox(value: object) -> str:
    """A sender of e-mail, with a name if wanted, or ""."""
    text = as_text(value)
    address = parseaddr(text)[1]
    # No more than the form: what a sender's address may be, its own mail server decides.
    if text and not (re.fullmatch(r"[!-?A-~]+@[!-?A-~]+", address) and text.isprintable()):
        raise Unacceptable('an address such as "no-reply@example.com" or "Chat <no-reply@example.com>"')
    return text


def as_mail_domains(value: object) -> tuple[str, ...]:
    """Domains of e-mail addresses, also such as the world does not know."""
    domains = tuple(domain.lower().removeprefix("@") for domain in as_texts(value))
    if not all(_MAIL_DOMAIN.fullmatch(domain) for domain in domains):
        raise Unacceptable('a list of domains such as ["firma.local"]')
    return domains


@Verbatim
def as_ldap_url(value: object) -> str:
    """An ldap or ldaps URL of a server, or ""."""
    text = as_text(value)
    if text and not re.fullmatch(r"ldaps?://[\w.\-\[\]:]+/?", text, re.ASCII):
        raise Unacceptable('a URL such as "ldaps://ldap.example.com", without anything behind host and port')
    return text


@Verbatim
def as_ldap_filter(value: object) -> str:
    """A search filter with a place for the address."""
    text = as_text(value)
    if "{address}" not in text or not (text.startswith("(") and text.endswith(")")):
        raise Unacceptable('a filter in brackets with {address} in it such as "(uid={address})"')
    return text


def as_algorithms(value: object) -> tuple[str, ...]:
    """Names of signature algorithms with a public key, RFC 7518 and RFC 8037."""
    names = as_texts(value)
    if not names or not all(re.fullmatch(r"(RS|PS|ES)(256|384|512)|EdDSA", name) for name in names):
        raise Unacceptable('a list of algorithms with a public key such as ["RS256", "ES256"]')
    return names


@dataclass(frozen=True)
class EmailKeys(Keys):
    """Login by e-mail

    Only with LOGIN_METHOD = "email".
    """

    smtp_host: str = key(
        "",
        as_text,
        "The server that takes the messages.",
        "smtp.example.com",
        needed=True,
    )
    smtp_port: int = key(
        0,
        whole_number(0, 65535),
        "Its port. 0: the usual one, 587 with starttls, 465 with tls, 25 with none.",
        2525,
    )
    smtp_user: str = key(
        "",
        as_text,
        "The user at that server. Empty: it asks for none.",
        "chat@example.com",
    )
    smtp_pass: str = key(
        "",
        as_literal,
        "That user's password.",
        "a long password",
        secret=True,
    )
    smtp_tls: str = key(
        "starttls",
        one_of("starttls", "tls", "none"),
        'How the connection is protected, "starttls" or "tls" from its first byte. "none" is accepted for'
        " a server on this machine only.",
        "tls",
    )
    smtp_from: str = key(
        "",
        as_mailbox,
        "The sender of the messages, with a name if wanted.",
        "Example Chat <no-reply@example.com>",
        needed=True,
    )
    email_local_domains: tuple[str, ...] = key(
        (),
        as_mail_domains,
        "Domains of your own beside the public ones, such as the world does not know.",
        ["firma.local", "intranet"],
    )

    def faults(self) -> Iterator[str]:
        """A password that would travel in clear, and half a pair."""
        if self.smtp_tls == "none" and not is_local(f"//{self.smtp_host}"):
            yield "SMTP_TLS = 'none': accepted is that only with an SMTP_HOST on this machine"
        if bool(self.smtp_user) != bool(self.smtp_pass):
            yield "SMTP_USER: required with SMTP_PASS, and the other way round"


@dataclass(frozen=True)
class LdapKeys(Keys):
    """Login by LDAP

    Only with LOGIN_METHOD = "ldap".
    """

    ldap_url: str = key(
        "",
        as_ldap_url,
        "The directory. ldap:// needs LDAP_STARTTLS unless it is on this machine.",
        "ldaps://ldap.example.com",
        needed=True,
    )
    ldap_starttls: bool = key(
        False,
        as_flag,
        "Whether an ldap:// connection is protected by StartTLS.",
        True,
    )
    ldap_bind_dn: str = key(
        "",
        as_text,
        "The account that looks for people. Empty: the search is anonymous.",
        "cn=messenger,ou=services,dc=example,dc=com",
    )
    ldap_bind_pass: str = key(
        "",
        as_literal,
        "That account's password.",
        "a long password",
        secret=True,
    )
    ldap_base: str = key(
        "",
        as_text,
        "Below which entry people are looked for.",
        "ou=people,dc=example,dc=com",
        needed=True,
    )
    ldap_filter: str = key(
        "(uid={address})",
        as_ldap_filter,
        "Which entry is the person who typed {address}. It must find one entry at most.",
        "(&(mail={address})(memberOf=cn=chat,ou=groups,dc=example,dc=com))",
    )
    ldap_address_attribute: str = key(
        "uid",
        as_text,
        "The attribute that holds a person's address, which names the account here. It must never change.",
        "sAMAccountName",
    )
    ldap_name_attribute: str = key(
        "cn",
        as_text,
        "The attribute that holds the name for a new account.",
        "displayName",
    )
    ldap_ca_file: str = key(
        "",
        as_text,
        "A file with the authority that signed the directory's certificate. Empty: those of the system.",
        "/etc/ssl/certs/example-ca.pem",
    )

    def faults(self) -> Iterator[str]:
        """Passwords that would travel in clear."""
        in_clear = self.ldap_url.startswith("ldap:") and not self.ldap_starttls
        if in_clear and not is_local(self.ldap_url):
            yield "LDAP_STARTTLS: required with ldap://, unless the directory is on this machine"


@dataclass(frozen=True)
class RadiusKeys(Keys):
    """Login by RADIUS

    Only with LOGIN_METHOD = "radius".
    """

    radius_host: str = key(
        "",
        as_hosts,
        "The server. Several, separated by commas, are tried in turn, each with a port of its own if that"
        " is not RADIUS_PORT.",
        "radius1.example.com, radius2.example.com:1645",
        needed=True,
    )
    radius_port: int = key(
        1812,
        whole_number(1, 65535),
        "The port of those servers that name none of their own.",
        1645,
    )
    radius_secret: str = key(
        "",
        as_literal,
        "The secret that it shares with this machine. Make it long and random: passwords travel under it.",
        "output of: openssl rand -hex 32",
        secret=True,
        needed=True,
    )
    radius_nas_id: str = key(
        "messenger-api",
        as_text,
        "The name under which this server asks (NAS-Identifier).",
        "chat.example.com",
    )


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


METHODS: Mapping[str, type[Keys]] = {
    "email": EmailKeys,
    "ldap": LdapKeys,
    "radius": RadiusKeys,
    "oidc": OidcKeys,
}

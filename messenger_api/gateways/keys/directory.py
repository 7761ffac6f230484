"""The keys of the login by LDAP, apart from it: its library may not be installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from messenger_api.settings.conversions import Unacceptable, Verbatim, as_flag, as_literal, as_text, is_local
from messenger_api.settings.keys import Keys, key


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

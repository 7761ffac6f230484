"""Whom the numbers of the PHP demo identify: read and made blind as logins and phone books here are."""

from __future__ import annotations

from typing import NamedTuple

from messenger_api.domain.phone import Phone
from messenger_api.domain.secrets import Keys
from messenger_api.services.identities import Identities


class Who(NamedTuple):
    """Whom a number identifies: the blind key, and the country, "" where the number tells none."""

    key: bytes
    country: str


class Numbers:
    """Reads numbers by `services.identities`; those of logins are dialled in `country`, DEFAULT_COUNTRY."""

    def __init__(self, identities: Identities, keys: Keys, country: str) -> None:
        self._identities = identities
        self._keys = keys
        self._country = country

    def at_login(self, digits: str) -> Who | None:
        """Whose account this number logs in to; None for what is no number."""
        who = self._identities.read(digits, self._country)
        return Who(self._keys.contact_key(who), who.region) if who else None

    def of_digits(self, digits: str) -> Who:
        """Whom digits identify that no numbering plan knows."""
        return Who(self._keys.contact_key(Phone(digits)), "")

    def in_book(self, entry: str, country: str) -> bytes | None:
        """The blind key of an entry of a phone book; None for what is no number."""
        return self._identities.key(entry, country)

"""Who is meant by what people type: a number, or the address of the configured login method."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from messenger_api.domain.errors import BadPhone
from messenger_api.domain.identity import Identity, LoginName
from messenger_api.domain.phone import LONGEST_ENTRY, read
from messenger_api.domain.secrets import Keys
from messenger_api.gateways.login import CodeMethod, LoginMethod
from messenger_api.settings import Settings

# The contract: at login a number has at least nine digits.
SHORTEST_PHONE = 9

# Blind keys that a process remembers: some hundred phone books, 15 MB.
KEYS_KEPT = 65_536

Method = LoginMethod | CodeMethod | None
"""How people log in; None is by a code to their phone number."""


class Identities:
    """Reads numbers and addresses, and makes blind keys of them."""

    def __init__(self, settings: Settings, keys: Keys, method: Method) -> None:
        self._country = settings.default_country
        self._keys = keys
        self._method = method
        # A phone book comes again and again: reading its numbers and hashing them costs more than matching.
        self._key = lru_cache(maxsize=KEYS_KEPT)(self._read_key)

    def read(self, entry: str, country: str = "") -> Identity | None:
        """Read a number in somebody's country, or an address; None for what identifies nobody."""
        if self._method is None:
            return read(entry, country)
        address = self._method.read(entry)
        return LoginName(address) if address else None

    def at_login(self, entry: str) -> Identity:
        """Read what somebody wants to log in as. Raises BadPhone."""
        who = self.read(entry, self._country)
        if who is None or (self._method is None and len(who.address) < SHORTEST_PHONE):
            raise BadPhone(self._complaint(), properties=("phone",))
        return who

    def key_at_login(self, entry: str) -> bytes | None:
        """The blind key of the account that this logs in to; None for what identifies nobody."""
        return self._read_key(entry, self._country)

    def keys(self, entries: Sequence[str], country: str) -> list[bytes]:
        """The blind keys of entries in the order in which they were named; unreadable ones are left out."""
        found = [self._key(entry, country) for entry in entries if len(entry) <= LONGEST_ENTRY]
        return list(dict.fromkeys(filter(None, found)))

    def _read_key(self, entry: str, country: str) -> bytes | None:
        who = self.read(entry, country)
        return self._keys.contact_key(who) if who else None

    def _complaint(self) -> str:
        if self._method is None:
            return "phone_bad"
        return "email_bad" if isinstance(self._method, CodeMethod) else "name_bad"

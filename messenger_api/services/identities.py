"""Who is meant by what people type: a number, or the address of the configured login method."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import repeat

from messenger_api.domain.errors import BadPhone
from messenger_api.domain.identity import Identity, LoginName
from messenger_api.domain.phone import LONGEST_ENTRY, Phone, read
from messenger_api.domain.secrets import Keys
from messenger_api.gateways.login import CodeMethod, LoginMethod
from messenger_api.settings import Settings

# The contract: at login a number has at least nine digits.
SHORTEST_PHONE = 9

# Blind keys that a process remembers: some hundred phone books, 15 MB.
KEYS_KEPT = 65_536


class PhoneNumbers:
    """People are named by their phone numbers: where codes go out by SMS."""

    def __init__(self, settings: Settings) -> None:
        self.country = settings.default_country
        """Where a number is dialled that somebody logs in with: two ISO letters."""

    def read(self, entry: str, country: str = "") -> Phone | None:
        """Read a number as it is dialled in a country; None for what is none."""
        return read(entry, country)

    def read_number(self, entry: str) -> Phone:
        """Read the number that somebody wants to log in with. Raises BadPhone."""
        phone = read(entry, self.country)
        if phone is None or len(phone.address) < SHORTEST_PHONE:
            raise BadPhone(properties=("phone",))
        return phone


class LoginNames:
    """People are named by the addresses of a login method, which reads them."""

    country = ""
    """Of no matter."""

    def __init__(self, method: LoginMethod | CodeMethod) -> None:
        self._method = method
        self._complaint = "email_bad" if isinstance(method, CodeMethod) else "name_bad"

    def read(self, entry: str, _country: str = "") -> LoginName | None:
        """Read an address; None for what is none."""
        address = self._method.read(entry)
        return LoginName(address) if address else None

    def read_address(self, entry: str) -> LoginName:
        """Read the address that somebody wants to log in with. Raises BadPhone."""
        who = self.read(entry)
        if who is None:
            raise BadPhone(self._complaint, properties=("phone",))
        return who


Names = PhoneNumbers | LoginNames
"""How people are named, which follows from how they log in."""

Method = LoginMethod | CodeMethod | PhoneNumbers
"""What LOGIN_METHOD stands for: who judges secrets, who delivers codes, or phone numbers that get texts."""


def names_of(method: Method) -> Names:
    """How people are named who log in by this method."""
    return method if isinstance(method, PhoneNumbers) else LoginNames(method)


class Identities:
    """Reads numbers and addresses, and makes blind keys of them."""

    def __init__(self, keys: Keys, names: Names) -> None:
        self._keys = keys
        self._names = names
        # A phone book comes again and again: reading its numbers and hashing them costs more than matching.
        self._key = lru_cache(maxsize=KEYS_KEPT)(self._read_key)

    def read(self, entry: str, country: str = "") -> Identity | None:
        """Read a number in somebody's country, or an address; None for what identifies nobody."""
        return self._names.read(entry, country)

    def at_login(self, entry: str) -> Identity:
        """Who wants to log in with this. Raises BadPhone."""
        names = self._names
        return names.read_number(entry) if isinstance(names, PhoneNumbers) else names.read_address(entry)

    def contact_key(self, who: Identity) -> bytes:
        """The blind key of somebody."""
        return self._keys.contact_key(who)

    def key_at_login(self, entry: str) -> bytes | None:
        """The blind key of the account that this logs in to; None for what identifies nobody."""
        return self._read_key(entry, self._names.country)

    def key(self, entry: str, country: str) -> bytes | None:
        """The blind key of an entry of somebody's phone book; None for what identifies nobody."""
        return self._key(entry, country) if len(entry) <= LONGEST_ENTRY else None

    def keys(self, entries: Sequence[str], country: str) -> list[bytes]:
        """The blind keys of entries in the order in which they were named; unreadable ones are left out."""
        short = [entry for entry in entries if len(entry) <= LONGEST_ENTRY]
        return list(dict.fromkeys(filter(None, map(self._key, short, repeat(country)))))

    def _read_key(self, entry: str, country: str) -> bytes | None:
        who = self._names.read(entry, country)
        return self._keys.contact_key(who) if who else None

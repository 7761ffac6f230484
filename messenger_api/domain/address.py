"""Addresses of people who log in with something else than a phone number: login names and e-mail addresses.

mesibo's rule for an address is ASCII, at most 64 characters, case-sensitive. Member lists join addresses
with commas, and roles with colons, so neither may stand in one; nor may blanks.
"""

from __future__ import annotations

import re

from messenger_api.domain import phone

# Printable ASCII (`!` to `~`) without `,` and `:`.
_ADDRESS = re.compile(r"[!-+\--9;-~]{1,64}")


def is_address(text: str) -> bool:
    """Whether mesibo and the lists of members can hold this address."""
    return _ADDRESS.fullmatch(text) is not None


def read_login_name(entry: str) -> str | None:
    """A login name in its normal form: lower case, without blanks around it. None when it is unusable."""
    name = entry.strip()
    # Looked at first: the lower case of the Kelvin sign is an ASCII "k", and so another person's name.
    return name.lower() if is_address(name) else None


def masked_address(address: str) -> str:
    """An address as it may stand in a log: `al***`, `an***@example.com`, `9198******10`."""
    if address.isdigit():
        return phone.masked(address)
    name, at, place = address.partition("@")
    return f"{name[:2] if len(name) > 3 else ''}***{at}{place}"

"""Who somebody claims to be: a phone number, or the address of another login method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from messenger_api.domain.address import masked_address
from messenger_api.domain.phone import Phone


@dataclass(frozen=True)
class LoginName:
    """An e-mail address or login name in its normal form. It has the members of `phone.Phone`."""

    address: str

    def __repr__(self) -> str:
        return f"LoginName({masked_address(self.address)})"

    @property
    def match(self) -> str:
        """What is hashed to find the account; never the same as a number's."""
        return f"@{self.address}"

    @property
    def country_code(self) -> str:
        """None: it belongs to no country."""
        return ""

    @property
    def region(self) -> str:
        """None: it belongs to no country."""
        return ""


Identity = Phone | LoginName
"""`address` is what mesibo knows the user by; `match` is what the blind keys are made of."""

IdentityReader = Callable[[str, str], Identity | None]
"""Reads what people type, in the caller's country; None for what identifies nobody."""

"""Logging in by other proofs than a code in a text message: the methods that `LOGIN_METHOD` names."""

from messenger_api.gateways.login.base import (
    CodeMethod,
    Denied,
    LoginFailed,
    LoginMethod,
    Person,
    Unavailable,
    Undeliverable,
)
from messenger_api.gateways.login.choice import method_from_settings

__all__ = [
    "CodeMethod",
    "Denied",
    "LoginFailed",
    "LoginMethod",
    "Person",
    "Unavailable",
    "Undeliverable",
    "method_from_settings",
]

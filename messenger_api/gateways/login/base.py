"""What all ways to log in share: the person, the kinds of failure, and timing, logging and outcome.

There are two kinds of methods. A `LoginMethod` is handed a secret and asks somebody who can judge it: a
directory, a RADIUS server, an issuer of tokens. A `CodeMethod` only delivers a one-time code that we made.

    Denied          the secret is wrong, or this person may not log in
    Undeliverable   this address gets no code, whoever sends it
    Unavailable     whoever is asked does not answer, or the configuration is wrong

A new method is one class with one method:

    class MyMethod(LoginMethod):
        name = "mine"

        def __init__(self, settings: Settings) -> None: ...

        def _authenticate(self, address: str, secret: str) -> Person: ...

Name it in LOGIN_METHOD by its dotted path, for example "mycompany.login.MyMethod".
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

import structlog

from messenger_api.domain.address import is_address, masked_address, read_login_name
from messenger_api.domain.names import cleaned
from messenger_api.gateways.failures import cut_off
from messenger_api.settings import Keys, Settings

log = structlog.get_logger(__name__)

T = TypeVar("T")


class LoginFailed(Exception):
    """A login that did not succeed.

    `reason` is short and for the operator: it never holds an address or a secret, so that it may enter
    a log.
    """

    outcome = "unavailable"

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


class Denied(LoginFailed):
    """The secret is wrong, or this person may not log in."""

    outcome = "denied"


class Undeliverable(LoginFailed):
    """The server refuses to take a message for this address."""

    outcome = "undeliverable"


class Unavailable(LoginFailed):
    """The directory, server or issuer does not answer, or is misconfigured.

    With `may_be_sent` a message had left when it failed: its reader may get it all the same.
    """

    def __init__(self, reason: str = "", *, may_be_sent: bool = False) -> None:
        super().__init__(reason)
        self.may_be_sent = may_be_sent


@dataclass(frozen=True)
class Person:
    """Who proved to be who. `name` is for a new account. The printed form shows neither."""

    address: str
    """In normal form, as the method knows it: what the directory says, not what was typed."""
    name: str = ""

    def __repr__(self) -> str:
        return f"Person({masked_address(self.address)})"


class _Method:
    """What both kinds share. Used by several threads at a time."""

    name = "custom"
    """Shown in logs."""
    keys: ClassVar[type[Keys]] = Keys
    """The keys of its own in the configuration, which `settings.of` gives it; only for dotted paths."""

    def __init__(self, settings: Settings) -> None:
        """Take what the method needs from the settings.

        Raises:
            ValueError: a key has a value that the method cannot work with; the text names the key.
        """

    def read(self, entry: str) -> str | None:
        """The address in its normal form; None when it is unusable."""
        return read_login_name(entry)

    def check(self) -> None:
        """Prove the configuration with a real call.

        Raises:
            Unavailable: it does not work.
        """

    def close(self) -> None:
        """Give back the connections. The method is not used afterwards."""


class LoginMethod(_Method, ABC):
    """Somebody else knows the secret and is asked."""

    def authenticate(self, address: str, secret: str) -> Person:
        """Ask whether this secret is this person's, and log how it went, never with the secret.

        Args:
            address: in normal form; "" lets a method that can tell by the secret say who it is.
            secret: a password or a token.

        Raises:
            Denied: it is not, or this person may not log in.
            Unavailable: nobody can say, or the method failed in a way it did not foresee.
        """
        return _watched(
            self.name, "login.prove", address, lambda: _usable(self._authenticate(address, secret))
        )

    @abstractmethod
    def _authenticate(self, address: str, secret: str) -> Person:
        """Find out within a finite time.

        Raises:
            Denied: the secret is wrong, or this person may not log in.
            Unavailable: nobody can say.
        """


class CodeMethod(_Method, ABC):
    """We make the one-time code; this method delivers it."""

    def deliver(self, address: str, code: str, language: str) -> None:
        """Send the code, and log how it went, never with the code.

        Args:
            address: in normal form.
            code: the one-time code.
            language: the tag of the phone's language, such as "pt-BR".

        Raises:
            Undeliverable: the server refuses this address.
            Unavailable: it cannot be sent now, or the method failed in a way it did not foresee.
        """
        _watched(self.name, "login.deliver", address, lambda: self._deliver(address, code, language))

    @abstractmethod
    def _deliver(self, address: str, code: str, language: str) -> None:
        """Send the code within a finite time.

        Raises:
            Undeliverable: the server refuses this address.
            Unavailable: it cannot be sent now.
        """


# Functions and no methods, so that no class of somebody else can have one by the same name.


def _usable(person: Person) -> Person:
    if not is_address(person.address):
        raise Denied("this person's address cannot be used at mesibo")
    # Whatever a directory or a class of somebody else's holds there, it must not stop the login.
    name: object = person.name
    return replace(person, name=cleaned(name) if isinstance(name, str) else "")


def _watched(method: str, event: str, address: str, work: Callable[[], T]) -> T:
    """Do it, log how it went and how long it took, and raise what failed."""
    started = time.monotonic()
    outcome = cut_off(work, LoginFailed, Unavailable, "login.method_failed", method=method)
    facts = {
        "method": method,
        "address": masked_address(outcome.address if isinstance(outcome, Person) else address),
        "ms": round((time.monotonic() - started) * 1000),
    }
    if isinstance(outcome, LoginFailed):
        log.warning(event, outcome=outcome.outcome, reason=outcome.reason, **facts)
        raise outcome
    log.info(event, outcome="ok", **facts)
    return outcome

"""Logging in to the console, with a password and a code, and who makes a request of it.

Guessing is slowed down and nobody is shut out by others: from a network from which an administrator has
logged in before, only what is tried for this name from there counts.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from functools import cached_property

import msgspec
from sqlalchemy import Connection

from messenger_api.domain.administrators import Role, name_of
from messenger_api.domain.errors import TooMany
from messenger_api.domain.limits import Bucket, Period
from messenger_api.domain.secrets import Keys
from messenger_api.domain.times import DAY_SECONDS
from messenger_api.services.limits import Claim, Limits
from messenger_api.services.login.hashes import Hashes
from messenger_api.services.operator.administrators import HASH_PATIENCE, about
from messenger_api.services.operator.audit import Audit
from messenger_api.services.operator.events import LoggedIn, LoggedOut, NumberRevealed
from messenger_api.services.operator.second_factor import nobodys_secret, step_of
from messenger_api.storage import administrators
from messenger_api.storage.administrators import KnownAdministrator
from messenger_api.storage.db import Database

TOKEN_BYTES = 32
IDLE_SECONDS = 30 * 60
LONGEST_SECONDS = 12 * 3600
# How often it is noted that a session is in use.
NOTED_SECONDS = 60
REVEALED_SECONDS = 5 * 60

# Tries: for a name from a network that it knows; from another; from all others together; of a network.
KNOWN_RULE, STRANGE_RULE = Bucket(10, 15), Bucket(5, 60)
NAME_RULE, NETWORK_RULE = Bucket(10, 60), Bucket(20, 30)
NETWORK_KNOWN_SECONDS = 90 * DAY_SECONDS


class NotAdmitted(Exception):
    """Name, password and code do not fit together; which of them is wrong is not said."""


class SignedIn(msgspec.Struct, frozen=True):
    """Who makes a request of the console. `revealed`: the uid whose number this session shows, 0 for none."""

    id: int
    name: str
    role: Role
    revealed: int


class AdminSessions:
    """Opens, finds and ends sessions of the console.

    Every method raises TryLater when the database does not answer, and `log_in` and `prove` ImportError
    where the extra `console` is not installed.
    """

    def __init__(self, database: Database, keys: Keys, limits: Limits, audit: Audit) -> None:
        self._database = database
        self._keys = keys
        self._limits = limits
        self._audit = audit

    @cached_property
    def _hashes(self) -> Hashes:
        return Hashes(HASH_PATIENCE)

    @cached_property
    def _nobodys_secret(self) -> str:
        return nobodys_secret()

    def log_in(self, typed: str, password: str, code: str, network: str) -> str:
        """Open a session; returns its token.

        Raises:
            NotAdmitted: something of it is wrong, or the code was used before.
            TooMany: too much was tried.
            Unavailable: too many passwords are being judged.
        """
        name = name_of(typed) or ""
        claims = self._count(name, network)
        known = self._database.run(lambda tx: administrators.find(tx, name)) if name else None
        if known is not None and known.disabled:
            known = None
        fits = self._hashes.fits(known.password if known else None, password)
        step = self._step(known, code)
        if known is None or not fits or step is None:
            raise NotAdmitted
        token = secrets.token_urlsafe(TOKEN_BYTES)

        def work(tx: Connection, now: int) -> None:
            if not administrators.use_step(tx, known, step):
                raise NotAdmitted
            administrators.open_session(tx, now, known.id, self._token_hash(token))

        self._database.write(work)
        self._forgive(claims)
        self._limits.note(self._network_claim(name, network))
        self._audit.note(LoggedIn(), by=name, administrator=name)
        return token

    def prove(self, caller: SignedIn, code: str, network: str) -> None:
        """See that the caller holds the authenticator at this moment.

        Raises:
            NotAdmitted: the code is wrong, or was used before.
            TooMany: too much was tried.
        """
        claims = self._count(caller.name, network)
        known = self._database.run(lambda tx: administrators.find(tx, caller.name))
        step = self._step(known, code)
        if known is None or step is None:
            raise NotAdmitted
        if not self._database.write(lambda tx, _now: administrators.use_step(tx, known, step)):
            raise NotAdmitted
        self._forgive(claims)

    def caller(self, token: str, *, in_use: bool) -> SignedIn | None:
        """Whose session this token is of; None when there is none, or it is over.

        `in_use`: by a person, which keeps it open.
        """
        hashed, now = self._token_hash(token), self._database.now()
        found = self._database.find(lambda tx: administrators.session(tx, hashed)) if token else None
        if found is None or now > min(found.seen_at + IDLE_SECONDS, found.created_at + LONGEST_SECONDS):
            return None
        if in_use and now > found.seen_at + NOTED_SECONDS:
            self._database.run(lambda tx: administrators.note_seen(tx, now, hashed))
        revealed = found.revealed if now < found.revealed_until else 0
        return SignedIn(found.administrator, found.name, Role.of(found.role), revealed)

    def reveal(self, caller: SignedIn, token: str, uid: int, address: str, reason: str) -> None:
        """Have the caller's session, which has this token, show a user's number for five minutes."""
        self._audit.note(NumberRevealed(uid=uid, reason=reason), by=caller.name, user=address)
        hashed, until = self._token_hash(token), self._database.now() + REVEALED_SECONDS
        self._database.run(lambda tx: administrators.reveal(tx, hashed, uid=uid, until=until))

    def log_out(self, caller: SignedIn, token: str) -> None:
        """End the caller's session, which has this token."""
        self._audit.note(LoggedOut(), by=caller.name, administrator=caller.name)
        self._database.run(lambda tx: administrators.end_session(tx, self._token_hash(token)))

    def expire(self) -> None:
        """Remove sessions that are over."""
        now = self._database.now()
        idle, oldest = now - IDLE_SECONDS, now - LONGEST_SECONDS
        self._database.run(lambda tx: administrators.purge(tx, seen_before=idle, created_before=oldest))

    def form_token(self, cookie: str) -> str:
        """What a form of the page with this cookie carries, so that no other site can send it."""
        return self._keys.for_console("form", cookie.encode()).hex()

    def _token_hash(self, token: str) -> bytes:
        return self._keys.for_console("session", token.encode("utf-8", "replace"))

    def _step(self, known: KnownAdministrator | None, code: str) -> int | None:
        secret = self._nobodys_secret
        if known is not None:
            secret = self._keys.unseal(bytes(known.totp), about(known.id)).decode()
        return step_of(secret, code, self._database.now())

    def _network_claim(self, name: str, network: str) -> Claim:
        subject = self._keys.subject("admin network", name, network)
        return Claim("admin_network", subject, Period(math.inf, 0, keeps=NETWORK_KNOWN_SECONDS))

    def _count(self, name: str, network: str) -> list[Claim]:
        """Count a try before it is judged, so that many at once count as many. Raises TooMany.

        These limits hold whatever LIMITS says.
        """
        subject = self._keys.subject
        claims = [Claim("admin_known", subject("admin", name, network), KNOWN_RULE)]
        if not self._limits.is_noted(self._network_claim(name, network)):
            claims = [
                Claim("admin_strange", subject("admin", name, network), STRANGE_RULE),
                Claim("admin_name", subject("admin", name), NAME_RULE),
                Claim("admin_tries", subject("admin network", network), NETWORK_RULE),
            ]
        self._limits.write(self._counting(claims))
        return claims

    def _counting(self, claims: list[Claim]) -> Callable[[Connection, int], None]:
        def work(tx: Connection, now: int) -> None:
            tally = self._limits.open(tx, now, claims)
            wait = max(claim.rule.take(tally.state(claim), now).wait for claim in claims)
            if wait:
                raise TooMany(retry_after=wait)
            tally.add(claims)
            tally.save()

        return work

    def _forgive(self, claims: list[Claim]) -> None:
        def work(tx: Connection, now: int) -> None:
            tally = self._limits.open(tx, now, claims)
            tally.uncount(claims, now)
            tally.save()

        self._limits.write(work)

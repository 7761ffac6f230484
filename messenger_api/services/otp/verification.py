"""What people show as a code: judged, used once, and answered again to a phone whose answer got lost.

The last three codes of an address are good until they run out, for texts overtake each other; the first that
is entered ends the others. Five wrong tries, which count against all, kill them until another is made. The
pauses before the fourth and fifth hold everyone who has guessed wrong at this address of late, and nobody
else: somebody who guesses at another's number cannot keep its owner out, for the owner's own try is looked at
whatever the guesser does. Wrong tries also count for the address, across codes, and slow it down
(`failed_attempts`), which bounds what can be guessed in a day.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from msgspec import structs
from sqlalchemy import Connection

from messenger_api.domain import secrets
from messenger_api.domain.errors import ApiError, BadCode, TooMany, TryLater
from messenger_api.domain.identity import Identity
from messenger_api.domain.secrets import Keys
from messenger_api.domain.trace import Step
from messenger_api.services.bulkhead import outbound_slot, waiting_slot
from messenger_api.services.limits import Limits
from messenger_api.services.otp.codes import OneTimeCodes
from messenger_api.services.otp.failed_attempts import FailedAttempts
from messenger_api.services.otp.judges import Judges, Unclear
from messenger_api.services.otp.requests import Device
from messenger_api.settings import Settings
from messenger_api.storage import codes
from messenger_api.storage.codes import Code, Made
from messenger_api.storage.columns import SEALED_LENGTH
from messenger_api.storage.db import Database, Uncertain

# How long an answer that is still being made may take, beside mesibo.
REPLY_SECONDS = 2
# When one that waits for it looks again: first, and at the longest.
FIRST_LOOK_SECONDS, NEXT_LOOK_SECONDS = 0.05, 0.4
# How long a provider's "no" is not believed while the same code may be entered a second time.
OTHERS_SECONDS = 0.5


@dataclass(frozen=True)
class UsedCode:
    """The right code of an address, which was shown.

    `was_sent`: a provider sent it, or may have. `reply`: the sealed answer that it brought before.
    """

    key: bytes
    code_hash: bytes
    name: str
    was_sent: bool
    reply: bytes | None = None


@dataclass(frozen=True)
class _Shown:
    """What was shown, for which address, by which phone and app, from which network.

    `again`: the commit of the same try lost its answer.
    """

    who: Identity
    shown: str = field(repr=False)
    key: bytes
    hashed: bytes
    tag: bytes
    appid: str
    network: str
    again: bool = False


@dataclass(frozen=True)
class _Claimed:
    """A try, in the second `at`, at a code that a provider made: counted as wrong until it says "right"."""

    before: Code
    at: int


@dataclass(frozen=True)
class _Pending:
    """The same phone has used the code in the second `used_at`, and its answer is being made."""

    used_at: int


_Verdict = UsedCode | _Claimed | _Pending | ApiError


class CodeVerifier:
    """Says whether what people show is their code."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        keys: Keys,
        limits: Limits,
        failed: FailedAttempts,
        codes: OneTimeCodes,
        judges: Judges,
    ) -> None:
        self._settings = settings
        self._database = database
        self._keys = keys
        self._limits = limits
        self._failed = failed
        self._codes = codes
        self._judges = judges

    def verify(self, who: Identity, shown: str, device: Device) -> UsedCode:
        """CodeVerifier what was shown as the code of an address.

        Raises:
            BadCode: it is not, or there is no live code.
            TooMany: the code is dead, or it is too early for another try.
            TryLater: the answer to the same code takes too long to make, or the database is down.
        """
        self._codes.issue_test_code(
            who
        )  # reviewers of the app stores type the fixed code without having asked
        key = self._keys.contact_key(who)
        hashed = self._keys.code_hash(key, shown)
        given = _Shown(who, shown, key, hashed, self._tag(key, device), device.appid, device.network)
        verdict = self._verdict(given)
        if isinstance(verdict, _Pending):  # somebody tapped twice
            self._wait(given, verdict)
            verdict = self._verdict(given)
        if isinstance(verdict, _Pending):
            raise TryLater(retry_after=REPLY_SECONDS)
        if isinstance(verdict, ApiError):
            raise verdict
        return verdict

    def _verdict(self, given: _Shown) -> UsedCode | _Pending | ApiError:
        try:
            verdict = self._limits.write(lambda tx, now: self._verify(tx, now, given))
        except Uncertain:
            # If it was committed, the code was used by this very login, which goes on then.
            verdict = self._limits.write(lambda tx, now: self._verify(tx, now, replace(given, again=True)))
        return self._ask_provider(verdict, given) if isinstance(verdict, _Claimed) else verdict

    def _wait(self, given: _Shown, pending: _Pending) -> None:
        """Wait until the answer is made, or given up, as long as it may take."""
        pause, until = FIRST_LOOK_SECONDS, time.monotonic() + self._settings.mesibo_timeout + REPLY_SECONDS
        with outbound_slot(), waiting_slot():
            while time.monotonic() < until:
                time.sleep(pause)
                code = self._database.run(lambda tx: codes.look(tx, given.key))
                if code is None or code.used_at != pending.used_at or code.reply is not None:
                    return
                pause = min(2 * pause, NEXT_LOOK_SECONDS)

    def reopen(self, used: UsedCode) -> None:
        """The code was right but the login could not be finished: it is good for another try."""
        self._database.run(lambda tx: codes.change_same(tx, used.key, used.code_hash, used_at=0))

    def keep_reply(self, tx: Connection, used: UsedCode, token: str) -> None:
        """Keep the token that a code brought, sealed, for the phone whose answer gets lost."""
        sealed = self._keys.seal(token.encode(), used.key + used.code_hash)
        if len(sealed) <= SEALED_LENGTH:
            codes.change_same(tx, used.key, used.code_hash, reply=sealed)

    def keep_reply_alone(self, used: UsedCode, token: str) -> None:
        """The same, in a transaction of its own."""
        self._database.run(lambda tx: self.keep_reply(tx, used, token))

    def earlier_token(self, used: UsedCode) -> str | None:
        """The token that the code has brought before; None when it has not."""
        if used.reply is None:
            return None
        return self._keys.unseal(used.reply, used.key + used.code_hash).decode()

    def _verify(self, tx: Connection, now: int, given: _Shown) -> _Verdict:
        code = codes.lock(tx, given.key)
        if code is None:
            return BadCode(why=Step.NO_CODE)
        if code.used_at:
            return self._recheck(tx, now, given, code)
        live, theirs = code.live(now), bool(code.verification) and code.expires_at > now
        if not live and not theirs:
            return BadCode(why=Step.EXPIRED)
        if refusal := self._refusal(tx, now, given, code):
            return refusal
        # All are looked at, whichever it is: the time that it takes must not tell.
        if right := [made for made in live if secrets.same(made.code_hash, given.hashed)]:
            return self._accept(tx, now, given, code, right[0])
        wrong = self._count_wrong(tx, now, given, code)
        return _Claimed(code, now) if theirs else wrong

    def _recheck(self, tx: Connection, now: int, given: _Shown, code: Code) -> UsedCode | _Pending | BadCode:
        """A code that was used: the phone that used it may ask again, for its answer may have got lost."""
        in_time = now < code.used_at + self._settings.otp_replay_seconds
        same_phone = code.reply_to is not None and secrets.same(code.reply_to, given.tag)
        if not in_time or not same_phone or self._is_dead(code):
            return BadCode(why=Step.USED)
        if not secrets.same(code.code_hash, given.hashed):
            return self._count_wrong(tx, now, given, code)
        # Whoever used it may have died before the answer was made.
        given_up = now > code.used_at + self._settings.mesibo_timeout + REPLY_SECONDS
        if code.reply is None and not given_up and not given.again:
            return _Pending(code.used_at)
        return UsedCode(given.key, code.code_hash, code.name, bool(code.providers), code.reply)

    def _refusal(self, tx: Connection, now: int, given: _Shown, code: Code) -> ApiError | None:
        dead, paused = self._is_dead(code), now < code.wait_until
        if not dead and not paused:
            return None
        counts = self._limits.open(tx, now, self._failed.claims(given.key, given.network)).found
        if dead:
            return self._dead(now, code, self._failed.is_slow(counts, self._failed.of_address(given.key)))
        fresh = self._failed.is_fresh(counts, given.key, given.network)
        return None if fresh else TooMany(retry_after=code.wait_until - now, why=Step.PAUSED)

    def _accept(self, tx: Connection, now: int, given: _Shown, code: Code, right: Made) -> UsedCode:
        codes.use(tx, now, given.key, code, right, given.tag)
        return UsedCode(given.key, right.code_hash, code.name, bool(code.providers))

    def _ask_provider(self, claimed: _Claimed, given: _Shown) -> UsedCode | _Pending | ApiError:
        try:
            verification = claimed.before.verification
            right = self._judges.is_right(verification, given.who.address, given.shown, given.appid)
        except Unclear:
            raise
        except TryLater:
            self._limits.write(lambda tx, now: self._unclaim(tx, now, given, claimed))
            raise
        if not right:
            self._wait_for_others(given)
        return self._limits.write(lambda tx, now: self._judged(tx, now, given, claimed, right))

    def _wait_for_others(self, given: _Shown) -> None:
        """A provider finds a code right once: if others were asked about too, one may be about to be used."""
        until = time.monotonic() + OTHERS_SECONDS
        while time.monotonic() < until:
            code = self._database.run(lambda tx: codes.look(tx, given.key))
            if code is None or code.used_at or code.attempts <= 1:
                return
            time.sleep(FIRST_LOOK_SECONDS)

    def _judged(
        self, tx: Connection, now: int, given: _Shown, claimed: _Claimed, right: bool
    ) -> UsedCode | _Pending | ApiError:
        before, code = claimed.before, codes.lock(tx, given.key)
        if code and code.used_at and secrets.same(code.code_hash, given.hashed):
            # The same phone has entered it at the same moment; the provider finds it right once only.
            self._failed.forgive(tx, now, given.key, given.network, claimed.at)
            return self._recheck(tx, now, given, code)
        if not right:
            return BadCode(retry_after=self._pause(before.attempts + 1), why=Step.WRONG)
        if code is None or code.code_hash != before.code_hash or code.used_at:
            return BadCode(why=Step.USED)
        self._failed.forgive(tx, now, given.key, given.network, claimed.at)
        return self._accept(tx, now, given, *self._adopt(tx, given, code))

    def _adopt(self, tx: Connection, given: _Shown, code: Code) -> tuple[Code, Made]:
        """Keep a provider's code, which it has found right, as one of ours: it judges each code once only.

        So it is good for another try when the login cannot be finished, and for the answer that gets lost.
        """
        attempts = max(0, code.attempts - 1)
        codes.change(tx, given.key, code_hash=given.hashed, verification="", attempts=attempts)
        return structs.replace(code, code_hash=given.hashed), Made(given.hashed, code.expires_at)

    def _unclaim(self, tx: Connection, now: int, given: _Shown, claimed: _Claimed) -> None:
        """Nobody judged it: as if it had not been tried."""
        before, code = claimed.before, codes.lock(tx, given.key)
        self._failed.forgive(tx, now, given.key, given.network, claimed.at)
        if code and code.code_hash == before.code_hash:
            alone = code.attempts == before.attempts + 1
            until = before.wait_until if alone else code.wait_until
            codes.change(tx, given.key, attempts=max(0, code.attempts - 1), wait_until=until)

    # Wrong tries

    def _count_wrong(self, tx: Connection, now: int, given: _Shown, code: Code) -> BadCode:
        pause = self._pause(code.attempts + 1)
        codes.change(tx, given.key, attempts=code.attempts + 1, wait_until=now + pause)
        self._failed.count(tx, now, given.key, given.network)
        return BadCode(retry_after=pause, why=Step.WRONG)

    def _pause(self, attempts: int) -> int:
        """Seconds before the next try, after so many wrong ones."""
        pauses = self._settings.otp_pauses
        return pauses[min(attempts, len(pauses) - 1)]

    def _is_dead(self, code: Code) -> bool:
        return code.attempts >= self._settings.otp_max_attempts

    def _dead(self, now: int, code: Code, slow: bool) -> TooMany:
        wait = max(1, self._codes.next_at(code, slow=slow) - now)
        text = "code_dead" if wait <= 120 else "code_dead_minutes"
        return TooMany(text, retry_after=wait, why=Step.TOO_MANY_TRIES)

    def _tag(self, key: bytes, device: Device) -> bytes:
        """Which phone it is: by its own id where the app sends one, else by the network it calls from."""
        own = f"device:{device.name}" if device.name else f"network:{device.network}"
        return bytes.fromhex(self._keys.subject(key, device.appid, own))

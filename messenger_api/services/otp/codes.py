"""One-time codes: made, and asked for again. `verification` says what is made of them."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from messenger_api.domain import secrets
from messenger_api.domain.errors import TooMany
from messenger_api.domain.identity import Identity
from messenger_api.domain.limits import Window
from messenger_api.domain.phone import read
from messenger_api.domain.pseudonyms import Pseudonyms
from messenger_api.domain.secrets import Keys
from messenger_api.services.allowed import Allowed
from messenger_api.services.limits import DAY, HOUR, Claim, Counted, Limits
from messenger_api.services.otp.failed_attempts import FailedAttempts, all_tries
from messenger_api.services.otp.plan import Choice, Plan
from messenger_api.settings import Settings
from messenger_api.storage import codes, counters
from messenger_api.storage.codes import MOST_LIVE, Code, Made
from messenger_api.storage.db import Database

# After so long without a code the gaps between them begin anew.
SERIES_SECONDS = 3600
# Where a number lately logged in it gets so many codes more, in an hour and a day, than strangers can use up.
HOME_MORE = (3, 5)
# How the names of counters begin that count texts, codes and tries at them.
COUNTED_OF_CODES = ("sms_", "wrong_codes:", "guesses:")
# The provider that hands texts to the sandbox.
CONSOLE = "console"


@dataclass(frozen=True)
class NewCode:
    """A code that is to be made for an address. Its printed form shows nothing.

    `verification`: of one that somebody else makes and judges (`judges`); then `code` is nobody's.
    """

    names: Pseudonyms = field(repr=False)
    name: str = field(repr=False)
    code: str = field(repr=False)
    code_hash: bytes = field(repr=False)
    verification: str = ""


@dataclass(frozen=True)
class Issued:
    """A code that was made and is to be sent.

    `avoid` names the providers whose last code was not entered. `before` is what the address had until then.
    `counted`: for it, as far as this try did it.
    """

    fresh: NewCode
    avoid: tuple[str, ...]
    counted: Counted
    wait: int
    before: Code | None

    def __repr__(self) -> str:
        return f"Issued(wait={self.wait})"


class OneTimeCodes:
    """Makes codes, and notes who sent them."""

    def __init__(
        self,
        settings: Settings,
        allowed: Allowed,
        database: Database,
        keys: Keys,
        limits: Limits,
        failed: FailedAttempts,
    ) -> None:
        self._settings = settings
        self._allowed = allowed
        self._database = database
        self._keys = keys
        self._limits = limits
        self._failed = failed
        self._test_codes = _test_codes(settings)

    # Making

    def draft(self, names: Pseudonyms, name: str, verification: str = "") -> NewCode:
        """A fresh code for an address; `name`: of a new account."""
        code = secrets.new_code(self._settings.otp_length)
        return NewCode(names, name, code, self._keys.code_hash(names.key, code), verification)

    def issue(self, fresh: NewCode, plan: Plan) -> Issued:
        """Make another code, unless one was made a moment ago or a limit is reached.

        Those made before stay good until they run out, but for more than two. Wrong tries count anew.

        Raises:
            TooMany: with the wait; nothing has changed.
        """
        tries: list[Issued] = []

        def work(tx: Connection, now: int) -> Issued:
            before = codes.lock(tx, fresh.names.key)
            if tries and before and before.code_hash == fresh.code_hash:
                # Made by the try whose commit lost its answer.
                counted = Counted(tries[-1].counted.claims, now)
                wait = self._gap(before.sends, slow=False)
                return replace(tries[-1], avoid=(), counted=counted, wait=wait)
            tries.append(self._make(tx, now, fresh, before, plan))
            return tries[-1]

        return self._limits.write_surely(work)

    def _make(self, tx: Connection, now: int, fresh: NewCode, before: Code | None, plan: Plan) -> Issued:
        # Where there is no row to lock, whoever comes at the same moment waits for this one, and holds no
        # counter meanwhile.
        first = None if before else self._put(tx, now, fresh, None)
        tries = all_tries(fresh.names.tries)
        judged_by = [tries, *self.of_address(fresh.names), *plan.claims]
        tally = self._limits.open(tx, now, self._limits.heeded(judged_by))
        counts = tally.found
        choice = plan.choose(counts)
        slow = not choice.home and self._failed.is_slow(counts, tries)
        self._check_gap(before, now, slow, choice.home)
        self._heed(choice, now)
        # One code an hour is what a slowed address gets in the place of its other limits: used up by
        # whoever guesses at it, they would lock its owner out.
        own = () if slow else self.of_address(fresh.names, home=choice.home)
        taken = tally.take(claims := (*own, *choice.claims))
        tally.save()
        sends, providers = first or self._put(tx, now, fresh, before)
        avoid = tuple(filter(None, providers.split(",")))
        return Issued(fresh, avoid, Counted(claims, now, taken), self._gap(sends, slow), before)

    def _put(self, tx: Connection, now: int, fresh: NewCode, before: Code | None) -> tuple[int, str]:
        """Write a code in the place of the one before; returns its place in the series, and who sent that."""
        series = before if before and _goes_on(before, now) else None
        sends, providers = (series.sends + 1, series.providers) if series else (1, "")
        codes.put(
            tx,
            fresh.names.key,
            before,
            code_hash=fresh.code_hash,
            earlier=_still_good(before, now),
            name=fresh.name,
            sends=sends,
            providers=providers,
            verification=fresh.verification,
            sent_at=now,
            expires_at=now + self._settings.otp_ttl,
        )
        return sends, providers

    def _heed(self, choice: Choice, now: int) -> None:
        """Tell of what was found; raise what speaks against sending."""
        for notice in choice.notices:
            self._limits.tell(notice, now)
        if choice.refusal:
            raise choice.refusal

    def of_address(self, names: Pseudonyms, *, home: bool = False) -> tuple[Claim, Claim]:
        """What a code to one number or address counts, whoever asks for it and sends it."""
        most, subject = self._allowed.most, names.address
        hour, day = HOME_MORE if home else (0, 0)
        return (
            Claim("sms_per_number_hour", subject, Window(most("sms_per_number_hour") + hour, HOUR)),
            Claim("sms_per_number_day", subject, Window(most("sms_per_number_day") + day, DAY)),
        )

    def count_again(self, names: Pseudonyms, code_hash: bytes, plan: Plan) -> Counted | None:
        """Count another message with a code that can still be entered; None when it cannot.

        Raises:
            TooMany: a limit is reached.
        """

        own = self.of_address(names)

        def work(tx: Connection, now: int) -> Counted | None:
            if not self.is_live(tx, now, names.key, code_hash):
                return None
            tally = self._limits.open(tx, now, [*own, *plan.claims])
            choice = plan.choose(tally.found)
            self._heed(choice, now)
            claims = (*own, *choice.claims)
            taken = tally.take(claims)
            tally.save()
            return Counted(claims, now, taken)

        return self._limits.write(work)

    def recall(self, issued: Issued, but: Sequence[str] = ()) -> None:
        """A code that nobody received must not make its owner wait; `but` names limits that stay counted."""

        def work(tx: Connection, now: int) -> None:
            self.take_back(tx, issued)
            self._limits.uncount(tx, now, [issued.counted.but(but)])

        self._limits.write(work)

    def take_back(self, tx: Connection, issued: Issued) -> None:
        """Let an address have again what it had before a code that nobody received; counters stay.

        With the wrong tries since: they were tries at that as well.
        """
        key, code, before = issued.fresh.names.key, codes.lock(tx, issued.fresh.names.key), issued.before
        if not code or code.code_hash != issued.fresh.code_hash or code.used_at:
            return
        if before is None:
            codes.forget(tx, key)
            return
        attempts, until = before.attempts + code.attempts, max(before.wait_until, code.wait_until)
        codes.put_back(tx, key, before, attempts=attempts, wait_until=until)

    def note_sent(
        self, tx: Connection, issued: Issued, providers: Sequence[str], verification: str, *, ours: bool
    ) -> None:
        """Remember who sent the code, or may have, and a provider's verification when one made the code.

        Where `ours` may have left as well, either is good.
        """
        names = ",".join([*issued.avoid, *providers][-4:])[:255]
        if issued.fresh.verification:  # what was sent is none of ours
            verification, ours = issued.fresh.verification, False
        key, same = issued.fresh.names.key, issued.fresh.code_hash
        code = codes.lock(tx, key) if verification and ours else None
        if code and code.code_hash == same and not code.used_at:
            last = secrets.matching_nothing()
            codes.put_theirs(tx, key, code, last, providers=names, verification=verification)
        else:
            codes.change_same(tx, key, same, providers=names, verification=verification)

    def is_live(self, tx: Connection, now: int, key: bytes, code_hash: bytes) -> bool:
        """Whether this code can still be entered, whoever judges it."""
        code = codes.lock(tx, key)
        return code is not None and code_hash in [made.code_hash for made in code.enterable(now)]

    def issue_test_code(self, who: Identity, name: str = "") -> bool:
        """Make the fixed code of a test number live unless it is; False when it is no test number.

        Made anew at every request, it could be guessed for ever.
        """
        fixed = self._test_code(who)
        if not fixed:
            return False
        key = self._keys.contact_key(who)

        def work(tx: Connection, now: int) -> None:
            live = codes.lock(tx, key)
            if live is None or live.used_at or live.expires_at <= now:
                hashed = self._keys.code_hash(key, fixed)
                until = now + self._settings.otp_ttl
                codes.put(tx, key, live, code_hash=hashed, name=name, sends=0, sent_at=now, expires_at=until)

        self._limits.write(work)
        return True

    def forget_all(self) -> None:
        """Forget all codes, and what was counted of codes and texts: nobody waits for the next one.

        Only where the sandbox gets them all: what guards money or accounts elsewhere stays. Raises TryLater.
        """
        settings = self._settings
        if not settings.uses_sandbox or not settings.texts_codes or {*settings.sms_providers} - {CONSOLE}:
            return

        def work(tx: Connection, _now: int) -> None:
            codes.forget_all(tx)
            counters.forget_beginning(tx, COUNTED_OF_CODES)

        self._limits.write(work)

    # Gaps

    def _check_gap(self, before: Code | None, now: int, slow: bool, home: bool) -> None:
        if before is None or (before.used_at and not slow):
            return
        # What strangers asked for makes nobody wait long where the number lately logged in.
        wait = before.sent_at + self._gap(1 if home else before.sends, slow) - now
        mode = self._limits.mode("resend_gap")
        if wait <= 0 or mode == "off":
            return
        self._limits.reached("resend_gap", wait, level=logging.INFO)
        if mode == "enforce":
            raise TooMany(retry_after=wait, why="wrong_codes" if slow else "resend_gap")

    def next_at(self, code: Code, *, slow: bool) -> int:
        """The second from which another code may be asked for."""
        return code.sent_at + self._gap(code.sends, slow)

    def _gap(self, sends: int, slow: bool) -> int:
        """Seconds from the code that was the `sends`th of its series to the next."""
        if self._limits.mode("resend_gap") == "off":
            return 0
        gaps = self._settings.otp_resend_after
        gap = gaps[min(max(sends, 1), len(gaps)) - 1]
        return max(gap, self._settings.otp_slow_resend_after) if slow else gap

    # Test numbers

    def _test_code(self, who: Identity) -> str:
        until = self._settings.otp_test_numbers_until
        today = dt.datetime.fromtimestamp(self._database.clock(), dt.UTC).date()
        return "" if until is None or today > until else self._test_codes.get(who.address, "")


def _goes_on(code: Code, now: int) -> bool:
    """Whether another code continues the series of this one: not after a login, nor after a long while."""
    return not code.used_at and now < code.sent_at + SERIES_SECONDS


def _still_good(before: Code | None, now: int) -> list[Made]:
    """What stays good beside a new code. A test number's fixed code does not: it is made and never sent."""
    if before is None or not before.sends:
        return []
    return sorted(before.live(now), key=lambda made: -made.expires_at)[: MOST_LIVE - 1]


def _test_codes(settings: Settings) -> dict[str, str]:
    """The fixed codes by normal form, so that an operator may write the numbers as people do."""
    phones = ((read(number, settings.default_country), code) for number, code in settings.otp_test_numbers)
    return {phone.digits: code for phone, code in phones if phone}

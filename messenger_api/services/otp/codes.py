"""One-time codes: made, and asked for again. `verification` says what is made of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from messenger_api.domain import secrets
from messenger_api.domain.errors import TooMany
from messenger_api.domain.identity import Identity
from messenger_api.domain.limits import Window
from messenger_api.domain.phone import read
from messenger_api.domain.secrets import Keys
from messenger_api.services.limits import DAY, Claim, Limits, Taking, Tally
from messenger_api.services.otp.failed_attempts import FailedAttempts
from messenger_api.settings import Settings
from messenger_api.storage import codes
from messenger_api.storage.codes import MOST_LIVE, Code, Made
from messenger_api.storage.db import Database, Uncertain

log = structlog.get_logger(__name__)

HOUR = 3600
# After so long without a code the gaps between them begin anew.
SERIES_SECONDS = 3600
# Where a number lately logged in it gets so many codes more, in an hour and a day, than strangers can use up.
HOME_MORE = (3, 5)


@dataclass(frozen=True)
class Device:
    """The app that logs in. `network` is where it calls from (`domain.network`)."""

    appid: str
    name: str = ""
    type: int = 0
    network: str = ""


@dataclass(frozen=True)
class Plan:
    """What sending a code would count, and what else speaks for or against it.

    `claims` names every counter that it may count in or looks at; `choose` says which of them it counts, by
    how they stand, and raises what speaks against sending. `is_home` says whether this number lately logged
    in where the code is asked for. `taken` hears what was counted, once it is committed.
    """

    claims: tuple[Claim, ...] = ()
    choose: Callable[[Tally], tuple[Claim, ...]] | None = None
    is_home: Callable[[Tally], bool] = lambda _tally: False
    taken: Callable[[Taking], None] = lambda _taken: None

    def chosen(self, tally: Tally) -> tuple[Claim, ...]:
        """What it counts; all of it where there is no choice."""
        return self.claims if self.choose is None else self.choose(tally)


@dataclass(frozen=True)
class Issued:
    """A code that was made in the second `at` and is to be sent.

    `avoid` names the providers whose last code was not entered. `before` is what the address had until then.
    """

    code: str
    key: bytes
    code_hash: bytes
    avoid: tuple[str, ...]
    claims: tuple[Claim, ...]
    at: int
    wait: int
    before: Code | None

    def __repr__(self) -> str:
        return f"Issued(wait={self.wait})"


class OneTimeCodes:
    """Makes codes and judges what people show for them."""

    def __init__(
        self, settings: Settings, database: Database, keys: Keys, limits: Limits, failed: FailedAttempts
    ) -> None:
        self._settings = settings
        self._database = database
        self._keys = keys
        self._limits = limits
        self._failed = failed
        self._test_codes = _test_codes(settings)

    # Making

    def issue(self, who: Identity, name: str, plan: Plan) -> Issued:
        """Make another code, unless one was made a moment ago or a limit is reached.

        Those made before stay good until they run out, but for more than two. Wrong tries count anew.

        Raises:
            TooMany: with the wait; nothing has changed.
        """
        key = self._keys.contact_key(who)
        code = secrets.new_code(self._settings.otp_length)
        hashed = self._keys.code_hash(key, code)
        found: list[tuple[Code | None, tuple[Claim, ...]]] = []

        def work(tx: Connection, now: int) -> tuple[Issued, Taking]:
            before = codes.lock(tx, key)
            own = self.of_address(who)
            if (
                found and before and before.code_hash == hashed
            ):  # made by the try whose commit lost its answer
                (earlier, claims), gap = found[-1], self._gap(before.sends, slow=False)
                return Issued(code, key, hashed, (), claims, now, gap, earlier), []
            tally = self._limits.open(tx, now, [self._failed.of_address(key), *own, *plan.claims])
            home = plan.is_home(tally)
            slow = not home and self._failed.is_slow(tally, key)
            self._check_gap(before, now, slow, home)
            chosen = plan.chosen(tally)
            # One code an hour is what a slowed address gets in the place of its other limits: used up by
            # whoever guesses at it, they would lock its owner out.
            claims = chosen if slow else (*self.of_address(who, home=home), *chosen)
            found.append((before, claims))
            taken = tally.take(claims)
            tally.save()
            series = before if before and _goes_on(before, now) else None
            sends = (series.sends if series else 0) + 1
            providers = series.providers if series else ""
            codes.put(
                tx,
                key,
                before,
                code_hash=hashed,
                earlier=_still_good(before, now),
                name=name,
                sends=sends,
                providers=providers,
                sent_at=now,
                expires_at=now + self._settings.otp_ttl,
            )
            avoid = tuple(filter(None, providers.split(",")))
            return Issued(code, key, hashed, avoid, claims, now, self._gap(sends, slow), before), taken

        try:
            issued, taken = self._limits.write(work)
        except Uncertain:
            issued, taken = self._limits.write(work)
        plan.taken(taken)
        return issued

    def of_address(self, who: Identity, *, home: bool = False) -> tuple[Claim, Claim]:
        """What a code to one number or address counts, whoever asks for it and sends it."""
        settings, subject = self._settings, self._keys.subject(who.match)
        hour, day = HOME_MORE if home else (0, 0)
        return (
            Claim("sms_per_number_hour", subject, Window(settings.sms_per_number_hour + hour, HOUR)),
            Claim("sms_per_number_day", subject, Window(settings.sms_per_number_day + day, DAY)),
        )

    def recall(self, issued: Issued, but: Sequence[str] = ()) -> None:
        """A code that nobody received must not make its owner wait; `but` names limits that stay counted.

        The address has again what it had before, with the wrong tries since: they were tries at that as well.
        """

        def work(tx: Connection, now: int) -> None:
            code, before = codes.lock(tx, issued.key), issued.before
            if code and code.code_hash == issued.code_hash and not code.used_at:
                if before:
                    attempts, until = before.attempts + code.attempts, max(before.wait_until, code.wait_until)
                    codes.put_back(tx, issued.key, before, attempts=attempts, wait_until=until)
                else:
                    codes.forget(tx, issued.key)
            claims = [claim for claim in issued.claims if claim.limit not in but]
            tally = self._limits.open(tx, now, claims)
            tally.uncount(claims, issued.at)
            tally.save()

        self._limits.write(work)

    def note_sent(
        self, tx: Connection, issued: Issued, providers: Sequence[str], verification: str, ours: bool
    ) -> None:
        """Remember who sent the code, or may have, and a provider's verification when one made the code.

        Where `ours` may have left as well, either is good.
        """
        names = ",".join([*issued.avoid, *providers][-4:])[:255]
        code = codes.lock(tx, issued.key) if verification and ours else None
        if code and code.code_hash == issued.code_hash and not code.used_at:
            last = secrets.matching_nothing()
            codes.put_theirs(tx, issued.key, code, last, providers=names, verification=verification)
        else:
            same = issued.code_hash
            codes.change_same(tx, issued.key, same, providers=names, verification=verification)

    def is_live(self, tx: Connection, now: int, key: bytes, code_hash: bytes) -> bool:
        """Whether this code can still be entered."""
        code = codes.lock(tx, key)
        return code is not None and code_hash in [made.code_hash for made in code.live(now)]

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

    # Gaps

    def _check_gap(self, before: Code | None, now: int, slow: bool, home: bool) -> None:
        if before is None or (before.used_at and not slow):
            return
        # What strangers asked for makes nobody wait long where the number lately logged in.
        wait = before.sent_at + self._gap(1 if home else before.sends, slow) - now
        mode = self._limits.mode("resend_gap")
        if wait <= 0 or mode == "off":
            return
        log.info("limit.reached", limit="resend_gap", mode=mode, seconds=wait)
        if mode == "enforce":
            raise TooMany(retry_after=wait)

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

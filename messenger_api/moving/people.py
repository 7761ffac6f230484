"""Accounts of the PHP demo, and their sessions: who of there is who here."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from messenger_api.domain.secrets import Keys, token_hash
from messenger_api.moving.mended import Skipped
from messenger_api.moving.numbers import Numbers, Who
from messenger_api.moving.report import Report
from messenger_api.moving.rows import PushRow, TokenRow, UserRow
from messenger_api.moving.targets import Target
from messenger_api.moving.texts import readable
from messenger_api.storage.files import is_name
from messenger_api.storage.models import NAME_LENGTH, STATUS_LENGTH

# Older than every account, and ten digits long as every `ts` that apps know.
LONG_AGO = 1_000_000_000
LONGEST_PHOTO = 64
# What a bigint holds.
_DIGITS = re.compile(r"[1-9][0-9]{4,19}")

NO_UID = "no uid of mesibo's"
NO_PHONE = "no phone number"
NO_ACCOUNT = "no account with this uid"
NO_TOKEN = "no token"  # noqa: S105
ANOTHERS = "another row has this uid, or this token"
NO_SESSION = "nobody is logged in with this uid"
OTHERS = "another session has the same push token, and was used later"
NO_PLAN = "no country has this number: stays logged in, and cannot log in again"
BAD_NAME = "the photo's name is none that can be served: left out"
LATER_TS = "changed in the future: is taken for changed just now"
NO_TS = "has no time of its last change"


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it is written here: `uid` is mesibo's, `address` what mesibo knows it by."""

    uid: int
    address: str
    key: bytes
    country: str
    name: str
    status: str
    photo: str
    changed_at: int


@dataclass
class People:
    """Who of the source is which account; those that fell together are the same one."""

    by_uid: dict[int, Account] = field(default_factory=dict)
    by_phone: dict[str, Account] = field(default_factory=dict)
    by_key: dict[bytes, Account] = field(default_factory=dict)
    several_books: set[int] = field(default_factory=set)
    """The uids of accounts that have more than one phone book in the source."""

    def accounts(self) -> list[Account]:
        """Every account once, in the order of their uids."""
        return sorted(self.by_key.values(), key=lambda account: account.uid)


def plain(phone: str) -> str:
    """The digits of a number as the demo and mesibo have them; "" for what is no number."""
    digits = phone.strip().lstrip("+")
    return digits if _DIGITS.fullmatch(digits) else ""


def second(ts: int, now: int) -> int:
    """A `ts` of the source as the time of a change here."""
    return min(ts, now) if ts > 0 else LONG_AGO


def photo_of(name: str) -> str:
    """The name of a photo, "" for one that cannot be served."""
    return name if is_name(name) and len(name) <= LONGEST_PHOTO else ""


class Accounts:
    """Reads the accounts, and lets those fall together whose numbers mean the same subscriber."""

    def __init__(self, numbers: Numbers, report: Report, skipped: Skipped, now: int) -> None:
        self._numbers = numbers
        self._report = report
        self._skipped = skipped
        self._now = now
        self._count = report["users"]

    def read(self, rows: Iterable[UserRow]) -> People:
        """Judge every row."""
        found: defaultdict[bytes, list[tuple[UserRow, Who]]] = defaultdict(list)
        uids: set[int] = set()
        for row in rows:
            self._count.read += 1
            self._report.tell("users")
            if row.uid in uids:
                self._skip(row, ANOTHERS)
            elif who := self._who(row):
                uids.add(row.uid)
                found[who.key].append((row, who))
        people = People()
        for same in found.values():
            self._settle(same, people)
        return people

    def _who(self, row: UserRow) -> Who | None:
        digits = plain(row.phone)
        if row.uid <= 0 or not digits:
            self._skip(row, NO_PHONE if row.uid > 0 else NO_UID)
            return None
        who = self._numbers.at_login(digits)
        if who is None:
            self._count.notes[NO_PLAN] += 1
        return who or self._numbers.of_digits(digits)

    def _settle(self, same: list[tuple[UserRow, Who]], people: People) -> None:
        """The row that changed last is the account; the others are merged into it."""
        row, who = max(same, key=lambda one: (one[0].ts, -one[0].uid))
        account = self._account(row, who)
        self._count.moved += 1
        self._count.merged += len(same) - 1
        if len(same) > 1:
            people.several_books.add(account.uid)
        people.by_key[account.key] = account
        for each, _who in same:
            people.by_uid[each.uid] = account
            people.by_phone[plain(each.phone)] = account

    def _account(self, row: UserRow, who: Who) -> Account:
        if row.ts > self._now or row.ts <= 0:
            self._count.notes[LATER_TS if row.ts > 0 else NO_TS] += 1
        photo = photo_of(row.photo)
        if row.photo and not photo:
            self._count.notes[BAD_NAME] += 1
        return Account(
            uid=row.uid,
            address=plain(row.phone),
            key=who.key,
            country=who.country,
            name=readable(row.name, NAME_LENGTH),
            status=readable(row.status, STATUS_LENGTH, lines=True),
            photo=photo,
            changed_at=second(row.ts, self._now),
        )

    def _skip(self, row: UserRow, reason: str) -> None:
        self._count.skipped[reason] += 1
        self._skipped.add("users", str(row.uid), reason, uid=row.uid, phone=row.phone)


def write_accounts(people: People, target: Target, now: int) -> None:
    """Hand the accounts over. Each counts as seen at the second `now`, from which it may be idle."""
    for a in people.accounts():
        texts = (a.name, a.status, a.photo, a.country)
        target.add("users", (a.uid, a.address, a.key, a.uid, *texts, a.changed_at, a.changed_at, now))
    target.flush("users")


class Sessions:
    """Moves tokens and push tokens: a phone that is logged in stays so."""

    def __init__(
        self, people: People, keys: Keys, report: Report, skipped: Skipped, appid: str, now: int
    ) -> None:
        self._people = people
        self._keys = keys
        self._report = report
        self._skipped = skipped
        self._appid = appid
        self._now = now
        self._used_at: dict[int, int] = {}
        self._tokens: set[str] = set()

    def move(self, tokens: Iterable[TokenRow], push: list[PushRow], target: Target) -> None:
        """Write a session for each token, and where its phone is woken.

        `synced_to` is the moment of the move: what the app has seen decides alone what it is told first.
        """
        devices = {row.uid: row.device for row in push}
        with self._report.timed("tokens") as count:
            for row in tokens:
                count.read += 1
                self._report.tell("tokens")
                device = _device(devices.get(row.uid, 0)) or _device(row.device)
                if reason := self._refused(row):
                    self._skip("tokens", row.uid, reason)
                else:
                    count.moved += 1
                    self._write(row, device, target)
            target.flush("sessions")
        with self._report.timed("notifytokens"):
            self._move_push(push, target)

    def _refused(self, row: TokenRow) -> str:
        if row.uid not in self._people.by_uid:
            return NO_ACCOUNT
        if not row.token.strip():
            return NO_TOKEN
        return ANOTHERS if row.uid in self._used_at or row.token.strip() in self._tokens else ""

    def _write(self, row: TokenRow, device: int, target: Target) -> None:
        token, account = row.token.strip(), self._people.by_uid[row.uid]
        self._used_at[row.uid] = row.updated
        self._tokens.add(token)
        made = min(row.updated, self._now) or self._now
        times = (made, self._now, self._now)
        target.add("sessions", (row.uid, account.uid, token_hash(token), self._appid, device, *times))

    def _move_push(self, push: list[PushRow], target: Target) -> None:
        count = self._report["notifytokens"]
        winners: dict[str, PushRow] = {}
        count.read += len(push)
        for row in push:
            if row.uid not in self._used_at or not row.token.strip():
                self._skip("notifytokens", row.uid, NO_SESSION if row.token.strip() else NO_TOKEN)
                continue
            other = winners.get(row.token.strip())
            if other is None or self._later(row, other):
                winners[row.token.strip()] = row
            if other is not None:
                count.merged += 1
                count.notes[OTHERS] += 1
        for token, row in sorted(winners.items(), key=lambda pair: pair[1].uid):
            count.moved += 1
            device = _device(row.device)
            flags = (device, int(row.production != 0), int(device == 1))
            key = self._keys.push_token_key(token)
            target.add("push_tokens", (row.uid, token_hash(token), token, *flags, self._now, key))
        target.flush("push_tokens")

    def _later(self, row: PushRow, other: PushRow) -> bool:
        return (self._used_at[row.uid], row.uid) > (self._used_at[other.uid], other.uid)

    def _skip(self, table: str, uid: int, reason: str) -> None:
        self._report[table].skipped[reason] += 1
        self._skipped.add(table, str(uid), reason, uid=uid)


def _device(device: int) -> int:
    return device if device in (1, 2) else 0


def photos_of(people: People) -> Iterator[str]:
    """The names of the photos of accounts."""
    return (account.photo for account in people.accounts() if account.photo)

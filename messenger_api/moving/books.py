"""Phone books of the PHP demo: in the clear there, blind here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from messenger_api.moving.mended import Skipped
from messenger_api.moving.numbers import Numbers
from messenger_api.moving.people import NO_ACCOUNT, Account, People
from messenger_api.moving.report import Report
from messenger_api.moving.rows import Book
from messenger_api.moving.targets import Target

NO_NUMBER = "no number that can be dialled"


class Books:
    """Moves phone books.

    An entry with the very digits of an account means that account, as it did to the demo. Any other is read
    in its owner's country.
    """

    def __init__(self, people: People, numbers: Numbers, report: Report, skipped: Skipped) -> None:
        self._people = people
        self._numbers = numbers
        self._report = report
        self._skipped = skipped
        self._count = report["contacts"]
        # Books of accounts that fell together come one after another, with others between.
        self._written: defaultdict[int, set[bytes]] = defaultdict(set)

    def move(self, books: Iterable[Book], target: Target) -> None:
        """Write every entry once for its owner."""
        with target.filling("contacts"):
            for uid, phones in books:
                self._count.read += len(phones)
                self._report.tell("contacts")
                owner = self._people.by_uid.get(uid)
                if owner is None:
                    self._skip(uid, phones, NO_ACCOUNT)
                else:
                    self._write(owner, self._keys(owner, phones), target)

    def _keys(self, owner: Account, phones: Sequence[str]) -> list[bytes]:
        accounts, in_book = self._people.by_phone, self._numbers.in_book
        keys = []
        for phone in phones:
            account = accounts.get(phone)
            key = account.key if account else in_book(phone, owner.country)
            if key is None:
                self._skip(owner.uid, [phone], NO_NUMBER)
            else:
                keys.append(key)
        return keys

    def _write(self, owner: Account, keys: list[bytes], target: Target) -> None:
        new = set(keys)
        if owner.uid in self._people.several_books:
            known = self._written[owner.uid]
            new -= known
            known |= new
        self._count.moved += len(new)
        self._count.merged += len(keys) - len(new)
        # In the order of the primary key, which is the quickest.
        target.add("contacts", *((owner.uid, key) for key in sorted(new)))

    def _skip(self, uid: int, phones: Iterable[str], reason: str) -> None:
        for phone in phones:
            self._count.skipped[reason] += 1
            self._skipped.add("contacts", f"{uid}/{phone}", reason, uid=uid, phone=phone)

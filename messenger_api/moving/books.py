"""Phone books of the PHP demo: in the clear there, blind here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from messenger_api.moving.mended import Skipped
from messenger_api.moving.numbers import Entries, Numbers
from messenger_api.moving.people import NO_ACCOUNT, Account, People
from messenger_api.moving.report import Report
from messenger_api.moving.rows import Book
from messenger_api.moving.targets import Target

NO_NUMBER = "no number that can be dialled"

_Asked = tuple[Account, list[str], list[bytes | None]]
"""An owner, the entries, and the keys of those that are numbers of accounts, None for the others."""


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
        for (owner, phones, keys), read in self._numbers.keys(self._asked(books)):
            others = iter(read)
            found = [next(others) if key is None else key for key in keys]
            self._write(owner, phones, found, target)
            self._report.tell("contacts")
        target.flush("contacts")

    def _asked(self, books: Iterable[Book]) -> Iterator[tuple[_Asked, Entries]]:
        accounts = self._people.by_phone
        for uid, phones in books:
            self._count.read += len(phones)
            owner = self._people.by_uid.get(uid)
            if owner is None:
                self._skip(uid, phones, NO_ACCOUNT)
                continue
            known = [accounts.get(phone) for phone in phones]
            keys = [account.key if account else None for account in known]
            others = [phone for phone, key in zip(phones, keys, strict=True) if key is None]
            yield (owner, phones, keys), (owner.country, others)

    def _write(self, owner: Account, phones: list[str], keys: list[bytes | None], target: Target) -> None:
        for phone, key in zip(phones, keys, strict=True):
            if key is None:
                self._skip(owner.uid, [phone], NO_NUMBER)
        new = {key for key in keys if key is not None}
        self._count.merged += len(keys) - keys.count(None) - len(new)
        if owner.uid in self._people.several_books:
            known = self._written[owner.uid]
            self._count.merged += len(new & known)
            new -= known
            known |= new
        self._count.moved += len(new)
        # In the order of the primary key, which is the quickest.
        for key in sorted(new):
            target.add("contacts", (owner.uid, key))

    def _skip(self, uid: int, phones: Iterable[str], reason: str) -> None:
        for phone in phones:
            self._count.skipped[reason] += 1
            self._skipped.add("contacts", f"{uid}/{phone}", reason, uid=uid, phone=phone)

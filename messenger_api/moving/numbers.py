"""Numbers read and made blind, in as many processes as there are cores: half of the time of a large move."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import NamedTuple, TypeVar

from messenger_api.domain.phone import Phone
from messenger_api.domain.secrets import Keys
from messenger_api.processes import end_with_parent
from messenger_api.services.identities import Identities, PhoneNumbers
from messenger_api.settings import Settings

# To start a process costs as much as to read so many numbers.
WORTH_PROCESSES = 20_000
# Lists that are handed to a process at a time, and parcels that are under way for each.
AT_ONCE = 200
AHEAD = 4

Entries = tuple[str, Sequence[str]]
"""A country, as two ISO letters or "", and numbers to be read in it."""

T = TypeVar("T")


class Who(NamedTuple):
    """Whom a number identifies: the blind key, and the country, "" where the number tells none."""

    key: bytes
    country: str


class Numbers:
    """Reads numbers as logins and phone books are read (`services.identities`)."""

    def __init__(self, settings: Settings, expected: int) -> None:
        """`expected`: how many numbers there will be, about."""
        self._keys = Keys.derive(settings.secret_key)
        self._names = PhoneNumbers(settings)
        self._identities = Identities(self._keys, self._names)
        self._pool: ProcessPoolExecutor | None = None
        self._processes = os.cpu_count() or 1
        if expected > WORTH_PROCESSES:
            self._pool = ProcessPoolExecutor(
                self._processes,
                # A process that is forked would have this one's connections.
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin,
                initargs=(os.getpid(), settings),
            )

    def close(self) -> None:
        """End the processes."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def at_login(self, digits: str) -> Who | None:
        """Whose account this number logs in to; None for what is no number."""
        who = self._identities.read(digits, self._names.country)
        return Who(self._keys.contact_key(who), who.region) if who else None

    def of_digits(self, digits: str) -> Who:
        """Whom digits identify that no numbering plan knows."""
        return Who(self._keys.contact_key(Phone(digits)), "")

    def key(self, entry: str, country: str) -> bytes | None:
        """The blind key of an entry of a phone book; None for what is no number."""
        return self._identities.key(entry, country)

    def keys(self, lists: Iterable[tuple[T, Entries]]) -> Iterator[tuple[T, list[bytes | None]]]:
        """The blind keys of lists of entries, each with what it came with, in their order."""
        if not self._pool:
            yield from ((about, _keys(self._identities, entries)) for about, entries in lists)
            return
        waiting: deque[tuple[list[T], Future[list[list[bytes | None]]]]] = deque()
        parcels = _parcels(lists)
        for abouts, entries in parcels:
            waiting.append((abouts, self._pool.submit(_read, entries)))
            if len(waiting) > AHEAD * self._processes:
                yield from _done(waiting.popleft())
        while waiting:
            yield from _done(waiting.popleft())


def _parcels(lists: Iterable[tuple[T, Entries]]) -> Iterator[tuple[list[T], list[Entries]]]:
    abouts: list[T] = []
    parcel: list[Entries] = []
    for about, entries in lists:
        abouts.append(about)
        parcel.append(entries)
        if len(parcel) == AT_ONCE:
            yield abouts, parcel
            abouts, parcel = [], []
    if parcel:
        yield abouts, parcel


def _done(
    one: tuple[list[T], Future[list[list[bytes | None]]]],
) -> Iterator[tuple[T, list[bytes | None]]]:
    abouts, future = one
    return zip(abouts, future.result(), strict=True)


# In a process of the pool: what it reads with.
_own: list[Identities] = []


def _begin(parent: int, settings: Settings) -> None:
    end_with_parent(parent)
    _own.append(Identities(Keys.derive(settings.secret_key), PhoneNumbers(settings)))


def _read(parcel: list[Entries]) -> list[list[bytes | None]]:
    return [_keys(_own[0], entries) for entries in parcel]


def _keys(identities: Identities, entries: Entries) -> list[bytes | None]:
    country, phones = entries
    return [identities.key(phone, country) for phone in phones]

"""The move itself: every table and every file, looked at, rehearsed, or for good."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from messenger_api.composition import Parts
from messenger_api.moving.books import Books
from messenger_api.moving.mended import Mended, Skipped
from messenger_api.moving.numbers import Numbers
from messenger_api.moving.people import Accounts, People, Sessions, photos_of, write_accounts
from messenger_api.moving.pictures import Folders, Keep, Pictures, forget_rehearsal, keepers, rehearsing
from messenger_api.moving.report import PICTURES, Progress, Report
from messenger_api.moving.rooms import Rooms
from messenger_api.moving.source import Source
from messenger_api.moving.targets import Nowhere, Target, Written, prepared
from messenger_api.services.identities import PhoneNumbers
from messenger_api.storage import moved, signs
from messenger_api.storage.upgrading import InUse

LOCK = "move.lock"


class MoveRefused(Exception):
    """The move cannot begin; the text says why, and what to do."""


@dataclass(frozen=True)
class Asked:
    """What is to be moved: `appid` is the app's, which the demo did not keep with its tokens."""

    source: str
    appid: str
    folders: Folders
    mended: Mended
    skipped: Path


class Move:
    """Moves an installation of the PHP demo into this one."""

    def __init__(self, parts: Parts, asked: Asked, progress: Progress) -> None:
        self._parts = parts
        self._asked = asked
        self._now = parts.database.now()
        self._report = Report(progress)
        self.absent: Sequence[str] = ()
        """What the source has not got."""

    def check(self) -> Report:
        """Read everything and write nothing but the file of skipped rows. Raises as `go` does."""
        self._refuse_others()
        with self._opened() as (source, skipped):
            self._run(source, skipped, Nowhere(), (_kept_nowhere, _kept_nowhere))
        return self._report

    def rehearse(self) -> Report:
        """As `go`, into tables and folders that are dropped afterwards. Raises as `go` does."""
        self._refuse_others()
        engine, tables = self._parts.database.engine, moved.side_tables()
        with self._alone(), self._opened() as (source, skipped), rehearsing(self._parts.files) as keep:
            moved.make(engine, tables)
            try:
                with engine.connect() as connection, prepared(connection):
                    self._run(source, skipped, Written(connection, tables), keep)
            finally:
                moved.drop(engine, tables)
        return self._report

    def go(self) -> Report:
        """Move. One that was cut short begins anew.

        Raises:
            MoveRefused: this is not the place for it.
            SourceError: the source cannot be read.
            TryLater, SQLAlchemyError, OSError: as those say.
        """
        self._refuse_others()
        engine = self._parts.database.engine
        with (
            self._alone(),
            self._opened() as (source, skipped),
            engine.connect() as connection,
            prepared(connection),
        ):
            moved.drop(engine, moved.side_tables())
            forget_rehearsal(self._parts.files)
            self._begin(connection, source.name)
            target = Written(connection, moved.real_tables())
            self._run(source, skipped, target, keepers(self._parts.files, self._asked.folders))
            moved.note(connection, moved.DONE, self._now, source.name)
        return self._report

    def _begin(self, connection: Connection, source: str) -> None:
        state, began, _source = moved.state(connection)
        if state == moved.UNDER_WAY:
            moved.clear(connection)
            # The same times as at the first attempt, so that the content is the same.
            self._now = began
        moved.note(connection, moved.UNDER_WAY, self._now, source)

    def _refuse_others(self) -> None:
        parts = self._parts
        if not isinstance(parts.login_method, PhoneNumbers):
            raise MoveRefused('The demo\'s people log in by number: set LOGIN_METHOD = "otp" for the move.')
        state, _began, source = parts.database.run(moved.state)
        if state == moved.DONE:
            raise MoveRefused(f"This database has the accounts of {source} already: take a new one.")
        known = parts.database.run(moved.accounts)
        if known and state != moved.UNDER_WAY:
            raise MoveRefused(f"This database has {known} accounts: move into a new, empty one (DB_NAME).")
        if parts.database.run(lambda tx: signs.are_young(tx, parts.database.now())):
            raise MoveRefused(signs.RUNS)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        settings, engine = self._parts.settings, self._parts.database.engine
        with ExitStack() as stack:
            stack.enter_context(self._parts.schema.patiently())
            try:
                stack.enter_context(moved.exclusive(engine, settings.in_instance(LOCK)))
            except InUse as held:
                raise MoveRefused(f"{str(held).capitalize()}.") from None
            yield

    @contextmanager
    def _opened(self) -> Iterator[tuple[Source, Skipped]]:
        source = Source(self._asked.source, self._asked.mended)
        source.open()
        try:
            self._report.expected = source.counts()
            self.absent = source.absent()
            with Skipped(self._asked.skipped) as skipped:
                yield source, skipped
        finally:
            source.close()

    def _run(self, source: Source, skipped: Skipped, target: Target, keep: tuple[Keep, Keep]) -> None:
        report, now = self._report, self._now
        parts = self._parts
        numbers = Numbers(parts.identities, parts.keys, parts.settings.default_country)
        with report.timed("users"):
            people = Accounts(numbers, report, skipped, now).read(source.users())
            write_accounts(people, target, now)
        sessions = Sessions(people, parts.keys, report, skipped, self._asked.appid, now)
        sessions.move(source.tokens(), list(source.push_tokens()), target)
        several = filter(None, map(people.by_uid.get, self._asked.mended.receiving()))
        people.several_books.update(account.uid for account in several)
        with report.timed("contacts"):
            Books(people, numbers, report, skipped).move(source.books(), target)
        rooms = Rooms(people, numbers, report, skipped, now)
        rooms.move(list(source.groups()), source.members(), target)
        self._move_pictures(people, rooms, skipped, target, keep)

    def _move_pictures(
        self, people: People, rooms: Rooms, skipped: Skipped, target: Target, keep: tuple[Keep, Keep]
    ) -> None:
        most = self._parts.settings.max_photo_pixels
        pictures = Pictures(self._parts.files, self._asked.folders, self._report, skipped, most)
        with self._report.timed(PICTURES):
            pictures.move(*keep)
            pictures.write_thumbnails([*photos_of(people), *rooms.photos], target)


def _kept_nowhere(_name: str, _path: Path) -> None:
    """A check keeps nothing."""

"""Whatever rows the source has, none stops the others, each is accounted for, and what is written holds."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from messenger_api import configuration
from messenger_api.domain.secrets import Keys
from messenger_api.moving.books import Books
from messenger_api.moving.mended import Skipped
from messenger_api.moving.numbers import Numbers
from messenger_api.moving.people import Accounts, Sessions, write_accounts
from messenger_api.moving.report import Report
from messenger_api.moving.rooms import Rooms
from messenger_api.moving.rows import Book, GroupRow, MemberRow, PushRow, TokenRow, UserRow
from messenger_api.moving.targets import Target
from messenger_api.services.identities import Identities, PhoneNumbers
from messenger_api.storage.files import is_name
from messenger_api.storage.moved import COLUMNS, Row

NOW = 1_700_000_000
KEYS = Keys.derive("a test's own")
SETTINGS = configuration.build(sandbox=True, default_country="IN")
NUMBERS = Numbers(Identities(KEYS, PhoneNumbers(SETTINGS)), KEYS, "IN")

# Few values, so that rows meet; and some that nobody expects.
UIDS = st.integers(0, 6) | st.integers()
PHONES = st.sampled_from(
    [
        *("919876543210", "+919876543210", "9876543210", "14155550123", "5215512345678", "525512345678"),
        *("1234567890", "123", "0", "", "٣٤", "99999999999999999999"),
    ]
) | st.text(max_size=25)
PHOTOS = st.sampled_from(["", "1600000000-0123456789abcdef.JPG", "../x", "a" * 128])
BYTES = st.binary(max_size=12)
SECONDS = st.sampled_from([0, -1, NOW - 5, NOW + 5, 2**31])
TOKENS = st.sampled_from(["", " ", "a" * 64, "b" * 64])
SMALL = st.integers(-1, 3)
GIDS = st.integers(-1, 3)

USERS = st.lists(st.builds(UserRow, UIDS, PHONES, BYTES, BYTES, PHOTOS, SECONDS), max_size=8)
SESSIONS = st.lists(st.builds(TokenRow, UIDS, TOKENS, SECONDS, SMALL), max_size=8)
PUSH = st.lists(st.builds(PushRow, UIDS, TOKENS, SMALL, SMALL), max_size=8)
BOOKS = st.lists(st.builds(Book, UIDS, st.lists(PHONES, max_size=6)), max_size=6, unique_by=lambda b: b.uid)
GROUPS = st.lists(st.builds(GroupRow, GIDS, BYTES, PHOTOS, SECONDS), max_size=5)
MEMBERS = st.lists(st.builds(MemberRow, GIDS, PHONES, SMALL), max_size=12)


class Rows(Target):
    """Keeps rows by their tables."""

    def __init__(self) -> None:
        self.tables: defaultdict[str, list[dict[str, object]]] = defaultdict(list)

    def add(self, table: str, *rows: Row) -> None:
        self.tables[table] += (dict(zip(COLUMNS[table], row, strict=True)) for row in rows)

    def values(self, table: str, *columns: str) -> list[tuple[object, ...]]:
        """These columns of every row."""
        return [tuple(row[column] for column in columns) for row in self.tables[table]]


@given(USERS, SESSIONS, PUSH, BOOKS, GROUPS, MEMBERS)
def test_any_rows_are_accounted_for_and_what_is_written_is_sound(
    users: list[UserRow],
    tokens: list[TokenRow],
    push: list[PushRow],
    books: list[Book],
    groups: list[GroupRow],
    members: list[MemberRow],
) -> None:
    rows, report = Rows(), Report(lambda *_: None)
    with tempfile.TemporaryDirectory() as folder, Skipped(Path(folder, "skipped.csv")) as skipped:
        people = Accounts(NUMBERS, report, skipped, NOW).read(users)
        write_accounts(people, rows, NOW)
        Sessions(people, KEYS, report, skipped, "app", NOW).move(tokens, push, rows)
        Books(people, NUMBERS, report, skipped).move(books, rows)
        Rooms(people, NUMBERS, report, skipped, NOW).move(groups, members, rows)
    read = {name: count.read for name, count in report.tables.items()}
    assert report.balances
    assert read["users"] == len(users)
    assert read["contacts"] == sum(len(book.phones) for book in books)
    assert skipped.count == sum(count.skipped.total() for count in report.tables.values())
    assert_sound(rows)


def assert_sound(rows: Rows) -> None:
    """What the tables' keys demand, and what the rest of the product takes for granted."""
    keys: dict[str, list[tuple[str, ...]]] = {
        "users": [("uid",), ("address",), ("contact_key",)],
        "sessions": [("sid",), ("token_hash",)],
        "push_tokens": [("sid",), ("token_hash",)],
        "contacts": [("owner", "contact_key")],
        "chat_groups": [("gid",)],
        "group_members": [("gid", "uid")],
    }
    for table, unique in keys.items():
        for columns in unique:
            found = rows.values(table, *columns)
            assert len(found) == len(set(found)), (table, columns)
    uids = set(rows.values("users", "uid"))
    assert set(rows.values("sessions", "uid")) <= uids
    assert set(rows.values("contacts", "owner")) <= uids
    assert set(rows.values("group_members", "uid")) <= uids
    assert set(rows.values("push_tokens", "sid")) <= set(rows.values("sessions", "sid"))
    owners = Counter(row["gid"] for row in rows.tables["group_members"] if row["role"] == 2)
    assert owners == {row["gid"]: 1 for row in rows.tables["chat_groups"]}
    for row in rows.tables["users"]:
        assert str(row["address"]).isascii()
        assert row["photo"] == "" or is_name(str(row["photo"]))
        assert 0 < int(str(row["changed_at"])) <= NOW

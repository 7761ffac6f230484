"""`messenger-api move php`: an old installation of the PHP demo comes over, into SQLite and MariaDB."""

from __future__ import annotations

import base64
import csv
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from messenger_api.domain.phone import Phone as Number
from messenger_api.domain.secrets import Keys
from messenger_api.moving.mended import Mended
from messenger_api.moving.people import NO_ACCOUNT
from messenger_api.moving.source import Source, SourceError
from tests.cli.commands import Cli
from tests.moving.demo import Demo, token
from tests.product import Answer, Product

APPID = "com.example.messenger"
SECRET = "a test's own secret key, long enough"
TABLES = ("users", "thumbnails", "sessions", "push_tokens", "contacts", "chat_groups", "group_members")
ANA, BEN, CAT, DAN, EVA = 101, 102, 103, 104, 105
NUMBERS = {
    ANA: "14155550101",
    BEN: "919876543210",
    CAT: "4915112345678",
    DAN: "5215512345678",
    EVA: "525512345678",
}
LONG_AGO = 1_600_000_000
PHOTO, CAPITAL = f"{LONG_AGO}-0123456789abcdef.jpg", f"{LONG_AGO}-fedcba9876543210.PNG"

# What does not depend on where the rows go.
ON_SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def old(demo: Demo) -> Demo:
    """Five accounts, of which two have one number in two spellings, and all that old installations have."""
    demo.add(
        "users",
        [
            (ANA, NUMBERS[ANA], b"Ana O\\'Neil", "Grüße".encode("latin-1"), PHOTO, LONG_AGO + 5),
            (BEN, NUMBERS[BEN], "Ben 😀".encode(), None, "", LONG_AGO),
            (CAT, NUMBERS[CAT], None, b"a\nb", CAPITAL, 0),
            (DAN, NUMBERS[DAN], b"Dan of old", b"", "", LONG_AGO),
            (EVA, NUMBERS[EVA], b"Dan", b"", None, LONG_AGO + 1),
            (0, "919876500000", b"no uid", b"", "", LONG_AGO),
            (107, "12", b"no number", b"", "", LONG_AGO),
            (108, "1234567890", b"of no country", b"", "../../config.php", LONG_AGO),
        ],
    )
    demo.add("tokens", [(uid, token(uid), "0000-00-00", 0) for uid in (ANA, BEN, CAT, DAN, EVA, 108, 999)])
    demo.add(
        "notifytokens", [(ANA, 1, "fcm-a", 1), (BEN, 2, "apns-b", 0), (CAT, 2, "apns-b", 1), (998, 1, "x", 1)]
    )
    demo.add(
        "contacts",
        [
            *((ANA, NUMBERS[uid]) for uid in (BEN, CAT, DAN, EVA)),
            *((BEN, phone) for phone in (NUMBERS[ANA], "1234567890", "9876543210", "77")),
            (997, NUMBERS[ANA]),
        ],
    )
    demo.add(
        "groups",
        [
            (5001, b"Hike", PHOTO, LONG_AGO + 7),
            (5002, b"Nobody's", "", LONG_AGO),
            (5003, b"Two owners", "", LONG_AGO),
            (5004, b"Empty", "", LONG_AGO),
        ],
    )
    demo.add(
        "members",
        [
            *(
                (5001, NUMBERS[CAT], 0),
                (5001, NUMBERS[BEN], 1),
                (5001, NUMBERS[ANA], 2),
                (5001, "919999999999", 0),
            ),
            *((5002, NUMBERS[DAN], 0), (5002, NUMBERS[EVA], 0), (5002, NUMBERS[BEN], 0)),
            *((5003, NUMBERS[BEN], 2), (5003, NUMBERS[ANA], 2)),
            (5999, NUMBERS[ANA], 2),
        ],
    )
    demo.picture(PHOTO)
    demo.picture(CAPITAL, "navy", thumbnail=False)
    (demo.files / f"{LONG_AGO}-00000000000000aa.html").write_text("<script>")
    (demo.files / "notes.txt").write_text("nobody's")
    return demo


class Mover:
    """Runs the command into an installation of its own."""

    def __init__(self, cli: Cli, demo: Demo, folder: Path) -> None:
        self.cli = cli
        self.demo = demo
        self.folder = folder

    def arguments(self, mode: str, *more: str) -> list[str]:
        folders = ("--files", str(self.demo.files), "--thumbnails", str(self.demo.thumbnails))
        return ["move", "php", "--from", self.demo.uri, "--appid", APPID, f"--{mode}", *folders, *more]

    def report(self, mode: str, *more: str) -> Any:
        return self.cli.json(*self.arguments(mode, *more))["tables"]

    def skipped(self, mode: str) -> set[tuple[str, str]]:
        with (self.folder / f"move-skipped-{mode}.csv").open() as file:
            return {(row["table"], row["row"]) for row in csv.DictReader(file)}


@pytest.fixture
def mover(cli: Cli, keys: dict[str, str], old: Demo, tmp_path: Path) -> Mover:
    """Commands in an installation whose tables are made and empty."""
    cli.environment.update(keys)
    cli.upgrade()
    return Mover(cli, old, tmp_path)


@pytest.fixture
def moved(mover: Mover, keys: dict[str, str], tmp_path: Path) -> Iterator[Product]:
    """The product on what was moved."""
    mover.report("go")
    product = Product(
        keys["MESSENGER_SQLALCHEMY_DATABASE_URI"], tmp_path, secret_key=keys["MESSENGER_SECRET_KEY"]
    )
    yield product
    product.close()


def content(product: Product) -> dict[str, list[Any]]:
    """All rows that a move writes."""
    return {table: sorted(map(tuple, product.rows(f"SELECT * FROM {table}"))) for table in TABLES}


def counts(tables: Any) -> dict[str, tuple[int, ...]]:
    """Of each table: read, moved, merged, skipped."""
    kinds = ("read", "moved", "merged", "skipped")
    return {name: tuple(table[kind] for kind in kinds) for name, table in tables.items()}


def sync(product: Product, uid: int, since: int = 0) -> Answer:
    return product.ok("getcontacts", token=token(uid), ts=since)


def execute(product: Product, statement: str) -> None:
    with product.services.database.engine.connect() as connection:
        connection.exec_driver_sql(statement)


def names(answer: Answer) -> list[str]:
    return [entry["phone"] or entry["gid"] for entry in answer["contacts"]]


def test_every_row_is_moved_merged_or_skipped_and_the_source_is_as_it_was(mover: Mover) -> None:
    before = mover.demo.rows()
    tables = mover.report("go")
    assert mover.demo.rows() == before
    counts = {
        name: tuple(table[key] for key in ("read", "moved", "merged", "skipped"))
        for name, table in tables.items()
    }
    assert counts == {
        "users": (8, 5, 1, 2),
        "tokens": (7, 6, 0, 1),
        "notifytokens": (4, 2, 1, 1),
        "contacts": (9, 6, 1, 2),
        "groups": (4, 3, 0, 1),
        "members": (10, 7, 1, 2),
        "pictures": (4, 3, 0, 1),
    }
    assert mover.skipped("go") == {
        *(("users", "0"), ("users", "107"), ("tokens", "999"), ("notifytokens", "998")),
        *(("contacts", "102/77"), ("contacts", f"997/{NUMBERS[ANA]}"), ("groups", "5004")),
        *(("members", "5001/919999999999"), ("members", f"5999/{NUMBERS[ANA]}"), ("pictures", "notes.txt")),
    }


def test_a_phone_that_was_logged_in_does_not_notice(moved: Product) -> None:
    answer = sync(moved, ANA)
    assert answer["u"]["phone"] == NUMBERS[ANA]
    assert (answer["u"]["name"], answer["u"]["status"], answer["u"]["photo"]) == (
        "Ana O'Neil",
        "Grüße",
        PHOTO,
    )
    assert names(answer) == [NUMBERS[CAT], NUMBERS[BEN], NUMBERS[EVA], "5003", "5001"]
    by_name = {entry["phone"]: entry for entry in answer["contacts"]}
    assert by_name[NUMBERS[BEN]]["name"] == "Ben 😀"
    assert by_name[NUMBERS[BEN]]["ts"] == str(LONG_AGO)
    assert by_name[NUMBERS[CAT]]["status"] == "a\nb"
    # What the phone has seen is not told again.
    assert names(sync(moved, ANA, LONG_AGO + 7)) == []
    assert names(sync(moved, ANA, LONG_AGO)) == [NUMBERS[EVA], "5001"]


def test_every_token_works_and_wakes_the_same_phone(moved: Product) -> None:
    for uid in (ANA, BEN, CAT, DAN, EVA, 108):
        assert moved.call("getcontacts", token=token(uid))["result"] == "OK", uid
    assert moved.call("getcontacts", token=token(999))["error"] == "AUTHFAIL"
    rows = moved.rows("SELECT sid, token, device_type, production, fcm FROM push_tokens ORDER BY sid")
    assert list(map(tuple, rows)) == [(ANA, "fcm-a", 1, 1, 1), (CAT, "apns-b", 2, 1, 0)]


def test_accounts_are_those_of_mesibo_and_a_new_login_finds_them(moved: Product) -> None:
    [account] = moved.rows("SELECT uid, mesibo_uid, address FROM users WHERE uid = 102")
    assert tuple(account) == (BEN, BEN, NUMBERS[BEN])
    # The other spelling of the merged account goes on as the account that changed last.
    assert sync(moved, DAN)["u"]["phone"] == NUMBERS[EVA]
    again = moved.log_in(NUMBERS[BEN], device="new")
    assert again.login["name"] == "Ben 😀"
    assert moved.rows("SELECT COUNT(*) FROM users")[0][0] == 5


def test_phone_books_are_blind_and_match_as_before(moved: Product) -> None:
    keys = Keys.derive(SECRET)
    rows = moved.rows("SELECT owner, contact_key FROM contacts")
    of_ben = {bytes(key) for owner, key in rows if owner == BEN}
    # Digits of an account mean that account; a number without a country is read in its owner's.
    known = (NUMBERS[ANA], "1234567890", "919876543210")
    assert of_ben == {keys.contact_key(Number(number)) for number in known}
    assert names(sync(moved, BEN)) == ["1234567890", NUMBERS[ANA], "5002", "5003", "5001"]


def test_groups_have_their_owner_admins_and_order(moved: Product) -> None:
    groups = {gid: moved.ok("getgroup", token=token(BEN), gid=gid)["members"] for gid in (5001, 5002, 5003)}
    ana, ben, cat, eva = (NUMBERS[uid] for uid in (ANA, BEN, CAT, EVA))
    assert groups == {5001: f"2:{ana},{ben},{cat}", 5002: f"1:{eva},{ben}", 5003: f"2:{ben},{ana}"}


def test_pictures_keep_their_names_are_linked_and_have_thumbnails(moved: Product, old: Demo) -> None:
    files, _thumbnails = moved.folders
    for name in (PHOTO, CAPITAL):
        assert (files / name).samefile(old.files / name)
        with moved.http.get(f"/files/{name}") as found:
            assert found.data == (old.files / name).read_bytes()
            assert found.headers["Content-Type"].startswith("image/")
    with moved.http.get(f"/files/{LONG_AGO}-00000000000000aa.html") as page:
        assert page.headers["Content-Disposition"].startswith("attachment")
        assert page.headers["Content-Type"] == "application/octet-stream"
    by_name = {entry["phone"]: entry for entry in sync(moved, ANA)["contacts"]}
    assert len(by_name[NUMBERS[CAT]]["tn"]) > 100
    assert base64.b64decode(sync(moved, ANA)["u"]["tn"]) == (old.thumbnails / PHOTO).read_bytes()
    with moved.http.get(f"/files/tn/{PHOTO}") as thumbnail:
        assert thumbnail.data == (old.thumbnails / PHOTO).read_bytes()


def test_check_and_rehearsal_tell_the_same_as_the_move_and_leave_nothing(
    mover: Mover, keys: dict[str, str], tmp_path: Path
) -> None:
    uri = keys["MESSENGER_SQLALCHEMY_DATABASE_URI"]
    with closing(Product(uri, tmp_path, secret_key=SECRET)) as product:
        tables = set(inspect(product.services.database.engine).get_table_names())
        told = [counts(mover.report(mode)) for mode in ("check", "rehearse")]
        assert all(rows == [] for rows in content(product).values())
        assert set(inspect(product.services.database.engine).get_table_names()) == tables
        assert not any(folder.exists() and list(folder.glob("*[.-]*")) for folder in product.folders)
        assert [counts(mover.report("go"))] * 2 == told
    assert mover.skipped("check") == mover.skipped("rehearse") == mover.skipped("go")


def test_a_mended_file_is_read_again(mover: Mover) -> None:
    before = counts(mover.report("check"))
    path = mover.folder / "move-skipped-check.csv"
    assert path.stat().st_mode & 0o077 == 0
    assert token(999) not in path.read_text()
    lines = (
        path.read_text().replace(",102,,77,", ",102,,919812345678,").replace(f",{NO_ACCOUNT},999,", ",,109,")
    )
    (mover.folder / "mended.csv").write_text(lines.replace("0,no uid of mesibo's,0", "0,,109"))
    after = counts(mover.report("go", "--mended", "mended.csv"))
    assert after["contacts"][3] == before["contacts"][3] - 1
    assert after["users"] == (8, 6, 1, 1)
    assert after["tokens"] == (7, 7, 0, 0)
    assert ("contacts", "102/77") not in mover.skipped("go")


@ON_SQLITE
def test_a_mended_file_that_cannot_be_read_is_refused_with_the_line(mover: Mover) -> None:
    (mover.folder / "mended.csv").write_text("table,row,uid\nusers,0,many\n")
    refused = mover.cli.run(*mover.arguments("go", "--mended", "mended.csv"))
    assert refused.exit_code == 1
    assert "line 2: uid is to be a number" in refused.output
    (mover.folder / "mended.csv").write_bytes("table,row,name\nusers,0,Zoë\n".encode("latin-1"))
    encoded = mover.cli.run(*mover.arguments("go", "--mended", "mended.csv"))
    assert (encoded.exit_code, "mended.csv is not in UTF-8" in encoded.output) == (1, True)
    same = mover.cli.run(*mover.arguments("go", "--mended", "mended.csv", "--skipped", "mended.csv"))
    assert "would be overwritten" in same.output


@ON_SQLITE
def test_a_second_move_into_the_same_database_is_refused(mover: Mover) -> None:
    mover.report("go")
    for mode in ("check", "rehearse", "go"):
        refused = mover.cli.run(*mover.arguments(mode))
        assert refused.exit_code == 1
        assert "has the accounts of" in refused.output


@ON_SQLITE
def test_where_there_are_accounts_or_a_server_runs_nothing_is_moved(
    mover: Mover, keys: dict[str, str], tmp_path: Path
) -> None:
    uri = keys["MESSENGER_SQLALCHEMY_DATABASE_URI"]
    with closing(Product(uri, tmp_path, secret_key=SECRET)) as product:
        execute(product, "INSERT INTO facts (name, value) VALUES ('worker', '" + str(int(time.time())) + "')")
        assert "stop it" in mover.cli.run(*mover.arguments("go")).output
        execute(product, "DELETE FROM facts WHERE name = 'worker'")
        product.log_in(NUMBERS[ANA])
        assert "has 1 accounts" in mover.cli.run(*mover.arguments("go")).output
        assert len(product.rows("SELECT uid FROM users")) == 1


def test_no_server_starts_on_half_of_a_move_and_the_next_one_begins_anew(
    mover: Mover, keys: dict[str, str], tmp_path: Path
) -> None:
    uri = keys["MESSENGER_SQLALCHEMY_DATABASE_URI"]
    with closing(Product(uri, tmp_path, secret_key=SECRET)) as product:
        began = int(time.time()) - 100
        execute(product, f"INSERT INTO facts (name, value) VALUES ('move', 'under way|{began}|db/old')")
        execute(product, f"INSERT INTO facts (name, value) VALUES ('news', '{began}')")
        key = Keys.derive(SECRET).contact_key(Number("14155550107")).hex()
        row = f"7, '14155550107', x'{key}', 1, 1"
        columns = "uid, address, contact_key, created_at, changed_at"
        execute(product, f"INSERT INTO users ({columns}) VALUES ({row})")
        assert "cut short" in mover.cli.run("users", "list").output
        assert "A move from db/old was cut short" in mover.cli.run("check").output
        mover.report("go")
        assert [row[0] for row in product.rows("SELECT uid FROM users ORDER BY uid")] == [
            101,
            102,
            103,
            105,
            108,
        ]
        assert {row[0] for row in product.rows("SELECT seen_at FROM sessions")} == {began}
        # Nothing of what came counts as noted.
        assert product.rows("SELECT value FROM facts WHERE name = 'news'") == [("",)]
    assert mover.cli.run("users", "list").exit_code == 0


@ON_SQLITE
@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("postgresql://a@b/c", "mysql://user:password@host/database"),
        ("mysql://a@b", "mysql://user:password@host/database"),
        ("mysql://nobody:s3cret@127.0.0.1:1/old", "127.0.0.1/old"),
    ],
)
def test_a_source_that_cannot_be_read_is_told_without_its_password(
    cli: Cli, keys: dict[str, str], uri: str, told: str
) -> None:
    refused = cli.run("move", "php", "--from", uri, "--appid", APPID, "--check", **keys)
    assert refused.exit_code == 1
    assert told in refused.output
    assert "s3cret" not in refused.output


@ON_SQLITE
def test_an_installation_that_was_changed_is_read_as_far_as_it_goes(mover: Mover) -> None:
    mover.demo.run(
        "DROP TABLE notifytokens",
        "ALTER TABLE users DROP COLUMN photo, DROP INDEX phone, MODIFY phone VARCHAR(32)",
        "UPDATE users SET phone = CONCAT('+', phone) WHERE uid IN (101, 102)",
        "ALTER TABLE users MODIFY name VARCHAR(99) CHARACTER SET latin1",
        "ALTER TABLE tokens DROP COLUMN updatetime, DROP INDEX uid",
        f"INSERT INTO tokens (uid, token) VALUES ({ANA}, 'another')",
    )
    told = mover.cli.ok(*mover.arguments("check"))
    assert "Not in the source: notifytokens, users.photo, tokens.updatetime" in told
    after = counts(mover.report("go"))
    assert after["users"] == (8, 5, 1, 2)
    assert after["tokens"] == (8, 6, 0, 2)
    assert after["contacts"] == (9, 6, 1, 2)
    [ana] = mover.cli.json("users", "list", "--phone", "+" + NUMBERS[ANA])
    assert (ana["address"], ana["name"]) == (NUMBERS[ANA], "Ana O'Neil")


@ON_SQLITE
def test_a_database_user_who_may_only_read_is_enough(mover: Mover, old: Demo) -> None:
    reader = f"reader_{old.name[-8:]}"
    old.server.query(f"CREATE USER '{reader}'@'%%' IDENTIFIED BY 'p@ss/word'")
    old.server.query(f"GRANT SELECT ON `{old.name}`.* TO '{reader}'@'%%'")
    try:
        uri = old.uri.replace("root@", f"{reader}:p%40ss%2Fword@")
        arguments = mover.arguments("go")
        arguments[arguments.index(old.uri)] = uri
        assert "Moved." in mover.cli.ok(*arguments)
    finally:
        old.server.query(f"DROP USER '{reader}'@'%%'")


@ON_SQLITE
def test_pictures_that_are_in_place_stay_there(mover: Mover, old: Demo) -> None:
    places = {
        "MESSENGER_FILES_PATH": str(old.files),
        "MESSENGER_FILES_TN_PATH": str(old.thumbnails),
    }
    old.picture(CAPITAL)
    before = {path.name: path.stat().st_ino for path in old.files.iterdir() if path.is_file()}
    arguments = ["move", "php", "--from", old.uri, "--appid", APPID]
    tables = mover.cli.json(*arguments, "--go", **places)["tables"]
    assert counts(tables)["pictures"] == (4, 3, 0, 1)
    assert {path.name: path.stat().st_ino for path in old.files.iterdir() if path.is_file()} == before
    # Here the thumbnail of a PNG is called .jpg, as the JPEG that it is.
    assert {path.name for path in old.thumbnails.iterdir()} == {PHOTO, CAPITAL, CAPITAL.replace("PNG", "jpg")}


def test_a_source_that_is_lost_ends_the_reading_with_its_reason(old: Demo) -> None:
    source = Source(old.uri, Mended())
    source.open()
    with closing(source):
        old.server.query(f"KILL {source._one('SELECT CONNECTION_ID()')}")
        with pytest.raises(SourceError, match=r"Lost connection|gone away|killed"):
            list(source.users())


def test_the_source_refuses_whatever_would_change_it(old: Demo) -> None:
    source = Source(old.uri, Mended())
    source.open()
    with closing(source), pytest.raises(SourceError, match="READ ONLY"):
        list(source._streamed("DELETE FROM users"))

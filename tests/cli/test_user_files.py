"""`messenger-api users import` and `export`: nothing unasked, nothing twice, nothing lost."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text as sql

from messenger_api.sandbox.faults import Faults
from messenger_api.services.account.entrances import Entrance, Entrances
from tests.cli.commands import Cli
from tests.product import Phone, Product

ANA, BEN, CAT = "14155550101", "919876543210", "14155550103"
COLUMNS = ["address", "name", "status", "blocked", "uid", "country", "photo", "created", "seen"]
ACCOUNTS = "SELECT address, name, status, blocked, country FROM users ORDER BY uid"


@pytest.fixture
def ana(installation: Product) -> Phone:
    return installation.log_in(ANA, "Ana 👩‍🚀")


@pytest.fixture
def elsewhere(tmp_path: Path) -> dict[str, str]:
    """The environment of another installation."""
    return {
        "MESSENGER_SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'elsewhere.sqlite3'}",
        "MESSENGER_INSTANCE_PATH": str(tmp_path / "elsewhere"),
        "MESSENGER_SECRET_KEY": "the secret key of another installation",
    }


def rows_of(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".csv":
        return list(csv.DictReader(path.read_text().splitlines()))
    return [json.loads(line) for line in path.read_text().splitlines()]


def write(path: Path, *lines: str) -> str:
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def accounts(product: Product) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in product.rows(ACCOUNTS)]


# Export


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_what_is_exported_is_imported_elsewhere(
    cli: Cli, ana: Phone, tmp_path: Path, elsewhere: dict[str, str], ending: str
) -> None:
    ana.ok("profile", status='On the moon,\n"really"')
    ana.product.log_in(BEN)
    cli.ok("users", "block", BEN)
    file, again = tmp_path / f"all{ending}", tmp_path / f"again{ending}"
    assert cli.ok("users", "export", str(file)) == f"2 accounts in {file}.\n"
    told = cli.ok("users", "import", str(file), "--go", **elsewhere)
    assert told == "2 read: 2 imported, 0 unchanged, 0 skipped.\n"
    cli.ok("users", "export", str(again), **elsewhere)
    kept = ("address", "name", "status", "blocked", "country")
    before, after = ([[row[name] for name in kept] for row in rows_of(path)] for path in (file, again))
    assert before == after
    assert len(before) == 2


def test_an_export_holds_profiles_and_nothing_that_opens_an_account(
    cli: Cli, ana: Phone, tmp_path: Path
) -> None:
    ana.ok("setnotify", notifytoken="a push token", dt=1)
    ana.ok("getcontacts", phones=BEN)
    file = tmp_path / "all.csv"
    cli.ok("users", "export", str(file))
    [row] = rows_of(file)
    assert list(row) == COLUMNS
    assert (row["address"], row["name"], row["blocked"], row["country"]) == (ANA, "Ana 👩‍🚀", "false", "US")
    assert not {ana.token, "a push token", BEN} & set(row.values())
    assert file.stat().st_mode & 0o077 == 0, "numbers of people are for the owner of the file alone"


def test_an_export_without_a_file_is_a_line_for_each_account(cli: Cli, ana: Phone) -> None:
    ana.product.log_in(BEN)
    lines = [json.loads(line) for line in cli.ok("users", "export").splitlines()]
    assert [list(line) for line in lines] == [COLUMNS, COLUMNS]
    assert [line["address"] for line in lines] == [ANA, BEN]


def test_every_account_is_exported_however_many(
    cli: Cli, installation: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messenger_api.services.operator.users.EXPORTED_AT_ONCE", 2)
    numbers = [f"1415555010{last}" for last in range(5)]
    for number in numbers:
        installation.log_in(number)
    found = [json.loads(line)["address"] for line in cli.ok("users", "export").splitlines()]
    assert found == numbers


def test_an_account_that_is_being_deleted_is_not_exported(cli: Cli, ana: Phone) -> None:
    ana.ok("deleteaccount")
    assert cli.ok("users", "export") == ""


# Import


def test_nothing_is_changed_without_go(cli: Cli, installation: Product, ana: Phone, tmp_path: Path) -> None:
    file = write(tmp_path / "u.csv", "address,name", f"+{ANA},Anna", f"+{BEN},Ben", ",Nobody")
    before = accounts(installation)
    assert cli.ok("users", "import", file) == (
        f"3 read: 2 to import, 0 unchanged, 1 skipped into {tmp_path / 'u.skipped.csv'}.\n"
        "Nothing was changed: --go does it.\n"
    )
    assert accounts(installation) == before
    assert installation.sandbox.store.user(BEN) is None


def test_who_was_imported_is_found_taken_into_groups_and_logs_in_as_ever(
    cli: Cli, installation: Product, ana: Phone, tmp_path: Path
) -> None:
    file = write(tmp_path / "u.csv", "address,name,status", f"+{BEN},Ben,At the sea")
    cli.ok("users", "import", file, "--go")
    assert accounts(installation)[1:] == [(BEN, "Ben", "At the sea", 0, "IN")]
    assert installation.sandbox.store.tokens(BEN) == []
    [entry] = ana.contacts(phones=BEN)
    assert (entry["phone"], entry["name"], entry["status"]) == (BEN, "Ben", "At the sea")
    gid = ana.ok("setgroup", name="Crew", m=BEN)["gid"]
    ben = installation.log_in(BEN, "another name at login")
    assert (ben.login["name"], ben.login["status"]) == ("Ben", "At the sea")
    assert ben.ok("getgroup", gid=gid)["name"] == "Crew"
    [row] = installation.rows(f"SELECT mesibo_uid FROM users WHERE address = '{BEN}'")
    user = installation.sandbox.store.user(BEN)
    assert user
    assert (row.mesibo_uid, user.name) == (user.uid, "Ben")


def test_those_who_have_the_number_are_told_as_of_any_change(cli: Cli, ana: Phone, tmp_path: Path) -> None:
    ana.ok("getcontacts", phones=BEN)
    cli.ok("users", "import", write(tmp_path / "u.csv", "address,name", f"{BEN},Ben"), "--go")
    [news] = ana.received()
    assert (news["phone"], news["name"], news.get("subject", "")) == (BEN, "Ben", "")


def test_a_second_run_changes_nothing(cli: Cli, installation: Product, ana: Phone, tmp_path: Path) -> None:
    lines = (f"{ANA},Ana,here,false", f"{BEN},Ben,,", f"{CAT},,,true")
    file = write(tmp_path / "u.csv", "address,name,status,blocked", *lines)
    assert cli.ok("users", "import", file, "--go") == "3 read: 3 imported, 0 unchanged, 0 skipped.\n"
    installation.deliver()
    before, queued = installation.rows("SELECT * FROM users"), "SELECT max(id) FROM outbox"
    assert [row[:2] for row in accounts(installation)] == [(ANA, "Ana"), (BEN, "Ben"), (CAT, "")]
    Faults(installation.sandbox.store).add("useradd", error="BADVALUE")
    newest = installation.rows(queued)
    assert cli.ok("users", "import", file, "--go") == "3 read: 0 imported, 3 unchanged, 0 skipped.\n"
    assert installation.rows("SELECT * FROM users") == before
    assert installation.rows(queued) == newest


def test_an_import_that_was_interrupted_goes_on(cli: Cli, installation: Product, tmp_path: Path) -> None:
    file = write(tmp_path / "u.csv", "address,name", f"{ANA},Ana", f"{BEN},Ben")
    faults = Faults(installation.sandbox.store)
    # mesibo has made the user, and its answer was lost.
    faults.add("useradd", drop=True, after=True)
    result = cli.run("users", "import", file, "--go", MESSENGER_MESIBO_TIMEOUT="1")
    assert (result.exit_code, result.stdout) == (1, "0 of 2 imported; the same command goes on.\n")
    assert "mesibo" in result.stderr
    assert accounts(installation) == []
    faults.clear()
    assert cli.ok("users", "import", file, "--go") == "2 read: 2 imported, 0 unchanged, 0 skipped.\n"
    assert [row[:2] for row in accounts(installation)] == [(ANA, "Ana"), (BEN, "Ben")]


def test_what_is_empty_stays_and_what_is_otherwise_is_changed(
    cli: Cli, installation: Product, ana: Phone, tmp_path: Path
) -> None:
    ana.ok("profile", status="On the moon")
    [before] = installation.rows("SELECT uid FROM users")
    file = write(tmp_path / "u.jsonl", json.dumps({"address": int(ANA), "name": "Anna", "status": None}))
    assert cli.ok("users", "import", file, "--go").startswith("1 read: 1 imported")
    assert accounts(installation) == [(ANA, "Anna", "On the moon", 0, "US")]
    assert installation.rows("SELECT uid FROM users") == [before]


def test_blocked_keeps_out_and_lets_in(cli: Cli, installation: Product, ana: Phone, tmp_path: Path) -> None:
    file = tmp_path / "u.csv"
    cli.ok("users", "import", write(file, "address,blocked", f"{ANA},yes"), "--go")
    assert ana.call("getcontacts")["error"] == "AUTHFAIL"
    cli.ok("users", "import", write(file, "address,blocked", f"{ANA},no"), "--go")
    assert accounts(installation)[0][3] == 0


def test_a_new_account_of_a_number_whose_account_was_deleted_is_not_deleted_with_it(
    cli: Cli, installation: Product, ana: Phone, tmp_path: Path
) -> None:
    ana.ok("deleteaccount")
    cli.ok("users", "import", write(tmp_path / "u.csv", "address,name", f"{ANA},Anna"), "--go")
    installation.deliver()
    assert [row[:2] for row in accounts(installation)] == [(ANA, "Anna")]
    user = installation.sandbox.store.user(ANA)
    assert user
    assert user.name == "Anna"


FAULTS = [
    ({"name": "Nobody"}, "address: is empty"),
    ({"address": "12345"}, "address: nobody can log in with this"),
    ({"address": "ana@example.com"}, "address: nobody can log in with this"),
    ({"address": 4.91511e12 / 7}, "address: nobody can log in with this"),
    ({"address": [BEN]}, "address: is no text"),
    ({"address": BEN, "name": "x" * 129}, "name: longer than 128 characters"),
    ({"address": BEN, "status": "x" * 256}, "status: longer than 255 characters"),
    ({"address": BEN, "blocked": "perhaps"}, "blocked: perhaps is neither true nor false"),
    ({"address": BEN, "token": "x"}, "unknown column: token"),
    ({"address": ANA, "name": "Ana"}, ""),
    ({"address": "+1 (415) 555-0101", "name": "Another"}, "an earlier row has the same account"),
    ([1], "no JSON object"),
]


def test_rows_with_faults_stand_in_a_file_with_the_reason_and_are_imported_when_mended(
    cli: Cli, installation: Product, tmp_path: Path
) -> None:
    file = write(tmp_path / "u.jsonl", *(json.dumps(row) for row, _ in FAULTS))
    result = cli.run("users", "import", file, "--go")
    skipped = tmp_path / "u.skipped.jsonl"
    assert result.exit_code == 1
    assert result.stdout == f"12 read: 1 imported, 0 unchanged, 11 skipped into {skipped}.\n"
    assert [row["reason"] for row in rows_of(skipped)] == [reason for _, reason in FAULTS if reason]
    assert [row[0] for row in accounts(installation)] == [ANA]
    mended = [row for row in rows_of(skipped) if row.get("blocked")]
    write(skipped, *(json.dumps({**row, "blocked": True}) for row in mended))
    cli.ok("users", "import", str(skipped), "--go")
    assert [(row[0], row[3]) for row in accounts(installation)] == [(ANA, 0), (BEN, 1)]


def test_a_user_whom_mesibo_refuses_is_skipped(cli: Cli, installation: Product, tmp_path: Path) -> None:
    Faults(installation.sandbox.store).add("useradd", error="BADVALUE", times=1)
    file = write(tmp_path / "u.csv", "address", ANA, BEN)
    assert cli.run("users", "import", file, "--go").exit_code == 1
    assert rows_of(tmp_path / "u.skipped.csv") == [
        {"address": ANA, "reason": "mesibo refuses the user: BADVALUE"}
    ]
    assert [row[0] for row in accounts(installation)] == [BEN]
    cli.ok("users", "import", file, "--go")
    assert not (tmp_path / "u.skipped.csv").exists()


def test_an_address_that_another_account_has_is_told(
    cli: Cli, installation: Product, ana: Phone, tmp_path: Path
) -> None:
    installation.log_in(BEN)
    with installation.services.database.engine.connect() as connection:
        another = {"key": b"another account!", "ben": BEN}
        connection.execute(sql("UPDATE users SET contact_key = :key WHERE address = :ben"), another)
    cli.run("users", "import", write(tmp_path / "u.csv", "address", BEN), "--go")
    [row] = rows_of(tmp_path / "u.skipped.csv")
    assert row["reason"].startswith("another account has this address")


def test_an_owner_who_logs_in_meanwhile_comes_first(
    cli: Cli, installation: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user = Entrances.make_user

    def meanwhile(entrances: Entrances, entrance: Entrance, name: str) -> int:
        installation.log_in(BEN, "Ben himself")
        return make_user(entrances, entrance, name)

    monkeypatch.setattr(Entrances, "make_user", meanwhile)
    file = write(tmp_path / "u.csv", "address,status", f"{BEN},imported")
    assert cli.run("users", "import", file, "--go").exit_code == 1
    assert "import it again" in rows_of(tmp_path / "u.skipped.csv")[0]["reason"]
    assert accounts(installation) == [(BEN, "Ben himself", "", 0, "IN")]
    cli.ok("users", "import", str(tmp_path / "u.skipped.csv"), "--go")
    assert accounts(installation) == [(BEN, "Ben himself", "imported", 0, "IN")]


def test_each_row_is_read_by_the_login_method(cli: Cli, installation: Product, tmp_path: Path) -> None:
    cli.environment["MESSENGER_LOGIN_METHOD"] = "password"
    file = write(tmp_path / "u.csv", "address,name", "ANA,Ana", '"a,b",Nobody')
    assert cli.run("users", "import", file, "--go").stdout.startswith("2 read: 1 imported, 0 unchanged")
    assert accounts(installation) == [("ana", "Ana", "", 0, "")]
    assert rows_of(tmp_path / "u.skipped.csv")[0]["address"] == "a,b"


def test_a_file_that_cannot_be_read_is_told(cli: Cli, installation: Product, tmp_path: Path) -> None:
    (tmp_path / "u.txt").touch()
    (tmp_path / "latin1.csv").write_bytes("address,name\n14155550101,J\xfcrgen\n".encode("latin-1"))
    for name, says in (
        ("u.txt", "ends neither in .csv nor in .jsonl"),
        ("none.csv", "No such file"),
        ("latin1.csv", "is not in UTF-8"),
    ):
        result = cli.run("users", "import", str(tmp_path / name), "--go")
        assert result.exit_code != 0
        assert says in result.stderr
    assert accounts(installation) == []


def test_where_mesibo_makes_no_user_without_an_app_nothing_is_tried(
    cli: Cli, installation: Product, tmp_path: Path
) -> None:
    file = write(tmp_path / "u.csv", "address", ANA)
    result = cli.run("users", "import", file, "--go", MESSENGER_MESIBO_API_STYLE="form")
    assert result.exit_code == 1
    assert "MESIBO_API_STYLE to json" in result.stderr
    assert accounts(installation) == []

"""Commands find the account that the app would log in to, and print what users wrote as visible lines."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text as sql

from messenger_api.cli.common import printable
from messenger_api.domain.identity import LoginName
from messenger_api.domain.secrets import Keys
from messenger_api.storage import users as storage
from tests.cli.commands import Cli
from tests.product import Product

EVIL = "Eve\x1b]0;pwned\x07\n1  14155550199  Root\r\x9b31m\u202egnp\u2028last"
ANA = "14155550101"

Add = Callable[[str], int]


@pytest.fixture
def add(installation: Product) -> Add:
    """Makes the account of somebody who logs in by a name."""
    keys = Keys.derive(installation.services.settings.secret_key)

    def add(address: str) -> int:
        return installation.services.database.run(
            lambda tx: storage.add(
                tx,
                1,
                address=address,
                contact_key=keys.contact_key(LoginName(address)),
                mesibo_uid=0,
                name="",
                country="",
            )
        )

    return add


def blocked(installation: Product) -> list[str]:
    found = installation.rows("SELECT address FROM users WHERE blocked = 1 ORDER BY uid")
    return [str(row.address) for row in found]


# Whose account


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("0012025550101", "0012025550101"),
        ("12025550101", "12025550101"),
        ("+12025550101", "+12025550101"),
        ("Ana", "ana"),
        (" ANA ", "ana"),
    ],
)
def test_names_that_look_like_numbers_are_names_where_people_log_in_by_names(
    cli: Cli, installation: Product, add: Add, typed: str, meant: str
) -> None:
    cli.environment["MESSENGER_LOGIN_METHOD"] = "password"
    for address in ("12025550101", "0012025550101", "+12025550101", "ana"):
        add(address)
    cli.ok("users", "block", typed)
    assert blocked(installation) == [meant]
    assert cli.json("users", "show", typed)["address"] == meant
    assert [user["address"] for user in cli.json("users", "list", "--phone", typed)] == [meant]
    cli.ok("sessions", "list", typed)
    cli.ok("users", "delete", typed, "--yes")
    assert (meant,) not in installation.rows("SELECT address FROM users")


def test_a_name_that_nobody_has_is_nobodys_though_its_digits_are_somebodys(
    cli: Cli, installation: Product, add: Add
) -> None:
    cli.environment["MESSENGER_LOGIN_METHOD"] = "password"
    add("12025550101")
    for arguments in (("users", "block", "0012025550101"), ("sessions", "list", "+1 202 555 0101")):
        assert cli.run(*arguments).exit_code == 1
    assert blocked(installation) == []


def test_mail_addresses_are_read_as_the_login_reads_them(cli: Cli, installation: Product, add: Add) -> None:
    cli.environment |= {
        "MESSENGER_LOGIN_METHOD": "email",
        "MESSENGER_SMTP_HOST": "127.0.0.1",
        "MESSENGER_SMTP_FROM": "no-reply@example.com",
    }
    long = "a.person.with.quite.a.long.name@mail.department.example.com"
    add("ana@example.com")
    add(long)
    cli.ok("users", "block", "Ana@Example.COM")
    assert blocked(installation) == ["ana@example.com"]
    assert cli.json("users", "show", long.title())["address"] == long


def test_an_account_of_a_former_way_to_log_in_is_found_by_its_very_address(
    cli: Cli, installation: Product, add: Add
) -> None:
    add("ana")
    cli.ok("users", "block", "ana")
    assert blocked(installation) == ["ana"]
    assert cli.run("users", "show", "Ana").exit_code == 1


# What users wrote


@pytest.mark.parametrize("evil", [EVIL, "a\nb", "\x9b2J", "\u202ex", "\x7f", "\x1b[2J\x1b[H"])
def test_a_name_neither_steers_the_terminal_nor_draws_rows(
    cli: Cli, installation: Product, evil: str
) -> None:
    eve, ben = installation.log_in(ANA, "Eve", device="Pixel"), installation.log_in("14155550102", "Ben")
    gid = int(eve.ok("setgroup", name="Crew", m="14155550102")["gid"])
    ben.ok("report", phone=ANA, text="spam")
    # As earlier versions, and other programs, may have kept them.
    with installation.services.database.engine.begin() as connection:
        for table, column in (
            ("users", "name"),
            ("users", "status"),
            ("chat_groups", "name"),
            ("sessions", "device"),
            ("reports", "text"),
        ):
            connection.execute(sql(f"UPDATE `{table}` SET `{column}` = :text"), {"text": evil[:60]})
    for command in (
        ("users", "list"),
        ("users", "show", ANA),
        ("users", "reports"),
        ("sessions", "list", ANA),
        ("groups", "list"),
        ("groups", "show", str(gid)),
    ):
        text, machine = cli.ok(*command), cli.ok(*command, "--json")
        assert all(char.isprintable() or char == "\n" for char in text + machine), command
        assert not any(line.startswith(("1  14155550199", "last", "b ")) for line in text.splitlines())
        assert evil[:60] in strings(json.loads(machine)), "programs get what was written"


def strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for member in value.values() for text in strings(member)]
    if isinstance(value, list):
        return [text for member in value for text in strings(member)]
    return [value] if isinstance(value, str) else []


@given(st.text())
def test_whatever_is_printed_is_one_line_of_visible_signs(text: str) -> None:
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.category(char) in {"Cc", "Zl", "Zp", "Cs"} for char in shown)
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


def test_what_people_write_in_any_script_stays(cli: Cli, installation: Product) -> None:
    for name in ("Ana 👩\u200d🚀", "می\u200cخواهم", "Ñandú O'Neill-Łukasz", "山田 太郎"):
        assert printable(name) == name


def test_error_texts_are_visible_lines_too(cli: Cli, installation: Product) -> None:
    result = cli.run("users", "show", "nobody\x1b[2J\nall ok")
    assert result.exit_code == 1
    assert result.stderr == "No user has the number nobody[2J all ok.\n"

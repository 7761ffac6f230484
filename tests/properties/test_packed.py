"""What travels as one text arrives as it was, whatever people write."""

from __future__ import annotations

from typing import Annotated, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from sqlalchemy import event

from messenger_api.storage import codes, contacts, users
from messenger_api.storage.models import NAME_LENGTH, STATUS_LENGTH, OneTimeCode, User
from messenger_api.storage.packed import SEPARATOR, PackedRow, columns
from tests.product import Phone, Product
from tests.properties.conftest import NewProduct

ANA = "14155550101"
# Both databases keep what is no character of its own (a surrogate) out, and the ops every NUL.
people_write = st.characters(exclude_categories=["Cs"], exclude_characters=SEPARATOR)


@pytest.fixture(scope="module")
def product(new_product: NewProduct) -> Product:
    return new_product(limits="off")


@pytest.fixture(scope="module")
def ana(product: Product) -> Phone:
    return product.log_in(ANA)


@given(name=st.text(people_write, max_size=NAME_LENGTH), status=st.text(people_write, max_size=STATUS_LENGTH))
def test_a_profile_is_read_as_it_was_written(product: Product, ana: Phone, name: str, status: str) -> None:
    database = product.services.database
    [(uid,)] = product.rows("SELECT uid FROM users")
    database.write(lambda tx, now: users.change(tx, now, uid, name=name, status=status))
    found = database.run(lambda tx: users.profile(tx, uid))
    assert (found.address, found.name, found.status, found.tn) == (ANA, name, status, "")
    assert ana.ok("getcontacts")["u"]["name"] == name


def test_of_a_list_that_the_server_cuts_off_no_broken_entry_is_read(product: Product, ana: Phone) -> None:
    ana.ok("getcontacts", phones=",".join(f"9198{n:08}" for n in range(300)))
    [(uid,)] = product.rows("SELECT uid FROM users")
    database = product.services.database
    whole = database.run(lambda tx: contacts.book(tx, 0, uid, "")).keys
    assert len(whole) == 300
    if product.services.settings.is_sqlite:  # which cuts nothing off
        return

    def cut_off(connection: object, *_: object) -> None:
        connection.cursor().execute("SET SESSION group_concat_max_len = 1000")  # type: ignore[attr-defined]

    database.engine.dispose()
    event.listen(database.engine, "checkout", cut_off)
    cut = database.run(lambda tx: contacts.book(tx, 0, uid, "")).keys
    event.remove(database.engine, "checkout", cut_off)
    database.engine.dispose()
    assert len(cut) == 30
    assert cut < whole


class Mistaken(Struct, frozen=True, array_like=True):
    uid: Annotated[str, User.uid]


class MayBeNull(Struct, frozen=True, array_like=True):
    reply: Annotated[bytes | None, OneTimeCode.reply]
    sends: Annotated[int, OneTimeCode.sends]


def test_a_field_of_another_type_than_its_column_is_refused_at_the_start() -> None:
    with pytest.raises(TypeError, match=r"uid holds int, not str"):
        PackedRow(Mistaken)
    with pytest.raises(TypeError, match=r"uid holds int, not str"):
        columns(Mistaken)


def test_bytes_travel_as_digits_and_null_as_nothing() -> None:
    row = PackedRow(MayBeNull)
    assert row.read(f"{SEPARATOR}3") == MayBeNull(None, 3)
    assert row.read(f"00FF{SEPARATOR}0") == MayBeNull(b"\x00\xff", 0)


@pytest.mark.parametrize(("changes", "record"), [(users.Changes, users.Profile), (codes.Changes, codes.Code)])
def test_what_is_changed_has_the_types_that_are_read(changes: type, record: type[Struct]) -> None:
    read = get_type_hints(record)
    assert get_type_hints(changes).items() <= read.items()

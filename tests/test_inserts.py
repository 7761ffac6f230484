"""Many rows go in with one statement, whole and in their order."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from messenger_api.storage.db import ignoring_known
from messenger_api.storage.inserts import insert_rows
from messenger_api.storage.models import Contact, OutboxItem, User
from tests.conftest import WITH_EVERY_DRIVER
from tests.product import Product

pytestmark = WITH_EVERY_DRIVER

ADD_USERS, ADD_ITEMS, ADD_CONTACTS = insert(User), insert(OutboxItem), ignoring_known(insert(Contact))
TIMES = {"created_at": 1, "changed_at": 1, "seen_at": 1}
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


def item(payload: str) -> dict[str, object]:
    # Other than the columns' order in the table.
    return {"due_at": 3, "payload": payload, "created_at": 2, "kind": "k", "lane": "l"}


def user(index: int, key: bytes, name: str = "") -> dict[str, object]:
    return {"name": name, "contact_key": key, "address": str(index), **TIMES}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=st.lists(st.binary(min_size=16, max_size=16), unique=True, max_size=30), name=texts)
def test_rows_are_written_as_they_are_whatever_is_in_them(
    product: Product, keys: list[bytes], name: str
) -> None:
    def work(tx: Connection, _now: int) -> list[tuple[object, ...]]:
        tx.execute(delete(User))
        insert_rows(tx, ADD_USERS, [user(index, key, name) for index, key in enumerate(keys)])
        columns = (User.address, User.contact_key, User.name, User.seen_at)
        return [tuple(row) for row in tx.execute(select(*columns).order_by(User.uid))]

    found = product.services.database.write(work)
    assert found == [(str(index), key, name, 1) for index, key in enumerate(keys)]


@pytest.mark.parametrize("count", [0, 1, 2, 500])
def test_it_is_one_statement_and_ids_are_in_the_order_of_the_rows(product: Product, count: int) -> None:
    payloads = [f'"%s {index}"' for index in range(count)]
    with product.statements() as sent:
        product.services.database.run(lambda tx: insert_rows(tx, ADD_ITEMS, [*map(item, payloads)]))
    assert len([text for text in sent if text.startswith("INSERT")]) == (1 if count else 0)
    assert [text for (text,) in product.rows("SELECT payload FROM outbox ORDER BY id")] == payloads


def test_who_listens_to_statements_changes_nothing(product: Product) -> None:
    rows = [item('"a"'), item('"b"')]
    product.services.database.run(lambda tx: insert_rows(tx, ADD_ITEMS, rows))
    with product.statements():
        product.services.database.run(lambda tx: insert_rows(tx, ADD_ITEMS, rows))
    columns = "lane, kind, payload, created_at, due_at, state, attempts"
    found = product.rows(f"SELECT {columns} FROM outbox ORDER BY id")
    assert found[:2] == found[2:]
    assert [tuple(row) for row in found[:2]] == [("l", "k", f'"{name}"', 2, 3, 0, 0) for name in "ab"]


def test_what_is_known_is_left_alone_where_the_statement_says_so(product: Product) -> None:
    rows: list[dict[str, object]] = [{"owner": 1, "contact_key": bytes([n]) * 16} for n in range(3)]

    def work(tx: Connection, _now: int) -> None:
        insert_rows(tx, ADD_USERS, [{**user(1, b"k" * 16), "uid": 1}])
        insert_rows(tx, ADD_CONTACTS, rows[:2])
        insert_rows(tx, ADD_CONTACTS, rows)

    product.services.database.write(work)
    assert product.rows("SELECT COUNT(*) FROM contacts") == [(3,)]


def test_a_row_that_is_refused_refuses_all_and_its_values_stand_in_no_error(product: Product) -> None:
    rows = [user(1, b"1" * 16, "secret"), user(2, b"1" * 16, "secret")]
    with pytest.raises(IntegrityError) as raised:
        product.services.database.write(lambda tx, _now: insert_rows(tx, ADD_USERS, rows))
    assert "secret" not in str(raised.value)
    assert product.rows("SELECT COUNT(*) FROM users") == [(0,)]


def test_a_row_without_a_column_of_the_first_is_no_row_of_this_statement(product: Product) -> None:
    rows: list[dict[str, object]] = [item('"a"'), {"lane": "l"}]
    with pytest.raises(KeyError):
        product.services.database.run(lambda tx: insert_rows(tx, ADD_ITEMS, rows))
    assert product.rows("SELECT COUNT(*) FROM outbox") == [(0,)]

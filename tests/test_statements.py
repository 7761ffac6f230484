"""The statements that are made most go straight to the driver, and lose nothing by it."""

from __future__ import annotations

from unittest import mock

import pytest
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from messenger_api.domain.secrets import token_hash
from messenger_api.storage import contacts, syncs
from messenger_api.storage.models import LimitCounter
from messenger_api.storage.statements import execute
from tests.product import Phone, Product

ANA, BEN = "14155550101", "14155550102"
ADD, ALL = insert(LimitCounter), select(LimitCounter.name, LimitCounter.slots)
CHANGE = update(LimitCounter).values(slots="3")
COUNTER = {"name": "a", "slots": "1", "expires_at": 5}


@pytest.fixture
def ana(product: Product) -> Phone:
    product.log_in(BEN, name="Ben")
    phone = product.log_in(ANA, name="Ana")
    phone.ok("getcontacts", phones=BEN)
    phone.ok("setgroup", name="Walks", m=BEN)
    return phone


def told(product: Product, token: str) -> tuple[object, ...]:
    """What is read in a sync."""
    run = product.services.database.run
    found = run(lambda tx: syncs.own(tx, token_hash=token_hash(token), seen_since=0))
    assert found
    caller, own = found
    people = run(lambda tx: syncs.changed(tx, caller.uid, caller.contact_key, 0))
    groups = run(lambda tx: syncs.groups(tx, caller.uid, 0))
    return caller, own, people, groups, run(lambda tx: contacts.book(tx, 0, caller.uid, ""))


def test_a_sync_needs_nothing_of_sqlalchemy_but_connections(product: Product, ana: Phone) -> None:
    slow = AssertionError("the slow way was taken")
    with (
        mock.patch.object(Connection, "execute", side_effect=slow),
        mock.patch.object(Connection, "exec_driver_sql", side_effect=slow),
    ):
        told(product, ana.token)
        assert product.call("getcontacts", token="0" * 48)["error"] == "AUTHFAIL"
        ana.ok("getcontacts", ts=0)


def test_who_listens_to_statements_is_told_and_finds_the_same(product: Product, ana: Phone) -> None:
    straight = told(product, ana.token)
    with product.statements() as sent:
        usual = told(product, ana.token)
    assert len(sent) == 4
    assert straight == usual


def test_what_changed_is_told_as_sqlalchemy_tells_it(product: Product) -> None:
    def work(tx: Connection) -> list[object]:
        added = execute(tx, ADD, COUNTER)
        changed = execute(tx, CHANGE, {})
        # MySQL would count only rows that are different now, were it not asked to count all that match.
        again = execute(tx, CHANGE, {})
        return [added.changed, changed.changed, again.changed, list(map(tuple, execute(tx, ALL, {}).rows))]

    expected = [1, 1, 1, [("a", "3")]]
    assert product.services.database.run(work) == expected
    product.services.database.run(lambda tx: tx.execute(LimitCounter.__table__.delete()))  # type: ignore[attr-defined]
    with product.statements():
        assert product.services.database.run(work) == expected


def test_an_error_is_sqlalchemys_and_leaves_the_connection_fit_for_use(product: Product) -> None:
    def work(tx: Connection) -> None:
        execute(tx, ADD, COUNTER)
        with pytest.raises(IntegrityError):
            execute(tx, ADD, COUNTER)
        assert not tx.invalidated
        assert len(execute(tx, ALL, {}).rows) == 1

    product.services.database.run(work)


def test_no_value_stands_in_the_text_of_an_error(product: Product) -> None:
    counter = {**COUNTER, "name": ANA}
    with pytest.raises(IntegrityError) as raised:
        product.services.database.run(lambda tx: [execute(tx, ADD, counter) for _ in range(2)])
    # MySQL names the key that is there already, which is never a number or a name.
    assert ANA not in str(raised.value).replace(str(raised.value.orig), "")


def test_a_connection_that_died_in_the_pool_costs_no_call(product: Product, ana: Phone) -> None:
    engine = product.services.database.engine
    kept = [engine.raw_connection() for _ in range(5)]
    for connection in kept:
        connection.dbapi_connection.close()  # type: ignore[union-attr]
        connection.close()
    told(product, ana.token)
    assert ana.contacts(ts=0)[0]["name"] == "Ben"


def test_a_connection_that_was_broken_off_in_a_statement_is_never_used_again(product: Product) -> None:
    def broken_off(tx: Connection) -> None:
        class Cursor:
            def execute(self, *_: object) -> None:
                raise SystemExit

            def close(self) -> None:
                """Nothing to close."""

        with mock.patch.object(tx.connection, "cursor", Cursor), pytest.raises(SystemExit):
            execute(tx, ALL, {})
        assert tx.invalidated

    product.services.database.run(broken_off)

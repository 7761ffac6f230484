"""The reads that every call makes go straight to the driver, and lose nothing by it."""

from __future__ import annotations

from unittest import mock

import pytest
from sqlalchemy import Engine

from messenger_api.domain.secrets import token_hash
from messenger_api.storage import contacts, sessions, syncs
from tests.product import Phone, Product

ANA, BEN = "14155550101", "14155550102"


@pytest.fixture
def ana(product: Product) -> Phone:
    product.log_in(BEN, name="Ben")
    phone = product.log_in(ANA, name="Ana")
    phone.ok("getcontacts", phones=BEN)
    phone.ok("setgroup", name="Walks", m=BEN)
    return phone


def told(product: Product, token: str) -> tuple[object, ...]:
    """What these reads find."""
    database = product.services.database
    caller = sessions.caller(database, token_hash(token), seen_since=0)
    assert caller
    sync = syncs.changed(database, caller.uid, caller.contact_key, 0)
    return caller, sync, contacts.book(database, caller.uid, "")


def test_they_need_nothing_of_sqlalchemy_but_its_pool(product: Product, ana: Phone) -> None:
    with mock.patch.object(Engine, "connect", side_effect=AssertionError("the usual way was taken")):
        told(product, ana.token)
        assert product.call("getcontacts", token="0" * 48)["error"] == "AUTHFAIL"


def test_they_find_what_the_usual_way_finds(product: Product, ana: Phone) -> None:
    straight = told(product, ana.token)
    with product.statements() as sent:  # who listens to statements is told of these too
        usual = told(product, ana.token)
    assert len(sent) == 3
    assert straight == usual


def test_a_connection_that_died_in_the_pool_costs_no_call(product: Product, ana: Phone) -> None:
    engine = product.services.database.engine
    kept = [engine.raw_connection() for _ in range(2)]
    for connection in kept:
        connection.dbapi_connection.close()  # type: ignore[union-attr]
        connection.close()
    told(product, ana.token)
    assert ana.contacts(ts=0)[0]["name"] == "Ben"

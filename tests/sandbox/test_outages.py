"""A fault of the op `database`: the product's database is away until the fault is cleared."""

from __future__ import annotations

from pathlib import Path

from messenger_api.sandbox import Fault, Faults
from messenger_api.storage.connections import KEPT_SECONDS
from tests.processes import wait_for
from tests.product import Product

ANA = "447700900456"


def test_every_op_answers_trylater_and_all_is_well_afterwards(product: Product) -> None:
    ana = product.log_in(ANA)
    faults = Faults(product.sandbox.store)
    faults.set(Fault("database"))
    refused = wait_for(
        lambda: (answer := ana.call("getcontacts", ts=0))["result"] == "FAIL" and answer,
        KEPT_SECONDS + 20,
        "the outage",
    )
    assert refused["error"] == "TRYLATER"
    assert refused["errmsg"]
    assert ana.call("profile", name="Ana")["error"] == "TRYLATER"
    faults.clear()
    assert ana.ok("profile", name="Ana")["name"] == "Ana"


def test_as_many_connections_fail_as_were_asked_for(tmp_path: Path) -> None:
    product = Product(f"sqlite:///{tmp_path / 'messenger.sqlite3'}", tmp_path)
    product.services.database.engine.dispose()
    Faults(product.sandbox.store).set(Fault("database", times=1))
    assert product.call("login", phone=ANA, appid="a")["error"] == "TRYLATER"
    product.log_in(ANA)
    product.close()

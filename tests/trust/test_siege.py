"""Attackers of 1 to 100 networks aim at what many share; `siege` says how. The table of docs/security.md."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from messenger_api.storage import db
from tests.matrix import some
from tests.product import Product
from tests.trust.conftest import PAID
from tests.trust.network import Network
from tests.trust.siege import PRICE, Case, Siege, log_members_in

Play = Callable[[Case], Siege]
AIMS = ("range", "country", "site", "victim")
ATTACKERS = [
    *((networks, "addresses") for networks in (1, 2, 10, 100)),
    *itertools.product((10, 100), ("/64s of one /48", "shared addresses")),
]
ROWS = [(networks, form, aim) for networks, form in ATTACKERS for aim in AIMS]


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which the members have logged in."""
    folder = tmp_path_factory.mktemp("siege")
    product = make(folder / "members.sqlite3", folder)
    log_members_in(product)
    product.close()
    return folder / "members.sqlite3"


def make(file: Path, folder: Path) -> Product:
    return Product(f"sqlite:///{file}", folder, **{**PAID, "log_level": "error"})


@pytest.fixture
def play(members: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    # Its clock is not the machine's, which may be busy for longer than a transaction may take.
    monkeypatch.setattr(db, "MAX_TRANSACTION_SECONDS", 60)

    def run(case: Case) -> Siege:
        Network.reset()
        file = tmp_path / "copy.sqlite3"
        with sqlite3.connect(members) as before, sqlite3.connect(file) as copy:
            before.backup(copy)
        product = make(file, tmp_path)
        try:
            return Siege(product, case).play()
        finally:
            product.close()

    return run


@pytest.mark.long
@pytest.mark.parametrize(("networks", "form", "aim"), some(ROWS, 2))
def test_honest_people_log_in_all_the_same(play: Play, networks: int, form: str, aim: str) -> None:
    """Whichever manner is the worse; at a cost within the budget."""
    sieges = [play(Case(networks, form, aim, manner)) for manner in ("at once", "patient")]
    worst = max(sieges, key=lambda siege: (siege.kept_out, siege.bad_texts))
    print(f"\n{worst.row()}")
    for siege in sieges:
        assert siege.bad_texts * PRICE <= 25
        assert networks > 10 or aim == "victim" or siege.kept_out <= 0.01

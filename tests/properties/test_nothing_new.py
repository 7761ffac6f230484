"""A sync that finds nothing new is the same work whatever others change: the databases count it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, insert

from messenger_api.domain.secrets import token_hash
from messenger_api.services.people.news import BEHIND_SECONDS
from messenger_api.storage import sessions
from messenger_api.storage.models import Contact
from tests.product import Product
from tests.properties.conftest import NewProduct
from tests.properties.syncing import App, Stage

NUMBERS = 500
CHANGED = (0, 200, 2_000)


@pytest.fixture(scope="module")
def stage(new_product: NewProduct) -> Stage:
    stage = Stage(new_product(limits="off"))
    stage.join_others(CHANGED[-1])
    return stage


@pytest.fixture(scope="module")
def app(stage: Stage) -> App:
    """Somebody with a friend, a group, and a phone book full of numbers without an account."""
    ann, bob = (stage.log_in(stage.new_number()) for _ in range(2))
    ann.ok("setgroup", gid=0, name="g", m=bob.number)
    app = stage.app(ann, "entries")
    app.match([bob.number])
    run = stage.product.services.database.run
    caller = run(lambda tx: sessions.caller(tx, token_hash(ann.token), seen_since=0))
    assert caller
    strangers = range(9**9, 9**9 + NUMBERS)
    rows = [{"owner": caller.uid, "contact_key": stranger.to_bytes(16)} for stranger in strangers]
    run(lambda tx: tx.execute(insert(Contact), rows))
    settle(stage)
    app.sync()
    assert app.sync() == []
    return app


def settle(stage: Stage) -> None:
    """A worker notes what happened, and the product learns of it."""
    stage.clock.advance(30)
    stage.news.note()
    stage.stranger.ok("getcontacts", ts=0)


@contextmanager
def work(product: Product) -> Iterator[Callable[[], int]]:
    """What the database does meanwhile: rows read on MariaDB, steps of its machine on SQLite."""
    if not product.services.settings.is_sqlite:
        before = _rows_read(product)
        yield lambda: _rows_read(product) - before
        return
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    def start(connection: Any, *_: object) -> None:
        connection.set_progress_handler(count, 1)

    def stop(connection: Any, *_: object) -> None:
        connection.set_progress_handler(None, 1)

    engine = product.services.database.engine
    engine.dispose()  # so that each connection is taken out of the pool meanwhile, and not after it
    event.listen(engine, "checkout", start)
    event.listen(engine, "checkin", stop)
    try:
        yield lambda: steps
    finally:
        engine.dispose()
        event.remove(engine, "checkout", start)
        event.remove(engine, "checkin", stop)


def _rows_read(product: Product) -> int:
    return sum(int(count) for _name, count in product.rows("SHOW GLOBAL STATUS LIKE 'Handler_read%%'"))


def cost(app: App) -> int:
    """The work of a sync that finds nothing; what asking for it costs is the same each time."""
    with work(app.phone.product) as done:
        assert app.sync() == []
        return done()


def test_nothing_new_is_the_same_work_however_many_others_have_changed(stage: Stage, app: App) -> None:
    costs = []
    for count in CHANGED:
        stage.change_others(count)
        settle(stage)
        costs += [cost(app), cost(app)]
    assert len(set(costs)) == 1
    # Nor is the phone book walked for it.
    assert costs[0] < NUMBERS


def test_what_nobody_has_noted_yet_is_walked_and_seen_here(stage: Stage, app: App) -> None:
    """So the figures above could differ."""
    least = cost(app)
    stage.change_others(200)
    assert cost(app) >= least + 200
    if not stage.product.services.settings.is_sqlite:  # which of two indexes it begins with, MySQL chooses
        stage.change_others(CHANGED[-1])
        assert cost(app) < least + 3 * NUMBERS


def test_a_worker_notes_what_has_settled(stage: Stage) -> None:
    stage.change_others()
    stage.clock.advance(100)
    stage.product.parts.worker.housekeeping.keep()
    [(place,)] = stage.product.rows("SELECT value FROM facts WHERE name = 'news'")
    assert place == str(int(stage.clock()) - BEHIND_SECONDS)


def test_a_worker_that_finds_nothing_to_note_walks_nothing(stage: Stage) -> None:
    settle(stage)
    stage.clock.advance(5)
    with work(stage.product) as done:
        stage.news.note()
        assert done() < 200 < CHANGED[-1]

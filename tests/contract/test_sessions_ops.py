"""Sessions: listed, revoked one by one or all but one, and ended when nobody uses them any more."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from messenger_api.domain.errors import TryLater
from messenger_api.services.account.sessions import BATCH
from messenger_api.storage import sessions
from messenger_api.storage.sessions import Caller
from tests.product import APPID, Answer, Phone, Product

ANN, BOB = "919876543210", "919876543211"
OTHER_APP = "com.example.other"
DAY = 24 * 3600

MakeProduct = Callable[..., Product]


def devices(product: Product, *names: str, number: str = ANN, **fields: str) -> list[Phone]:
    """One person's phones, logged in one after the other."""
    phones = []
    for name in names:
        phones.append(product.log_in(number, device=name, **fields))
        product.clock.advance(60)
    return phones


def listed(phone: Phone) -> list[Answer]:
    found: list[Answer] = phone.ok("sessions")["sessions"]
    return found


def is_dead(phone: Phone) -> bool:
    return bool(phone.call("getcontacts").get("error") == "AUTHFAIL")


def tokens_at_mesibo(product: Product, number: str = ANN) -> set[str]:
    """The app ids for which mesibo has a token of this user."""
    assert product.deliver()
    return {token.appid for token in product.sandbox.store.tokens(number)}


def push_tokens(product: Product) -> list[str]:
    return [token for (token,) in product.rows("SELECT token FROM push_tokens ORDER BY token")]


# The list


def test_sessions_are_listed_newest_first_with_what_a_person_knows_them_by(product: Product) -> None:
    _old, new = devices(product, "old", "new", dt="2")
    now = product.services.database.now()
    first, second = listed(new)
    assert list(first) == ["id", "appid", "device", "dt", "created", "seen", "current", "push"]
    assert {type(value) for key, value in first.items() if key not in ("appid", "device")} == {int}
    assert (first["appid"], first["device"], first["dt"]) == (APPID, "new", 2)
    assert [each["device"] for each in (first, second)] == ["new", "old"]
    assert first["id"] > second["id"]
    assert 0 <= now - first["created"] - 60 < 30
    assert first["seen"] == first["created"]


def test_the_session_that_asks_is_the_current_one(product: Product) -> None:
    old, new = devices(product, "old", "new")
    assert {each["device"]: each["current"] for each in listed(old)} == {"old": 1, "new": 0}
    assert {each["device"]: each["current"] for each in listed(new)} == {"old": 0, "new": 1}


def test_the_list_says_which_device_can_be_woken(product: Product) -> None:
    old, new = devices(product, "old", "new")
    old.ok("setnotify", notifytoken="push", fcm=1)
    assert {each["device"]: each["push"] for each in listed(new)} == {"old": 1, "new": 0}


def test_nobody_sees_the_sessions_of_others_nor_any_token(product: Product) -> None:
    [ann], [bob] = devices(product, "a"), devices(product, "b", number=BOB)
    ann.ok("setnotify", notifytoken="a-push-token")
    assert [each["device"] for each in listed(bob)] == ["b"]
    assert ann.token not in str(listed(ann))
    assert "a-push-token" not in str(listed(ann))


# Revoking


def test_a_revoked_session_is_dead_at_once_with_its_push_token(product: Product) -> None:
    lost, kept = devices(product, "lost", "kept")
    lost.ok("setnotify", notifytoken="of the lost one")
    kept.ok("setnotify", notifytoken="of the kept one")
    sid = next(each["id"] for each in listed(kept) if each["device"] == "lost")
    assert kept.ok("revoke", id=sid)["ended"] == 1
    assert is_dead(lost)
    assert [each["device"] for each in listed(kept)] == ["kept"]
    assert push_tokens(product) == ["of the kept one"]


def test_revoking_once_more_is_no_error_since_the_first_answer_may_be_lost(product: Product) -> None:
    _lost, kept = devices(product, "lost", "kept")
    sid = listed(kept)[1]["id"]
    assert [kept.ok("revoke", id=sid)["ended"] for _ in range(2)] == [1, 0]


def test_all_others_are_revoked_at_once(product: Product) -> None:
    *others, kept = devices(product, "one", "two", "three")
    assert kept.ok("revoke", others=1)["ended"] == 2
    assert [is_dead(phone) for phone in others] == [True, True]
    assert [each["device"] for each in listed(kept)] == ["three"]


def test_nobody_revokes_the_session_of_another_person(product: Product) -> None:
    [ann], [bob] = devices(product, "a"), devices(product, "b", number=BOB)
    assert bob.ok("revoke", id=listed(ann)[0]["id"])["ended"] == 0
    assert bob.ok("revoke", others=1)["ended"] == 0
    assert not is_dead(ann)


def test_revoke_names_what_is_missing(product: Product) -> None:
    [ann] = devices(product, "a")
    for fields in ({}, {"id": 0}, {"others": 0}):
        answer = ann.call("revoke", **fields)
        assert (answer["error"], answer["properties"]) == ("MISSINGPARA", ["id"])


def test_mesibos_token_goes_with_the_last_session_of_its_app_and_no_earlier(product: Product) -> None:
    devices(product, "one", "two")
    [tablet] = devices(product, "tablet", appid=OTHER_APP)
    first, second = (each["id"] for each in listed(tablet) if each["appid"] == APPID)
    tablet.ok("revoke", id=first)
    assert tokens_at_mesibo(product) == {APPID, OTHER_APP}
    tablet.ok("revoke", id=second)
    assert tokens_at_mesibo(product) == {OTHER_APP}


def test_revoking_all_others_frees_mesibos_tokens_of_other_apps_only(product: Product) -> None:
    devices(product, "tablet", appid=OTHER_APP)
    _one, two = devices(product, "one", "two")
    two.ok("revoke", others=1)
    assert tokens_at_mesibo(product) == {APPID}


def test_a_login_beyond_max_sessions_ends_the_oldest(make_product: MakeProduct) -> None:
    product = make_product(max_sessions=2)
    one, two, three = devices(product, "one", "two", "three")
    assert [is_dead(phone) for phone in (one, two, three)] == [True, False, False]


# Idle sessions


def test_a_session_that_nobody_used_for_session_idle_days_is_dead(make_product: MakeProduct) -> None:
    product = make_product(session_idle_days=10)
    [phone] = devices(product, "phone")
    product.clock.advance(9.9 * DAY)
    assert not is_dead(phone)
    product.clock.advance(9.9 * DAY)
    assert not is_dead(phone)
    product.clock.advance(10.1 * DAY)
    assert is_dead(phone)


def test_an_idle_session_is_not_listed(make_product: MakeProduct) -> None:
    product = make_product(session_idle_days=10)
    _drawer, used = devices(product, "drawer", "used")
    product.clock.advance(6 * DAY)
    assert len(listed(used)) == 2
    product.clock.advance(6 * DAY)
    assert [each["device"] for each in listed(used)] == ["used"]


def test_housekeeping_removes_idle_sessions_with_push_token_and_mesibos_token(
    make_product: MakeProduct,
) -> None:
    product = make_product(session_idle_days=10)
    [drawer], [used] = devices(product, "drawer", appid=OTHER_APP), devices(product, "used")
    drawer.ok("setnotify", notifytoken="of the drawer")
    product.clock.advance(9 * DAY)
    assert not is_dead(used)
    product.clock.advance(2 * DAY)
    assert product.services.sessions.expire() == 1
    assert product.rows("SELECT device FROM sessions") == [("used",)]
    assert push_tokens(product) == []
    assert tokens_at_mesibo(product) == {APPID}


def test_housekeeping_takes_any_number_of_idle_sessions_in_batches(product: Product) -> None:
    devices(product, "used")
    [(uid,)] = product.rows("SELECT uid FROM users")
    with product.services.database.engine.connect() as connection:
        for index in range(BATCH + 7):
            columns = "uid, token_hash, appid, created_at, seen_at"
            token = f"{index:032}"
            connection.exec_driver_sql(
                f"INSERT INTO sessions ({columns}) VALUES ({uid}, '{token}', 'old', 1, 1)"
            )
    assert product.services.sessions.expire() == BATCH + 7
    assert product.rows("SELECT device FROM sessions") == [("used",)]


def test_the_worker_keeps_house_by_itself(make_product: MakeProduct) -> None:
    product = make_product(session_idle_days=10)
    devices(product, "drawer")
    product.clock.advance(11 * DAY)
    thread = product.parts.worker.start()
    try:
        for _ in range(100):
            if not product.rows("SELECT sid FROM sessions"):
                break
            thread.join(0.05)
    finally:
        product.parts.worker.stop()
        thread.join()
    assert product.rows("SELECT sid FROM sessions") == []


# When it was seen


def seen(product: Product) -> tuple[int, int]:
    [(session, user)] = product.rows(
        "SELECT s.seen_at, u.seen_at FROM sessions s JOIN users u ON u.uid = s.uid"
    )
    return session, user


def test_use_is_noted_once_a_day_for_session_and_account(product: Product) -> None:
    [phone] = devices(product, "phone")
    first = seen(product)
    for hours in (1, 10, 12):
        product.clock.advance(hours * 3600)
        with product.statements() as statements:
            phone.call("nosuchop")
        assert len(statements) == 1
    assert seen(product) == first
    product.clock.advance(2 * 3600)
    phone.call("nosuchop")
    now = product.services.database.now()
    assert all(0 <= now - second < 30 for second in seen(product))


def test_a_note_that_cannot_be_written_refuses_nobody(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    [phone] = devices(product, "phone")
    product.clock.advance(2 * DAY)
    notes = []

    def fail(_connection: Connection, _now: int, caller: Caller, *, since: int) -> bool:
        notes.append(caller)
        raise TryLater

    with monkeypatch.context() as broken:
        broken.setattr(sessions, "note_seen", fail)
        assert product.services.callers.find(phone.token).address == ANN
    assert len(notes) == 1


def test_an_account_that_the_operator_keeps_out_has_no_caller(product: Product) -> None:
    [phone] = devices(product, "phone")
    with product.services.database.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE users SET blocked = 1")
    assert is_dead(phone)
    with product.services.database.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE users SET blocked = 0, closed_at = 7")
    assert is_dead(phone)

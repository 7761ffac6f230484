"""One push token a session, and for 90 days what became of those that went."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from sqlalchemy import update

from messenger_api.storage import gone_push_tokens
from messenger_api.storage.gone_push_tokens import MOST_A_DAY
from messenger_api.storage.models import PushToken
from tests.product import Phone, Product

ANN, BOB, NEW = "919876543210", "919876543211", "919876543212"
DAY = 24 * 3600
# What an iPhone has: both are hexadecimal, and `setnotify` names neither.
APNS, PUSHKIT = "a1" * 32, "b2" * 32


@pytest.fixture
def ann(product: Product) -> Phone:
    """A phone whose app can be woken."""
    phone = product.log_in(ANN, device="phone")
    phone.ok("setnotify", notifytoken="first", dt=1, prod=1, fcm=1)
    return phone


def live(product: Product) -> list[str]:
    return [token for (token,) in product.rows("SELECT token FROM push_tokens ORDER BY token")]


def gone(product: Product, columns: str) -> list[tuple[object, ...]]:
    """What is noted, and what still stands with live tokens as well."""
    while product.services.database.write(gone_push_tokens.gather):
        pass
    return [tuple(row) for row in product.rows(f"SELECT {columns} FROM gone_push_tokens ORDER BY id")]


def reasons(product: Product) -> list[object]:
    return [why for (why,) in gone(product, "why")]


# One token a session


def test_the_last_token_of_a_session_is_the_one_whichever_of_apples_it_is(product: Product) -> None:
    """The requests do not say which is for calls: `dt`, `prod` and `fcm` are the same for both."""
    phone = product.log_in(ANN)
    for token, other in ((APNS, PUSHKIT), (PUSHKIT, APNS), (APNS, PUSHKIT)):
        phone.ok("setnotify", notifytoken=token, dt=2, prod=1, fcm=0)
        assert live(product) == [token]
        assert other not in live(product)
    assert gone(product, "device_type, production, fcm") == [(2, 1, 0), (2, 1, 0)]


def test_two_sessions_of_a_person_have_a_token_each(product: Product) -> None:
    for device, token in (("phone", APNS), ("tablet", PUSHKIT)):
        product.log_in(ANN, device=device).ok("setnotify", notifytoken=token, dt=2, prod=1)
        product.clock.advance(60)
    assert live(product) == [APNS, PUSHKIT]
    assert reasons(product) == []


def test_a_token_that_is_handed_over_again_is_noted_once_a_day(product: Product, ann: Phone) -> None:
    [[first]] = product.rows("SELECT changed_at FROM push_tokens")
    product.clock.advance(DAY // 2)
    ann.ok("setnotify", notifytoken="first", dt=1, prod=1, fcm=1)
    assert product.rows("SELECT changed_at FROM push_tokens") == [(first,)]
    product.clock.advance(DAY)
    ann.ok("setnotify", notifytoken="first", dt=1, prod=1, fcm=1)
    [[second]] = product.rows("SELECT changed_at FROM push_tokens")
    assert second >= first + DAY
    ann.ok("setnotify", notifytoken="first", dt=1, prod=0, fcm=1)
    assert product.rows("SELECT production FROM push_tokens") == [(0,)]
    assert reasons(product) == []


# Why one went


def replaced(_product: Product, ann: Phone) -> None:
    ann.ok("setnotify", notifytoken="second", dt=1, fcm=1)


def removed(_product: Product, ann: Phone) -> None:
    ann.ok("setnotify")


def moved(product: Product, ann: Phone) -> None:
    product.clock.advance(60)
    product.log_in(ANN, device="tablet").ok("setnotify", notifytoken="first")


def other_account(product: Product, _ann: Phone) -> None:
    product.log_in(BOB).ok("setnotify", notifytoken="first")


def logged_out(_product: Product, ann: Phone) -> None:
    ann.ok("logout")


def superseded(product: Product, _ann: Phone) -> None:
    product.clock.advance(60)
    product.log_in(ANN, device="phone")


def revoked(product: Product, _ann: Phone) -> None:
    product.clock.advance(60)
    product.log_in(ANN, device="tablet").ok("revoke", others=1)


def idle(product: Product, _ann: Phone) -> None:
    product.clock.advance(200 * DAY)
    assert product.services.sessions.expire() == 1


def blocked(product: Product, _ann: Phone) -> None:
    [[uid]] = product.rows("SELECT uid FROM users")
    product.services.closing.keep_out(uid)


def number_changed(product: Product, _ann: Phone) -> None:
    product.clock.advance(60)
    tablet = product.log_in(ANN, device="tablet")
    tablet.ok("changenumber", phone=NEW)
    tablet.ok("changenumber", phone=NEW, otp=product.code(NEW))


def closed(_product: Product, ann: Phone) -> None:
    ann.ok("deleteaccount")


WAYS = [
    *(replaced, removed, moved, other_account, logged_out, superseded),
    *(revoked, idle, blocked, number_changed, closed),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_why_a_token_went_is_noted_with_it(
    product: Product, ann: Phone, way: Callable[[Product, Phone], None]
) -> None:
    [[uid]] = product.rows("SELECT uid FROM users")
    way(product, ann)
    [row] = gone(product, "why, uid, device_type, production, fcm, gone_at")
    assert row[:5] == (way.__name__, uid, 1, 1, 1)
    assert isinstance(row[5], int)
    assert abs(row[5] - product.services.database.now()) < 60


def test_a_call_without_a_session_notes_nothing(product: Product, ann: Phone) -> None:
    assert product.call("setnotify", token="0" * 48, notifytoken="first")["error"] == "AUTHFAIL"
    assert product.call("setnotify", token="0" * 48)["error"] == "AUTHFAIL"
    assert (live(product), reasons(product)) == (["first"], [])


def test_of_the_token_there_is_a_keyed_hash_the_same_wherever_it_was(product: Product, ann: Phone) -> None:
    bob = product.log_in(BOB)
    bob.ok("setnotify", notifytoken="first")
    ann.ok("setnotify", notifytoken="first")
    ann.ok("logout")
    rows = product.rows("SELECT * FROM gone_push_tokens")
    assert len(rows) == 3
    keys = {bytes(key) for (key,) in product.rows("SELECT token_key FROM gone_push_tokens")}
    assert len(keys) == 1
    told = repr([[bytes(v).hex() if isinstance(v, bytes) else v for v in row] for row in rows])
    assert "first" not in told
    assert hashlib.sha256(b"first").hexdigest()[:16] not in told, "whoever has the token finds it by no hash"


def test_it_goes_with_the_account(product: Product, ann: Phone) -> None:
    replaced(product, ann)
    bob = product.log_in(BOB)
    bob.ok("setnotify", notifytoken="bobs")
    bob.ok("setnotify")
    ann.ok("deleteaccount")
    assert product.deliver()
    assert reasons(product) == ["removed"]


def test_after_90_days_the_worker_forgets_it(product: Product, ann: Phone) -> None:
    replaced(product, ann)
    product.clock.advance(89 * DAY)
    ann.ok("setnotify", notifytoken="third")
    product.parts.worker.housekeeping.keep()
    assert reasons(product) == ["replaced", "replaced"]
    product.clock.advance(2 * DAY)
    product.parts.worker.housekeeping._clean()
    assert reasons(product) == ["replaced"]


def test_a_phone_that_hands_over_tokens_without_end_fills_no_table(product: Product, ann: Phone) -> None:
    for number in range(MOST_A_DAY + 10):
        ann.ok("setnotify", notifytoken=f"token {number}")
    assert reasons(product) == ["replaced"] * MOST_A_DAY
    assert live(product) == [f"token {MOST_A_DAY + 9}"]
    product.clock.advance(DAY + 60)
    ann.ok("setnotify", notifytoken="the next day")
    assert len(reasons(product)) == MOST_A_DAY + 1


def test_of_tokens_that_change_again_and_again_none_is_lost_when_the_session_ends(
    product: Product, ann: Phone
) -> None:
    started = product.services.database.now()
    for number, token in enumerate(("second", "third", "first")):
        product.clock.advance(60)
        ann.ok("setnotify", notifytoken=token, dt=2, prod=number % 2)
    ann.ok("logout")
    rows = product.rows("SELECT why, device_type, production, gone_at FROM gone_push_tokens ORDER BY id")
    assert [(why, kind, place, round((at - started) / 60)) for why, kind, place, at in rows] == [
        ("replaced", 1, 1, 1),
        ("replaced", 2, 0, 2),
        ("replaced", 2, 1, 3),
        ("logged_out", 2, 0, 3),
    ]
    keys = [key for (key,) in product.rows("SELECT token_key FROM gone_push_tokens ORDER BY id")]
    assert keys[0] == keys[3]
    assert len(set(keys)) == 3


def test_a_token_of_an_older_program_has_no_hash_when_it_is_replaced(product: Product, ann: Phone) -> None:
    without = update(PushToken).values(token_key=None)
    product.services.database.run(lambda tx: tx.execute(without))
    ann.ok("setnotify", notifytoken="second")
    assert gone(product, "token_key, why") == [(None, "replaced")]


def test_what_a_phone_replaced_is_noted_also_where_another_session_takes_its_token(
    product: Product, ann: Phone
) -> None:
    replaced(product, ann)
    bob = product.log_in(BOB)
    bob.ok("setnotify", notifytoken="bobs")
    bob.ok("setnotify", notifytoken="second")
    assert live(product) == ["second"]
    [[anns], [bobs]] = product.rows("SELECT uid FROM users ORDER BY uid")
    assert sorted(gone(product, "uid, why")) == [
        (anns, "other_account"),
        (anns, "replaced"),
        (bobs, "replaced"),
    ]


def test_a_person_is_told_the_same_before_a_worker_has_moved_it(product: Product, ann: Phone) -> None:
    """Across sessions, and whatever was moved before."""
    replaced(product, ann)
    assert reasons(product) == ["replaced"]
    for phone, token in ((ann, "third"), (product.log_in(ANN, device="tablet"), "x"), (ann, "fourth")):
        product.clock.advance(60)
        phone.ok("setnotify", notifytoken=token)
    [[uid]] = product.rows("SELECT uid FROM users")

    def told() -> list[gone_push_tokens.Gone]:
        return list(product.services.database.run(lambda tx: gone_push_tokens.of_user(tx, uid)))

    before = told()
    assert [one.gone_at for one in before] == sorted((one.gone_at for one in before), reverse=True)
    assert reasons(product) == ["replaced"] * 3
    assert told() == before


def test_the_worker_moves_it_within_the_hour(product: Product, ann: Phone) -> None:
    replaced(product, ann)
    product.parts.worker.housekeeping._clean()
    assert product.rows("SELECT why FROM gone_push_tokens") == [("replaced",)]
    assert product.rows("SELECT token, replaced FROM push_tokens") == [("second", "")]


def test_a_person_is_told_of_them(product: Product, ann: Phone) -> None:
    replaced(product, ann)
    [told] = ann.ok("exportaccount")["account"]["push_tokens"]
    assert list(told) == ["dt", "registered", "gone", "why"]
    assert (told["dt"], told["why"]) == (1, "replaced")
    assert "first" not in str(told)

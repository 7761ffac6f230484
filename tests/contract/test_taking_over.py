"""Numbers that pass from one account to another, and tokens that end while somebody logs in: nothing is
destroyed before everything that can refuse has agreed, and a live session has a live token at mesibo."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from messenger_api.domain.errors import AuthFail
from tests.contract.test_account_ops import (
    ANN,
    BOB,
    CEE,
    DAN,
    DAY,
    GROUP,
    NEW,
    OTHER_APP,
    MakeProduct,
    at_mesibo,
    change_number,
    is_dead,
    key_of,
    roster,
    settle,
)
from tests.product import APPID, Phone, Product

# Nothing is destroyed before everything that can refuse has agreed


def account_of(product: Product, number: str) -> list[Any]:
    """All that an account has: its row, sessions, groups, contacts and blocks, and mesibo's tokens."""
    uid = f"(SELECT uid FROM users WHERE address = '{number}')"
    tables = {
        "users": "uid",
        "sessions": "uid",
        "group_members": "uid",
        "contacts": "owner",
        "blocks": "owner",
    }
    rows = [product.rows(f"SELECT * FROM {table} WHERE {column} = {uid}") for table, column in tables.items()]
    return [*rows, product.rows(f"SELECT * FROM passwords WHERE address = '{number}'")]


def test_a_change_refused_by_the_limit_leaves_the_other_account_alone(product: Product) -> None:
    ann, bob, cee = (product.log_in(number, name=number) for number in (ANN, BOB, CEE))
    gid = cee.ok("setgroup", name=GROUP, m=BOB)["gid"]
    for number in (NEW, DAN):
        ann = Phone(product, number, change_number(ann, number)["token"], {})
        settle(product)
    before, tokens = account_of(product, CEE), product.sandbox.store.tokens(CEE)
    assert change_number(ann, CEE)["error"] == "TOOMANY"
    settle(product)
    assert account_of(product, CEE) == before
    assert product.sandbox.store.tokens(CEE) == tokens
    assert not is_dead(cee)
    assert roster(bob, gid) == f"1:{CEE},{BOB}"
    assert not is_dead(ann)


def test_a_change_whose_session_has_ended_leaves_both_accounts_alone(product: Product) -> None:
    ann, cee = product.log_in(ANN), product.log_in(CEE)
    caller = product.services.callers.find(ann.token)
    ann.ok("logout")
    settle(product)
    before = account_of(product, CEE)
    for number in (CEE, NEW):
        with pytest.raises(AuthFail):
            product.services.number_change.change(caller, number, key_of(number), "IN")
    settle(product)
    assert account_of(product, CEE) == before
    assert not is_dead(cee)
    assert product.rows(f"SELECT address FROM users WHERE address = '{ANN}'") == [(ANN,)]
    assert product.sandbox.store.user(NEW) is None


@pytest.mark.parametrize("fault", [{"error": "BADVALUE"}, {"drop": True}])
def test_a_change_that_mesibo_refuses_leaves_the_other_account_alone(
    product: Product, fault: dict[str, Any]
) -> None:
    ann, cee = product.log_in(ANN), product.log_in(CEE)
    before = account_of(product, CEE)
    ann.ok("changenumber", phone=CEE)
    product.sandbox.faults.add("useradd", **fault)
    answer = ann.call("changenumber", phone=CEE, otp=product.code(CEE))
    product.sandbox.faults.clear()
    assert answer["error"] in ("BADUSER", "TRYLATER")
    settle(product)
    assert account_of(product, CEE) == before
    assert not is_dead(cee)
    assert not is_dead(ann)
    again = ann.call("changenumber", phone=CEE, otp=product.code(CEE))
    assert (again["result"], again["phone"]) == ("OK", CEE), "a refused change counts nowhere"


def test_an_idle_account_is_not_ended_by_a_change_that_is_refused(product: Product) -> None:
    product.log_in(CEE)
    product.clock.advance(46 * DAY)
    ann = product.log_in(ANN)
    before = account_of(product, CEE)
    ann.ok("changenumber", phone=CEE)
    product.sandbox.faults.add("useradd", error="BADVALUE")
    assert ann.call("changenumber", phone=CEE, otp=product.code(CEE))["error"] == "BADUSER"
    product.sandbox.faults.clear()
    assert account_of(product, CEE) == before


def test_the_tokens_of_whoever_had_the_number_die_and_the_new_one_lives(product: Product) -> None:
    ann, cee = product.log_in(ANN, device="a"), product.log_in(CEE)
    ann.ok("setnotify", notifytoken="anns-push-token")
    product.clock.advance(400)
    tablet = product.log_in(CEE, appid=OTHER_APP, device="tablet")
    own = cee.ok("setgroup", name=GROUP, m=ANN)["gid"]
    settle(product)
    token = change_number(ann, CEE)["token"]
    assert {cee.token, tablet.token}.isdisjoint(t.token for t in product.sandbox.store.tokens(CEE))
    assert token in [t.token for t in product.sandbox.store.tokens(CEE)]
    settle(product)
    assert [t.token for t in product.sandbox.store.tokens(CEE) if t.appid == APPID][:1] == [token]
    assert (is_dead(cee), is_dead(tablet)) == (True, True)
    moved = Phone(product, CEE, token, {})
    assert roster(moved, own) == f"1:{CEE}", "the oldest member takes a group over"
    assert at_mesibo(product, own) == {CEE}
    [session] = moved.ok("sessions")["sessions"]
    assert (session["push"], session["current"]) == (1, 1)
    assert product.rows("SELECT address FROM users") == [(CEE,)]


# A live session has a live token


def lives(product: Product, phone: Phone) -> bool:
    return phone.token in [token.token for token in product.sandbox.store.tokens(phone.number)]


def log_in_patiently(product: Product, number: str, *, clock_runs: int = 60) -> Phone:
    """Log in as an app does that is told to try later.

    What mesibo does late takes real time: the product's clock runs so many times as fast meanwhile.
    """
    product.ok("login", phone=number, appid=APPID)
    for _ in range(60):
        answer = product.call("login", phone=number, appid=APPID, otp=product.code(number))
        if answer["result"] == "OK":
            return Phone(product, number, answer["token"], answer)
        assert answer["error"] == "TRYLATER"
        product.clock.advance(answer["retry_after"])
        time.sleep(answer["retry_after"] / clock_runs)
        product.deliver()
    raise AssertionError("nobody logs in")


def test_a_login_while_mesibo_is_slow_to_delete_the_token_of_a_log_out(product: Product) -> None:
    ann = product.log_in(ANN)
    settle(product)
    # Now, not beside the call: its task's lease is a minute of this clock, more than a call lasts.
    product.clock.advance(400)
    product.sandbox.faults.add("usertoken", delay=1.5, times=1)
    ann.ok("logout")
    with ThreadPoolExecutor(1) as worker:
        done = worker.submit(product.deliver)
        again = log_in_patiently(product, ANN, clock_runs=10)
        done.result()
    settle(product)
    assert lives(product, again)
    assert not is_dead(again)


@pytest.mark.server
@pytest.mark.parametrize("end", ["logout", "deleteaccount"])
def test_a_login_after_a_deletion_that_mesibo_did_not_answer_in_time(
    make_product: MakeProduct, end: str
) -> None:
    product = make_product(mesibo_timeout=0.4)
    ann = product.log_in(ANN)
    settle(product)
    product.sandbox.faults.add("usertoken" if end == "logout" else "userdel", delay=1.2, times=1)
    ann.ok(end)
    product.deliver()
    product.clock.advance(400)
    again = log_in_patiently(product, ANN)
    time.sleep(1.2)
    settle(product)
    assert lives(product, again)
    assert not is_dead(again)

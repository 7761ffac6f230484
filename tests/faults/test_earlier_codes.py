"""The last three codes of a number: texts overtake each other, and whichever is typed in is good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messenger_api.domain.errors import TryLater
from tests.product import APPID, Answer, Product

ANA, NEW = "14155550101", "4915112345678"
GAPS = (30, 60, 120)

Make = Callable[..., Product]


def ask(product: Product, number: str = ANA) -> str:
    """Ask for a code; returns it."""
    product.ok("login", phone=number, appid=APPID)
    return product.code(number)


def enter(product: Product, code: str, number: str = ANA, **fields: object) -> Answer:
    return product.call("login", phone=number, appid=APPID, otp=code, **fields)


def several(product: Product, count: int = 3) -> list[str]:
    """So many codes, oldest first, each as early as it may be asked for."""
    made = [ask(product)]
    for gap in GAPS[: count - 1]:
        product.clock.advance(gap)
        made.append(ask(product))
    return made


def a_wrong_one(codes: list[str]) -> str:
    return next(code for code in ("111111", "222222", "333333", "444444") if code not in codes)


def kill(product: Product, codes: list[str]) -> None:
    for pause in (0, 0, 0, 10, 30):
        product.clock.advance(pause)
        assert enter(product, a_wrong_one(codes))["error"] == "BADCODE"


@pytest.mark.parametrize("which", [0, 1, 2])
def test_each_of_the_last_three_opens_and_ends_the_others(product: Product, which: int) -> None:
    codes = several(product)
    entered = enter(product, codes[which])
    assert entered["result"] == "OK"
    assert {**enter(product, codes[which]), "ts": 0} == {**entered, "ts": 0}, "a lost answer is given again"
    for other in codes:
        assert enter(product, other, device="another")["error"] == "BADCODE"
    for code in codes[:which] + codes[which + 1 :]:
        assert enter(product, code)["error"] == "BADCODE"
    assert product.rows("SELECT count(*) FROM sessions") == [(1,)]


def test_the_fourth_is_one_too_many(product: Product) -> None:
    codes = several(product, 4)
    assert enter(product, codes[0])["error"] == "BADCODE"
    assert enter(product, codes[1])["result"] == "OK"


def test_each_runs_out_by_itself(product: Product) -> None:
    first, second = several(product, 2)
    product.clock.advance(271)
    assert enter(product, first)["error"] == "BADCODE"
    assert enter(product, second)["result"] == "OK"


def test_an_answer_that_was_lost_is_given_again_although_the_code_has_run_out(product: Product) -> None:
    first, _second = several(product, 2)
    product.clock.advance(265)
    token = enter(product, first)["token"]
    product.clock.advance(30)
    assert enter(product, first)["token"] == token


def test_wrong_tries_count_against_all_and_a_new_code_counts_anew(product: Product) -> None:
    codes = several(product)
    kill(product, codes)
    assert {enter(product, code)["error"] for code in codes} == {"TOOMANY"}
    product.clock.advance(120)
    codes.append(ask(product))
    assert product.rows("SELECT attempts FROM one_time_codes") == [(0,)]
    assert enter(product, a_wrong_one(codes))["error"] == "BADCODE"
    assert enter(product, codes[2])["result"] == "OK", "it shares what the new one may be guessed"


def test_a_code_that_could_not_be_sent_leaves_the_earlier_ones_as_they_were(product: Product) -> None:
    codes = several(product, 2)
    enter(product, a_wrong_one(codes))
    before = product.rows("SELECT * FROM one_time_codes")
    product.clock.advance(60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(product.services.text_delivery, "_hand_over", _fails)
        assert product.call("login", phone=ANA, appid=APPID)["error"] == "TRYLATER"
    assert product.rows("SELECT * FROM one_time_codes") == before
    codes.append(ask(product))
    assert enter(product, codes[0])["result"] == "OK"


def _fails(*_: Any) -> Any:
    raise TryLater


def test_a_code_that_could_not_be_sent_gives_no_new_guesses(product: Product) -> None:
    codes = several(product)
    kill(product, codes)
    product.clock.advance(120)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(product.services.text_delivery, "_hand_over", _fails)
        for _ in range(3):
            assert product.call("login", phone=ANA, appid=APPID)["error"] == "TRYLATER"
            assert enter(product, codes[2])["error"] == "TOOMANY"


def test_a_login_that_could_not_be_finished_ends_none(product: Product) -> None:
    codes = several(product)
    product.sandbox.faults.add("*", drop=True)
    assert enter(product, codes[1])["error"] == "TRYLATER"
    product.sandbox.faults.clear()
    assert enter(product, codes[0])["result"] == "OK"


def test_a_row_that_an_older_program_wrote_since_names_no_earlier_codes(product: Product) -> None:
    """It replaces the code and does not know the column."""
    codes = several(product)
    hashed = product.services.text_delivery._keys.code_hash(
        bytes(product.rows("SELECT contact_key FROM one_time_codes")[0][0]), "987654"
    )
    with product.services.database.engine.connect() as connection:
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        connection.exec_driver_sql(f"UPDATE one_time_codes SET code_hash = {mark}, attempts = 0", (hashed,))
    assert {enter(product, code)["error"] for code in codes} == {"BADCODE"}
    product.clock.advance(40)
    assert enter(product, "987654")["result"] == "OK"


def test_an_account_moves_by_an_earlier_code_too(product: Product) -> None:
    phone = product.log_in(ANA)
    phone.ok("changenumber", phone=NEW)
    first = product.code(NEW)
    product.clock.advance(30)
    phone.ok("changenumber", phone=NEW)
    assert phone.ok("changenumber", phone=NEW, otp=first)["phone"] == NEW


def test_a_text_is_sent_again_while_its_code_is_among_them(product: Product) -> None:
    codes = several(product, 4)
    key = bytes(product.rows("SELECT contact_key FROM one_time_codes")[0][0])
    keys, made = product.services.text_delivery._keys, product.services.text_delivery._codes

    def live() -> list[bool]:
        hashes = [keys.code_hash(key, code) for code in codes]
        return [
            product.services.database.write(lambda tx, now, h=h: made.is_live(tx, now, key, h))  # type: ignore[misc]
            for h in hashes
        ]

    assert live() == [False, True, True, True]
    enter(product, codes[2])
    assert live() == [False, False, False, False]


def test_a_new_code_that_happens_to_be_the_last_one_again_is_a_new_one(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messenger_api.domain.secrets.new_code", lambda _length: "123456")
    several(product, 2)
    assert len(product.sandbox.store.texts()) == 2
    product.clock.advance(290)
    assert enter(product, "123456")["result"] == "OK"


def test_three_phones_that_enter_the_three_codes_at_once_open_one_session(product: Product) -> None:
    codes = several(product)
    form = {"op": "login", "phone": ANA, "appid": APPID}
    found = product.at_once([{**form, "otp": code, "device": f"phone {n}"} for n, code in enumerate(codes)])
    answers = Counter(answer.get("error", "OK") for answer in found)
    assert answers == {"OK": 1, "BADCODE": 2}
    assert product.rows("SELECT count(*) FROM sessions") == [(1,)]


@pytest.fixture(scope="module")
def unlimited(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("unlimited")
    product = Product(f"sqlite:///{folder / 'm.sqlite3'}", folder, limits="off")
    yield product
    product.close()


STEPS = st.lists(
    st.sampled_from(["ask", "ask", "a minute", "enter 0", "enter 1", "enter 2", "enter 3", "wrong"])
)


@given(steps=STEPS)
@settings(deadline=None, max_examples=30)
def test_whatever_happens_as_many_are_good_as_the_rule_says(unlimited: Product, steps: list[str]) -> None:
    """A number of its own for every example, and the rule beside it in five lines."""
    number = f"1415555{unlimited.rows('SELECT count(*) FROM one_time_codes')[0][0]:04d}"
    # Newest first, with their seconds of expiry.
    made, used, wrong = [(ask(unlimited, number), unlimited.clock() + 300)], False, 0
    for step in steps:
        now = unlimited.clock()
        if step == "ask":
            before = [] if used else [(code, until) for code, until in made if until > now + 1]
            made, used, wrong = [(ask(unlimited, number), now + 300), *before[:2]], False, 0
        elif step == "a minute":
            unlimited.clock.advance(60.0)
        elif step == "wrong" and not used and wrong < 3:
            enter(unlimited, a_wrong_one([code for code, _until in made]), number, device="a stranger's")
            wrong += any(until > now for _code, until in made)
        elif step.startswith("enter") and not used:
            place = int(step[-1])
            code, until = made[place] if place < len(made) else ("999999", 0.0)
            if wrong >= 3 or code == "999999":
                continue
            answer = enter(unlimited, code, number, device=f"{len(made)} {now}")
            used = until > now
            assert (answer["result"] == "OK") == used, (steps, step)

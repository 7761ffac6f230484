"""Two taps on "verify": both get the one answer, the second by waiting for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from messenger_api.gateways.login import CodeMethod
from messenger_api.settings import Settings
from tests.product import APPID, Answer, Product
from tests.stopwatch import Stopwatch

ANA, NEW = "14155550101", "4915112345678"

Make = Callable[..., Product]


class Mails(CodeMethod):
    """Delivers to a variable."""

    code = ""

    def __init__(self, settings: Settings) -> None:
        pass

    def _deliver(self, address: str, code: str, language: str) -> None:
        Mails.code = code


def tap(product: Product, times: int, **fields: object) -> list[Answer]:
    """So many taps at one moment."""
    return product.at_once([fields] * times)


def the_one(answers: list[Answer]) -> Answer:
    assert {answer["result"] for answer in answers} == {"OK"}, answers
    assert len({answer["token"] for answer in answers}) == 1
    return answers[0]


@pytest.mark.parametrize("seconds", [0, 1.5])
def test_both_get_the_one_answer_however_long_mesibo_takes(product: Product, seconds: float) -> None:
    product.ok("login", phone=ANA, appid=APPID)
    code = product.code(ANA)
    product.sandbox.faults.add("useradd", delay=seconds)
    answer = the_one(tap(product, 4, op="login", phone=ANA, appid=APPID, otp=code))
    assert product.rows("SELECT count(*) FROM sessions") == [(1,)]
    assert product.call("profile", token=answer["token"])["result"] == "OK"


def test_when_the_first_fails_the_second_logs_in_by_itself(product: Product) -> None:
    product.ok("login", phone=ANA, appid=APPID)
    code = product.code(ANA)
    product.sandbox.faults.add("useradd", delay=0.5, html=True, times=1)
    answers = tap(product, 2, op="login", phone=ANA, appid=APPID, otp=code)
    assert sorted(answer.get("error", "OK") for answer in answers) == ["OK", "TRYLATER"]
    assert product.rows("SELECT count(*) FROM sessions") == [(1,)]


def test_who_waits_is_told_to_try_later_when_it_takes_too_long(make_product: Make) -> None:
    product = make_product(mesibo_timeout=0.5)
    product.ok("login", phone=ANA, appid=APPID)
    code = product.code(ANA)
    key = product.rows("SELECT code_hash FROM one_time_codes")
    answer = product.ok("login", phone=ANA, appid=APPID, otp=code)
    with product.services.database.engine.connect() as connection:  # as if it were still being made
        connection.exec_driver_sql("UPDATE one_time_codes SET reply = NULL, used_at = used_at + 30")
    watch = Stopwatch()
    again = product.call("login", phone=ANA, appid=APPID, otp=code)
    assert (again["error"], again["retry_after"] > 0) == ("TRYLATER", True)
    assert watch.seconds >= 2
    assert watch.quiet_seconds < 6
    assert key == product.rows("SELECT code_hash FROM one_time_codes")
    assert product.call("profile", token=answer["token"])["result"] == "OK"


def test_both_taps_move_the_account_once(product: Product) -> None:
    phone = product.log_in(ANA, name="Ana")
    phone.ok("changenumber", phone=NEW)
    product.sandbox.faults.add("useradd", delay=0.7)
    fields = {"op": "changenumber", "token": phone.token, "phone": NEW, "otp": product.code(NEW)}
    answer = the_one(tap(product, 2, **fields))
    assert (answer["phone"], answer["cc"], answer["name"]) == (NEW, "49", "Ana")
    assert product.call("profile", token=answer["token"])["phone"] == NEW
    assert product.rows("SELECT count(*) FROM users") == [(1,)]


def test_by_mail_too(make_product: Make) -> None:
    product = make_product(login_method="tests.faults.test_two_taps.Mails")
    product.ok("login", phone="ana", appid=APPID)
    product.sandbox.faults.add("useradd", delay=0.5)
    the_one(tap(product, 2, op="login", phone="ana", appid=APPID, otp=Mails.code))

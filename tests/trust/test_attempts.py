"""Secrets that others judge: however many are tried at once, as many are judged as may be wrong."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import msgspec
import pytest

from messenger_api.gateways.login import Denied, LoginMethod, Person, Unavailable
from messenger_api.settings import Settings
from tests.product import APPID, Answer, Product, at_once

OWNER, RIGHT, AWAY = "ana", "correct horse battery", "nobody answers"
HOME = "198.51.100.7"

Make = Callable[..., Product]


class Judges(LoginMethod):
    """Judges as slowly as the test wants, and counts."""

    name = "judges"
    judged: ClassVar[list[str]] = []
    seconds: ClassVar[float] = 0.0
    held: ClassVar[threading.Event] = threading.Event()
    called: ClassVar[str] = ""

    def __init__(self, settings: Settings) -> None:
        pass

    def _authenticate(self, address: str, secret: str) -> Person:
        self.judged.append(secret)
        time.sleep(self.seconds)
        if secret == AWAY:
            raise Unavailable("nobody answers")
        if secret != RIGHT:
            self.held.wait(20)
            raise Denied("wrong")
        return Person(address, self.called)

    @classmethod
    def reset(cls) -> None:
        cls.judged.clear()
        cls.seconds = 0.0
        cls.held.set()


@pytest.fixture
def guarded(make_product: Make) -> Iterator[Product]:
    """A product whose secrets `Judges` judges."""
    Judges.reset()
    yield make_product(
        login_method="tests.trust.test_attempts.Judges",
        limit_modes={"login_tries_per_ip": "off"},
        login_timeout=20,
    )
    Judges.reset()


def enter(product: Product, secret: str, network: str = HOME, **fields: str) -> Answer:
    form = {"op": "login", "phone": OWNER, "appid": APPID, "otp": secret, **fields}
    answer = product.app.test_client().post("/api.php", data=form, environ_base={"REMOTE_ADDR": network})
    found: Answer = msgspec.json.decode(answer.data)
    return found


def errors(answers: list[Answer]) -> Counter[str]:
    return Counter(answer.get("error", "OK") for answer in answers)


def test_of_60_guesses_at_once_five_are_judged(guarded: Product) -> None:
    Judges.seconds = 0.05
    answers = errors(at_once(60, lambda n: enter(guarded, f"guess {n}")))
    assert (len(Judges.judged), answers["BADCODE"]) == (5, 5)
    assert set(answers) <= {"BADCODE", "TOOMANY", "TRYLATER"}
    assert enter(guarded, RIGHT)["error"] == "TOOMANY"
    assert enter(guarded, RIGHT, "203.0.113.9")["result"] == "OK", "somewhere else nobody has guessed"


def test_of_guesses_from_six_networks_at_once_25_are_judged(guarded: Product) -> None:
    """And of each network that has not guessed, two: one of them may be the owner's, who mistypes once."""
    at_once(150, lambda n: enter(guarded, f"guess {n}", f"203.0.113.{n % 6}"))
    for network in range(6):
        for n in range(10):
            enter(guarded, f"guess {n}", f"203.0.113.{network}")
    assert 25 <= len(Judges.judged) <= 27
    before = len(Judges.judged)
    late = [enter(guarded, "late", "203.0.113.77") for _ in range(10)]
    assert errors(late) == {"BADCODE": 2, "TOOMANY": 8}
    assert len(Judges.judged) == before + 2
    assert enter(guarded, RIGHT)["result"] == "OK"


def test_the_owner_gets_in_while_strangers_are_being_judged(guarded: Product) -> None:
    Judges.held.clear()
    strangers = ThreadPoolExecutor(15)
    for n in range(15):
        strangers.submit(enter, guarded, "wrong", f"203.0.113.{n % 3}")
    while len(Judges.judged) < 15:
        time.sleep(0.01)
    assert enter(guarded, RIGHT)["result"] == "OK"
    Judges.held.set()
    strangers.shutdown()


def test_devices_that_log_in_at_once_with_the_right_secret_all_get_in(guarded: Product) -> None:
    enter(guarded, RIGHT)  # of first logins at one moment all but one are told to try later
    Judges.seconds = 0.1
    answers = at_once(16, lambda n: enter(guarded, RIGHT, device=f"device {n}"))
    assert errors(answers) == {"OK": 16}
    assert errors([enter(guarded, "wrong") for _ in range(6)]) == {"BADCODE": 5, "TOOMANY": 1}, (
        "the right ones are not counted"
    )


def test_what_nobody_judged_is_not_counted(guarded: Product) -> None:
    assert errors([enter(guarded, AWAY) for _ in range(30)]) == {"TRYLATER": 30}
    assert errors([enter(guarded, "wrong") for _ in range(6)]) == {"BADCODE": 5, "TOOMANY": 1}


def test_a_try_of_a_process_that_died_is_forgotten(guarded: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Judges, "_authenticate", killed)
        patch.setattr("messenger_api.services.login.attempts.Attempts._end", killed)
        with pytest.raises(Killed):
            enter(guarded, RIGHT)
    guarded.clock.advance(62)
    assert errors([enter(guarded, "wrong") for _ in range(6)]) == {"BADCODE": 5, "TOOMANY": 1}


@pytest.mark.parametrize("name", ["Ana\0", "\x1b[2J", "Ana \ud800", "A" * 300, "\u202e", "é" * 200])
def test_whatever_name_a_directory_has_its_owner_gets_in(
    guarded: Product, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(Judges, "called", name)
    answer = enter(guarded, RIGHT)
    assert answer["result"] == "OK"
    assert len(answer["name"]) <= 128

"""Guessing and logging in at once, against four processes on one database: codes, and passwords."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests
from sqlalchemy import NullPool, create_engine, text

from messenger_api.app import build_app, parts_of
from messenger_api.configuration import build
from messenger_api.services.login.passwords import PasswordMethod
from tests.product import APPID, at_once
from tests.servers import ProductServer

pytestmark = pytest.mark.server

ANA = "14155550101"
PROCESSES, GUESSERS, OWNERS = 4, 200, 50
KEY = "the same key for all four processes"
NAME, PASSWORD, DEVICES = "ana", "correct horse battery", 8


@pytest.fixture
def servers(database_uri: str, tmp_path: Path) -> Iterator[list[str]]:
    """The addresses of four servers on one database."""
    with started(database_uri, tmp_path) as urls:
        yield urls


@contextmanager
def started(database_uri: str, tmp_path: Path, **keys: str) -> Iterator[list[str]]:
    folder = str(tmp_path)
    first = build_app(build(sqlalchemy_database_uri=database_uri, secret_key=KEY, instance_path=folder))
    parts = parts_of(first)
    parts.schema.upgrade()
    PasswordMethod(parts.services.settings, parts.services.database).set(NAME, PASSWORD)
    parts.close()
    environment = {
        "MESSENGER_SQLALCHEMY_DATABASE_URI": database_uri,
        "MESSENGER_SECRET_KEY": KEY,
        "MESSENGER_LIMIT_MODES": '{"login_tries_per_ip": "off"}',
        "MESSENGER_OUTBOX_IN_SERVER": "false",
        "MESSENGER_LOG_LEVEL": "error",
        **keys,
    }
    with ExitStack() as stack:
        yield [stack.enter_context(ProductServer(tmp_path, environment)).url for _ in range(PROCESSES)]


def call(url: str, **fields: str) -> dict[str, object]:
    form = {"op": "login", "phone": ANA, "appid": APPID, **fields}
    answer: dict[str, object] = requests.post(f"{url}/api.php", data=form, timeout=60).json()
    return answer


def the_code(url: str) -> str:
    texts = requests.get(f"{url}/sandbox/sms.json", timeout=10).json()["sms"]
    return str(texts[0]["text"][:6])


def rows(uri: str, statement: str) -> list[tuple[object, ...]]:
    engine = create_engine(uri, poolclass=NullPool)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def test_of_200_threads_that_guess_one_code_exactly_five_guesses_are_evaluated(
    servers: list[str], database_uri: str
) -> None:
    assert call(servers[0])["result"] == "OK"
    code = the_code(servers[0])
    evaluated: Counter[str] = Counter()
    lock, until = threading.Lock(), time.monotonic() + 100

    def guess(n: int) -> None:
        """Wrong codes as fast as they are looked at, until the code is dead."""
        while time.monotonic() < until:
            wrong = f"{(int(code) + 1 + n) % 1_000_000:06d}"
            answer = call(servers[n % PROCESSES], otp=wrong)
            with lock:
                evaluated[str(answer["error"])] += 1
            if answer["error"] == "TOOMANY":
                if "new" in str(answer["errmsg"]):  # ask for a new one: this one is dead
                    return
                time.sleep(0.5 + int(str(answer["retry_after"])))

    at_once(GUESSERS, guess)
    assert evaluated["BADCODE"] == 5, evaluated
    assert set(evaluated) == {"BADCODE", "TOOMANY"}, evaluated
    assert rows(database_uri, "SELECT attempts FROM one_time_codes") == [(5,)]
    assert call(servers[1], otp=code)["error"] == "TOOMANY", "the right one comes too late"
    assert rows(database_uri, "SELECT count(*) FROM sessions") == [(0,)]


def test_50_threads_with_the_right_code_make_exactly_one_session(
    servers: list[str], database_uri: str
) -> None:
    assert call(servers[0])["result"] == "OK"
    code = the_code(servers[0])
    answers: list[dict[str, object]] = []
    at_once(OWNERS, lambda n: answers.append(call(servers[n % PROCESSES], otp=code)))
    assert Counter(answer.get("error", "OK") for answer in answers).keys() <= {"OK", "TRYLATER"}
    assert len({answer["token"] for answer in answers if answer["result"] == "OK"}) == 1
    assert rows(database_uri, "SELECT count(*) FROM sessions") == [(1,)]
    assert rows(database_uri, "SELECT count(*) FROM users") == [(1,)]


def test_of_200_threads_that_guess_one_password_exactly_five_guesses_are_judged(
    database_uri: str, tmp_path: Path
) -> None:
    """And devices of its owner, who all know it, get in at once before that."""
    with started(database_uri, tmp_path, MESSENGER_LOGIN_METHOD="password") as servers:
        answers: list[dict[str, object]] = []

        def enter(n: int) -> None:
            url = servers[n % PROCESSES]
            answers.append(call(url, phone=NAME, otp=PASSWORD, device=f"device {n}"))

        def guess(n: int) -> None:
            answers.append(call(servers[n % PROCESSES], phone=NAME, otp=f"a wrong guess {n}"))

        enter(DEVICES)  # who makes an account at the same moment as another is asked to come again
        at_once(DEVICES, enter)
        assert Counter(answer.get("error", "OK") for answer in answers) == {"OK": DEVICES + 1}, answers
        answers.clear()
        at_once(GUESSERS, guess)
        evaluated = Counter(str(answer["error"]) for answer in answers)
        assert evaluated["BADCODE"] == 5, evaluated
        assert set(evaluated) <= {"BADCODE", "TOOMANY", "TRYLATER"}, evaluated
        assert call(servers[0], phone=NAME, otp=PASSWORD)["error"] == "TOOMANY"

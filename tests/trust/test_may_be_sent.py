"""A text that may have been sent is paid for and counted, and its code is good: counted where it arrives."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.matrix import some
from tests.product import APPID, Product
from tests.trust.bad_provider import (
    BEHAVIOURS,
    CALL_PRICE,
    PRICE,
    BadProvider,
    Behave,
    bad_provider,
    refusing,
)

NUMBER, OFTEN = "919876543210", "919812345678"
RANGE = [f"91970000{n:04d}" for n in range(8)]
OTHERS = [f"9197{n}1234567"[:12] for n in range(10, 30)]
PER_NUMBER, PER_RANGE, BUDGET = 2, 3, 0.60
LIMITS: dict[str, object] = {
    "limit_modes": {"resend_gap": "off"},
    "sms_per_number_hour": PER_NUMBER,
    "sms_per_prefix_hour": PER_RANGE,
    "sms_budget_day": BUDGET,
    "log_level": "error",
}
# Each alone, and with a second one behind it that is as bad.
ALONE = ["twilio", "twilio_voice", "twilio_verify", "vonage", "http", "own"]
PAIRS = [
    ("twilio", "vonage"), ("twilio_voice", "twilio_verify"), ("twilio_verify", "http"), ("vonage", "http"),
    ("http", "twilio"), ("own", "vonage"),
]  # fmt: skip
CASES = [(names, behave) for names in [*((name,) for name in ALONE), *PAIRS] for behave in BEHAVIOURS]


class Asking:
    """People who ask for codes, each from a network of his own."""

    def __init__(self, product: Product, channel: str) -> None:
        self.product = product
        self.channel = channel
        self.addresses = (f"198.51.{n // 250}.{n % 250 + 1}" for n in itertools.count())

    def ask(self, number: str, **more: str) -> Any:
        form = {"op": "login", "phone": number, "appid": APPID, "channel": self.channel, **more}
        http = self.product.app.test_client()
        return http.post("/api.php", data=form, environ_base={"REMOTE_ADDR": next(self.addresses)}).get_json()

    def crowd(self, numbers: list[str]) -> list[Any]:
        with ThreadPoolExecutor(6) as pool:
            return list(pool.map(self.ask, numbers))


def asking(folder: Path, bad: BadProvider, names: tuple[str, ...], **settings: object) -> Iterator[Asking]:
    product = Product(
        f"sqlite:///{folder / 'm.sqlite3'}", folder, **{**bad.settings(*names), **LIMITS, **settings}
    )
    try:
        yield Asking(product, "voice" if names[0] == "twilio_voice" else "sms")
    finally:
        product.close()


def booked(product: Product) -> float:
    """The money of the day."""
    rows = product.rows("SELECT slots FROM limit_counters WHERE name LIKE 'sms_budget_day:%%'")
    return sum(float(slots) for (slots,) in rows) / 1_000_000


@pytest.mark.long
@pytest.mark.parametrize(
    ("names", "behave"),
    some(CASES, 12),
    ids=lambda case: "+".join(case) if isinstance(case, tuple) else case.__name__,
)
def test_what_is_received_never_exceeds_a_cap_and_its_code_is_good(
    tmp_path: Path, names: tuple[str, ...], behave: Behave
) -> None:
    with bad_provider(behave) as bad:
        for people in asking(tmp_path, bad, names):
            proven = behave is refusing and "own" not in names
            check_one(people, bad, proven)
            people.crowd([OFTEN] * 8 + RANGE + OTHERS)
            check_all(people.product, bad, proven)


def check_one(people: Asking, bad: BadProvider, proven: bool) -> None:
    """One person, who types in what came."""
    answer = people.ask(NUMBER)
    if proven:
        assert (answer["error"], answer["retry_after"]) == ("TRYLATER", 30)
        assert people.product.rows("SELECT * FROM one_time_codes") == []
        return
    assert answer["result"] == "OK"
    for _provider, to, code in bad.texts:
        assert to == NUMBER
        entered = people.ask(NUMBER, otp=code, device=code)
        assert entered["result"] == "OK" or used(people.product), entered
    assert used(people.product) == bool(bad.texts)


def used(product: Product) -> bool:
    return product.rows("SELECT count(*) FROM one_time_codes WHERE used_at > 0") == [(1,)]


def check_all(product: Product, bad: BadProvider, proven: bool) -> None:
    spent = booked(product)
    [(cost,)] = product.rows("SELECT coalesce(sum(cost), 0) FROM sent_texts")
    assert bad.most_of_one(lambda to: to == OFTEN) <= PER_NUMBER
    assert bad.most_of_one(lambda to: to in RANGE) <= PER_RANGE
    assert bad.price <= spent + 1e-6
    assert spent <= BUDGET + 1e-6
    assert abs(cost / 1_000_000 - spent) < 1e-6
    if proven:
        assert (spent, bad.texts) == (0, [])
    else:
        # All of it was spent, but for what another text does not fit into.
        assert spent > BUDGET - max(PRICE, CALL_PRICE) - 1e-6

"""Every attempt that may have sent something is paid, before it is made, at the price of its channel."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from messenger_api.domain.errors import TryLater
from messenger_api.gateways.sms import Receipt, State
from tests.gateways.gateway_standin import Gateway, dropping
from tests.gateways.twilio_standin import CREATED
from tests.product import Product
from tests.trust.bad_provider import PRICE, VERIFY_CODE, bad_provider, html, refusing, send
from tests.trust.providers import (
    NUMBER,
    RECEIPTS,
    TAKEN,
    Connect,
    code_in,
    connected,
    enter,
    refuse,
    request_code,
)

Make = Callable[..., Product]
PRICES: dict[str, object] = {
    "sms_price": 0.04,
    "sms_prices": {"DE": 0.09},
    "sms_price_voice": 0.25,
    "sms_prices_voice": {"DE": 0.5},
}
LANDLINE = "493012345678"
GERMAN = "4915123456789"


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(connected(tmp_path, **{**PRICES, **settings}))


def money(product: Product) -> tuple[float, float]:
    """What the day and the month have cost."""
    found = [
        sum(float(n) for (n,) in product.rows(f"SELECT slots FROM limit_counters WHERE name LIKE '{name}%%'"))
        for name in ("sms_budget_day", "sms_budget_month")
    ]
    return round(found[0] / 1e6, 6), round(found[1] / 1e6, 6)


def sent(product: Product) -> list[tuple[str, str, float, bool]]:
    """Provider, channel, price of each attempt, and whether its outcome is known."""
    rows = product.rows("SELECT provider, channel, cost, provider_id FROM sent_texts ORDER BY id")
    return [(provider, channel, cost / 1e6, bool(known)) for provider, channel, cost, known in rows]


def count_of(product: Product, limit: str) -> float:
    rows = product.rows(f"SELECT slots FROM limit_counters WHERE name LIKE '{limit}:%%'")
    return sum(float(n) for (slots,) in rows for n in (eval(slots).values() if slots != "{}" else ()))


COUNTED = ["sms_per_number_hour", "sms_per_number_day", "sms_per_prefix", "sms_per_hour", "sms_per_ip"]


def cut(_standin: Gateway, client: socket.socket) -> None:
    send(client, 201, b'{"sid": "SM', length=400)


@pytest.mark.parametrize("behave", [dropping, cut], ids=lambda b: b.__name__)
def test_failover_pays_twice_and_counts_once(
    connect: Connect, behave: Callable[[Gateway, socket.socket], None]
) -> None:
    product, providers = connect()
    providers.twilio.behave = behave
    answer = request_code(product)
    assert (answer["result"], answer["retry_after"]) == ("OK", 30)
    assert money(product) == (0.08, 0.08)
    assert sent(product) == [("twilio", "sms", 0.04, False), ("vonage", "sms", 0.04, True)]
    assert {limit: count_of(product, limit) for limit in COUNTED} == dict.fromkeys(COUNTED, 1.0)
    assert code_in(providers.twilio.calls[0]) == code_in(providers.vonage.calls[0])
    assert enter(product, code_in(providers.twilio.calls[0]))["result"] == "OK"
    assert count_of(product, "sms_entered_country") == 1


def test_what_was_proven_not_to_be_sent_is_paid_by_nobody(connect: Connect) -> None:
    product, providers = connect()
    refuse(providers.twilio, 20429)
    assert request_code(product)["result"] == "OK"
    assert (money(product), sent(product)) == ((0.04, 0.04), [("vonage", "sms", 0.04, True)])


@pytest.mark.parametrize("budget", [0.04, 0.05, 0.0799])
def test_a_second_attempt_for_which_there_is_no_money_is_not_made(connect: Connect, budget: float) -> None:
    product, providers = connect(sms_budget_day=budget)
    providers.twilio.behave = dropping
    answer = request_code(product)
    # The first may have sent it.
    assert (answer["result"], answer["retry_after"]) == ("OK", 30)
    assert (len(providers.twilio.calls), providers.vonage.calls) == (1, [])
    assert money(product) == (0.04, 0.04)
    assert enter(product, code_in(providers.twilio.calls[0]))["result"] == "OK"


def test_when_nobody_is_known_to_have_taken_it_the_code_is_good_and_all_is_paid(connect: Connect) -> None:
    product, providers = connect()
    providers.twilio.behave = providers.vonage.behave = dropping
    answer = request_code(product)
    assert (answer["result"], answer["retry_after"]) == ("OK", 30)
    assert request_code(product)["error"] == "TOOMANY"
    assert money(product) == (0.08, 0.08)
    assert [known for *_, known in sent(product)] == [False, False]
    assert enter(product, code_in(providers.vonage.calls[0]))["result"] == "OK"


def test_a_refusal_after_an_attempt_that_may_have_sent_it_does_not_end_the_code(connect: Connect) -> None:
    product, providers = connect()
    providers.twilio.behave = dropping
    providers.vonage.answer = {"messages": [{"status": "7"}]}
    assert request_code(product)["result"] == "OK"
    assert (money(product), [each[0] for each in sent(product)]) == ((0.04, 0.04), ["twilio"])
    assert enter(product, code_in(providers.twilio.calls[0]))["result"] == "OK"


# --- Calls


@pytest.mark.parametrize(("number", "price"), [(NUMBER, 0.25), (GERMAN, 0.5)])
def test_a_call_has_a_price_of_its_own_by_country_too(connect: Connect, number: str, price: float) -> None:
    product, providers = connect()
    assert request_code(product, number, channel="voice")["result"] == "OK"
    assert providers.twilio.calls[0].target.endswith("/Calls.json")
    assert (money(product), sent(product)) == ((price, price), [("twilio", "voice", price, True)])


def test_a_call_in_the_place_of_a_text_is_paid_as_a_call(connect: Connect) -> None:
    product, providers = connect()

    def landline(standin: Gateway, client: socket.socket) -> None:
        called = standin.here.call.target.endswith("/Calls.json")
        standin.status, standin.answer = (201, CREATED) if called else (400, {"code": 21614})
        standin.reply(client)

    providers.twilio.behave = landline
    assert request_code(product, GERMAN)["result"] == "OK"
    assert (money(product), sent(product)) == ((0.5, 0.5), [("twilio", "voice", 0.5, True)])


def test_and_is_not_made_where_the_budget_has_room_for_the_text_alone(connect: Connect) -> None:
    product, providers = connect(sms_budget_day=0.1)
    refuse(providers.twilio, 21614)
    answer = request_code(product, GERMAN)
    assert (answer["error"], "retry_after" in answer) == ("TOOMANY", True)
    assert [call.target.rpartition("/")[2] for call in providers.twilio.calls] == ["Messages.json"]
    assert (money(product), sent(product)) == ((0.0, 0.0), [])
    assert product.rows("SELECT * FROM one_time_codes") == []


def test_a_call_that_may_have_been_made_is_paid(connect: Connect) -> None:
    product, providers = connect()
    providers.twilio.behave = dropping
    assert request_code(product, LANDLINE)["result"] == "OK"
    assert (money(product), sent(product)) == ((0.5, 0.5), [("twilio", "voice", 0.5, False)])


# --- A text that is sent again


def test_a_text_sent_again_is_paid_for_each_attempt(connect: Connect) -> None:
    product, providers = connect(sms_delivery_wait=1, **RECEIPTS)
    request_code(product)
    providers.vonage.behave = dropping
    product.clock.advance(3)
    product.deliver()
    # Vonage may have sent it, and so Twilio is asked again.
    assert [(name, known) for name, _, _, known in sent(product)] == [
        ("twilio", True), ("vonage", False), ("twilio", True),
    ]  # fmt: skip
    assert money(product) == (0.12, 0.12)
    assert count_of(product, "sms_per_number_hour") == 2


def test_one_that_nobody_sends_again_is_paid_and_counted_once(connect: Connect) -> None:
    product, providers = connect(sms_delivery_wait=1, **RECEIPTS)
    request_code(product)
    refuse(providers.twilio, 20003)
    providers.vonage.answer = {"messages": [{"status": "9"}]}
    product.clock.advance(3)
    product.deliver()
    assert (money(product), len(sent(product))) == ((0.04, 0.04), 1)
    assert count_of(product, "sms_per_number_hour") == 1


def test_one_for_which_there_is_no_money_is_not(connect: Connect) -> None:
    product, providers = connect(sms_delivery_wait=300, sms_budget_day=0.1, **RECEIPTS)
    request_code(product)
    providers.vonage.behave = dropping
    product.services.text_delivery.receive("twilio", Receipt(str(CREATED["sid"]), State.FAILED))
    product.deliver()
    assert (len(providers.twilio.calls), len(providers.vonage.calls)) == (1, 1)
    assert money(product) == (0.08, 0.08)


# --- Codes that a provider makes


def test_a_verification_whose_id_got_lost_is_checked_by_the_number(make_product: Make) -> None:
    with bad_provider(html) as bad:
        product = make_product(**bad.settings("twilio_verify"))
        assert request_code(product)["result"] == "OK"
        assert enter(product, "111111")["error"] == "BADCODE"
        assert enter(product, VERIFY_CODE)["result"] == "OK"
        checks = [call.form for call in bad.standin.calls if call.target.endswith("Check")]
        assert [sorted(form) for form in checks] == [["Code", "To"]] * 2
        assert checks[0]["To"] == f"+{NUMBER}"


@pytest.mark.parametrize("which", [0, 1])
def test_whoever_may_hold_two_codes_may_enter_either(make_product: Make, which: int) -> None:
    """Twilio Verify may have sent its own, and the gateway behind it ours."""
    with bad_provider(html) as bad:
        product = make_product(**bad.settings("twilio_verify", "http"))
        assert request_code(product)["result"] == "OK"
        assert [provider for provider, *_ in bad.texts] == ["verify", "http"]
        assert enter(product, bad.texts[which][2])["result"] == "OK"


def test_the_code_that_nobody_was_sent_opens_nothing(
    make_product: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messenger_api.domain.secrets.new_code", lambda _length: "246810")
    with bad_provider(html) as bad:
        product = make_product(**bad.settings("twilio_verify"))
        request_code(product)
        assert enter(product, "246810")["error"] == "BADCODE"


# --- When the database is away once it is sent


def test_a_text_that_could_not_be_noted_was_sent_all_the_same(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> int:
        raise TryLater

    product, providers = connect()
    monkeypatch.setattr("messenger_api.storage.texts.add", away)
    answer = request_code(product)
    assert (answer["result"], answer["retry_after"]) == ("OK", 30)
    assert (money(product), count_of(product, "sms_per_number_hour")) == ((0.04, 0.04), 1)
    assert enter(product, code_in(providers.twilio.calls[0]))["result"] == "OK"


def test_not_so_one_whose_verification_got_lost_with_it(
    make_product: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> int:
        raise TryLater

    monkeypatch.setattr("messenger_api.storage.texts.add", away)
    with bad_provider(html) as bad:
        product = make_product(**bad.settings("twilio_verify"))
        assert request_code(product)["error"] == "TRYLATER"
        assert money(product) == (0.05, 0.05)


# --- What operators see


def test_an_outcome_that_nobody_knows_is_shown(connect: Connect) -> None:
    product, providers = connect(metrics_token="")
    providers.twilio.behave = dropping
    request_code(product)
    page = product.http.get("/metrics").text
    assert 'messenger_sms_texts_day{country="IN",outcome="unknown",provider="twilio"} 1.0' in page
    assert 'messenger_sms_texts_day{country="IN",outcome="sent",provider="vonage"} 1.0' in page


def test_a_gateway_that_sends_and_answers_html_costs_no_more_than_its_caps(make_product: Make) -> None:
    """A gateway that answers too late; 12 requests for one number, 36 for others, a budget of 1.00."""
    with bad_provider(html) as bad:
        limits = {"sms_budget_day": 1.0, "limit_modes": {"resend_gap": "off"}, "sms_per_ip_hour": 1000}
        product = make_product(**{**bad.settings("http"), **limits})
        for number in [NUMBER] * 12 + [f"9197{n}4321"[:12].ljust(12, "7") for n in range(1000, 1036)]:
            request_code(product, number)
        assert len([to for _, to, _ in bad.texts if to == NUMBER]) == 5
        assert 5 < len(bad.texts) <= 20
        assert money(product) == (round(len(bad.texts) * PRICE, 6),) * 2
        code = bad.texts[4][2]
        assert enter(product, code)["result"] == "OK"


def test_nobody_pays_for_a_gateway_that_is_not_there(make_product: Make) -> None:
    with bad_provider(refusing) as bad:
        product = make_product(**bad.settings("http"))
        for _ in range(12):
            assert request_code(product)["error"] == "TRYLATER"
        assert (money(product), sent(product)) == ((0.0, 0.0), [])


def test_once_it_is_back_texts_go_out(connect: Connect) -> None:
    product, providers = connect()
    refuse(providers.twilio, 20003)
    providers.vonage.status = 401
    assert request_code(product)["error"] == "TRYLATER"
    providers.vonage.status, providers.vonage.answer = 200, TAKEN
    assert request_code(product)["result"] == "OK"

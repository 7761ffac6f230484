"""Codes by text and call, with providers over real HTTP that fail in every way."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree

import pytest
from structlog.testing import capture_logs

from messenger_api.gateways.sms import Receipt, State
from messenger_api.sandbox import Faults, SandboxServer, SandboxStore
from tests.gateways.gateway_standin import (
    Gateway,
    dropping,
    silent,
    slow,
    trickling_body,
    trickling_head,
)
from tests.gateways.twilio_standin import CREATED, SID, TOKEN
from tests.processes import wait_for
from tests.product import APPID, Answer, Product
from tests.properties.secrets_scan import cells, numbers_in, texts_in
from tests.stopwatch import Stopwatch
from tests.trust.network import Network
from tests.trust.providers import (
    NUMBER,
    PUBLIC,
    RECEIPTS,
    TAKEN,
    Connect,
    code_in,
    connected,
    enter,
    field,
    refuse,
    request_code,
    working,
)

PATIENCE = 10.0
LANDLINE = "493012345678"
TWILIO_ID = str(CREATED["sid"])

Make = Callable[..., Product]


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    """Makes a product that sends by Twilio and Vonage, both played by the test."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(connected(tmp_path, **settings))


# --- Whatever the first provider does


def error_500(standin: Gateway, client: socket.socket) -> None:
    standin.status = 500
    standin.reply(client)


@pytest.mark.parametrize(
    "behave", [error_500, silent, slow, trickling_body, trickling_head, dropping], ids=lambda b: b.__name__
)
def test_the_next_one_sends_within_ten_seconds(
    connect: Connect, behave: Callable[[Gateway, socket.socket], None]
) -> None:
    product, providers = connect()
    providers.twilio.behave = behave
    watch = Stopwatch()
    answer = request_code(product)
    seconds = watch.quiet_seconds
    print(f"\n{behave.__name__}: the next provider has sent after {seconds:.1f} s")
    assert (answer["result"], answer["retry_after"], seconds < PATIENCE) == ("OK", 30, True)
    assert (len(providers.twilio.calls), len(providers.vonage.calls)) == (1, 1)
    assert field(providers.vonage.calls[0], "to") == NUMBER
    assert enter(product, code_in(providers.vonage.calls[0]))["result"] == "OK"


def test_an_outage_moves_everybody_within_seconds(connect: Connect) -> None:
    product, providers = connect()
    providers.twilio.behave = silent
    request_code(product)
    watch = Stopwatch()
    for n in range(5):
        assert request_code(product, f"9198765{n}4321")["result"] == "OK"
    assert watch.quiet_seconds < 2
    assert (len(providers.twilio.calls), len(providers.vonage.calls)) == (1, 6)


def test_when_all_fail_nothing_is_counted_and_the_app_may_try_soon(connect: Connect) -> None:
    product, providers = connect()
    refuse(providers.twilio, 20003)
    providers.vonage.answer = {"messages": [{"status": "9"}]}
    answer = request_code(product)
    assert (answer["error"], answer["retry_after"]) == ("TRYLATER", 30)
    assert answer["errmsg"]
    assert product.rows("SELECT * FROM one_time_codes") == []
    # But for the country's, whose state is a time.
    counted = product.rows("SELECT slots FROM limit_counters WHERE name NOT LIKE 'sms_per_country%%'")
    assert {slots for (slots,) in counted} <= {"{}", "0.0"}
    providers.vonage.answer = TAKEN
    assert request_code(product)["result"] == "OK"


@pytest.mark.parametrize("code", [21211, 21610, 30450, 60410])
def test_a_refusal_of_the_number_and_fraud_are_asked_of_nobody_else(connect: Connect, code: int) -> None:
    product, providers = connect()
    refuse(providers.twilio, code)
    with capture_logs() as log:
        answer = request_code(product)
    assert (answer["error"], answer["properties"]) == ("BADPHONE", ["phone"])
    assert answer["errmsg"]
    assert "retry_after" not in answer
    assert (len(providers.twilio.calls), providers.vonage.calls) == (1, [])
    assert NUMBER not in repr(log)
    # It is the number's fault and not the provider's, who is asked for the next one.
    providers.twilio.status, providers.twilio.answer = 201, CREATED
    assert request_code(product, "919876543211")["result"] == "OK"
    assert providers.vonage.calls == []


# --- Taken and never delivered


@pytest.mark.server
def test_what_never_arrives_is_sent_by_the_next_within_ten_seconds_and_once(connect: Connect) -> None:
    product, providers = connect(**RECEIPTS)
    with working(product):
        assert request_code(product)["result"] == "OK"
        watch = Stopwatch()
        code = code_in(providers.twilio.calls[0])
        assert field(providers.twilio.calls[0], "StatusCallback") == f"{PUBLIC}/sms/receipts/twilio"
        at_rest = cells(product.services.database.engine)
        wait_for(lambda: providers.vonage.calls, 12, "the second provider")
        seconds = watch.quiet_seconds
        time.sleep(2.5)
    print(f"\ntaken and never delivered: the next provider has sent after {seconds:.1f} s")
    assert seconds < PATIENCE
    assert (len(providers.twilio.calls), len(providers.vonage.calls)) == (1, 1)
    assert code_in(providers.vonage.calls[0]) == code
    assert b"watch_text" in at_rest["outbox.kind"]
    for place, data in at_rest.items():
        assert not numbers_in(data, [NUMBER]), place
        assert not texts_in(data, [code, "is your code"]), place
    assert product.rows("SELECT count(*) FROM outbox") == [(0,)]
    assert enter(product, code)["result"] == "OK"
    # Both are paid for.
    assert product.rows("SELECT provider FROM sent_texts ORDER BY id") == [("twilio",), ("vonage",)]


def test_a_code_that_was_entered_is_not_sent_again(connect: Connect) -> None:
    product, providers = connect(sms_delivery_wait=2, **RECEIPTS)
    with working(product):
        request_code(product)
        assert enter(product, code_in(providers.twilio.calls[0]))["result"] == "OK"
        wait_for(lambda: not watched(product), 6, "the end of the watch")
    assert providers.vonage.calls == []


def test_nor_one_that_was_delivered(connect: Connect) -> None:
    product, providers = connect(sms_delivery_wait=2, **RECEIPTS)
    with working(product):
        request_code(product)
        product.services.text_delivery.receive("twilio", Receipt(TWILIO_ID, State.DELIVERED))
        wait_for(lambda: not watched(product), 6, "the end of the watch")
    assert providers.vonage.calls == []


def test_one_that_failed_is_sent_again_at_once(connect: Connect) -> None:
    product, providers = connect(sms_delivery_wait=300, **RECEIPTS)
    with working(product):
        request_code(product)
        watch = Stopwatch()
        product.services.text_delivery.receive("twilio", Receipt(TWILIO_ID, State.FAILED, "no luck"))
        wait_for(lambda: providers.vonage.calls, 5, "the second provider")
    assert watch.quiet_seconds < 3
    assert code_in(providers.vonage.calls[0]) == code_in(providers.twilio.calls[0])


def test_a_second_text_counts_as_one_against_the_limits(connect: Connect) -> None:
    """Where a limit is reached, the code is not sent again: that would cost what nobody allowed."""
    product, providers = connect(sms_delivery_wait=1, sms_per_number_hour=1, **RECEIPTS)
    request_code(product)
    product.clock.advance(3)
    product.deliver()
    assert (len(providers.twilio.calls), providers.vonage.calls, watched(product)) == (1, [], [])


@pytest.mark.parametrize("entered", [False, True])
def test_a_code_that_mesibo_made_is_sent_again_as_ours_are(connect: Connect, entered: bool) -> None:
    product, providers = connect(login_method="mesibo_otp", sms_delivery_wait=300, **RECEIPTS)
    request_code(product)
    code = code_in(providers.twilio.calls[0])
    if entered:
        assert enter(product, code)["result"] == "OK"
    product.services.text_delivery.receive("twilio", Receipt(TWILIO_ID, State.FAILED, "no luck"))
    product.deliver()
    assert [code_in(call) for call in providers.vonage.calls] == ([] if entered else [code])
    if not entered:
        assert enter(product, code)["result"] == "OK"


def watched(product: Product) -> list[object]:
    return product.rows("SELECT id FROM outbox WHERE kind = 'watch_text'")


def test_the_provider_whose_code_was_not_entered_comes_last_the_next_time(connect: Connect) -> None:
    product, providers = connect()
    request_code(product)
    product.clock.advance(30)
    assert request_code(product)["retry_after"] == 60
    assert (len(providers.twilio.calls), len(providers.vonage.calls)) == (1, 1)
    assert enter(product, code_in(providers.vonage.calls[0]))["result"] == "OK"
    # Others still get theirs from the first.
    request_code(product, "919876543211")
    assert len(providers.twilio.calls) == 2


# --- Codes that the provider makes


class Verify:
    """Twilio as the sandbox plays it, on an address of its own."""

    def __init__(self, folder: Path) -> None:
        self.store = SandboxStore(folder / "twilio.sqlite3")
        self.faults = Faults(self.store)
        self.server = SandboxServer(self.store, twilio_sid=SID, twilio_token=TOKEN).start()

    @property
    def settings(self) -> dict[str, object]:
        return {
            "sms_providers": ["twilio_verify"],
            "twilio_account_sid": SID,
            "twilio_auth_token": TOKEN,
            "twilio_verify_sid": self.server.twilio_verify_sid,
            "twilio_api_url": self.server.twilio_url,
        }

    def code(self) -> str:
        """The code that Twilio sent last."""
        return self.store.texts()[0].text[-6:]


@pytest.fixture
def verify(tmp_path: Path) -> Iterator[Verify]:
    twilio = Verify(tmp_path)
    yield twilio
    twilio.server.stop()
    twilio.store.close()


def wrong(code: str, by: int = 1) -> str:
    return f"{(int(code) + by) % 1_000_000:06d}"


def test_the_person_enters_the_providers_code(paying: Make, verify: Verify) -> None:
    product = paying(**verify.settings)
    request_code(product)
    assert enter(product, wrong(verify.code()))["error"] == "BADCODE"
    answer = enter(product, verify.code())
    assert answer["result"] == "OK"
    # The answer that got lost comes again; to another phone the code is worth nothing.
    again = enter(product, verify.code())
    assert (again["result"], again["token"]) == ("OK", answer["token"])
    other = product.call("login", phone=NUMBER, appid=APPID, otp=verify.code(), device="other")
    assert other["error"] == "BADCODE"


def test_five_wrong_tries_kill_the_providers_code_too(paying: Make, verify: Verify) -> None:
    product = paying(**verify.settings)
    request_code(product)
    code = verify.code()
    for n, pause in enumerate((0, 0, 0, 10, 30)):
        product.clock.advance(pause)
        assert enter(product, wrong(code, n + 1))["error"] == "BADCODE"
    product.clock.advance(60)
    dead = enter(product, code)
    assert (dead["error"], "retry_after" in dead) == ("TOOMANY", True)
    assert product.rows("SELECT count(*) FROM sessions") == [(0,)]
    # Twilio would still have said yes for a sixth: it was not asked.
    assert product.rows("SELECT attempts FROM one_time_codes") == [(5,)]


def test_two_taps_with_the_providers_code_get_the_one_answer(paying: Make, verify: Verify) -> None:
    product = paying(**verify.settings)
    request_code(product)
    form = {"op": "login", "phone": NUMBER, "appid": APPID, "otp": verify.code()}
    product.sandbox.faults.add("useradd", delay=0.3)
    with ThreadPoolExecutor(2) as pool:
        taps = [pool.submit(product.app.test_client().post, "/api.php", data=form) for _ in range(2)]
        answers: list[Answer] = [tap.result().get_json() for tap in taps]
    assert [answer.get("error") for answer in answers] == [None, None]
    assert len({answer["token"] for answer in answers}) == 1
    assert product.rows("SELECT count(*) FROM sessions") == [(1,)]


def test_twenty_times_the_right_one_at_once_is_one_session(paying: Make, verify: Verify) -> None:
    product = paying(**verify.settings)
    request_code(product)
    code = verify.code()

    def login(_n: int) -> Answer:
        http = product.app.test_client()
        form = {"op": "login", "phone": NUMBER, "appid": APPID, "otp": code}
        answer: Answer = http.post("/api.php", data=form).get_json()
        return answer

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(login, range(20)))
    tokens = {answer["token"] for answer in answers if answer["result"] == "OK"}
    assert len(tokens) == 1
    assert product.rows("SELECT count(*) FROM sessions") == [(1,)]
    assert product.rows("SELECT count(*) FROM users") == [(1,)]


def test_logging_in_often_is_no_guessing(paying: Make, verify: Verify) -> None:
    """What is counted while the provider is asked does not stay counted when it says yes."""
    product = paying(otp_wrong_per_day=5, **verify.settings)
    for _ in range(8):
        request_code(product)
        assert enter(product, verify.code())["result"] == "OK"
        product.clock.advance(3600 + 60)
    assert {
        slots
        for (slots,) in product.rows(
            "SELECT slots FROM limit_counters WHERE name LIKE 'wrong_codes%' OR name LIKE 'guesses%'"
        )
    } == {"{}"}


def test_when_mesibo_fails_the_providers_code_is_good_for_another_try(paying: Make, verify: Verify) -> None:
    product = paying(**verify.settings)
    request_code(product)
    faults = product.sandbox.faults
    faults.add(html=True)
    assert enter(product, verify.code())["error"] == "TRYLATER"
    faults.clear()
    assert enter(product, verify.code())["result"] == "OK"


# --- Calls


def calling(standin: Gateway, client: socket.socket) -> None:
    """Twilio with a number that takes calls and no texts."""
    is_call = standin.calls[-1].target.endswith("/Calls.json")
    standin.status = 201 if is_call else 400
    standin.answer = (
        {"sid": "CA" + "0" * 32, "status": "queued"} if is_call else {"code": 21614, "status": 400}
    )
    standin.reply(client)


def spoken(standin: Gateway) -> str:
    """The digits that the last call says."""
    assert standin.calls[-1].target.endswith("/Calls.json")
    says = ElementTree.fromstring(field(standin.calls[-1], "Twiml")).findall("Say")
    return "".join(filter(str.isdigit, says[0].text or ""))


@pytest.mark.parametrize(
    ("number", "fields"), [(NUMBER, {"channel": "voice"}), (LANDLINE, {}), (LANDLINE, {"channel": "sms"})]
)
def test_who_asks_for_a_call_and_every_landline_is_called(
    connect: Connect, number: str, fields: dict[str, str]
) -> None:
    product, providers = connect()
    assert request_code(product, number, **fields)["result"] == "OK"
    assert field(providers.twilio.calls[-1], "To") == f"+{number}"
    assert enter(product, spoken(providers.twilio), number)["result"] == "OK"
    assert product.rows("SELECT channel FROM sent_texts") == [("voice",)]


def test_a_number_that_takes_no_texts_is_called_instead(connect: Connect) -> None:
    product, providers = connect()
    providers.twilio.behave = calling
    assert request_code(product)["result"] == "OK"
    assert [call.target.rpartition("/")[2] for call in providers.twilio.calls] == [
        "Messages.json",
        "Calls.json",
    ]
    assert providers.vonage.calls == []
    assert enter(product, spoken(providers.twilio))["result"] == "OK"


# --- What the text says


HASH, DOMAIN = "AbCdEfGhIjK", "chat.example.com"
ANDROID = "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8)"
IOS = "Messenger/42 CFNetwork/1494.0.7 Darwin/23.4.0"


def text_for(product: Product, user_agent: str = ANDROID, **request: str) -> str:
    headers = {"User-Agent": user_agent}
    if "accept" in request:
        headers["Accept-Language"] = request.pop("accept")
    form = {"op": "login", "phone": NUMBER, "appid": APPID, **request}
    assert product.app.test_client().post("/api.php", data=form, headers=headers).get_json()["result"] == "OK"
    return Network.texts[-1].text


def test_android_gets_its_hash_and_ios_its_domain(paying: Make) -> None:
    keys = {"sms_android_hash": HASH, "sms_ios_domain": DOMAIN, "limit_modes": {"resend_gap": "off"}}
    product = paying(**keys)
    assert text_for(product).splitlines()[-1] == HASH
    text = text_for(product, IOS)
    assert text.splitlines()[-1] == f"@{DOMAIN} #{Network.code(NUMBER)}"
    assert HASH not in text


@pytest.mark.parametrize(
    ("request_fields", "language"),
    [
        ({}, "en"),
        ({"lang": "de"}, "de"),
        ({"lang": "pt-BR"}, "pt"),
        ({"accept": "fr-CA,fr;q=0.9,en;q=0.5"}, "fr"),
        ({"accept": "tlh,hi;q=0.4"}, "hi"),
        ({"lang": "de", "accept": "fr"}, "de"),
        ({"lang": "tlh", "accept": "fr"}, "fr"),
        ({"lang": "../../etc"}, "en"),
    ],
)
def test_it_is_in_the_persons_language(paying: Make, request_fields: dict[str, str], language: str) -> None:
    product = paying()
    text_for(product, **request_fields)
    assert Network.texts[-1].language == language


def test_providers_get_the_language_too(connect: Connect) -> None:
    product, providers = connect()
    request_code(product, lang="de", channel="voice")
    says = ElementTree.fromstring(field(providers.twilio.calls[-1], "Twiml")).findall("Say")
    assert says[0].get("language") == "de-DE"

"""LOGIN_METHOD = "mesibo_otp": mesibo makes the code and says whether it is right."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
import requests

from messenger_api.sandbox.records import Fault
from messenger_api.settings import SettingsError
from tests.gateways.mesibo_stub import Stub, ok, refused, serving
from tests.product import APPID, Answer, Product
from tests.servers import ProductServer

ANA, BEN = "14155550101", "14155550102"

Make = Callable[..., Product]


@pytest.fixture(params=["json", "form"])
def style(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def theirs(make_product: Make) -> Product:
    return make_product(login_method="mesibo_otp")


def ask(product: Product, number: str = ANA) -> Answer:
    return product.call("login", phone=number, appid=APPID)


def enter(product: Product, code: str, number: str = ANA, **fields: object) -> Answer:
    return product.call("login", phone=number, appid=APPID, otp=code, **fields)


def wrong(code: str, by: int = 1) -> str:
    return f"{1 + (int(code) - 1 + by) % 999_999:06d}"


def at_once(product: Product, codes: list[str]) -> list[Answer]:
    return product.at_once([{"op": "login", "phone": ANA, "appid": APPID, "otp": code} for code in codes])


def from_console(product: Product, number: str = ANA) -> str:
    """A code that somebody else has mesibo make, as its console does."""
    sandbox = product.sandbox
    body = {"op": "otp", "token": sandbox.app_token, "otp": {"address": number}}
    return str(requests.post(sandbox.mesibo_json_url, json=body, timeout=5).json()["otp"])


def attempts(product: Product) -> int:
    [(found,)] = product.rows("SELECT attempts FROM one_time_codes")
    return int(found)


# --- Who gets in


def test_the_code_that_mesibo_made_is_texted_and_logs_in(make_product: Make, style: str) -> None:
    product = make_product(login_method="mesibo_otp", mesibo_api_style=style)
    ana = product.log_in(ANA, "Ana")
    assert ana.ok("profile")["name"] == "Ana"
    user = product.sandbox.store.user(ANA)
    assert user
    assert user.name == "Ana"
    assert enter(product, wrong(product.code(ANA)))["error"] == "BADCODE"


def test_a_code_of_mesibos_console_logs_in_as_well(theirs: Product) -> None:
    ask(theirs)
    assert enter(theirs, from_console(theirs))["result"] == "OK"


@pytest.mark.parametrize("typed", ["{0}-{1}", " {0} {1}\u200e", "{0}.{1}"])
def test_the_code_is_read_as_any_other(theirs: Product, typed: str) -> None:
    ask(theirs)
    code = theirs.code(ANA).translate({ord(str(n)): chr(0x0660 + n) for n in range(10)})
    assert enter(theirs, typed.format(code[:3], code[3:]))["result"] == "OK"


def test_a_code_of_another_number_is_wrong(theirs: Product) -> None:
    ask(theirs)
    ask(theirs, BEN)
    assert enter(theirs, theirs.code(BEN))["error"] == "BADCODE"


def test_nobody_gets_in_who_has_not_asked(theirs: Product) -> None:
    assert enter(theirs, from_console(theirs))["error"] == "BADCODE"
    assert theirs.sandbox.store.user(ANA) is None


def test_two_taps_are_one_login(theirs: Product) -> None:
    ask(theirs)
    answers = at_once(theirs, [theirs.code(ANA)] * 2)
    assert [answer["result"] for answer in answers] == ["OK", "OK"]
    assert answers[0]["token"] == answers[1]["token"]
    assert theirs.rows("SELECT count(*) FROM sessions") == [(1,)]


def test_a_phone_whose_answer_got_lost_gets_it_again(theirs: Product) -> None:
    ask(theirs)
    first, again = (enter(theirs, theirs.code(ANA)) for _ in range(2))
    assert first["token"] == again["token"]
    theirs.clock.advance(61)
    assert enter(theirs, theirs.code(ANA))["error"] == "BADCODE"


def test_a_number_changes_by_such_a_code(theirs: Product) -> None:
    ana = theirs.log_in(ANA, "Ana")
    ana.ok("changenumber", phone=BEN)
    assert ana.call("changenumber", phone=BEN, otp=wrong(theirs.code(BEN)))["error"] == "BADCODE"
    assert ana.ok("changenumber", phone=BEN, otp=theirs.code(BEN))["phone"] == BEN


def test_a_test_number_has_its_fixed_code(make_product: Make) -> None:
    until = dt.date(2099, 1, 1)
    numbers = {"otp_test_numbers": {ANA: "135790"}, "otp_test_numbers_until": until}
    product = make_product(login_method="mesibo_otp", **numbers)
    assert enter(product, "135790")["result"] == "OK"
    assert product.sandbox.store.texts() == []


# --- Guessing


def test_guesses_at_once_are_no_more_than_the_tries_of_a_code(theirs: Product) -> None:
    ask(theirs)
    code = theirs.code(ANA)
    answers: Counter[str] = Counter()
    for pause in (0, 10, 30, 60):
        theirs.clock.advance(pause)
        answers += Counter(each["error"] for each in at_once(theirs, [wrong(code, n) for n in range(1, 21)]))
    assert answers == {"BADCODE": 5, "TOOMANY": 75}
    assert enter(theirs, code)["error"] == "TOOMANY"
    # mesibo counts them as well, and was asked about no other.
    assert [row["tries"] for row in theirs.sandbox.store.rows("SELECT tries FROM otps")] == [0]


@pytest.mark.parametrize("typed", ["0", "000000", "1234", "12345678901", "12a456", "null", "½½½½½½"])
def test_mesibo_is_not_asked_about_what_it_may_take_for_no_code(theirs: Product, typed: str) -> None:
    ask(theirs)
    fault = theirs.sandbox.faults.add("useradd", error="NEVER", times=1)
    assert enter(theirs, typed)["error"] == "BADCODE"
    assert theirs.sandbox.faults.current() == [fault]
    assert attempts(theirs) == 1


# --- Refused, or away


@pytest.mark.parametrize("error", ["BADVALUE", "BADOTP", "FAIL", "EXPIRED"])
def test_whatever_mesibo_says_of_a_code_it_is_wrong(theirs: Product, error: str) -> None:
    ask(theirs)
    theirs.sandbox.faults.add("useradd", error=error)
    assert enter(theirs, theirs.code(ANA))["error"] == "BADCODE"
    assert attempts(theirs) == 1
    theirs.sandbox.faults.clear()
    assert enter(theirs, theirs.code(ANA))["result"] == "OK"


@pytest.mark.parametrize(
    ("fault", "counted"),
    [
        (Fault("useradd", drop=True), 0),
        (Fault("useradd", html=True), 0),
        (Fault("useradd", drop=True, after=True), 0),
        (Fault("useradd", error="TOKENBREACH"), 0),
        # It may be the app's token or, who knows, the code: then guesses must not be free.
        (Fault("useradd", error="AUTHFAIL"), 1),
    ],
    ids=["drop", "html", "lost", "breach", "authfail"],
)
def test_an_outage_or_a_refused_app_token_is_try_later(theirs: Product, fault: Fault, counted: int) -> None:
    ask(theirs)
    theirs.sandbox.faults.set(fault)
    answer = enter(theirs, theirs.code(ANA))
    assert answer["error"] == "TRYLATER"
    assert answer["retry_after"] > 0
    assert attempts(theirs) == counted
    theirs.sandbox.faults.clear()
    assert enter(theirs, theirs.code(ANA))["result"] == "OK"


def test_mesibo_that_fails_between_the_code_and_the_token_leaves_the_code_good(theirs: Product) -> None:
    ask(theirs)
    theirs.sandbox.faults.set(Fault("useradd", times=1))  # the first is answered as ever
    theirs.sandbox.faults.set(Fault("useradd", drop=True))
    assert enter(theirs, theirs.code(ANA))["error"] == "TRYLATER"
    theirs.sandbox.faults.clear()
    assert attempts(theirs) == 0
    assert enter(theirs, theirs.code(ANA))["result"] == "OK"


@pytest.mark.parametrize("error", ["AUTHFAIL", "TOKENBREACH", "BADOP", "FAIL"])
def test_where_mesibo_makes_no_code_none_is_sent(theirs: Product, error: str) -> None:
    theirs.sandbox.faults.add("otp", error=error, times=1)
    assert ask(theirs)["error"] == "TRYLATER"
    assert theirs.sandbox.store.texts() == []
    assert ask(theirs)["result"] == "OK"
    assert enter(theirs, theirs.code(ANA))["result"] == "OK"


@pytest.mark.parametrize(
    "fault", [Fault("otp", drop=True, after=True), Fault("otp", error="FAIL")], ids=["lost", "refused"]
)
def test_a_code_that_mesibo_may_have_made_counts(make_product: Make, fault: Fault) -> None:
    product = make_product(login_method="mesibo_otp", sms_per_number_hour=2)
    product.sandbox.faults.set(fault)
    assert [ask(product)["error"] for _ in range(3)] == ["TRYLATER", "TRYLATER", "TOOMANY"]
    product.sandbox.faults.clear()
    product.clock.advance(3700)
    assert ask(product)["result"] == "OK"


# --- What mesibo sees


@pytest.fixture
def connected(make_product: Make) -> Iterator[tuple[Product, Stub]]:
    """The product at a mesibo whose answers are the test's."""
    with serving() as stub:
        url = {"mesibo_api_url": stub.url, "mesibo_app_token": "app", "sandbox": False}
        yield make_product(login_method="mesibo_otp", **url), stub


def test_the_code_travels_with_a_request_for_a_token_and_the_token_without_the_code(
    connected: tuple[Product, Stub],
) -> None:
    product, stub = connected
    user = {"uid": 7, "address": ANA}
    stub.answers += [
        ok(otp="482913"),
        ok(user={**user, "token": "judged" * 8}),
        ok(user={**user, "token": "minted" * 8}),
    ]
    product.ok("login", phone=f"+{ANA}", appid=APPID, name="Ana")
    assert enter(product, "482913")["token"] == "minted" * 8
    asked, judged, minted = (seen.json for seen in stub.seen)
    assert asked == {
        "op": "otp",
        "token": "app",
        "otp": {"address": ANA, "tries": 5, "expiry": 300, "reuse": 1},
    }
    token = {"appid": APPID, "expiry": 525600}
    assert judged["user"] == {"address": ANA, "otp": "482913", "token": token}
    assert minted["user"] == {"address": ANA, "name": "Ana", "token": token}


@pytest.mark.parametrize("field", ["address", "addr"])
def test_a_number_that_mesibo_refuses_is_a_bad_one(connected: tuple[Product, Stub], field: str) -> None:
    product, stub = connected
    stub.answers.append(refused(error="BADVALUE", code=400, properties=[field]))
    assert ask(product)["error"] == "BADPHONE"


@pytest.mark.parametrize(
    ("told", "error", "counted"),
    [
        ({"error": "AUTHFAIL", "code": 401, "properties": ["token"]}, "TRYLATER", 0),
        ({"error": "AUTHFAIL", "code": 401, "cause": "invalid or expired app token"}, "TRYLATER", 0),
        ({"error": "AUTHFAIL", "code": 401, "properties": ["otp"]}, "BADCODE", 1),
        ({"error": "AUTHFAIL"}, "TRYLATER", 1),
        ({"error": "WRONGOTP"}, "BADCODE", 1),
        ({}, "BADCODE", 1),
        ({"error": "WRONGOTP", "code": 503}, "TRYLATER", 0),
        ({"error": "BUSY", "code": 429}, "TRYLATER", 0),
    ],
)
def test_a_refusal_counts_unless_it_is_about_the_app_token_beyond_doubt(
    connected: tuple[Product, Stub], told: dict[str, object], error: str, counted: int
) -> None:
    product, stub = connected
    stub.answers += [ok(otp="482913"), refused(**told)]
    ask(product)
    assert enter(product, "111111")["error"] == error
    assert attempts(product) == counted


# --- By the operator's hands


def test_over_http_a_phone_logs_in(product_server: Callable[..., ProductServer]) -> None:
    url = product_server(MESSENGER_LOGIN_METHOD="mesibo_otp").url
    fields = {"op": "login", "phone": ANA, "appid": APPID}
    assert requests.post(url, json=fields, timeout=10).json()["result"] == "OK"
    texts = requests.get(f"{url}/sandbox/sms.json", timeout=10).text
    found = re.search(r"\b\d{6}\b", texts)
    assert found
    answer = requests.post(url, json={**fields, "otp": wrong(found[0])}, timeout=10).json()
    assert answer["error"] == "BADCODE"
    answer = requests.post(url, json={**fields, "otp": int(found[0])}, timeout=10).json()
    assert answer["result"] == "OK"
    profile = requests.post(url, json={"op": "profile", "token": answer["token"]}, timeout=10).json()
    assert profile["phone"] == ANA


def test_a_provider_that_makes_its_own_codes_alone_cannot_text_them(make_product: Make) -> None:
    keys = {"twilio_account_sid": "AC" + "0" * 32, "twilio_auth_token": "t", "default_country": "US"}
    verify = {**keys, "sms_providers": ("twilio_verify",), "twilio_verify_sid": "VA" + "0" * 32}
    with pytest.raises(SettingsError, match="SMS_PROVIDERS: accepted with LOGIN_METHOD = 'mesibo_otp'"):
        make_product(login_method="mesibo_otp", **verify)

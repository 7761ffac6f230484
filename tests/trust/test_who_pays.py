"""What stops a text that costs money, each seen from the app; and what the operator hears of it."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType
from sqlalchemy import event
from structlog.testing import capture_logs

from messenger_api.settings import SettingsError
from tests.product import APPID, Product
from tests.servers import MariaDB
from tests.trust.conftest import PAID
from tests.trust.network import Network

Make = Callable[..., Product]
DAY, HOUR = 86_400, 3_600
PHONE = "919876543210"

# Far apart: ranges of their own.
INDIA = [f"91987{n}654321" for n in range(10)] + [f"91988{n}654321" for n in range(10)]


@pytest.fixture
def paid(make_product: Make) -> Callable[..., Product]:
    """Makes the product with texts that cost money, on either database."""
    Network.reset()
    return lambda **settings: make_product(**{**PAID, **settings})


class App:
    """Asks for codes from wherever it is told to."""

    def __init__(self, product: Product) -> None:
        self.product = product

    def ask(self, number: str = PHONE, address: str = "203.0.113.7") -> Any:
        form = {"op": "login", "phone": number, "appid": APPID}
        http = self.product.app.test_client()
        return http.post("/api.php", data=form, environ_base={"REMOTE_ADDR": address})

    def gets(self, number: str = PHONE, address: str = "203.0.113.7") -> None:
        before = len(Network.texts)
        answer = self.ask(number, address).get_json()
        assert answer["result"] == "OK", answer
        assert len(Network.texts) == before + 1

    def is_refused(self, number: str, address: str, least: int, most: int) -> None:
        """It is told what and when, in every place, and that is true."""
        before = len(Network.texts)
        answer = self.ask(number, address)
        fields = answer.get_json()
        assert fields["error"] == "TOOMANY", fields
        assert fields["errtitle"]
        assert fields["errmsg"]
        assert least <= fields["retry_after"] <= most
        assert answer.headers["Retry-After"] == str(fields["retry_after"])
        assert len(Network.texts) == before
        self.product.clock.advance(fields["retry_after"])
        self.gets(number, address)


# --- The limits, one by one


def networks() -> Iterator[str]:
    return (f"198.51.{n // 250}.{n % 250 + 1}" for n in itertools.count())


SAME_RANGE = [f"91987654{n:04d}" for n in range(10)]
FREE: dict[str, object] = {"limit_modes": {"resend_gap": "off"}}
# The settings, the numbers that get a text, the one that does not, and the seconds that it has to wait.
LIMITS = [
    ("sms_per_number_hour", {**FREE, "sms_per_number_hour": 2}, [PHONE] * 2, PHONE, (HOUR - 60, HOUR + 60)),
    ("sms_per_number_day", {**FREE, "sms_per_number_day": 2}, [PHONE] * 2, PHONE, (DAY - 60, DAY + 1440)),
    ("resend_gap", {}, [PHONE], PHONE, (28, 30)),
    ("sms_per_prefix", {"sms_per_prefix_hour": 2}, SAME_RANGE[:2], SAME_RANGE[2], (HOUR - 60, HOUR + 60)),
    ("sms_per_country", {"sms_per_country_burst": 3}, INDIA[:3], INDIA[3], (55, 60)),
    ("sms_per_hour", {"sms_per_hour": 2}, INDIA[:2], INDIA[2], (HOUR - 60, HOUR + 60)),
    ("sms_budget_day", {"sms_budget_day": 0.1}, INDIA[:2], INDIA[2], (1, DAY)),
    ("sms_budget_month", {"sms_budget_month": 0.1}, INDIA[:2], INDIA[2], (1, 31 * DAY)),
]


@pytest.mark.parametrize(
    ("settings", "numbers", "last", "seconds"),
    [case[1:] for case in LIMITS],
    ids=[case[0] for case in LIMITS],
)
def test_a_limit_refuses_and_says_when_it_will_not(
    paid: Callable[..., Product],
    settings: dict[str, object],
    numbers: list[str],
    last: str,
    seconds: tuple[int, int],
) -> None:
    app, addresses = App(paid(**settings)), networks()
    for number in numbers:
        app.gets(number, next(addresses))
    app.is_refused(last, next(addresses), *seconds)


def test_one_address_asks_for_ten_an_hour_and_another_for_its_own(paid: Callable[..., Product]) -> None:
    app = App(paid())
    for number in INDIA[:10]:
        app.gets(number, "203.0.113.7")
    app.gets(INDIA[10], "203.0.113.8")
    app.is_refused(INDIA[11], "203.0.113.7", HOUR - 60, HOUR + 60)


def test_of_ipv6_it_is_the_network_of_64_bits(paid: Callable[..., Product]) -> None:
    app = App(paid(sms_per_ip_hour=2))
    app.gets(INDIA[0], "2001:db8:1:2::1")
    app.gets(INDIA[1], "2001:db8:1:2:ffff::9")
    app.gets(INDIA[2], "2001:db8:1:3::1")
    app.is_refused(INDIA[3], "2001:db8:1:2::2", HOUR - 60, HOUR + 60)


def test_a_refused_request_counts_against_nothing_else(paid: Callable[..., Product]) -> None:
    app = App(paid(sms_per_hour=1, sms_per_ip_hour=2))
    app.gets(INDIA[0], "203.0.113.7")
    for number in INDIA[1:6]:
        assert app.ask(number, "203.0.113.7").get_json()["error"] == "TOOMANY"
    app.product.clock.advance(HOUR + 60)
    app.gets(INDIA[1], "203.0.113.7")


def test_the_budget_of_a_day_ends_with_the_day(paid: Callable[..., Product]) -> None:
    app = App(paid(sms_budget_day=0.05))
    app.gets(INDIA[0])
    wait = app.ask(INDIA[1]).get_json()["retry_after"]
    now = dt.datetime.fromtimestamp(app.product.clock(), dt.UTC)
    midnight = (now + dt.timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert abs(now.timestamp() + wait - midnight.timestamp()) <= 2


# --- Money


@pytest.mark.parametrize("prices", [{}, {"IN": 0.02, "DE": 0.11, "US": 0.04}])
def test_each_alarm_is_sounded_once_however_many_spend(
    paid: Callable[..., Product], prices: dict[str, float]
) -> None:
    """Texts of several prices, from four threads; past the end, too."""
    many = {"sms_per_prefix_hour": 1000, "sms_per_country_burst": 1000, "sms_per_hour": 1000}
    product = paid(sms_budget_day=2.0, sms_budget_month=2.5, sms_prices=prices, **many)
    while not 9 < dt.datetime.fromtimestamp(product.clock(), dt.UTC).day < 20:  # both days in one month
        product.clock.advance(DAY)
    numbers = [(f"91987{n:03d}4321", f"49151234{n:05d}", f"1415555{n:04d}")[n % 3] for n in range(150)]
    addresses = list(itertools.islice(networks(), len(numbers)))
    with capture_logs() as log, ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda pair: App(product).ask(*pair).get_json(), zip(numbers, addresses, strict=True))
        )
        product.clock.advance(DAY)
        answers += [App(product).ask(f"91989{n:03d}4321", a).get_json() for n, a in enumerate(addresses[:40])]
    alarms = Counter((entry["limit"], entry["percent"]) for entry in log if entry["event"] == "sms.budget")
    assert {key: n for key, n in alarms.items() if key[0] == "sms_budget_day"} == {
        ("sms_budget_day", percent): 1 for percent in (50, 80, 100)
    }
    assert [alarms["sms_budget_month", percent] for percent in (50, 80, 100)] == [1, 1, 1]
    assert all(entry["log_level"] == "error" for entry in log if entry["event"] == "sms.budget")
    [spent] = product.rows("SELECT sum(cost) FROM sent_texts")
    assert spent[0] <= 2_500_000
    assert Counter(answer.get("error", "OK") for answer in answers).keys() == {"OK", "TOOMANY"}


# --- A country whose codes nobody enters


def test_a_country_whose_codes_nobody_enters_is_paused_and_comes_back(paid: Callable[..., Product]) -> None:
    product = paid()
    app, addresses = App(product), networks()
    for n in range(20):
        app.gets(INDIA[n], next(addresses))
    product.clock.advance(121)
    with capture_logs() as log:
        answer = app.ask("919111654321", next(addresses))
        app.ask("919112654321", next(addresses))
    fields = answer.get_json()
    assert (fields["error"], fields["retry_after"], answer.headers["Retry-After"]) == (
        "TOOMANY",
        1800,
        "1800",
    )
    assert fields["errmsg"]
    told = [entry for entry in log if entry["event"] == "limit.reached" and entry["limit"] == "sms_pause"]
    assert [entry["log_level"] for entry in told] == ["error", "info"]
    assert (told[0]["country"], "to_do" in told[0]) == ("IN", True)
    page = product.http.get("/metrics").text
    assert 'messenger_sms_country_paused{country="IN"} 1.0' in page
    app.gets("14155550101", next(addresses))
    product.clock.advance(HOUR + 60)
    app.gets("919111654321", next(addresses))


def test_one_whose_codes_are_entered_is_not(paid: Callable[..., Product]) -> None:
    product = paid()
    app, addresses = App(product), networks()
    for n in range(20):
        app.gets(INDIA[n], next(addresses))
        if n % 3 == 0:
            product.ok("login", phone=INDIA[n], appid=APPID, otp=Network.code(INDIA[n]))
    product.clock.advance(121)
    app.gets("919111654321", next(addresses))


# --- Who is texted at all


@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        ({"sms_countries": ["IN"]}, [True, False, False]),
        ({"sms_countries": ["IN", "DE"]}, [True, True, False]),
        ({"sms_countries": [], "default_country": "DE"}, [False, True, False]),
        ({"sms_countries": ["US"], "default_country": "DE"}, [False, False, True]),
        ({"sms_countries": "*"}, [True, True, True]),
    ],
)
def test_only_countries_on_the_list_are_texted(
    paying: Make, settings: dict[str, object], allowed: list[bool]
) -> None:
    app, got = App(paying(**settings)), []
    for number in (PHONE, "4915123456789", "14155550101"):
        answer = app.ask(number).get_json()
        got.append(answer["result"] == "OK")
        if not got[-1]:
            assert (answer["error"], answer["properties"], bool(answer["errmsg"])) == (
                "BADPHONE",
                ["phone"],
                True,
            )
    assert got == allowed
    assert len(Network.texts) == sum(allowed)


def test_who_names_no_country_gets_no_product(paying: Make) -> None:
    with pytest.raises(SettingsError, match="SMS_COUNTRIES"):
        paying(sms_countries=[])


def examples(kind: int) -> list[str]:
    """A number of this kind from every country that has such."""
    found = (phonenumbers.example_number_for_type(region, kind) for region in phonenumbers.SUPPORTED_REGIONS)
    numbers = [
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        for number in found
        if number and phonenumbers.number_type(number) == kind
    ]
    return sorted(numbers)


PREMIUM = {
    "premium": PhoneNumberType.PREMIUM_RATE,
    "shared cost": PhoneNumberType.SHARED_COST,
    "pager": PhoneNumberType.PAGER,
}


@pytest.mark.parametrize("kind", PREMIUM.values(), ids=PREMIUM)
def test_premium_shared_cost_and_pager_numbers_are_never_texted(paying: Make, kind: int) -> None:
    product = paying(sms_countries="*", sms_to_voip=True)
    numbers = examples(kind)
    for number in numbers:
        answer = App(product).ask(number).get_json()
        assert (answer["error"], answer["properties"]) == ("BADPHONE", ["phone"]), number
        assert answer["errmsg"]
    assert (Network.texts, product.rows("SELECT * FROM limit_counters")) == ([], [])
    print(f"\n{len(numbers)} countries")
    assert len(numbers) >= 4


def test_voip_numbers_are_texted_where_the_operator_says_so(paying: Make) -> None:
    numbers = [number for number in examples(PhoneNumberType.VOIP) if len(number) > 9]
    assert len(numbers) > 10
    refusing = App(paying(sms_countries="*"))
    for number in numbers:
        assert refusing.ask(number).get_json()["error"] == "BADPHONE", number
    assert Network.texts == []
    limits = {"limits": "track"}
    sending = App(paying(sms_countries="*", sms_to_voip=True, **limits))
    for number in numbers:
        sending.gets(number)


# --- Nobody learns who has an account


@contextmanager
def limits_seen(product: Product) -> Iterator[list[list[str]]]:
    """The limits whose counters are locked meanwhile, in order, without whom they count."""
    seen: list[list[str]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if "FROM limit_counters" in statement:
            values = parameters.values() if isinstance(parameters, dict) else parameters
            seen.append([str(value).partition(":")[0] for value in values])

    event.listen(product.services.database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(product.services.database.engine, "before_cursor_execute", note)


def test_known_and_unknown_numbers_get_the_same_answer_in_the_same_way(paid: Callable[..., Product]) -> None:
    product = paid()
    app = App(product)
    app.gets(PHONE)
    product.ok("login", phone=PHONE, appid=APPID, otp=Network.code(PHONE))
    seen = []
    for number in (PHONE, INDIA[5]):
        forget_what_was_asked(product)
        with product.statements() as statements, limits_seen(product) as limits:
            answer = app.ask(number)
            wrong = product.call("login", phone=number, appid=APPID, otp="000000")
        fields = {**answer.get_json(), "ts": 0}
        passing = ("Content-Length", "X-Request-ID")
        headers = {name: value for name, value in answer.headers.items() if name not in passing}
        seen.append((fields, headers, {**wrong, "ts": 0}, statements, limits))
    assert seen[0] == seen[1]
    assert seen[0][0]["result"] == "OK"
    assert seen[0][3]
    assert seen[0][4][0] == sorted(seen[0][4][0])


def forget_what_was_asked(product: Product) -> None:
    """Whoever asked before is seen by that, with an account or without; what is left is the account."""
    execute(product, "DELETE FROM limit_counters")
    execute(product, "DELETE FROM one_time_codes")


def execute(product: Product, statement: str) -> None:
    with product.services.database.engine.connect() as connection:
        connection.exec_driver_sql(statement)


# --- When nobody can count


@pytest.mark.server
def test_without_the_database_nothing_is_sent(mortal: Product, own_mariadb: MariaDB) -> None:
    app = App(mortal)
    app.gets(INDIA[0])
    own_mariadb.kill()
    for number in INDIA[1:4]:
        answer = app.ask(number)
        fields = answer.get_json()
        assert (fields["error"], answer.headers["Retry-After"]) == ("TRYLATER", str(fields["retry_after"]))
    assert len(Network.texts) == 1
    own_mariadb.start()
    app.gets(INDIA[1])


def test_nor_without_the_counters(paying: Make) -> None:
    product = paying()
    execute(product, "DROP TABLE limit_counters")
    assert App(product).ask().get_json()["error"] == "TRYLATER"
    assert Network.texts == []

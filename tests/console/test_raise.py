"""Limits that are raised until a time: by whom, how far, for how long, where that holds, and how it ends."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from messenger_api.domain.administrators import Role
from messenger_api.domain.errors import TooMany
from messenger_api.services.operator.raising import LONGEST_SECONDS, WrongAmount, WrongEnd
from messenger_api.services.otp.requests import CodeRequest
from messenger_api.settings.limits import RAISABLE
from messenger_api.storage import raised
from tests.console.driver import Admin, logged_in
from tests.console.test_screens import told
from tests.faults.test_judged import made
from tests.processes import wait_for
from tests.product import APPID, Product
from tests.trust.network import Network

HOUR = 3600
NUMBER = "4915111230001"
PRICE = 0.05
NOTHING_ELSE = {
    "sms_per_hour": 10_000,
    "sms_per_country_burst": 10_000,
    "sms_per_prefix_hour": 10_000,
    "sms_per_ip_hour": 10_000,
    "sms_per_number_hour": 100,
    "sms_per_number_day": 100,
    "otp_resend_after": [0],
    "sms_pause_below": 0,
    "sms_price": PRICE,
}


def of(**settings: object) -> dict[str, object]:
    """Settings by which texts cost money, and no limit is reached but those of `settings`."""
    Network.reset()
    paid = {"sms_providers": ["tests.trust.network.Network"], "sms_countries": ["DE"]}
    return {**paid, **NOTHING_ELSE, **settings}


def log_in(product: Product) -> None:
    """Log in with the number that all tests ask for, so that nothing is kept from it for others."""
    product.ok("login", phone=NUMBER, appid=APPID)
    product.ok("login", phone=NUMBER, otp=Network.code(NUMBER), appid=APPID)


BROKE = {"sms_budget_day": 2 * PRICE}


def till_morning() -> float:
    """Seconds until six of the next day, so that no day of a budget ends within a test's hours."""
    now = dt.datetime.now(dt.UTC)
    morning = (now + dt.timedelta(days=1)).replace(hour=6, minute=0, second=0, microsecond=0)
    return (morning - now).total_seconds()


@pytest.fixture
def broke(database_uri: str, tmp_path: Path) -> Iterator[Product]:
    """The money of the day is spent."""
    product = made(database_uri, tmp_path, **of(**BROKE))
    product.clock.advance(till_morning())
    log_in(product)
    ask(product)
    assert is_refused(product) == "sms_budget_day"
    yield product
    product.close()


def ask(product: Product) -> None:
    product.services.login.request_code(NUMBER, "", CodeRequest(network="127.0.0.1"))


def is_refused(product: Product) -> str:
    """The limit that refuses the next code; "" when it goes out."""
    try:
        ask(product)
    except TooMany as refusal:
        return str(refusal.why)
    return ""


def clock(product: Product, seconds: int) -> str:
    """A time from now on, as a browser sends it: to the minute before."""
    moment = dt.datetime.fromtimestamp(product.services.database.now() + seconds, dt.UTC)
    return f"{moment:%Y-%m-%dT%H:%M}"


def raise_it(admin: Admin, key: str, most: object, seconds: int = HOUR, /, **fields: str) -> str:
    """Send the form of a limit; the page that it leads to."""
    admin.get("/money")
    ends_at = clock(admin.product, seconds)
    form = {"reason": "a fair", "code": admin.fresh_code(), "most": str(most), "ends_at": ends_at}
    return admin.act(f"/money/limits/{key}/raise", **{**form, **fields}).text


def codes(product: Product) -> set[str]:
    """What `status` finds about money."""
    found = product.parts.operator.judge.now().findings
    return {finding.code for finding in found if finding.code.startswith("budget")}


def metric(product: Product, name: str) -> float:
    page = product.http.get("/metrics").text
    found = re.search(rf'^messenger_{name}{{currency="USD",period="day"}} (\S+)$', page, re.M)
    assert found, page
    return float(found[1])


def test_with_the_budget_gone_a_raise_lets_the_next_code_out_until_its_time_is_over(broke: Product) -> None:
    assert codes(broke) == {"budget_spent"}
    ana = logged_in(broke)
    assert "▲ all" in ana.get("/money").text
    page = raise_it(ana, "SMS_BUDGET_DAY", 10 * PRICE)
    assert "The limit is raised until then" in page
    assert "of 0.50 USD, raised until" in page
    ask(broke)
    assert "budget_spent" not in codes(broke)
    assert broke.parts.operator.judge.now().facts.texts.budgets[0].raised_until  # type: ignore[union-attr]
    assert metric(broke, "sms_budget_limit") == pytest.approx(10 * PRICE)
    assert metric(broke, "sms_budget_spent") == pytest.approx(3 * PRICE)
    broke.clock.advance(HOUR)
    assert is_refused(broke) == "sms_budget_day"
    assert codes(broke) == {"budget_spent"}
    assert metric(broke, "sms_budget_limit") == pytest.approx(2 * PRICE)


def test_the_audit_tells_what_it_was_and_became_until_when_by_whom_and_why(broke: Product) -> None:
    ana = logged_in(broke, "ana", Role.OPERATE)
    raise_it(ana, "SMS_BUDGET_DAY", 0.5)
    row = broke.parts.audit.page(most=1)[0]
    assert row.event == "LimitRaised"
    assert row.actor == broke.parts.audit.name_of("ana")
    fields = dict(row.fields)
    assert 0 < int(fields.pop("ends_at")) - broke.services.database.now() <= HOUR
    assert fields == {"limit": "SMS_BUDGET_DAY", "old": "0.1", "new": "0.5", "reason": "a fair"}
    raise_it(ana, "SMS_BUDGET_DAY", 0.75)
    assert told(broke)[0][1].items() >= {**fields, "old": "0.5", "new": "0.75"}.items()
    page = ana.get("/audit").text
    assert "SMS_BUDGET_DAY" in page
    assert "0.5 → 0.75 until" in page
    assert broke.parts.audit.verify().faults == []


def test_it_is_ended_before_its_time_without_a_code(broke: Product) -> None:
    ana = logged_in(broke)
    raise_it(ana, "SMS_BUDGET_DAY", 0.5)
    assert "by ana: a fair" in ana.get("/money").text
    page = ana.act("/money/limits/SMS_BUDGET_DAY/end", reason="it was an attack").text
    assert "The limit is as configured" in page
    assert is_refused(broke) == "sms_budget_day"
    fields = {"limit": "SMS_BUDGET_DAY", "old": "0.5", "new": "0.1", "reason": "it was an attack"}
    assert told(broke)[0] == ("LimitRaiseEnded", fields)
    assert "not there any more" in ana.act("/money/limits/SMS_BUDGET_DAY/end", reason="again").text
    assert broke.rows("SELECT * FROM raised_limits") == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"most": "0.1"}, "more than is configured"),
        ({"most": "1.01"}, "up to ten times"),
        ({"most": "nan"}, "up to ten times"),
        ({"most": "inf"}, "up to ten times"),
        ({"most": "-1"}, "more than is configured"),
        ({"most": "much"}, "more than is configured"),
        ({"ends_at": "2001-01-01T00:00"}, "from now on"),
        ({"ends_at": "2999-01-01T00:00"}, "within seven days"),
        ({"ends_at": "tomorrow"}, "within seven days"),
        ({"reason": " "}, "Give a reason"),
        ({"code": "000000"}, "The code is wrong"),
    ],
)
def test_what_is_wrong_raises_nothing(broke: Product, fields: dict[str, str], said: str) -> None:
    ana = logged_in(broke)
    before = told(broke)
    assert said in raise_it(ana, "SMS_BUDGET_DAY", 0.5, HOUR, **fields)
    assert is_refused(broke) == "sms_budget_day"
    assert told(broke) == before


@pytest.mark.parametrize("key", ["SMS_PRICE", "SECRET_KEY", "NOTHING", "sms_budget_day'"])
def test_no_other_key_is_raised(broke: Product, key: str) -> None:
    ana = logged_in(broke)
    assert "not there any more" in raise_it(ana, key, 1)
    assert "not there any more" in ana.act(f"/money/limits/{key}/end", reason="x").text
    assert broke.rows("SELECT * FROM raised_limits") == []


def test_a_week_is_the_longest_and_half_a_text_is_none(broke: Product) -> None:
    raising, now = broke.parts.raising, broke.services.database.now()
    raising.raise_until("sms_budget_day", 1.0, now + LONGEST_SECONDS)
    with pytest.raises(WrongEnd):
        raising.raise_until("SMS_BUDGET_DAY", 1.0, now + LONGEST_SECONDS + 60)
    with pytest.raises(WrongEnd):
        raising.raise_until("SMS_BUDGET_DAY", 1.0, now)
    with pytest.raises(WrongAmount):
        raising.raise_until("SMS_PER_HOUR", 20_000.5, now + HOUR)
    assert broke.rows("SELECT name FROM raised_limits") == [("sms_budget_day",)]


def test_whoever_only_helps_sees_it_and_has_no_form(broke: Product) -> None:
    page = logged_in(broke, "bea", Role.SUPPORT).get("/money").text
    assert "SMS_BUDGET_DAY" in page
    assert "/raise" not in page


@pytest.mark.parametrize(("configured", "allowed"), [(0, 0), (0.05, 0.5), (0.5, 0.9), (2, 2)])
def test_a_raise_is_no_more_than_ten_times_what_is_configured_afterwards(
    broke: Product, database_uri: str, tmp_path: Path, configured: float, allowed: float
) -> None:
    broke.parts.raising.raise_until("sms_budget_day", 0.9, int(broke.clock()) + HOUR)
    product = Product(database_uri, tmp_path, **of(sms_budget_day=configured))
    product.clock.offset = broke.clock.offset
    [limit] = [each for each in product.parts.raising.limits() if each.key == "SMS_BUDGET_DAY"]
    assert limit.most == pytest.approx(allowed)
    if not configured:
        assert is_refused(product) == "sms_budget_day"
    product.close()


def test_a_budget_of_nothing_is_not_raised(make_product: Callable[..., Product]) -> None:
    product = make_product(**of(sms_budget_day=0))
    ana = logged_in(product)
    assert "/money/limits/SMS_BUDGET_DAY/raise" not in ana.get("/money").text
    assert "up to ten times" in raise_it(ana, "SMS_BUDGET_DAY", 1)


# --- Each limit

# What the log calls a limit, where it is not as its key.
NAMES = {
    "sms_per_country_minute": "sms_per_country",
    "sms_per_prefix_hour": "sms_per_prefix",
    "sms_per_ip_hour": "sms_per_ip",
}


@pytest.mark.parametrize("key", [name for name in RAISABLE if not name.startswith("login")])
def test_each_limit_of_texts_is_raised_and_let_down(make_product: Callable[..., Product], key: str) -> None:
    few = {
        "sms_budget_day": {key: 2 * PRICE},
        "sms_budget_month": {key: 2 * PRICE},
        "sms_per_country_minute": {key: 0.1, "sms_per_country_burst": 2},
    }
    product = make_product(**of(**few.get(key, {key: 2})))
    limit = NAMES.get(key, key)
    log_in(product)
    wait_until_refused(product, limit)
    configured = product.parts.allowed.configured(key)
    now = product.services.database.now()
    product.parts.raising.raise_until(key, configured * 10, now + 600, reason="a fair")
    ask(product)
    product.parts.raising.end(key)
    if key != "sms_per_country_minute":
        assert is_refused(product) == limit
    product.parts.raising.raise_until(key, configured * 5, product.services.database.now() + 60)
    ask(product)
    product.clock.advance(60)
    wait_until_refused(product, limit)


def wait_until_refused(product: Product, limit: str) -> None:
    """Ask for codes until this very limit refuses one."""
    for _ in range(40):
        if found := is_refused(product):
            assert found == limit
            return
    pytest.fail("nothing was refused")


def test_tries_to_log_in_from_one_address_are_raised(make_product: Callable[..., Product]) -> None:
    product = make_product(**of(login_tries_per_ip_hour=5))
    form = {"phone": "4915111230001", "otp": "000000", "appid": "x"}
    answers = [product.call("login", **form).get("error") for _ in range(8)]
    assert "RATELIMIT" in answers or "TOOMANY" in answers, answers
    refused = answers[-1]
    product.parts.raising.raise_until(
        "LOGIN_TRIES_PER_IP_HOUR", 20, product.services.database.now() + HOUR, reason="a conference"
    )
    assert product.call("login", **form).get("error") != refused
    product.parts.raising.end("LOGIN_TRIES_PER_IP_HOUR")
    assert product.call("login", **form).get("error") == refused


# --- Everywhere, and after a kill


@pytest.fixture
def another(broke: Product, database_uri: str, tmp_path: Path) -> Iterator[Product]:
    """Another process of the same installation."""
    product = Product(database_uri, tmp_path, **of(**BROKE))
    product.clock.offset = broke.clock.offset
    yield product
    product.close()


def test_other_processes_know_it_within_seconds_and_its_end_at_once(broke: Product, another: Product) -> None:
    assert is_refused(another) == "sms_budget_day"
    another.parts.bookkeeper.start(another.parts.allowed.refresh)
    raise_it(logged_in(broke), "SMS_BUDGET_DAY", 0.5)
    assert wait_for(lambda: not is_refused(another), 15, "the other process to know")
    assert another.parts.operator.judge.now().facts.texts.budgets[0].most == 0.5  # type: ignore[union-attr]
    another.clock.advance(HOUR + 60)
    assert is_refused(another) == "sms_budget_day"


def test_an_early_end_is_known_to_other_processes_too(broke: Product, another: Product) -> None:
    ana = logged_in(broke)
    raise_it(ana, "SMS_BUDGET_DAY", 0.5)
    another.parts.allowed.refresh()
    assert not is_refused(another)
    ana.act("/money/limits/SMS_BUDGET_DAY/end", reason="enough")
    another.parts.bookkeeper.start(another.parts.allowed.refresh)
    assert wait_for(lambda: is_refused(another), 15, "the other process to know") == "sms_budget_day"


def test_killed_between_the_audit_and_the_raise_nothing_is_raised_and_it_can_be_done_again(
    broke: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    now = broke.services.database.now()
    with monkeypatch.context() as patch:
        patch.setattr(raised, "put", die)
        with pytest.raises(Killed):
            broke.parts.raising.raise_until("SMS_BUDGET_DAY", 0.5, now + HOUR)
    assert told(broke)[0][0] == "LimitRaised"
    assert is_refused(broke) == "sms_budget_day"
    broke.parts.raising.raise_until("SMS_BUDGET_DAY", 0.5, now + HOUR)
    ask(broke)
    assert broke.parts.audit.verify().faults == []


def test_rows_whose_time_is_over_are_removed_by_housekeeping(broke: Product) -> None:
    broke.parts.raising.raise_until("SMS_BUDGET_DAY", 0.5, broke.services.database.now() + HOUR)
    broke.clock.advance(HOUR + 1)
    broke.parts.worker.housekeeping.keep()
    assert broke.rows("SELECT * FROM raised_limits") == []


def test_a_call_costs_no_statement_more(make_product: Callable[..., Product]) -> None:
    product = make_product(**of())
    ask(product)
    with product.statements() as before:
        ask(product)
    product.parts.raising.raise_until("SMS_PER_HOUR", 20_000, product.services.database.now() + HOUR)
    with product.statements() as since:
        ask(product)
    assert len(since) == len(before)
    assert not [each for each in since if "raised_limits" in each]

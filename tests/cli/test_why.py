"""`messenger-api why`: every cause staged, and named rightly, on both databases."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import text as sql

from messenger_api.domain.causes import CAUSES
from messenger_api.domain.trace import HELD_SECONDS, Step, Stepped
from messenger_api.gateways.sms import (
    Channel,
    Receipt,
    SmsError,
    SmsProvider,
    SmsRefused,
    SmsUnavailable,
    SmsWrongChannel,
    State,
    TextMessage,
)
from messenger_api.settings import Settings
from messenger_api.storage import steps
from tests.cli.commands import Cli
from tests.product import APPID, Answer, Product
from tests.servers import ROOT, MariaDB

NUMBER, OTHER, ABROAD = "4915112345678", "4915187654321", "14155550123"
LANDLINE = "493012345678"
PRICED = {"sms_providers": ["tests.cli.test_why.Fickle"], "sms_countries": ["DE"]}


class Fickle(SmsProvider):
    """Sends, or fails as the test says; named by its dotted path."""

    name = "fickle"
    receipts = True
    channels = frozenset(Channel)
    fails: ClassVar[SmsError | None] = None
    texts: ClassVar[list[TextMessage]] = []

    def __init__(self, _settings: Settings) -> None:
        self.texts.clear()
        type(self).fails = None

    def _deliver(self, message: TextMessage) -> str:
        if self.fails:
            raise self.fails
        self.texts.append(message)
        return f"text-{len(self.texts)}"


Stage = Callable[[Product], None]
CASES: list[tuple[str, Stage, dict[str, object]]] = []


def case(code: str, **settings: object) -> Callable[[Stage], Stage]:
    """A way to stage a cause, with these settings."""

    def note(stage: Stage) -> Stage:
        CASES.append((code, stage, settings))
        return stage

    return note


def call(product: Product, number: str, network: int = 1, **fields: str) -> Answer:
    answer: Answer = product.http.post(
        "/api.php",
        data={"op": "login", "phone": number, "appid": APPID, **fields},
        environ_base={"REMOTE_ADDR": f"203.0.113.{network}"},
    ).get_json()
    return answer


def ask(product: Product, number: str = NUMBER, network: int = 1, ago: int = 0, **fields: str) -> Answer:
    product.clock.offset = -ago
    return call(product, number, network, **fields)


def enter(product: Product, code: str = "", ago: int = 0, network: int = 1, **fields: str) -> Answer:
    product.clock.offset = -ago
    return call(product, NUMBER, network, otp=code or right(), **fields)


def right() -> str:
    """The code in the newest text."""
    return Fickle.texts[-1].code


def wrong() -> str:
    return "".join(str((int(digit) + 1) % 10) for digit in right())


@case("not_asked")
def _nobody_asked(product: Product) -> None:
    assert ask(product, OTHER)["result"] == "OK"


@case("too_soon")
def _twice(product: Product) -> None:
    ask(product, ago=10)
    assert ask(product)["error"] == "TOOMANY"


@case("number_limit", sms_per_number_hour=1)
def _too_many_of_a_number(product: Product) -> None:
    ask(product, ago=200)
    assert ask(product, ago=20)["error"] == "TOOMANY"


@case("network_limit", sms_per_ip_hour=1)
def _too_many_of_a_network(product: Product) -> None:
    ask(product, OTHER, ago=20)
    assert ask(product)["error"] == "TOOMANY"


@case("site_limit", sms_per_hour=1)
def _too_many_of_all(product: Product) -> None:
    ask(product, OTHER, ago=20)
    assert ask(product, network=2)["error"] == "TOOMANY"


@case("budget_spent")
def _no_money(product: Product) -> None:
    count(product, f"sms_budget_day:{dt.datetime.now(dt.UTC):%Y-%m-%d}", "25000000")
    assert ask(product)["error"] == "TOOMANY"


@case("country_paused", sms_pause_sent=5, sms_pause_grace=0)
def _country_is_paused(product: Product) -> None:
    for n in range(5):
        ask(product, f"4915{n + 1}1{n}{n}{n}{n}{n}{n}{n}", network=10 + n, ago=300)
    assert ask(product, network=2)["error"] == "TOOMANY"


@case("number_refused")
def _provider_refuses_the_number(product: Product) -> None:
    Fickle.fails = SmsRefused("fickle", "no such number")
    assert ask(product)["error"] == "BADPHONE"


@case("no_provider")
def _provider_is_down(product: Product) -> None:
    Fickle.fails = SmsUnavailable("fickle", "down", not_sent=True)
    assert ask(product)["error"] == "TRYLATER"


@case("maybe_sent")
def _provider_does_not_say(product: Product) -> None:
    Fickle.fails = SmsUnavailable("fickle", "half an answer")
    assert ask(product)["result"] == "OK"


@case("on_its_way")
def _sent_just_now(product: Product) -> None:
    assert ask(product)["result"] == "OK"


@case("fixed_code", otp_test_numbers={NUMBER: "123456"}, otp_test_numbers_until="2099-12-31")
def _a_fixed_code(product: Product) -> None:
    assert ask(product)["result"] == "OK"
    assert Fickle.texts == []


@case("no_receipt")
def _no_receipt(product: Product) -> None:
    ask(product, ago=100)


@case("no_receipt")
def _no_receipt_and_asked_again_too_soon(product: Product) -> None:
    ask(product, ago=300)
    ask(product, ago=120)
    assert ask(product, ago=70)["error"] == "TOOMANY"


@case("receipt_failed")
def _not_delivered(product: Product) -> None:
    ask(product, ago=100)
    product.services.text_delivery.receive("fickle", Receipt("text-1", State.FAILED))


@case("delivered")
def _delivered(product: Product) -> None:
    ask(product, ago=100)
    product.services.text_delivery.receive("fickle", Receipt("text-1", State.DELIVERED))


@case("called")
def _called(product: Product) -> None:
    assert ask(product, channel="voice")["result"] == "OK"


@case("expired")
def _entered_too_late(product: Product) -> None:
    ask(product, ago=1000)
    assert enter(product)["error"] == "BADCODE"


@case("wrong_code")
def _wrong(product: Product) -> None:
    ask(product, ago=60)
    assert enter(product, wrong())["error"] == "BADCODE"


@case("paused_tries")
def _tries_in_a_hurry(product: Product) -> None:
    ask(product, ago=60)
    for _ in range(3):
        enter(product, wrong())
    assert enter(product)["error"] == "TOOMANY"


@case("too_many_tries")
def _guessed_dead(product: Product) -> None:
    ask(product, ago=250)
    for n in range(5):
        assert enter(product, wrong(), ago=200 - 40 * n)["error"] == "BADCODE"
    assert enter(product)["error"] == "TOOMANY"


@case("slowed", otp_wrong_per_day=5)
def _slowed(product: Product) -> None:
    ask(product, ago=250)
    for n in range(5):
        enter(product, wrong(), ago=200 - 40 * n)
    assert ask(product)["error"] == "TOOMANY"


@case("no_code")
def _entered_unasked(product: Product) -> None:
    assert enter(product, "123456")["error"] == "BADCODE"


@case("used_code")
def _entered_twice(product: Product) -> None:
    ask(product, ago=250)
    assert enter(product, ago=200)["result"] == "OK"
    assert enter(product)["error"] == "BADCODE"


@case("login_tries_limit", login_tries_per_ip_hour=5)
def _tries_of_a_network(product: Product) -> None:
    ask(product, ago=60)
    for _ in range(5):
        call(product, OTHER, otp="123456")
    assert enter(product)["error"] == "TOOMANY"


@case("mesibo_refused")
def _app_id_is_refused(product: Product) -> None:
    product.sandbox.faults.add("useradd", error="BADAPPID")
    ask(product, ago=60)
    assert enter(product)["error"] == "BADUSER"


@case("mesibo_away")
def _mesibo_is_away(product: Product) -> None:
    product.sandbox.faults.add("useradd", drop=True)
    ask(product, ago=60)
    assert enter(product)["error"] == "TRYLATER"


@case("app_token_refused")
def _app_token_is_refused(product: Product) -> None:
    product.sandbox.faults.add("useradd", error="AUTHFAIL")
    ask(product, ago=60)
    assert enter(product)["error"] == "TRYLATER"


@case("blocked")
def _kept_out(product: Product) -> None:
    ask(product, ago=250)
    enter(product, ago=200)
    change(product, "UPDATE users SET blocked = 1")
    ask(product, ago=60)
    assert enter(product)["error"] == "BADUSER"


@case("logged_in")
def _logged_in(product: Product) -> None:
    ask(product, ago=60)
    assert enter(product)["result"] == "OK"


def change(product: Product, statement: str, **values: object) -> None:
    with product.services.database.engine.begin() as connection:
        connection.execute(sql(statement), values)


def count(product: Product, name: str, state: str) -> None:
    change(
        product,
        "INSERT INTO limit_counters (name, slots, expires_at) VALUES (:name, :state, :until)",
        name=name,
        state=state,
        until=int(time.time()) + 86_400,
    )


Make = Callable[..., Product]


@pytest.fixture
def make(cli: Cli, keys: dict[str, str], tmp_path: Path) -> Iterator[Make]:
    """Makes a product whose texts cost money, on the database and with the settings of the commands."""
    made: list[Product] = []

    def make(**settings: object) -> Product:
        cli.environment.update(keys)
        cli.environment["MESSENGER_SMS_PROVIDERS"] = '["tests.cli.test_why.Fickle"]'
        cli.environment["MESSENGER_SMS_COUNTRIES"] = '["DE"]'
        cli.ok("db", "upgrade")
        uri, secret = keys["MESSENGER_SQLALCHEMY_DATABASE_URI"], keys["MESSENGER_SECRET_KEY"]
        made.append(Product(uri, tmp_path, **{"secret_key": secret, **PRICED, **settings}))
        return made[-1]

    yield make
    for product in made:
        product.close()


def why(cli: Cli, product: Product, number: str = NUMBER) -> dict[str, Any]:
    assert product.parts.bookkeeper.keep()
    told: dict[str, Any] = cli.json("why", number)
    return told


@pytest.mark.parametrize(
    ("code", "stage", "settings"), [pytest.param(*each, id=each[1].__name__.strip("_")) for each in CASES]
)
def test_each_cause_is_named(
    cli: Cli, make: Make, code: str, stage: Stage, settings: dict[str, object]
) -> None:
    product = make(**settings)
    stage(product)
    told = why(cli, product)
    assert told["cause"]["code"] == code, told
    shown = cli.ok("why", f"+{NUMBER[:2]} {NUMBER[2:]}")
    assert CAUSES[code].said in shown
    assert CAUSES[code].tell in shown


def test_a_number_that_gets_no_texts_is_told_why_asked_for_or_not(cli: Cli, make: Make) -> None:
    product = make()
    assert why(cli, product, ABROAD)["cause"]["code"] == "country_not_texted"
    assert ask(product, ABROAD)["error"] == "BADPHONE"
    told = why(cli, product, ABROAD)
    assert told["cause"]["code"] == "country_not_texted"
    assert "the number's country gets none" in told["timeline"][0]["what"]


def test_a_landline_that_nobody_calls_is_told(cli: Cli, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fickle, "channels", frozenset({Channel.SMS}))
    product = make()
    Fickle.fails = SmsWrongChannel("fickle", "a landline")
    ask(product, LANDLINE)
    assert why(cli, product, LANDLINE)["cause"]["code"] == "landline"


def test_the_timeline_tells_all_in_order(cli: Cli, make: Make) -> None:
    product = make()
    ask(product, ago=400)
    assert product.parts.bookkeeper.keep()  # what is alike and was not kept yet becomes one
    product.services.text_delivery.receive("fickle", Receipt("text-1", State.FAILED))
    ask(product, ago=390)
    ask(product, ago=385)
    ask(product, ago=300)
    enter(product, wrong(), ago=250)
    enter(product, ago=200)
    told = why(cli, product)
    assert [moment["what"] for moment in told["timeline"]] == [
        "asked for a code; it was made and handed over",
        "fickle took a text: its receipt says not delivered",
        "asked, and was refused by the limit resend_gap (2 times)",
        "asked for a code; it was made and handed over",
        "fickle took a text: no receipt yet",
        "entered a wrong code",
        "entered the code and logged in",
    ]
    assert told["account"]["sessions"] == 1
    times = [moment["at"] for moment in told["timeline"]]
    assert times == sorted(times)


def test_of_a_login_that_ended_the_oldest_session_the_timeline_says_so(cli: Cli, make: Make) -> None:
    product = make(max_sessions=1, limits="off")
    for device, ago in (("Pixel", 400), ("Pixel", 300), ("Tablet", 200)):
        ask(product, ago=ago)
        assert enter(product, ago=ago, device=device)["result"] == "OK"
        assert product.parts.bookkeeper.keep()
    entered = "entered the code and logged in"
    told = why(cli, product)
    assert [moment["what"] for moment in told["timeline"] if entered in moment["what"]] == [
        *[entered] * 2,
        f"{entered}, which ended the oldest session of this app (MAX_SESSIONS)",
    ]
    assert (told["cause"]["code"], told["account"]["sessions"]) == ("logged_in", 1)


def test_of_a_fixed_code_nothing_is_said_to_be_sent_before_and_after_its_step_is_noted(
    cli: Cli, make: Make
) -> None:
    product = make(otp_test_numbers={NUMBER: "123456"}, otp_test_numbers_until="2099-12-31")
    ask(product, ago=60)
    told = cli.json("why", NUMBER)
    assert told["cause"]["code"] == "fixed_code"
    assert [each["what"] for each in told["timeline"]] == ["the fixed code (OTP_TEST_NUMBERS) was made good"]
    whats = [each["what"] for each in why(cli, product)["timeline"]]
    assert whats == ["asked for a code; it is fixed (OTP_TEST_NUMBERS), and nothing was sent"]
    enter(product, "123456")
    assert why(cli, product)["cause"]["code"] == "logged_in"


def test_it_says_up_to_when_steps_are_noted(cli: Cli, make: Make) -> None:
    product = make()
    ask(product, ago=30)
    enter(product, wrong())
    before, told = int(time.time()), cli.json("why", NUMBER)
    assert told["cause"]["code"] == "on_its_way"  # the wrong code is held in the process yet
    assert before - HELD_SECONDS <= told["noted_until"] <= int(time.time()) - HELD_SECONDS
    assert "\nnoted     until 20" in cli.ok("why", NUMBER)
    assert why(cli, product)["cause"]["code"] == "wrong_code"


def test_what_is_no_number_is_said_to_be_none(cli: Cli, make: Make) -> None:
    make()
    refused = cli.run("why", "hello")
    assert (refused.exit_code, "cannot be read as a number" in refused.stderr) == (1, True)


@pytest.mark.server
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # it brings a server of its own
def test_while_the_database_takes_no_writes_nobody_is_said_not_to_have_asked(
    cli: Cli, keys: dict[str, str], make: Make
) -> None:
    with MariaDB() as server:
        server.create_database("messenger")
        server.query("CREATE USER app IDENTIFIED BY 'app'")
        server.query("GRANT ALL ON messenger.* TO app")
        uri = f"mysql+pymysql://app:app@127.0.0.1:{server.port}/messenger?charset=utf8mb4"
        keys["MESSENGER_SQLALCHEMY_DATABASE_URI"] = uri
        product = make()
        assert why(cli, product)["cause"]["code"] == "not_asked"
        server.query("SET GLOBAL read_only = 1")
        assert ask(product)["error"] == "TRYLATER"
        assert not product.parts.bookkeeper.keep()
        assert cli.json("why", NUMBER)["cause"]["code"] == "not_noted"
        server.query("SET GLOBAL read_only = 0")
        assert why(cli, product)["cause"]["code"] == "disturbed"


def test_what_is_kept_is_blind_and_gone_after_a_day(cli: Cli, make: Make) -> None:
    product = make()
    ask(product)
    assert product.parts.bookkeeper.keep()
    rows = product.rows("SELECT * FROM login_steps")
    assert len(rows) == 1
    assert not any(NUMBER[-8:] in str(cell) for cell in rows[0])
    product.clock.offset = 24 * 3600 + 1
    product.parts.worker.housekeeping.keep()
    assert product.rows("SELECT * FROM login_steps") == []


def test_who_deletes_the_account_takes_it_along(cli: Cli, make: Make) -> None:
    product = make()
    ask(product, ago=60)
    token = enter(product)["token"]
    assert product.parts.bookkeeper.keep()
    assert product.call("deleteaccount", token=token)["result"] == "OK"
    assert product.deliver()
    assert sweep(product) == []


def sweep(product: Product) -> list[Any]:
    """What is kept within the hour after a deletion."""
    product.clock.advance(2400)
    while product.parts.database.run(lambda tx: steps.sweep(tx, product.parts.database.now())):
        pass
    return product.rows("SELECT * FROM login_steps")


def log_in_and_delete(product: Product, *, asked: int, deleted: int) -> None:
    """A code, the log-in a second later, and the account's end so many seconds ago, where the clock stays."""
    ask(product, ago=asked)
    token = enter(product, ago=asked - 1)["token"]
    product.clock.offset = -deleted
    assert product.call("deleteaccount", token=token)["result"] == "OK"
    assert product.deliver()


def test_what_a_process_writes_when_the_account_is_deleted_already_is_neither_told_nor_kept(
    cli: Cli, make: Make
) -> None:
    product = make()
    log_in_and_delete(product, asked=8, deleted=5)
    product.clock.offset = 0
    assert product.parts.bookkeeper.keep()
    assert why(cli, product)["timeline"] == []
    assert sweep(product) == []


def test_what_happens_after_the_account_was_deleted_is_told(cli: Cli, make: Make) -> None:
    product = make()
    log_in_and_delete(product, asked=300, deleted=200)
    enter(product, "123456")
    ask(product, OTHER)
    assert [moment["what"] for moment in why(cli, product)["timeline"]] == [
        "entered a code, and had not asked for one"
    ]
    assert {row[2] for row in sweep(product)} == {Step.NO_CODE, Step.SENT}


def test_what_waited_for_the_database_for_longer_than_deletions_are_marked_is_not_kept(make: Make) -> None:
    product, key = make(), bytes(16)
    now = int(product.clock())
    waiting = [
        Stepped(key, Step.WRONG, "", 1, now - 4000, now - 3900),
        Stepped(key, Step.TRY_LATER, "", 3, now - 4000, now),
    ]
    product.parts.database.write(lambda tx, _now: steps.add(tx, now, waiting))
    assert product.rows("SELECT step, at FROM login_steps") == [(Step.TRY_LATER, now - steps.LATE_SECONDS)]
    assert steps.LATE_SECONDS < steps.MARKED_SECONDS < 2400


def test_words_of_a_newer_version_are_passed_over_and_a_mark_is_one_that_older_ones_know(
    cli: Cli, make: Make
) -> None:
    product = make()
    key = product.parts.identities.contact_key(product.parts.identities.at_login(NUMBER))
    now = int(product.clock())
    newer = Stepped(key, "a_word_to_come", "", 1, now - 5, now - 5)
    product.parts.database.write(lambda tx, _now: steps.add(tx, now, [newer]))
    assert why(cli, product)["timeline"] == []
    product.parts.database.write(lambda tx, _now: steps.forget(tx, now, key))
    [(word,)] = product.rows("SELECT step FROM login_steps")
    assert word in set(Step)


def test_a_flood_of_numbers_is_kept_note_of_within_bounds(cli: Cli, make: Make) -> None:
    product = make(limits="off")
    for n in range(230):
        product.parts.trace.note(n.to_bytes(16, "big"), Step.NO_CODE)
    assert product.parts.bookkeeper.keep()
    assert len(product.rows("SELECT id FROM login_steps")) == 200


def test_the_page_has_every_cause_with_its_sentences() -> None:
    page = (ROOT / "docs" / "operations" / "why.md").read_text()
    lines = [f"| `{cause.code}` | {cause.said} | {cause.tell} |" for cause in CAUSES.values()]
    assert page.endswith("\n".join(lines) + "\n")

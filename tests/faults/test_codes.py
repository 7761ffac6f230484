"""One-time codes: guessed in parallel, used in parallel, expired, replaced, and never readable at rest."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from messenger_api.sandbox import SandboxServer, SandboxStore
from messenger_api.storage.db import Uncertain
from tests.product import APPID, Answer, Product

ANA, BEN, REVIEWER = "14155550101", "14155550102", "14155550199"
FIXED = "135790"
REFUSED = "15005550001"  # Twilio's magic number: no valid one

Make = Callable[..., Product]


def ask(product: Product, number: str = ANA, **fields: object) -> Answer:
    return product.call("login", phone=number, appid=APPID, **fields)


def enter(product: Product, code: str, number: str = ANA, **fields: object) -> Answer:
    return product.call("login", phone=number, appid=APPID, otp=code, **fields)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


PAUSES = (0, 0, 0, 10, 30)


def guess(product: Product, code: str, number: str = ANA) -> list[Answer]:
    """Show five wrong codes, each as early as it is looked at."""
    answers = []
    for pause in PAUSES:
        product.clock.advance(pause)
        answers.append(enter(product, wrong(code), number))
    return answers


def at_once(product: Product, codes: list[str]) -> list[Answer]:
    """Enter these codes, all at the same moment."""
    return product.at_once([{"op": "login", "phone": ANA, "appid": APPID, "otp": code} for code in codes])


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[Callable[..., Product]]:
    """Makes the product on SQLite: for what no database can do differently."""
    made: list[Product] = []

    def make(**settings: object) -> Product:
        made.append(Product(f"sqlite:///{tmp_path / f'{len(made)}.sqlite3'}", tmp_path, **settings))
        return made[-1]

    yield make
    for product in made:
        product.close()


@pytest.fixture
def alone(lone: Make) -> Product:
    """The product on SQLite."""
    return lone()


class TestInParallel:
    def test_200_guesses_at_once_are_five_guesses(self, make_product: Make) -> None:
        product = make_product(limit_modes={"login_tries_per_ip": "off"})
        ask(product)
        code = product.code(ANA)
        guesses = [f"{(int(code) + 1 + n) % 1_000_000:06d}" for n in range(200)]
        answers: Counter[str] = Counter()
        for pause in (0, 10, 30, 60):
            product.clock.advance(pause)
            answers += Counter(answer["error"] for answer in at_once(product, guesses))
        assert answers == {"BADCODE": 5, "TOOMANY": 795}
        assert product.rows("SELECT attempts FROM one_time_codes") == [(5,)]
        assert enter(product, code)["error"] == "TOOMANY"
        assert product.rows("SELECT * FROM sessions") == []

    def test_50_times_the_right_code_at_once_is_one_session(self, product: Product) -> None:
        ask(product)
        answers = at_once(product, [product.code(ANA)] * 50)
        # It is one phone: whoever comes a moment later gets the same answer, or is told to ask for it.
        assert {answer.get("error", "OK") for answer in answers} <= {"OK", "TRYLATER"}
        assert len({answer["token"] for answer in answers if answer["result"] == "OK"}) == 1
        assert product.rows("SELECT count(*) FROM sessions") == [(1,)]
        assert product.rows("SELECT count(*) FROM users") == [(1,)]

    def test_the_right_code_among_many_wrong_ones_never_costs_more_than_the_limit(
        self, product: Product
    ) -> None:
        ask(product)
        code = product.code(ANA)
        answers = at_once(product, [wrong(code)] * 20 + [code] + [wrong(code)] * 20)
        evaluated = [a for a in answers if a["result"] == "OK" or a["error"] == "BADCODE"]
        [(attempts, used)] = product.rows("SELECT attempts, used_at > 0 FROM one_time_codes")
        assert attempts <= 5
        assert sum(a["result"] == "OK" for a in answers) == used
        if not used:
            assert len(evaluated) == 3  # the fourth has to wait

    def test_50_requests_at_once_send_one_code(self, product: Product) -> None:
        answers = product.at_once([{"op": "login", "phone": ANA, "appid": APPID}] * 50)
        assert Counter(a.get("error", "OK") for a in answers) == {"OK": 1, "TOOMANY": 49}
        assert len(product.sandbox.store.texts()) == 1


class TestOneCode:
    def test_it_has_six_digits_and_is_good_for_five_minutes(self, alone: Product) -> None:
        ask(alone)
        code = alone.code(ANA)
        assert len(code) == 6
        assert code.isdigit()
        alone.clock.advance(299)
        assert enter(alone, code)["result"] == "OK"

    def test_after_five_minutes_it_is_dead(self, alone: Product) -> None:
        ask(alone)
        code = alone.code(ANA)
        alone.clock.advance(300)
        assert enter(alone, code)["error"] == "BADCODE"

    def test_it_works_once(self, alone: Product) -> None:
        ask(alone)
        code = alone.code(ANA)
        assert enter(alone, code, device="her phone")["result"] == "OK"
        assert enter(alone, code, device="another")["error"] == "BADCODE"
        assert enter(alone, code)["error"] == "BADCODE"
        alone.clock.advance(60)
        assert enter(alone, code, device="her phone")["error"] == "BADCODE"

    @pytest.mark.parametrize("device", ["", "her phone"])
    def test_the_phone_whose_answer_was_lost_gets_the_same_answer_again(
        self, product: Product, device: str
    ) -> None:
        ask(product)
        code = product.code(ANA)
        lost = enter(product, code, device=device)
        product.clock.advance(30)
        again = enter(product, code, device=device)
        assert {**again, "ts": 0} == {**lost, "ts": 0}
        assert product.rows("SELECT count(*) FROM sessions") == [(1,)]
        assert product.call("profile", token=again["token"])["result"] == "OK"

    def test_a_used_code_cannot_be_guessed_either(self, alone: Product) -> None:
        ask(alone)
        code = alone.code(ANA)
        assert enter(alone, code)["result"] == "OK"
        assert [enter(alone, wrong(code))["error"] for _ in range(5)] == ["BADCODE"] * 5
        assert enter(alone, code)["error"] == "BADCODE"

    def test_after_a_logout_the_answer_is_not_given_again(self, alone: Product) -> None:
        ask(alone)
        code = alone.code(ANA)
        alone.ok("logout", token=enter(alone, code)["token"])
        assert enter(alone, code)["error"] == "BADCODE"

    def test_the_fourth_and_the_fifth_try_have_to_wait(self, product: Product) -> None:
        ask(product)
        code = product.code(ANA)
        waits = [enter(product, wrong(code)).get("retry_after") for _ in range(3)]
        assert waits == [None, None, 10]
        early = enter(product, code)
        assert (early["error"], 9 <= early["retry_after"] <= 10) == ("TOOMANY", True)
        product.clock.advance(10)
        assert enter(product, wrong(code))["retry_after"] == 30
        product.clock.advance(29)
        assert enter(product, code)["error"] == "TOOMANY"
        product.clock.advance(2)
        assert enter(product, code)["result"] == "OK"

    def test_a_phone_that_did_not_guess_does_not_wait_for_those_who_do(self, product: Product) -> None:
        ask(product)
        code = product.code(ANA)
        for _ in range(3):
            enter(product, wrong(code))
        assert enter(product, code)["error"] == "TOOMANY"
        own = product.app.test_client().post(
            "/api.php",
            data={"op": "login", "phone": ANA, "appid": APPID, "otp": code},
            environ_base={"REMOTE_ADDR": "203.0.113.7"},
        )
        assert msgspec.json.decode(own.data)["result"] == "OK"

    def test_five_wrong_guesses_kill_it_and_say_when_the_next_may_come(self, alone: Product) -> None:
        ask(alone)
        code = alone.code(ANA)
        assert [answer["error"] for answer in guess(alone, code)] == ["BADCODE"] * 5
        answer = enter(alone, code)
        assert answer["error"] == "TOOMANY"
        assert 0 < answer["retry_after"] <= 30
        assert str(answer["retry_after"]) in answer["errmsg"]
        alone.clock.advance(answer["retry_after"])
        ask(alone)
        assert enter(alone, alone.code(ANA))["result"] == "OK"

    def test_of_two_the_one_that_is_entered_ends_the_other(self, alone: Product) -> None:
        ask(alone)
        old = alone.code(ANA)
        alone.clock.advance(30)
        ask(alone)
        new = alone.code(ANA)
        assert enter(alone, new if new != old else wrong(old))["result"] == "OK" or new == old
        assert enter(alone, old)["error"] == "BADCODE"
        assert alone.rows("SELECT count(*) FROM one_time_codes") == [(1,)]

    def test_it_opens_no_other_number(self, alone: Product) -> None:
        ask(alone)
        ask(alone, BEN)
        code = alone.code(ANA)
        if code != alone.code(BEN):
            assert enter(alone, code, BEN)["error"] == "BADCODE"

    def test_a_number_without_a_code_is_told_no_more_than_a_wrong_code(self, alone: Product) -> None:
        ask(alone)
        known = enter(alone, wrong(alone.code(ANA)))
        unknown = enter(alone, "123456", BEN)
        assert {k: v for k, v in known.items() if k != "ts"} == {
            k: v for k, v in unknown.items() if k != "ts"
        }

    @pytest.mark.parametrize("shown", ["", "0", "12345", "1234567", "①②③④⑤⑥", "abcdef", "12345\x00"])
    def test_nothing_but_the_six_digits_opens(self, alone: Product, shown: str) -> None:
        ask(alone)
        answer = enter(alone, shown)
        assert "token" not in answer


class TestResendGap:
    def test_the_answer_says_how_long_to_wait_and_means_it(self, product: Product) -> None:
        assert ask(product)["retry_after"] == 30
        product.clock.advance(10)
        answer = ask(product)
        assert (answer["result"], answer["error"]) == ("FAIL", "TOOMANY")
        assert 19 <= answer["retry_after"] <= 20
        product.clock.advance(answer["retry_after"])
        assert ask(product)["result"] == "OK"
        assert len(product.sandbox.store.texts()) == 2

    def test_the_gaps_grow_and_five_texts_an_hour_are_all(self, product: Product) -> None:
        for gap in (30, 60, 120, 300):
            assert ask(product)["retry_after"] == gap
            product.clock.advance(gap - 2)
            assert ask(product)["error"] == "TOOMANY"
            product.clock.advance(3)
        assert ask(product)["retry_after"] == 600
        product.clock.advance(601)
        answer = ask(product)
        assert answer["error"] == "TOOMANY"
        assert 2400 <= answer["retry_after"] <= 2700, "until the first of the five is an hour old"
        assert str(-(-answer["retry_after"] // 60)) in answer["errmsg"]
        product.clock.advance(answer["retry_after"])
        assert ask(product)["result"] == "OK"

    def test_ten_texts_a_day_are_all(self, alone: Product) -> None:
        sent = 0
        for _ in range(24):
            sent += ask(alone)["result"] == "OK"
            alone.clock.advance(3400)
        assert sent == 10

    def test_wrong_codes_slow_a_number_to_one_code_an_hour_and_a_new_code_does_not_reset_that(
        self, product: Product
    ) -> None:
        for _ in range(5):
            assert ask(product)["result"] == "OK"
            guess(product, product.code(ANA))
            product.clock.advance(600)
        product.clock.advance(600)
        answer = ask(product)
        assert answer["error"] == "TOOMANY"
        assert 1800 < answer["retry_after"] <= 3600
        product.clock.advance(answer["retry_after"])
        assert ask(product)["retry_after"] == 3600
        assert enter(product, product.code(ANA))["result"] == "OK", "slow, and not locked"

    def test_a_refused_request_leaves_the_code_that_was_sent_alive(self, product: Product) -> None:
        ask(product)
        code = product.code(ANA)
        assert ask(product)["error"] == "TOOMANY"
        assert enter(product, code)["result"] == "OK"

    def test_after_a_login_a_new_code_may_come_at_once(self, product: Product) -> None:
        ask(product)
        enter(product, product.code(ANA))
        assert ask(product)["result"] == "OK"
        assert enter(product, product.code(ANA))["result"] == "OK"

    def test_asking_again_gives_no_new_guesses(self, product: Product) -> None:
        ask(product)
        code = product.code(ANA)
        for _ in range(4):
            enter(product, wrong(code))
            assert ask(product)["error"] == "TOOMANY"
        assert enter(product, code)["error"] == "TOOMANY"
        assert product.rows("SELECT attempts FROM one_time_codes") == [(3,)]

    @pytest.mark.parametrize(("limits", "told"), [("off", None), ("track", 30)])
    def test_it_can_be_switched_off(self, lone: Make, limits: str, told: int | None) -> None:
        product = lone(limits=limits)
        assert ask(product).get("retry_after") == told
        assert ask(product)["result"] == "OK"
        assert len(product.sandbox.store.texts()) == 2
        assert enter(product, product.code(ANA))["result"] == "OK"

    @pytest.mark.parametrize("limits", ["off", "track"])
    def test_expiry_and_attempts_hold_without_limits(self, lone: Make, limits: str) -> None:
        product = lone(limits=limits)
        ask(product)
        code = product.code(ANA)
        assert [answer["error"] for answer in guess(product, code)] == ["BADCODE"] * 5
        assert enter(product, code)["error"] == "TOOMANY"
        ask(product)
        code = product.code(ANA)
        product.clock.advance(300)
        assert enter(product, code)["error"] == "BADCODE"


class TestAtRest:
    def test_the_row_reveals_neither_code_nor_number(self, alone: Product) -> None:
        ask(alone, name="Ana")
        code = alone.code(ANA)
        [row] = alone.rows("SELECT * FROM one_time_codes")
        shown = repr(tuple(row))
        assert code not in shown
        assert ANA not in shown
        hashes = [bytes(value) for value in row if isinstance(value, (bytes, bytearray, memoryview))]
        assert sorted(map(len, hashes)) == [16, 32]

    def test_the_same_code_of_the_same_number_rests_differently_under_another_key(self, lone: Make) -> None:
        rows = []
        for key in ("one key of an installation", "another key of an installation"):
            product = lone(
                secret_key=key,
                otp_test_numbers={REVIEWER: FIXED},
                otp_test_numbers_until=dt.date(2099, 1, 1),
            )
            ask(product, REVIEWER)
            rows.append(product.rows("SELECT contact_key, code_hash FROM one_time_codes")[0])
        assert rows[0][0] != rows[1][0]
        assert rows[0][1] != rows[1][1]

    def test_two_numbers_with_one_code_rest_differently(self, lone: Make) -> None:
        product = lone(
            otp_test_numbers={REVIEWER: FIXED, BEN: FIXED}, otp_test_numbers_until=dt.date(2099, 1, 1)
        )
        ask(product, REVIEWER)
        ask(product, BEN)
        hashes = product.rows("SELECT code_hash FROM one_time_codes")
        assert hashes[0] != hashes[1]

    def test_the_log_holds_neither_code_nor_number(
        self, capfd: pytest.CaptureFixture[str], lone: Make
    ) -> None:
        product = lone()
        ask(product)
        code = product.code(ANA)
        enter(product, wrong(code))
        enter(product, code)
        logged = capfd.readouterr().err
        assert "api.answer" in logged
        assert code not in logged
        assert ANA not in logged


class TestTestNumbers:
    @pytest.fixture
    def reviewed(self, lone: Make) -> Product:
        today = dt.datetime.now(dt.UTC).date()
        return lone(
            otp_test_numbers={f"+{REVIEWER}": FIXED}, otp_test_numbers_until=today + dt.timedelta(days=1)
        )

    def test_the_fixed_code_opens_with_and_without_step_one_and_nothing_is_sent(
        self, reviewed: Product
    ) -> None:
        assert enter(reviewed, FIXED, REVIEWER)["result"] == "OK"
        assert ask(reviewed, REVIEWER)["result"] == "OK"
        assert ask(reviewed, REVIEWER)["result"] == "OK"
        assert enter(reviewed, FIXED, REVIEWER)["result"] == "OK"
        assert reviewed.sandbox.store.texts() == []

    def test_it_may_be_used_again_and_again(self, reviewed: Product) -> None:
        assert [enter(reviewed, FIXED, REVIEWER)["result"] for _ in range(8)] == ["OK"] * 8

    def test_the_name_given_in_step_one_is_taken(self, reviewed: Product) -> None:
        ask(reviewed, REVIEWER, name="Rita")
        assert enter(reviewed, FIXED, REVIEWER)["name"] == "Rita"

    def test_it_cannot_be_guessed_more_often_than_another_however_often_it_is_asked_for(
        self, reviewed: Product
    ) -> None:
        errors = []
        for n in range(12):
            reviewed.clock.advance(PAUSES[n] if n < 5 else 0)
            ask(reviewed, REVIEWER)
            errors.append(enter(reviewed, f"{n:06d}", REVIEWER)["error"])
        assert errors == ["BADCODE"] * 5 + ["TOOMANY"] * 7
        reviewed.clock.advance(300)
        assert enter(reviewed, FIXED, REVIEWER)["result"] == "OK"

    def test_the_fixed_code_opens_no_other_number(self, reviewed: Product) -> None:
        assert enter(reviewed, FIXED)["error"] == "BADCODE"

    def test_after_the_end_date_the_number_is_like_any_other(self, reviewed: Product) -> None:
        reviewed.clock.advance(3 * 86400)
        assert enter(reviewed, FIXED, REVIEWER)["error"] == "BADCODE"
        assert ask(reviewed, REVIEWER)["retry_after"] == 30
        assert len(reviewed.sandbox.store.texts()) == 1
        if reviewed.code(REVIEWER) != FIXED:
            assert enter(reviewed, FIXED, REVIEWER)["error"] == "BADCODE"
        assert enter(reviewed, reviewed.code(REVIEWER), REVIEWER)["result"] == "OK"

    def test_a_fixed_code_that_is_live_when_the_date_passes_is_dead_the_next_day(
        self, reviewed: Product
    ) -> None:
        ask(reviewed, REVIEWER)
        reviewed.clock.advance(3 * 86400)
        assert enter(reviewed, FIXED, REVIEWER)["error"] == "BADCODE"


class TestSms:
    @pytest.fixture
    def texting(self, lone: Make, tmp_path: Path) -> Iterator[tuple[Product, SandboxServer]]:
        """A product that sends by Twilio, played by a stand-in."""
        with SandboxStore(tmp_path / "twilio.sqlite3") as store, SandboxServer(store) as twilio:
            product = lone(
                sms_providers=["twilio"],
                sms_countries="*",
                twilio_api_url=twilio.twilio_url,
                twilio_account_sid=twilio.twilio_sid,
                twilio_auth_token=twilio.twilio_token,
                twilio_from="+15005550006",
            )
            yield product, twilio

    def test_a_number_that_the_network_refuses_is_a_bad_number(
        self, texting: tuple[Product, SandboxServer]
    ) -> None:
        product, _twilio = texting
        answer = ask(product, REFUSED)
        assert (answer["error"], answer["properties"]) == ("BADPHONE", ["phone"])
        assert answer["errmsg"]
        assert product.rows("SELECT * FROM one_time_codes") == []

    @pytest.mark.parametrize("fault", [{"error": "20500"}, {"error": "20429"}, {"error": "20003"}])
    def test_a_code_that_could_not_be_sent_is_forgotten_and_the_next_may_follow_at_once(
        self, texting: tuple[Product, SandboxServer], fault: dict[str, object]
    ) -> None:
        product, twilio = texting
        twilio.faults.add("sms", **fault)  # type: ignore[arg-type]
        answer = ask(product)
        assert (answer["error"], answer["retry_after"] > 0) == ("TRYLATER", True)
        assert product.rows("SELECT * FROM one_time_codes") == []
        twilio.faults.clear()
        assert ask(product)["result"] == "OK"
        text = twilio.store.texts()[0]
        assert text.to == ANA

    @pytest.mark.parametrize("fault", [{"drop": True}, {"html": True}])
    def test_one_that_may_have_been_sent_is_not_and_the_next_follows_in_its_time(
        self, texting: tuple[Product, SandboxServer], fault: dict[str, object]
    ) -> None:
        product, twilio = texting
        twilio.faults.add("sms", **fault)  # type: ignore[arg-type]
        answer = ask(product)
        assert (answer["result"], answer["retry_after"]) == ("OK", 30)
        assert product.rows("SELECT provider, provider_id FROM sent_texts") == [("twilio", "")]
        twilio.faults.clear()
        assert ask(product)["error"] == "TOOMANY"
        product.clock.advance(30)
        assert ask(product)["result"] == "OK"
        assert twilio.store.texts()[0].to == ANA

    def test_an_account_is_not_needed_for_a_text_nor_told_by_it(self, product: Product) -> None:
        product.log_in(BEN)
        known, unknown = ask(product, BEN), ask(product, ANA)
        assert {**known, "ts": 0} == {**unknown, "ts": 0}

    @pytest.mark.parametrize(
        ("number", "error"), [("491701234567", None), ("919876543210", None), (ANA, "BADPHONE")]
    )
    def test_only_the_listed_countries_are_texted(self, lone: Make, number: str, error: str | None) -> None:
        product = lone(sms_countries=["DE", "IN"])
        answer = ask(product, number)
        assert answer.get("error") == error
        assert len(product.sandbox.store.texts()) == (error is None)
        if error:
            assert "country" in answer["errmsg"]
            assert enter(product, "123456", number)["error"] == "BADCODE"

    def test_a_test_number_needs_no_listed_country(self, lone: Make) -> None:
        product = lone(
            sms_countries=["DE"],
            otp_test_numbers={REVIEWER: FIXED},
            otp_test_numbers_until=dt.date(2099, 1, 1),
        )
        assert ask(product, REVIEWER)["result"] == "OK"
        assert enter(product, FIXED, REVIEWER)["result"] == "OK"


def test_a_code_whose_commit_lost_its_answer_is_sent_all_the_same(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = product.services.database.write
    lost: list[object] = []

    def losing_the_first(work: Callable[..., object]) -> object:
        done = write(work)
        if not lost:
            lost.append(done)
            raise Uncertain
        return done

    monkeypatch.setattr(product.services.database, "write", losing_the_first)
    assert ask(product)["result"] == "OK"
    assert lost
    assert len(product.sandbox.store.texts()) == 1
    assert enter(product, product.code(ANA))["result"] == "OK"

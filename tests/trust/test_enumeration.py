"""How fast one account can find out which numbers have an account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import msgspec
import pytest

from messenger_api.storage import contacts
from tests.product import Answer, Product, at_once

ANA, BEN = "14155550101", "14155550102"
CALL, MOST, DAYS = 2_000, 20_000, 10
DAY, HOUR = 86_400, 3_600

Make = Callable[..., Product]


def numbers(call: int, count: int = CALL) -> list[str]:
    """Numbers that no other call names."""
    return [f"9198{call:04d}{n:04d}" for n in range(count)]


def test_2000_numbers_fit_into_a_call_and_20000_new_ones_into_ten_days(product: Product) -> None:
    ana = product.log_in(ANA)
    product.log_in(BEN)
    many = ana.call("getcontacts", phones=numbers(0, CALL + 1))
    assert (many["error"], str(CALL) in many["errmsg"]) == ("TOOMANY", True)
    for call in range(MOST // CALL):
        assert ana.contacts(phones=numbers(call)) == []
    refused = ana.call("getcontacts", phones=[BEN])
    assert (refused["error"], "contacts" in refused) == ("TOOMANY", False)
    assert refused["errmsg"]
    assert DAYS * DAY - HOUR < refused["retry_after"] <= DAYS * DAY * 61 // 60
    product.clock.advance(refused["retry_after"] - 5)
    assert ana.call("getcontacts", phones=[BEN])["error"] == "TOOMANY"
    product.clock.advance(5)
    assert [entry["phone"] for entry in ana.contacts(phones=[BEN])] == [BEN]


def test_a_refused_call_teaches_nothing_and_keeps_nothing(product: Product) -> None:
    ana = product.log_in(ANA)
    product.log_in(BEN)
    for call in range(MOST // CALL):
        ana.contacts(phones=numbers(call))
    before = rows(product)
    alone = ana.call("getcontacts", phones=[BEN])
    mixed = ana.call("getcontacts", phones=[*numbers(0, 100), BEN])
    cleared = ana.call("getcontacts", phones=[BEN], reset=1)
    nobody = ana.call("getcontacts", phones=["4915123456789"])
    told = [
        {name: value for name, value in answer.items() if name != "ts"}
        for answer in (alone, mixed, cleared, nobody)
    ]
    assert all({**answer, "retry_after": 0} == {**told[0], "retry_after": 0} for answer in told)
    assert rows(product) == before
    assert [entry for entry in ana.contacts() if entry["phone"] == BEN] == []


def rows(product: Product) -> int:
    [(count,)] = product.rows("SELECT count(*) FROM contacts")
    return int(count)


def test_repeats_are_free(make_product: Make) -> None:
    """Also together with new ones, in another spelling, and when the whole book is sent anew."""
    product = make_product(max_phones_per_call=100, new_numbers=100)
    ana, book = product.log_in(ANA), numbers(0, 90)
    for _ in range(5):
        ana.ok("getcontacts", phones=book)
    ana.ok("getcontacts", phones=[f"+{number[:2]} {number[2:]}" for number in book])
    for _ in range(3):
        ana.ok("getcontacts", phones=book, reset=1)
    ana.ok("getcontacts", phones=[*book, *numbers(1, 10)])
    assert ana.call("getcontacts", phones=numbers(2, 1))["error"] == "TOOMANY"
    ana.ok("getcontacts", phones=[*book, *numbers(1, 10)])


def test_a_book_that_is_sent_in_parts_with_a_reset_first_is_counted_once(make_product: Make) -> None:
    product = make_product(max_phones_per_call=100, new_numbers=250)
    ana, book = product.log_in(ANA), numbers(0, 200)
    for _ in range(23):
        for first in range(0, 200, 20):
            ana.ok("getcontacts", phones=book[first : first + 20], reset=int(first == 0))
        product.clock.advance(DAYS * DAY / 23)
    assert rows(product) == 200


@pytest.mark.parametrize("way", ["delcontacts", "reset", "reset with another"])
def test_what_was_removed_stays_counted_for_as_long_as_numbers_count(make_product: Make, way: str) -> None:
    """Also at the limit, in another spelling, and removed again and again; then it is forgotten."""
    product = make_product(max_phones_per_call=100, new_numbers=100)
    ana, book = product.log_in(ANA), numbers(0, 99)
    last = numbers(1, 1)

    def remove() -> None:
        if way == "delcontacts":
            ana.ok("delcontacts", phones=book)
        else:
            ana.ok("getcontacts", reset=1, phones=last if way == "reset with another" else [])

    for _ in range(3):
        ana.ok("getcontacts", phones=book)
        ana.ok("getcontacts", phones=last)
        remove()
        ana.ok("getcontacts", phones=[f"+{number[:2]} {number[2:]}" for number in book[:50]])
        assert ana.call("getcontacts", phones=[*book, *numbers(2, 1)])["error"] == "TOOMANY"
        remove()
    product.clock.advance(DAYS * DAY * 61 / 60 + 1)
    database = product.services.database
    database.run(lambda tx: contacts.purge(tx, database.now()))
    assert product.rows("SELECT count(*) FROM former_contacts") == [(0,)]
    ana.ok("getcontacts", phones=numbers(3, 60))
    assert ana.call("getcontacts", phones=book)["error"] == "TOOMANY"


def test_removing_and_adding_teaches_no_more_than_adding(make_product: Make) -> None:
    """An account that forgets what it tested, in every way, does not test more new numbers in ten days."""
    product = make_product(max_phones_per_call=100, new_numbers=300)
    ana, tested = product.log_in(ANA), 0
    for call in range(40):
        book = numbers(call, 50)
        tested += 50 * (ana.call("getcontacts", phones=book, reset=int(call % 3 == 0))["result"] == "OK")
        ana.ok("delcontacts", phones=book)
        product.clock.advance(HOUR)
    assert tested == 300


def test_a_deleted_account_leaves_none_of_its_numbers(make_product: Make) -> None:
    product = make_product(max_phones_per_call=100, new_numbers=100)
    ana = product.log_in(ANA)
    ana.ok("getcontacts", phones=numbers(0, 50))
    ana.ok("delcontacts", phones=numbers(0, 20))
    assert product.rows("SELECT count(*) FROM former_contacts") == [(20,)]
    ana.ok("deleteaccount")
    product.deliver()
    assert product.rows("SELECT count(*) FROM former_contacts") == [(0,)]
    assert rows(product) == 0


def test_each_account_has_its_own(make_product: Make) -> None:
    product = make_product(max_phones_per_call=100, new_numbers=100)
    ana, ben = product.log_in(ANA), product.log_in(BEN)
    ana.ok("getcontacts", phones=numbers(0, 100))
    assert ana.call("getcontacts", phones=numbers(1, 1))["error"] == "TOOMANY"
    ben.ok("getcontacts", phones=numbers(0, 100))


def test_another_session_is_the_same_account(make_product: Make) -> None:
    product = make_product(max_phones_per_call=100, new_numbers=100)
    product.log_in(ANA, device="one").ok("getcontacts", phones=numbers(0, 100))
    product.clock.advance(60)
    other = product.log_in(ANA, device="two")
    assert other.call("getcontacts", phones=numbers(1, 1))["error"] == "TOOMANY"


def test_at_once_and_from_two_processes_they_are_no_more(make_product: Make) -> None:
    products = [make_product(max_phones_per_call=100, new_numbers=1000) for _ in range(2)]
    token = products[0].log_in(ANA).token

    def send(n: int) -> str:
        form = {"op": "getcontacts", "token": token, "phones": numbers(n, 100)}
        client = products[n % 2].app.test_client()
        answer: Answer = msgspec.json.decode(client.post("/api.php", data=form).data)
        return str(answer.get("error", "OK"))

    answers = Counter(at_once(20, send))
    assert answers == {"OK": 10, "TOOMANY": 10}
    assert rows(products[0]) == 1000


def test_the_rate_over_a_month(paying: Make) -> None:
    """An account that asks for as many as it gets, every two hours, for 35 days."""
    product = paying(sms_providers=["console"])
    ana = product.log_in(ANA)
    tested: list[float] = []
    for _ in range(35 * 12):
        if ana.call("getcontacts", phones=numbers(len(tested)))["result"] == "OK":
            tested.append(product.clock())
        product.clock.advance(2 * HOUR)
    worst = max(sum(CALL for at in tested if start <= at < start + DAYS * DAY) for start in tested)
    print(
        f"\nin 35 days {len(tested) * CALL} numbers tested, at most {worst} in any {DAYS} days;"
        f" {len(tested) * CALL / 35:.0f} a day"
    )
    assert worst <= MOST
    assert len(tested) * CALL <= MOST * 4

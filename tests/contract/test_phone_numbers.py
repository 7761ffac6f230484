"""Numbers as phone books hold them: every op that takes one means the same person by it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.product import APPID, Phone, Product

ANA, LUZ = "525512345678", "2290197123456"
# How Ana's and Luz's numbers stand in other people's phone books.
OLD_FORMS = [
    (ANA, "+52 1 55 1234 5678"),
    (ANA, "5215512345678"),
    (ANA, "+52 01 55 1234 5678"),
    (ANA, "+52 (044) 55 1234 5678"),
    (ANA, "0052 045 55 1234 5678"),
    (ANA, "tel:+52-1-55-1234-5678;ext=5"),
    (LUZ, "+229 97 12 34 56"),
    (LUZ, "22997123456"),
]
NO_ENTRIES: tuple[Any, ...] = (
    None,
    True,
    1.5,
    10**30,
    -1,
    {},
    {"n": 1},
    [],
    [["9"]],
    "",
    "\x00",
    "x",
    "\ud7ff",
)


@pytest.fixture
def ben(product: Product) -> Phone:
    """Somebody in Germany."""
    return product.log_in("4915123456789", name="Ben")


def phones(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["phone"] for entry in entries if entry["phone"]]


@pytest.mark.parametrize(("number", "entry"), OLD_FORMS)
def test_a_form_that_a_country_has_left_is_the_same_person_in_every_op(
    product: Product, ben: Phone, number: str, entry: str
) -> None:
    known = product.log_in(number, name="Ana")
    assert phones(ben.contacts(phones=entry)) == [number]
    group = ben.ok("setgroup", name="Walk", m=entry)
    assert group["members"] == f"1:{ben.number},{number}"
    assert ben.ok("setadmin", gid=group["gid"], m=entry, admin=1)["members"].startswith("2:")
    assert ben.ok("editmembers", gid=group["gid"], m=entry, delete=1)["members"] == f"1:{ben.number}"
    ben.ok("block", phones=entry)
    assert ben.ok("blocked")["phones"] == [number]
    assert phones(known.contacts(phones=ben.number)) == []
    ben.ok("unblock", phones=entry)
    assert ben.ok("blocked")["phones"] == []
    assert ben.ok("report", phone=entry, reason="spam")
    ben.ok("delcontacts", phones=entry)
    assert phones(ben.contacts(ts=0)) == []


@pytest.mark.parametrize(("number", "entry"), OLD_FORMS)
def test_whoever_logs_in_by_an_old_form_has_todays_number(product: Product, number: str, entry: str) -> None:
    product.log_in(number, name="Ana")
    product.clock.advance(60)
    product.ok("login", phone=entry, appid=APPID)
    answer = product.ok("login", phone=entry, appid=APPID, otp=product.code(number))
    assert (answer["phone"], answer["name"]) == (number, "Ana")


@pytest.mark.parametrize("field", ["phones", "m"])
def test_entries_of_no_use_are_passed_over_whatever_json_makes_of_them(
    product: Product, ben: Phone, field: str
) -> None:
    product.log_in(ANA)
    for useless in NO_ENTRIES:
        for entries in ([useless, ANA], [ANA, useless], [useless, ANA, useless, int(ANA)]):
            op = {"op": "getcontacts"} if field == "phones" else {"op": "setgroup", "name": "g", "gid": 0}
            body = {**op, "token": ben.token, field: entries}
            answer = product.http.post("/api.php", json=body).get_json()
            assert answer["result"] == "OK", (useless, answer)
            if field == "phones":
                assert phones(answer["contacts"]) == [ANA], useless
            else:
                assert answer["members"] == f"1:{ben.number},{ANA}", useless


def test_what_a_person_wrote_is_read_at_home_and_what_an_app_wrote_abroad(product: Product) -> None:
    at_home, abroad = "8615012345678", "15012345678"
    wang = product.log_in("8613812345678")
    for number in (at_home, abroad):
        product.log_in(number)
    assert phones(wang.contacts(phones=["150-1234-5678"])) == [at_home]
    wang.ok("delcontacts", phones=at_home)
    assert phones(wang.contacts(phones=["15012345678"])) == [abroad]

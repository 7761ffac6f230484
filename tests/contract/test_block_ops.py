"""Blocks and reports: who finds whom, who hears of whom, and what the operator is told."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from messenger_api.domain.errors import TooMany
from messenger_api.domain.secrets import Keys
from messenger_api.services.identities import Identities, PhoneNumbers
from messenger_api.services.people.blocks import MOST_PER_CALL, Reports
from tests.product import Phone, Product
from tests.properties.anything import ENCODINGS, encoded

ANN, BOB, CEE, NOBODY = "919876543210", "919876543211", "919876543212", "918888888888"

KEY = "a test's own secret key"

MakeProduct = Callable[..., Product]
People = tuple[Phone, Phone, Phone]


@pytest.fixture
def people(product: Product) -> People:
    """Ann, Bob and Cee have each other in their phone books; everything about it is delivered."""
    found = [product.log_in(n, name=name) for n, name in ((ANN, "Ann"), (BOB, "Bob"), (CEE, "Cee"))]
    for phone in found:
        phone.ok("getcontacts", phones=f"{ANN},{BOB},{CEE}")
    product.deliver()
    ann, bob, cee = found
    return ann, bob, cee


def finds(phone: Phone, number: str) -> bool:
    """Whether a phone that sends its phone book finds this number, and a sync from the start tells of it."""
    named = number in [entry["phone"] for entry in phone.contacts(phones=number)]
    synced = number in [entry["phone"] for entry in phone.contacts(ts=0)]
    assert named == synced
    return named


def heard(phone: Phone, sender: str) -> list[str]:
    """The statuses of which this phone was told by update messages about `sender`."""
    return [update["status"] for update in phone.received() if update["phone"] == sender]


# Blocking


def test_neither_finds_the_other_and_everyone_else_is_found(people: People) -> None:
    ann, bob, cee = people
    assert finds(ann, BOB)
    ann.ok("block", phones=BOB)
    assert not finds(ann, BOB)
    assert not finds(bob, ANN)
    assert finds(ann, CEE)
    assert finds(cee, ANN)
    assert finds(bob, CEE)


def test_the_blocked_hears_nothing_of_the_blocker_and_the_blocker_nothing_of_the_blocked(
    people: People,
) -> None:
    ann, bob, cee = people
    ann.ok("block", phones=BOB)
    ann.ok("profile", status="secret")
    bob.ok("profile", status="shouted")
    assert "secret" not in heard(bob, ANN)
    assert "shouted" not in heard(ann, BOB)
    assert "secret" in heard(cee, ANN)
    assert "shouted" in heard(cee, BOB)


def test_a_sync_after_the_block_tells_neither_of_changes(people: People) -> None:
    ann, bob, _cee = people
    ann.ok("block", phones=BOB)
    ann.ok("profile", status="secret")
    bob.ok("profile", status="shouted")
    assert ANN not in [entry["phone"] for entry in bob.contacts(ts=0)]
    assert BOB not in [entry["phone"] for entry in ann.contacts(ts=0)]


def test_a_number_without_an_account_is_blocked_for_when_it_joins(product: Product, people: People) -> None:
    ann, _bob, _cee = people
    ann.ok("block", phones=f"+{NOBODY}")
    assert ann.ok("blocked")["count"] == 1
    newcomer = product.log_in(NOBODY, name="New")
    newcomer.ok("getcontacts", phones=ANN)
    ann.ok("getcontacts", phones=NOBODY)
    product.deliver()
    ann.ok("profile", status="secret")
    newcomer.ok("profile", status="shouted")
    assert not finds(newcomer, ANN)
    assert not finds(ann, NOBODY)
    assert heard(newcomer, ANN) == []
    assert "shouted" not in heard(ann, NOBODY)


def test_groups_and_their_messages_go_on(product: Product, people: People) -> None:
    ann, bob, _cee = people
    ann.ok("block", phones=BOB)
    gid = ann.ok("setgroup", name="g", m=f"{BOB},{CEE}")["gid"]
    assert bob.ok("getgroup", gid=gid)["members"] == f"1:{ANN},{BOB},{CEE}"
    assert [update["gid"] for update in bob.received()][-1] == gid


def test_after_unblocking_both_learn_at_their_next_sync_what_they_missed(people: People) -> None:
    ann, bob, _cee = people
    ann.ok("block", phones=BOB)
    ann.ok("profile", status="changed meanwhile")
    bob.ok("profile", status="this too")
    later = ann.product.services.database.now()
    ann.product.clock.advance(60)
    for phone in people:
        phone.contacts(ts=later)
    ann.ok("unblock", phones=BOB)
    told = {entry["phone"]: entry["status"] for entry in bob.contacts(ts=later + 30)}
    assert told[ANN] == "changed meanwhile"
    told = {entry["phone"]: entry["status"] for entry in ann.contacts(ts=later + 30)}
    assert told[BOB] == "this too"


def test_blocked_lists_those_with_an_account_and_counts_all(people: People) -> None:
    ann, bob, _cee = people
    ann.ok("block", phones=f"{BOB},{CEE},{NOBODY},not a number")
    answer = ann.ok("blocked")
    assert (sorted(answer["phones"]), answer["count"]) == ([BOB, CEE], 3)
    ann.ok("unblock", phones=f"{CEE},{NOBODY}")
    answer = ann.ok("blocked")
    assert (answer["phones"], answer["count"]) == ([BOB], 1)
    assert bob.ok("blocked")["count"] == 0


def test_blocking_twice_or_oneself_changes_nothing(people: People) -> None:
    ann, bob, _cee = people
    for _ in range(2):
        ann.ok("block", phones=f"{BOB},{ANN}")
    assert ann.ok("blocked")["count"] == 1
    assert [entry["phone"] for entry in bob.contacts(phones=f"{BOB},{CEE}")] == [CEE]


def test_a_blocked_number_rests_blind(product: Product, people: People) -> None:
    ann, _bob, _cee = people
    ann.ok("block", phones=NOBODY)
    [(key,)] = product.rows("SELECT contact_key FROM blocks")
    assert len(key) == 16
    assert NOBODY.encode() not in key


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_blocks_alike(product: Product, people: People, encoding: str) -> None:
    ann, _bob, _cee = people
    numbers: object = [f"+{BOB}", CEE] if encoding == "json" else f"+{BOB},{CEE}"
    request = {"op": "block", "token": ann.token, "phones": numbers}
    answer = msgspec.json.decode(
        product.http.open("/api.php", **{"method": "POST", **encoded(encoding, request)}).data
    )
    assert answer["result"] == "OK"
    assert sorted(ann.ok("blocked")["phones"]) == [BOB, CEE]


# Their limits


@pytest.mark.parametrize("op", ["block", "unblock"])
def test_a_call_takes_a_thousand_numbers_and_no_more(people: People, op: str) -> None:
    ann, _bob, _cee = people
    numbers = [f"9188{index:08}" for index in range(MOST_PER_CALL + 1)]
    answer = ann.call(op, phones=",".join(numbers))
    assert answer["error"] == "TOOMANY"
    assert str(MOST_PER_CALL) in answer["errmsg"]
    assert ann.ok("blocked")["count"] == 0
    ann.ok(op, phones=",".join(numbers[1:]))


@pytest.mark.parametrize("op", ["block", "unblock"])
def test_numbers_are_required(people: People, op: str) -> None:
    answer = people[0].call(op)
    assert (answer["error"], answer["properties"]) == ("MISSINGPARA", ["phones"])


def test_nobody_blocks_more_than_max_blocked(make_product: MakeProduct) -> None:
    ann = make_product(max_blocked=100).log_in(ANN)
    ann.ok("block", phones=",".join(f"9188{index:08}" for index in range(100)))
    answer = ann.call("block", phones=BOB)
    assert (answer["error"], answer["properties"]) == ("BADVALUE", ["phones"])
    assert "100" in answer["errmsg"]
    assert ann.ok("blocked")["count"] == 100
    ann.ok("block", phones="918800000000")


# Reports


def reports(product: Product) -> list[tuple[str, str, int, str, str]]:
    """Reporter, reported, group, reason and text of every report."""
    statement = """SELECT a.address, b.address, r.gid, r.reason, r.text FROM reports r
        JOIN users a ON a.uid = r.reporter JOIN users b ON b.uid = r.reported ORDER BY r.id"""
    return [tuple(row) for row in product.rows(statement)]


def test_a_report_about_a_person_is_kept_for_the_operator(product: Product, people: People) -> None:
    ann, bob, _cee = people
    before = bob.received()
    ann.ok("report", phone=f"+{BOB}", reason="spam", text="sells watches ⌚")
    assert reports(product) == [(ANN, BOB, 0, "spam", "sells watches ⌚")]
    assert bob.received() == before


def test_a_report_about_a_group_is_about_its_owner(product: Product, people: People) -> None:
    ann, bob, cee = people
    gid = bob.ok("setgroup", name="g", m=f"{ANN},{CEE}")["gid"]
    ann.ok("report", gid=gid)
    ann.ok("report", gid=gid, phone=CEE, reason="abuse")
    assert reports(product) == [(ANN, BOB, gid, "other", ""), (ANN, CEE, gid, "abuse", "")]
    assert bob.call("report", gid=gid)["error"] == "BADGROUP"
    assert cee.call("report", gid=gid + 1)["error"] == "NOTMEMBER"


def test_a_report_may_block_at_once(people: People) -> None:
    ann, bob, _cee = people
    ann.ok("report", phone=BOB, block=1)
    assert ann.ok("blocked")["phones"] == [BOB]
    assert not finds(bob, ANN)


def test_a_report_does_not_tell_whether_a_number_has_an_account(product: Product, people: People) -> None:
    ann, _bob, _cee = people
    first, second = ann.call("report", phone=NOBODY, block=1), ann.call("report", phone=BOB, block=1)
    assert first == {**second, "ts": first["ts"]}
    assert len(reports(product)) == 1
    assert ann.ok("blocked")["count"] == 2


def test_a_report_names_what_is_wrong(people: People) -> None:
    ann, _bob, _cee = people
    answer = ann.call("report")
    assert (answer["error"], answer["properties"]) == ("MISSINGPARA", ["phone", "gid"])
    for number in ("nonsense", ANN):
        answer = ann.call("report", phone=number)
        assert (answer["error"], answer["properties"]) == ("BADPHONE", ["phone"])
    for field, value in (("reason", "boredom"), ("text", "x" * 1001)):
        answer = ann.call("report", **{"phone": BOB, field: value})
        assert (answer["error"], answer["properties"]) == ("BADVALUE", [field])


def test_a_limit_that_says_no_keeps_a_report_out(product: Product, people: People) -> None:
    ann, _bob, _cee = people
    caller = product.services.callers.find(ann.token)

    def never(_caller: object) -> None:
        raise TooMany(retry_after=7)

    services = product.services
    identities = Identities(Keys.derive(KEY), PhoneNumbers(services.settings))
    limited = Reports(services.database, identities, services.blocks, never)
    with pytest.raises(TooMany):
        limited.add(caller, BOB, 0, reason="spam", text="", block=True)
    assert reports(product) == []
    assert ann.ok("blocked")["count"] == 0

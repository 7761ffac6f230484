"""Many accounts that end at the same moment, in the same groups, with several workers at it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.product import Answer, Phone, Product
from tests.properties.secrets_scan import cells, files, numbers_in

PEOPLE = [f"91987654320{index}" for index in range(6)]
STAYING = "14155550101"
WORKERS = 3


def settle(product: Product) -> None:
    """Have several workers empty the outbox together."""
    runners = [product.runner() for _ in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        for _ in range(40):
            assert all(pool.map(lambda runner: runner.drain(), runners))
            if not product.rows("SELECT id FROM outbox"):
                return
            product.clock.advance(product.services.settings.outbox_lease / 4)
    raise AssertionError(product.rows("SELECT lane, kind, state, last_error FROM outbox"))


def all_at_once(product: Product, phones: list[Phone], op: str) -> list[Answer]:
    """Each phone's answer; every thread has a client of its own."""

    def ask(phone: Phone) -> Answer:
        response = product.app.test_client().post("/api.php", data={"op": op, "token": phone.token})
        answer: Answer = response.get_json()
        return answer

    with ThreadPoolExecutor(len(phones)) as pool:
        return list(pool.map(ask, phones))


def test_everyone_leaves_at_once_and_the_one_who_stays_has_the_groups(product: Product) -> None:
    stayer = product.log_in(STAYING, name="Stays")
    phones = [product.log_in(number) for number in PEOPLE]
    for phone in phones:
        phone.ok("getcontacts", phones=",".join(PEOPLE))
    everyone = ",".join([*PEOPLE, STAYING])
    shared = [phone.ok("setgroup", name="shared", m=everyone)["gid"] for phone in phones]
    own = [phone.ok("setgroup", name="own", m=",".join(PEOPLE))["gid"] for phone in phones]
    settle(product)

    answers = all_at_once(product, phones, "deleteaccount")
    settle(product)

    assert {answer["result"] for answer in answers} == {"OK"}
    assert product.rows("SELECT address FROM users") == [(STAYING,)]
    for gid in shared:
        assert stayer.ok("getgroup", gid=gid)["members"] == f"1:{STAYING}"
        group = product.sandbox.store.group(gid)
        assert group is not None
        assert group.members == (STAYING,)
    assert [product.sandbox.store.group(gid) for gid in own] == [None] * len(own)
    assert [product.sandbox.store.user(number) for number in PEOPLE] == [None] * len(PEOPLE)
    left = b"\n".join([*cells(product.services.database.engine).values(), *files(*product.folders).values()])
    assert numbers_in(left, PEOPLE) == set()


def test_two_devices_of_one_person_that_delete_at_once_delete_one_account(product: Product) -> None:
    first = product.log_in(PEOPLE[0], device="first")
    product.clock.advance(60)
    second = product.log_in(PEOPLE[0], device="second")
    answers = all_at_once(product, [first, second], "deleteaccount")
    assert "OK" in {answer["result"] for answer in answers}
    assert {answer.get("error", "AUTHFAIL") for answer in answers} == {"AUTHFAIL"}
    assert product.rows("SELECT kind FROM outbox WHERE kind = 'account_closed'") == [("account_closed",)]
    settle(product)
    assert product.rows("SELECT address FROM users") == []

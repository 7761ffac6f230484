"""`setgroup` with `gid` 0: made once however often it is sent, named like its members, without blockers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from messenger_api.domain.texts import LANGUAGES, say
from tests.product import Answer, Phone, Product, jpeg

ANN, BOB, CEE, DAN = "919876543210", "919876543211", "919876543212", "919876543213"


@pytest.fixture
def ann(product: Product) -> Phone:
    product.log_in(BOB, name="Bob")
    product.log_in(CEE)
    product.log_in(DAN, name="Dan 😀")
    return product.log_in(ANN)


def at_mesibo(product: Product) -> int:
    return len(product.sandbox.store.groups())


def test_the_same_call_within_a_minute_is_the_same_group(product: Product, ann: Phone) -> None:
    first = ann.ok("setgroup", name="Hike", m=f"{BOB},{CEE}", photo=jpeg())
    for members in (f"{BOB},{CEE}", f"{CEE},+91 98765 43211", f"{CEE},{BOB},{BOB}", f"{CEE},{ANN},{BOB}"):
        product.clock.advance(12)
        again = ann.ok("setgroup", gid=0, name="Hike", m=members, photo=jpeg())
        assert (again["gid"], again["photo"], again["members"]) == (
            first["gid"], first["photo"], first["members"],
        )  # fmt: skip
    assert at_mesibo(product) == 1
    assert len(product.rows("SELECT gid FROM chat_groups")) == 1
    product.clock.advance(61)
    assert ann.ok("setgroup", name="Hike", m=f"{BOB},{CEE}", photo=jpeg())["gid"] != first["gid"]


def test_another_name_member_photo_or_session_is_another_group(product: Product, ann: Phone) -> None:
    other = product.log_in(ANN, appid="com.example.other")
    gids = [
        phone.ok("setgroup", **fields)["gid"]
        for phone, fields in (
            (ann, {"name": "A", "m": BOB}), (ann, {"name": "B", "m": BOB}), (ann, {"name": "A", "m": CEE}),
            (ann, {"name": "A", "m": BOB, "photo": jpeg()}),
            (ann, {"name": "A", "m": BOB, "photo": jpeg("red")}), (other, {"name": "A", "m": BOB}),
        )
    ]  # fmt: skip
    assert len(set(gids)) == len(gids)


def test_a_group_that_is_gone_or_was_left_is_made_anew(product: Product, ann: Phone) -> None:
    for _ in range(2):
        gid = ann.ok("setgroup", name="Hike", m=BOB)["gid"]
        ann.ok("delgroup", gid=gid)
        again = ann.ok("setgroup", name="Hike", m=BOB)["gid"]
        assert again != gid
        assert ann.ok("setgroup", name="Hike", m=BOB)["gid"] == again
        ann.ok("delgroup", gid=again)


def test_what_failed_binds_nobody(product: Product, ann: Phone) -> None:
    product.sandbox.faults.add("groupadd", drop=True)
    assert ann.call("setgroup", name="Hike", m=BOB)["error"] == "TRYLATER"
    product.sandbox.faults.clear()
    assert ann.ok("setgroup", name="Hike", m=BOB)["gid"]
    assert ann.call("setgroup", name="Walk", m=BOB, photo=b"no picture")["error"] == "BADIMAGE"
    assert ann.call("setgroup", name="Walk", m=BOB, photo=b"no picture")["error"] == "BADIMAGE"


def test_two_at_the_same_moment_are_one_group(product: Product, ann: Phone) -> None:
    product.sandbox.faults.add("groupadd", delay=1)
    answers: list[Answer] = []

    def send() -> None:
        answers.append(ann.call("setgroup", name="Hike", m=BOB))

    taps = [threading.Thread(target=send) for _ in range(3)]
    for tap in taps:
        tap.start()
        time.sleep(0.05)
    for tap in taps:
        tap.join()
    assert [answer["result"] for answer in answers] == ["OK"] * 3
    assert len({answer["gid"] for answer in answers}) == 1
    assert at_mesibo(product) == 1


# Without a name


def test_a_group_without_a_name_is_called_as_the_first_three_who_have_one(
    product: Product, ann: Phone
) -> None:
    assert ann.ok("setgroup", m=f"{CEE},{BOB},{DAN}")["name"] == "Bob, Dan 😀"
    product.clock.advance(61)
    ann.ok("profile", name="Ann")
    assert ann.ok("setgroup", m=f"{CEE},{BOB},{DAN}", name="\u200b ")["name"] == "Ann, Bob, Dan 😀"
    eve = product.log_in("919876543214", name="Eve")
    assert ann.ok("setgroup", m=f"{BOB},{DAN},{eve.number}")["name"] == "Ann, Bob, Dan 😀"


def test_a_number_is_no_name_of_a_group_in_any_language(product: Product, ann: Phone) -> None:
    for number in (
        "91‑98765‑43210",
        "tel:919876543210",
        "9_1_9876543210",
        "٩١٩٨٧٦٥٤٣٢١٠",
        "Ann 9876543210",
        "#7",
    ):
        ann.ok("profile", name=number)
        assert ann.ok("setgroup", m=CEE)["name"] == say("group_name", "en")
    ann.ok("profile", name=f"+{ANN}")
    product.clock.advance(61)
    for language in sorted(LANGUAGES):
        name = ann.ok("setgroup", m=CEE, lang=language)["name"]
        assert name == say("group_name", language)
        product.clock.advance(61)
    assert ann.ok("setgroup", m="")["name"] == "Group"


def test_long_names_fit(product: Product, ann: Phone) -> None:
    product.log_in("919876543215", name="x" * 128)
    answer = ann.ok("setgroup", m=f"{BOB},919876543215,{DAN}")
    assert answer["name"] == "Bob"


# Blocked


@pytest.fixture
def blocked(product: Product, ann: Phone) -> Phone:
    """Ann, whom Bob has blocked."""
    product.clock.advance(60)
    product.log_in(BOB).ok("block", phones=ANN)
    return ann


def test_who_has_blocked_the_maker_is_left_out_silently(product: Product, blocked: Phone) -> None:
    answer = blocked.ok("setgroup", name="insult", m=f"{BOB},{CEE}")
    assert answer["members"] == f"1:{ANN},{CEE}"
    product.deliver()
    assert all(BOB not in group.members for group in product.sandbox.store.groups())
    edited = blocked.ok("editmembers", gid=answer["gid"], m=f"{BOB},{DAN}")
    assert edited["members"] == f"1:{ANN},{CEE},{DAN}"
    assert blocked.ok("setgroup", gid=answer["gid"], name="x", m=BOB)["members"] == f"1:{ANN}"
    assert blocked.ok("editmembers", gid=answer["gid"], m=BOB)["members"] == f"1:{ANN}"


def test_who_is_in_the_group_already_stays_whoever_is_blocked(product: Product, ann: Phone) -> None:
    gid = ann.ok("setgroup", name="g", m=BOB)["gid"]
    product.clock.advance(60)
    product.log_in(BOB).ok("block", phones=ANN)
    assert ann.ok("setgroup", gid=gid, name="h", m=f"{BOB},{CEE}")["members"] == f"1:{ANN},{BOB},{CEE}"
    assert ann.ok("editmembers", gid=gid, m=BOB, delete=1)["members"] == f"1:{ANN},{CEE}"


def test_whom_the_maker_has_blocked_may_be_added(product: Product, ann: Phone) -> None:
    ann.ok("block", phones=BOB)
    assert ann.ok("setgroup", name="g", m=BOB)["members"] == f"1:{ANN},{BOB}"


# Rights and sizes come before numbers


# Seconds of processor time for taking 68,000 texts out of a body, tests being traced; to read them as numbers
# takes ten times as long.
READING = 2.5
MANY = ",".join(f"9177{index:08}" for index in range(68_000))


PHONES = ["block", "unblock", "getcontacts", "delcontacts"]


@pytest.mark.parametrize("op", ["editmembers", "setgroup", "setadmin", *PHONES])
def test_a_list_without_end_costs_no_more_than_its_bytes(product: Product, ann: Phone, op: str) -> None:
    def spent(make: Callable[[], Answer]) -> float:
        started = time.process_time()
        assert make()["error"] in ("BADGROUP", "TOOMANY")
        return time.process_time() - started

    started = time.process_time()
    ann.call("loginui", d=MANY)
    bytes_alone = time.process_time() - started
    fields = {"phones": MANY} if op in PHONES else {"m": MANY}
    assert spent(lambda: ann.call(op, gid=10**15, **fields)) < 10 * bytes_alone + READING
    if "m" in fields:
        gid = ann.ok("setgroup", name=op, m=BOB)["gid"]
        assert spent(lambda: ann.call(op, gid=gid, **fields)) < 10 * bytes_alone + READING
        assert spent(lambda: ann.call("setgroup", gid=0, **fields)) < 10 * bytes_alone + READING

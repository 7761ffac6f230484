"""Section 4 of the contract: the messages that carry changes to other phones, and exactly to whom."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from sqlalchemy import Connection, insert, select

from messenger_api.domain.phone import Phone as Number
from messenger_api.domain.secrets import Keys
from messenger_api.sandbox import Message
from messenger_api.storage.models import Contact, User
from tests.contract.shapes import noise
from tests.product import APPID, Answer, Phone, Product, jpeg

ANN, BOB, CEE, DAN = "919876543210", "919876543211", "919876543212", "14155550123"
ABOUT_USER = ["subject", "msg", "type", "action", "name", "gid", "phone", "status", "photo", "ts", "tn"]
ABOUT_GROUP = [*ABOUT_USER[:8], "members", *ABOUT_USER[8:]]

MakeProduct = Callable[..., Product]


def texts(product: Product) -> list[Answer]:
    return [msgspec.json.decode(message.text) for message in sent(product)]


def sent(product: Product) -> list[Message]:
    """Every update message so far, oldest first."""
    assert product.deliver()
    return product.sandbox.store.messages(1000)[::-1]


def types(update: Answer) -> dict[str, type]:
    return {member: type(value) for member, value in update.items()}


def follows(phone: Phone, *numbers: str) -> Phone:
    """Put numbers into a phone book."""
    phone.ok("getcontacts", phones=",".join(numbers))
    return phone


# What a message looks like


def test_a_message_about_a_user_has_these_members_in_this_order_and_type(product: Product) -> None:
    ann, _bob = product.log_in(ANN, name="Ann"), follows(product.log_in(BOB), ANN)
    product.deliver()
    ann.ok("profile", status="hi", photo=jpeg())
    update = texts(product)[-1]
    assert list(update) == ABOUT_USER
    assert types(update) == dict.fromkeys(ABOUT_USER, str) | dict.fromkeys(
        ("type", "action", "gid", "ts"), int
    )
    assert (update["subject"], update["msg"], update["type"], update["action"]) == ("", "", 0, 0)
    assert (update["name"], update["gid"], update["phone"], update["status"]) == ("Ann", 0, ANN, "hi")


def test_a_message_about_a_group_has_these_members_in_this_order_and_type(product: Product) -> None:
    ann, _bob = product.log_in(ANN), product.log_in(BOB)
    gid = ann.ok("setgroup", name="Club", m=BOB, photo=jpeg())["gid"]
    update = texts(product)[-1]
    assert list(update) == ABOUT_GROUP
    assert types(update) == dict.fromkeys(ABOUT_GROUP, str) | dict.fromkeys(
        ("type", "action", "gid", "ts"), int
    )
    assert (update["gid"], update["phone"], update["status"]) == (gid, "", "")


@pytest.mark.parametrize("style", ["json", "form"])
def test_a_message_is_transient_forced_of_type_1_and_lives_an_hour(
    make_product: MakeProduct, style: str
) -> None:
    product = make_product(mesibo_api_style=style)
    ann, _bob = product.log_in(ANN), follows(product.log_in(BOB), ANN)
    product.deliver()
    ann.ok("profile", status="hi")
    message = sent(product)[-1]
    assert (message.sender, message.to, message.gid) == (ANN, (BOB,), 0)
    assert (message.type, message.expiry, message.flag, message.forced) == (1, 3600, 4, True)


def test_its_ts_lets_the_next_sync_report_everything_of_that_time(product: Product) -> None:
    now = float(product.services.database.now())
    product.services.database.clock = lambda: now
    ann, bob = product.log_in(ANN), follows(product.log_in(BOB), ANN)
    ann.ok("profile", status="first")
    ts = texts(product)[-1]["ts"]
    ann.ok("profile", status="second")
    assert [entry["status"] for entry in bob.contacts(ts=ts)] == ["second"]


# First login


def test_the_first_login_is_told_to_everyone_with_the_number(product: Product) -> None:
    for number in (BOB, CEE):
        follows(product.log_in(number), ANN, DAN)
    product.log_in(DAN)
    product.deliver()
    ann = product.log_in(ANN, name="Ann")
    message = sent(product)[-1]
    update = texts(product)[-1]
    assert set(message.to) == {BOB, CEE}
    assert update["subject"] == "%NAME% is on Mesibo now"
    assert update["msg"] == "Hey, your contact %NAME% has just joined Mesibo, you may want to say hi!"
    assert (update["name"], update["phone"]) == ("Ann", ann.number)


def test_no_later_login_is_told_to_anybody(product: Product) -> None:
    follows(product.log_in(BOB), ANN)
    product.log_in(ANN)
    before = len(sent(product))
    for device in ("phone", "tablet", "phone"):
        product.clock.advance(60)
        product.log_in(ANN, device=device)
    product.clock.advance(60)
    product.log_in(ANN, appid="com.example.web")
    assert len(sent(product)) == before == 1


def test_the_texts_of_the_first_login_are_the_configured_ones(make_product: MakeProduct) -> None:
    product = make_product(join_subject="%NAME% is here", join_message="Say hi to %NAME%")
    follows(product.log_in(BOB), ANN)
    product.log_in(ANN)
    update = texts(product)[-1]
    assert (update["subject"], update["msg"]) == ("%NAME% is here", "Say hi to %NAME%")


def test_a_login_that_mesibo_refuses_is_told_to_nobody(product: Product) -> None:
    follows(product.log_in(BOB), ANN)
    product.ok("login", phone=ANN, appid=APPID)
    product.sandbox.faults.add("useradd", error="BADVALUE", times=1)
    answer = product.call("login", phone=ANN, appid=APPID, otp=product.code(ANN))
    assert answer["error"] == "BADUSER"
    assert sent(product) == []
    product.ok("login", phone=ANN, appid=APPID, otp=product.code(ANN))
    assert len(sent(product)) == 1


# Profiles


def test_a_new_photo_is_in_the_message_about_it(product: Product) -> None:
    ann, _bob = product.log_in(ANN), follows(product.log_in(BOB), ANN)
    for color in ("red", "blue"):
        answer = ann.ok("upload", profile=1, photo=jpeg(color))
        update = texts(product)[-1]
        assert (update["photo"], update["tn"]) == (answer["photo"], answer["tn"])


def test_nobody_to_tell_is_no_call(product: Product) -> None:
    ann, bob = product.log_in(ANN), product.log_in(BOB)
    product.deliver()
    follows(ann, ANN, BOB)
    ann.ok("profile", status="alone", photo=jpeg())
    ann.ok("setgroup", name="solo")
    bob.ok("profile", status="followed")
    assert [message.to for message in sent(product)] == [(ANN,)]


def test_a_profile_call_that_changes_nothing_tells_nobody(product: Product) -> None:
    ann, _bob = product.log_in(ANN, name="Ann"), follows(product.log_in(BOB), ANN)
    ann.ok("profile", status="hi")
    before = len(sent(product))
    for fields in ({}, {"gid": 0}, {"name": "Ann"}, {"status": "hi"}):
        ann.ok("profile", **fields)
    assert len(sent(product)) == before


# Many recipients: each exactly once, in requests that on-premise takes (the sandbox refuses over 8 KiB)


def crowd(product: Product, size: int) -> list[str]:
    """Accounts that exist here and at mesibo."""
    keys = Keys.derive(product.services.settings.secret_key)
    addresses = [str(447700000000 + index) for index in range(size)]
    users = [
        {"address": a, "contact_key": keys.contact_key(Number(a)), "created_at": 1, "changed_at": 1}
        for a in addresses
    ]
    for address in addresses:
        product.sandbox.store.put_user(address)

    def work(tx: Connection, _now: int) -> None:
        tx.execute(insert(User), users)

    product.services.database.write(work)
    return addresses


def all_follow(product: Product, followed: str) -> None:
    def work(tx: Connection, _now: int) -> None:
        key = tx.execute(select(User.contact_key).where(User.address == followed)).scalar_one()
        owners = tx.execute(select(User.uid).where(User.address != followed)).scalars().all()
        tx.execute(insert(Contact), [{"owner": uid, "contact_key": key} for uid in owners])

    product.services.database.write(work)


def at_mesibo(product: Product, gid: int) -> list[str]:
    group = product.sandbox.store.group(gid)
    assert group is not None
    return sorted(group.members)


@pytest.mark.parametrize("style", ["json", "form"])
def test_fifteen_hundred_followers_are_told_exactly_once(make_product: MakeProduct, style: str) -> None:
    product = make_product(mesibo_api_style=style)
    ann = product.log_in(ANN)
    product.deliver()
    addresses = crowd(product, 1500)
    all_follow(product, ANN)
    ann.ok("upload", profile=1, photo=noise())
    messages = sent(product)
    assert len(messages) > 1
    assert sorted(address for message in messages for address in message.to) == addresses
    assert len({message.text for message in messages}) == 1


@pytest.mark.parametrize("style", ["json", "form"])
def test_a_full_group_is_told_exactly_once(make_product: MakeProduct, style: str) -> None:
    product = make_product(mesibo_api_style=style)
    ann = product.log_in(ANN, name="Ann")
    product.deliver()
    addresses = crowd(product, 255)
    gid = ann.ok("setgroup", name="Ω" * 128, m=",".join(addresses), photo=noise())["gid"]
    assert sorted(address for message in sent(product) for address in message.to) == addresses
    assert at_mesibo(product, gid) == sorted([*addresses, ANN])


@pytest.mark.parametrize("style", ["json", "form"])
def test_a_large_group_is_made_told_and_emptied_in_requests_that_mesibo_takes(
    make_product: MakeProduct, style: str
) -> None:
    product = make_product(mesibo_api_style=style, max_group_members=480)
    ann = product.log_in(ANN)
    product.deliver()
    addresses = crowd(product, 479)
    gid = ann.ok("setgroup", name="many", m=",".join(addresses))["gid"]
    assert at_mesibo(product, gid) == sorted([*addresses, ANN])
    assert sorted(address for message in sent(product) for address in message.to) == addresses
    ann.ok("editmembers", gid=gid, m=",".join(addresses), delete=1)
    assert at_mesibo(product, gid) == [ANN]


def test_a_sync_is_not_cut_at_a_thousand_contacts(product: Product) -> None:
    ann = product.log_in(ANN)
    addresses = crowd(product, 1500)
    ann.ok("getcontacts", phones=",".join(addresses))
    assert sorted(entry["phone"] for entry in ann.contacts(ts=0)) == addresses

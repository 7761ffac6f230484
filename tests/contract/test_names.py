"""Section 5 of the contract: what nobody sees is taken out of names, group names, devices and app ids."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.product import Phone, Product

ANN, BOB = "919876543210", "919876543211"
DIRTY = "A\x1b[2J\x07n\r\nn\u202e \u2066L\x00ee\u200b\x9b\u3164"
CLEAN = "A[2Jnn Lee"
EMOJI = "👩🏽‍💻 می‌خواهم 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f ❤️"
UNSEEN = ["\u200b", "\u202e\u202c", " \u3164 ", "\u2800", "\x1b\x07", "\ufeff\u00ad", "\U000e0041"]


@pytest.fixture
def ann(product: Product) -> Phone:
    return product.log_in(ANN, name="Ann")


@pytest.fixture
def bob(product: Product, ann: Phone) -> Phone:
    """A follower of Ann."""
    phone = product.log_in(BOB, name="Bob")
    phone.ok("getcontacts", phones=ANN)
    return phone


def test_a_name_is_answered_stored_and_sent_without_what_is_not_seen(
    product: Product, ann: Phone, bob: Phone
) -> None:
    assert ann.ok("profile", name=DIRTY)["name"] == CLEAN
    assert [entry["name"] for entry in bob.contacts(ts=0)] == [CLEAN]
    assert bob.received()[-1]["name"] == CLEAN
    assert ann.ok("profile", name=EMOJI)["name"] == EMOJI


def test_a_status_keeps_its_line_ends_alone(ann: Phone) -> None:
    assert ann.ok("profile", status="one\ntwo\r\nthree \x1b[2J\x07\u202e😀")["status"] == (
        "one\ntwo\r\nthree [2J😀"
    )


@pytest.mark.parametrize("name", UNSEEN)
def test_a_name_that_shows_nothing_is_an_empty_one(product: Product, ann: Phone, name: str) -> None:
    assert ann.ok("profile", name=name)["name"] == ""
    gid = ann.ok("setgroup", name="Hike", m=BOB)["gid"]
    assert ann.ok("profile", gid=gid, name=name)["name"] == "Hike"
    assert ann.ok("setgroup", gid=gid, name=name)["name"] == "Hike"


def test_a_new_users_name_is_clean(product: Product) -> None:
    assert product.log_in(BOB, name=DIRTY).login["name"] == CLEAN


@pytest.mark.parametrize("name", [DIRTY, quote(DIRTY, safe="")], ids=["plain", "encoded twice"])
def test_a_groups_name_is_clean_here_at_mesibo_and_in_messages(
    product: Product, ann: Phone, bob: Phone, name: str
) -> None:
    answer = ann.ok("setgroup", name=name, m=BOB)
    assert answer["name"] == CLEAN
    update = bob.received()[-1]
    assert (update["name"], update["subject"]) == (CLEAN, f"You have been added to group {CLEAN}")
    assert ann.ok("profile", gid=answer["gid"], name=EMOJI)["name"] == EMOJI
    product.deliver()
    [group] = product.sandbox.store.groups()
    assert group.name == EMOJI


def test_devices_and_app_ids_are_clean(product: Product) -> None:
    ann = product.log_in(ANN, appid=f"com.example\x1b.app\u202e{chr(0)}", device=DIRTY)
    assert [(s["appid"], s["device"]) for s in ann.ok("sessions")["sessions"]] == [("com.example.app", CLEAN)]
    assert product.call("login", phone=ANN, appid="\u200b")["error"] == "MISSINGAPPID"

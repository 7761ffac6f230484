"""Messages between users over `/sandbox/chat`: sent, delivered, read, and with a live token alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from messenger_api.sandbox import Fault, SandboxServer, SandboxStore
from messenger_api.sandbox.chats import LISTENING_SECONDS
from messenger_api.sandbox.phones import LONGEST_TEXT
from tests.sandbox.conftest import ADA, BOB, CHI

TRANSIENT = 4


class Phone:
    """What a user's phone asks of mesibo."""

    def __init__(self, server: SandboxServer, http: requests.Session, token: str) -> None:
        self._url, self._http = f"{server.url}/sandbox/chat", http
        self._headers = {"Authorization": f"Bearer {token}"}

    def get(self, after: int = 0) -> requests.Response:
        return self._http.get(self._url, params={"after": after}, headers=self._headers, timeout=5)

    def post(self, path: str, **given: Any) -> requests.Response:
        return self._http.post(self._url + path, json=given, headers=self._headers, timeout=5)

    def send(self, **given: Any) -> int:
        answer = self.post("", **given)
        assert answer.json()["result"] is True, answer.text
        mid: int = answer.json()["mid"]
        return mid

    def received(self, after: int = 0) -> list[tuple[str, int, str]]:
        found = self.get(after).json()["messages"]
        return [(message["from"], message["gid"], message["text"]) for message in found]

    def receipt(self, mid: int) -> dict[str, list[str]]:
        found = {each.pop("mid"): each for each in self.get().json()["receipts"]}
        receipt: dict[str, list[str]] = found[mid]
        return receipt


OpenPhone = Callable[[str], Phone]


@pytest.fixture
def phone(server: SandboxServer, http: requests.Session, people: SandboxStore) -> OpenPhone:
    return lambda address: Phone(server, http, people.mint_token(address, "app").token)


def test_a_message_waits_until_it_is_fetched_and_its_sender_sees_how_far_it_came(phone: OpenPhone) -> None:
    ada, bob = phone(ADA), phone(BOB)
    mid = ada.send(to=BOB, text="Hello, Bob 👋")
    assert ada.receipt(mid) == {"waiting": [BOB], "delivered": [], "read": []}
    assert bob.received() == [(ADA, 0, "Hello, Bob 👋")]
    assert ada.receipt(mid) == {"waiting": [], "delivered": [BOB], "read": []}
    assert bob.post("/read", mids=[mid]).json() == {"result": True}
    assert ada.receipt(mid) == {"waiting": [], "delivered": [], "read": [BOB]}
    assert ada.received() == []


def test_what_was_fetched_is_given_again_to_whoever_asks_from_the_beginning(phone: OpenPhone) -> None:
    ada, bob = phone(ADA), phone(BOB)
    first, second = ada.send(to=BOB, text="one"), ada.send(to=BOB, text="two")
    assert len(bob.received()) == 2
    assert bob.received(after=first) == [(ADA, 0, "two")]
    assert bob.received(after=second) == []
    assert bob.received() == [(ADA, 0, "one"), (ADA, 0, "two")]


def test_a_groups_message_goes_to_its_members_but_the_sender(phone: OpenPhone, people: SandboxStore) -> None:
    group = people.add_group("Walks", [ADA, BOB])
    ada, bob, chi = phone(ADA), phone(BOB), phone(CHI)
    mid = ada.send(gid=group.gid, text="Sunday?")
    assert bob.received() == [(ADA, group.gid, "Sunday?")]
    assert ada.received() == chi.received() == []
    assert ada.receipt(mid)["delivered"] == [BOB]
    refused = chi.post("", gid=group.gid, text="Let me in")
    assert (refused.status_code, refused.json()["error"]) == (200, "BADVALUE")
    people.edit_group(group.gid, remove=[BOB])
    ada.send(gid=group.gid, text="Where is Bob?")
    assert len(bob.received()) == 1


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer nobodys", "Basic {}", "{}"])
def test_without_a_live_token_nothing_is_said_or_sent(
    server: SandboxServer, http: requests.Session, people: SandboxStore, header: str | None
) -> None:
    token = people.mint_token(ADA, "app").token
    headers = {} if header is None else {"Authorization": header.format(token)}
    url = f"{server.url}/sandbox/chat"
    answers = [
        http.get(url, headers=headers, timeout=5),
        http.post(url, json={"to": BOB, "text": "x"}, headers=headers, timeout=5),
        http.post(f"{url}/read", json={"mids": [1]}, headers=headers, timeout=5),
    ]
    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [(200, "AUTHFAIL")] * 3
    assert all(answer.json()["result"] is False for answer in answers)
    assert people.messages() == []


def test_a_token_that_was_ended_and_a_user_who_is_not_active_are_let_in_no_more(
    phone: OpenPhone, people: SandboxStore
) -> None:
    ada = phone(ADA)
    assert ada.get().json()["result"] is True
    people.put_user(ADA, active=False)
    assert ada.get().json()["error"] == "AUTHFAIL"
    people.put_user(ADA, active=True)
    assert ada.get().json()["result"] is True
    people.delete_tokens(ADA, "app")
    assert ada.get().json()["error"] == "AUTHFAIL"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"to": BOB},
        {"text": "x"},
        {"to": BOB, "text": ""},
        {"to": BOB, "text": "  "},
        {"to": BOB, "text": "x" * (LONGEST_TEXT + 1)},
        {"to": BOB, "text": 1},
        {"to": "499999", "text": "to nobody"},
        {"to": BOB, "text": "x", "gid": 1},
        {"to": BOB, "text": "x", "from": CHI},
        {"gid": 1, "text": "no such group"},
        {"gid": 10**30, "text": "no group can have that number"},
        {"gid": -(10**30), "text": "nor that"},
        {"to": BOB, "text": "half a character: \ud83d"},
        {"to": "\ud83d", "text": "to half a character"},
    ],
)
def test_what_is_no_message_is_refused_with_the_reason(
    phone: OpenPhone, people: SandboxStore, given: dict[str, Any]
) -> None:
    answer = phone(ADA).post("", **given)
    assert (answer.status_code, answer.json()["error"]) == (200, "BADVALUE")
    assert answer.json()["cause"]
    assert people.messages() == []


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"mids": 1},
        {"mids": ["1"]},
        {"mids": [True]},
        {"mids": [10**30]},
        {"mids": [-1]},
        {"mids": [], "x": 1},
    ],
)
def test_what_is_no_list_of_messages_is_refused(phone: OpenPhone, given: dict[str, Any]) -> None:
    assert phone(ADA).post("/read", **given).json()["error"] == "BADVALUE"


def test_after_a_number_that_no_message_can_have_there_is_none(phone: OpenPhone) -> None:
    phone(ADA).send(to=BOB, text="Hello")
    assert phone(BOB).received(after=10**30) == []
    assert len(phone(BOB).received(after=-(10**30))) == 1


def test_nobody_marks_as_read_what_went_to_another(phone: OpenPhone) -> None:
    ada, bob, chi = phone(ADA), phone(BOB), phone(CHI)
    mid = ada.send(to=BOB, text="for Bob")
    chi.post("/read", mids=[mid])
    bob.post("/read", mids=[mid])  # not yet fetched
    assert ada.receipt(mid)["waiting"] == [BOB]


def test_an_update_message_reaches_a_phone_that_asks_now_and_then(
    phone: OpenPhone, people: SandboxStore
) -> None:
    people.add_message(ADA, [BOB], "before", flag=TRANSIENT, reaches=[BOB])
    bob = phone(BOB)
    assert bob.received() == []
    people.add_message(ADA, [BOB], "while it is open", flag=TRANSIENT, reaches=[BOB])
    people.advance(LISTENING_SECONDS // 2)
    assert bob.received() == [(ADA, 0, "while it is open")]
    people.advance(LISTENING_SECONDS + 1)
    people.add_message(ADA, [BOB], "after it was closed", flag=TRANSIENT, reaches=[BOB])
    assert bob.received() == [(ADA, 0, "while it is open")]


def test_a_fault_of_chats_is_met_by_phones_and_not_by_the_backend(
    phone: OpenPhone, server: SandboxServer, http: requests.Session
) -> None:
    ada = phone(ADA)
    server.faults.set(Fault("chat", error="AWAY"))
    assert ada.get().json()["error"] == "AWAY"
    found = http.post(
        server.mesibo_json_url, json={"op": "usersget", "token": server.app_token}, timeout=5
    ).json()
    assert found["result"] is True
    server.faults.clear()
    server.faults.set(Fault("*", drop=True))
    assert ada.get().json()["result"] is True

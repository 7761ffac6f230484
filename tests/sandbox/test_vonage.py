"""The stand-in for Vonage's SMS API answers with Vonage's fields and statuses."""

from __future__ import annotations

import pytest
import requests

from messenger_api.sandbox import SandboxServer, SandboxStore


def send(server: SandboxServer, http: requests.Session, **fields: str) -> dict[str, str]:
    values = {
        "api_key": server.vonage_key,
        "api_secret": server.vonage_secret,
        "from": "14155550100",
        "to": "919876543210",
        "text": "482913 is your code",
        **fields,
    }
    given = {name: value for name, value in values.items() if value}
    answer = http.post(f"{server.vonage_url}/sms/json", data=given, timeout=5)
    assert answer.status_code == 200
    found = answer.json()
    assert found["message-count"] == str(len(found["messages"]))
    first: dict[str, str] = found["messages"][0]
    return {**first, "parts": found["message-count"]}


def test_a_text_is_accepted_and_kept(
    server: SandboxServer, http: requests.Session, store: SandboxStore
) -> None:
    part = send(server, http, callback="https://chat.example.com/sms/receipts/vonage")
    assert (part["status"], part["to"], part["parts"]) == ("0", "919876543210", "1")
    assert part["message-id"]
    kept = store.texts()[0]
    assert (kept.to, kept.text, kept.provider) == ("919876543210", "482913 is your code", "vonage")
    assert send(server, http, text="ё" * 71, type="unicode")["parts"] == "2"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"api_key": ""}, "2"),
        ({"to": ""}, "2"),
        ({"from": ""}, "2"),
        ({"text": ""}, "2"),
        ({"api_secret": "wrong"}, "4"),
        ({"to": "+919876543210"}, "3"),
        ({"text": "код 482913"}, "3"),
        ({"type": "unicode"}, "3"),
        ({"type": "binary"}, "3"),
        ({"To": "919876543210"}, "3"),
        ({"from": "A name too long"}, "15"),
        ({"callback": "chat.example.com"}, "23"),
        ({"to": "15005550001"}, "6"),
        ({"to": "15005550004"}, "7"),
        ({"to": "15005550009"}, "33"),
    ],
)
def test_a_bad_text_is_refused_with_vonages_status(
    fields: dict[str, str], status: str, server: SandboxServer, http: requests.Session
) -> None:
    part = send(server, http, **fields)
    assert (part["status"], bool(part["error-text"])) == (status, True)
    assert server.store.texts() == []


def test_the_balance_needs_the_credentials(server: SandboxServer, http: requests.Session) -> None:
    url = f"{server.vonage_url}/account/get-balance"
    right = http.get(url, auth=(server.vonage_key, server.vonage_secret), timeout=5)
    assert (right.status_code, "value" in right.json()) == (200, True)
    for auth in ((server.vonage_key, "wrong"), None):
        assert http.get(url, auth=auth, timeout=5).status_code == 401


def test_a_fault_carries_vonages_status(server: SandboxServer, http: requests.Session) -> None:
    server.faults.add("vonage", error="9", times=1)
    server.faults.add("twilio", error="20500")
    assert [send(server, http)["status"] for _ in range(2)] == ["9", "0"]

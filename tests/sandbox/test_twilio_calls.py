"""The stand-in for Twilio's calls answers with Twilio's fields and codes."""

from __future__ import annotations

import re

import pytest
import requests

from messenger_api.sandbox import SandboxServer, SandboxStore

FROM = "+15005550006"
TWIML = '<Response><Pause length="1"/><Say language="de-DE">4, 8, 2</Say><Say>4, 8, 2</Say></Response>'


def call(server: SandboxServer, http: requests.Session, **fields: str) -> requests.Response:
    values = {"To": "+919876543210", "From": FROM, "Twiml": TWIML, **fields}
    url = f"{server.twilio_url}/2010-04-01/Accounts/{server.twilio_sid}/Calls.json"
    given = {key: value for key, value in values.items() if value}
    return http.post(url, data=given, auth=(server.twilio_sid, server.twilio_token), timeout=5)


def test_a_call_is_accepted_and_what_it_says_is_kept(
    server: SandboxServer, http: requests.Session, store: SandboxStore
) -> None:
    answer = call(server, http, StatusCallback="https://chat.example.com/sms/receipts/twilio")
    assert answer.status_code == 201
    found = answer.json()
    assert re.fullmatch(r"CA[0-9a-f]{32}", found["sid"])
    assert (found["status"], found["to"], found["from"]) == ("queued", "+919876543210", FROM)
    kept = store.texts()[0]
    assert (kept.to, kept.text, kept.provider) == ("919876543210", "(call) 4, 8, 2", "twilio")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"To": ""}, 21201),
        ({"To": "919876543210"}, 21211),
        ({"From": ""}, 21213),
        ({"From": "Messenger"}, 21212),
        ({"Twiml": ""}, 21205),
        ({"Twiml": "<Response><Say>"}, 12100),
        ({"Twiml": "<!DOCTYPE x><Response><Say>1</Say></Response>"}, 12100),
        ({"Twiml": f"<Response><Say>{'1' * 4000}</Say></Response>"}, 12100),
        ({"Twiml": "<Response/>"}, 12200),
        ({"Twiml": "<Response><Say/></Response>"}, 12200),
        ({"Twiml": "<Response><Shout>1</Shout></Response>"}, 12200),
        ({"Twiml": '<Response><Say language="deutsch">1</Say></Response>'}, 12200),
        ({"Twiml": "<Answer><Say>1</Say></Answer>"}, 12200),
        ({"StatusCallback": "chat.example.com"}, 21609),
        ({"Body": "x"}, 20001),
        ({"To": "+15005550001"}, 21211),
        ({"To": "+15005550002"}, 21214),
        ({"To": "+15005550003"}, 21215),
        ({"To": "+15005550004"}, 21216),
    ],
)
def test_a_bad_call_is_refused_with_twilios_code(
    fields: dict[str, str], code: int, server: SandboxServer, http: requests.Session
) -> None:
    answer = call(server, http, **fields)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert server.store.texts() == []


def test_credentials_are_checked(server: SandboxServer, http: requests.Session) -> None:
    url = f"{server.twilio_url}/2010-04-01/Accounts/{server.twilio_sid}/Calls.json"
    assert http.post(url, auth=(server.twilio_sid, "wrong"), timeout=5).json()["code"] == 20003


def test_a_fault_may_be_set_for_this_provider_alone(server: SandboxServer, http: requests.Session) -> None:
    server.faults.add("vonage", error="5")
    assert call(server, http).status_code == 201
    server.faults.add("twilio", error="20429")
    assert call(server, http).status_code == 429

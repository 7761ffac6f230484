"""The stand-in for Twilio answers with Twilio's fields and codes."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from messenger_api.sandbox import SandboxServer, SandboxStore
from messenger_api.sandbox.segments import segments

FROM = "+15005550006"
SERVICE = "MG" + "a" * 32


def send(server: SandboxServer, http: requests.Session, **fields: str) -> requests.Response:
    values = {"To": "+919876543210", "From": FROM, "Body": "482913 is your code", **fields}
    url = f"{server.twilio_url}/2010-04-01/Accounts/{server.twilio_sid}/Messages.json"
    given = {key: value for key, value in values.items() if value}
    return http.post(url, data=given, auth=(server.twilio_sid, server.twilio_token), timeout=5)


def test_a_text_is_accepted_and_kept(
    server: SandboxServer, http: requests.Session, store: SandboxStore
) -> None:
    answer = send(server, http)
    assert answer.status_code == 201
    found: dict[str, Any] = answer.json()
    sid = found.pop("sid")
    assert re.fullmatch(r"SM[0-9a-f]{32}", sid)
    created = found.pop("date_created")
    offset = parsedate_to_datetime(created).utcoffset()
    assert offset is not None
    assert offset.total_seconds() == 0
    assert found.pop("date_updated") == created
    uri = f"/2010-04-01/Accounts/{server.twilio_sid}/Messages/{sid}"
    assert found == {
        "account_sid": server.twilio_sid,
        "api_version": "2010-04-01",
        "body": "482913 is your code",
        "date_sent": None,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": FROM,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "status": "queued",
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": "+919876543210",
        "uri": f"{uri}.json",
    }
    kept = store.texts()[0]
    assert (kept.to, kept.text, kept.provider) == ("919876543210", "482913 is your code", "twilio")


def test_a_messaging_service_picks_its_sender_later(server: SandboxServer, http: requests.Session) -> None:
    found = send(server, http, From="", MessagingServiceSid=SERVICE).json()
    picked = (found["from"], found["messaging_service_sid"], found["status"], found["num_segments"])
    assert picked == (None, SERVICE, "accepted", "0")


@pytest.mark.parametrize(
    ("fields", "code", "status"),
    [
        ({"To": ""}, 21604, 400),
        ({"To": "919876543210"}, 21211, 400),
        ({"To": "+91 98765 43210"}, 21211, 400),
        ({"To": "+15005550001"}, 21211, 400),
        ({"To": "+15005550002"}, 21612, 400),
        ({"To": "+15005550003"}, 21408, 400),
        ({"To": "+15005550004"}, 21610, 400),
        ({"To": "+15005550009"}, 21614, 400),
        ({"From": ""}, 21603, 400),
        ({"From": "not a sender!"}, 21212, 400),
        ({"From": "", "MessagingServiceSid": "MG1"}, 21701, 404),
        ({"Body": ""}, 21602, 400),
        ({"Body": "x" * 1601}, 21617, 400),
        ({"to": "+919876543210"}, 20001, 400),
        ({"Text": "x"}, 20001, 400),
    ],
)
def test_a_bad_text_is_refused_with_twilios_code(
    fields: dict[str, str], code: int, status: int, server: SandboxServer, http: requests.Session
) -> None:
    answer = send(server, http, **fields)
    found = answer.json()
    assert (answer.status_code, found["status"], found["code"]) == (status, status, code)
    assert found["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert found["message"]
    assert server.store.texts() == []


@pytest.mark.parametrize(("sender", "accepted"), [("Messenger", 201), ("12345", 201), ("Twelve chars", 400)])
def test_a_sender_may_be_a_name_or_a_short_code(
    sender: str, accepted: int, server: SandboxServer, http: requests.Session
) -> None:
    assert send(server, http, From=sender).status_code == accepted


def test_credentials_are_checked(server: SandboxServer, http: requests.Session) -> None:
    url = f"{server.twilio_url}/2010-04-01/Accounts/{server.twilio_sid}.json"
    right = (server.twilio_sid, server.twilio_token)
    account = http.get(url, auth=right, timeout=5)
    assert (account.json()["sid"], account.json()["status"]) == (server.twilio_sid, "active")
    other = url.replace(server.twilio_sid, "AC" + "1" * 32)
    for address, auth in ((url, (server.twilio_sid, "wrong")), (url, None), (other, right)):
        refused = http.get(address, auth=auth, timeout=5)
        assert (refused.status_code, refused.json()["code"]) == (401, 20003)


def test_a_fault_of_the_sms_network_carries_twilios_code(
    server: SandboxServer, http: requests.Session
) -> None:
    server.faults.add("sms", error="20429", times=1)
    limited = send(server, http)
    assert (limited.status_code, limited.json()["code"]) == (429, 20429)
    server.faults.add("sms", error="30008", times=1)
    assert (send(server, http).status_code, send(server, http).status_code) == (400, 201)
    for odd in ("²", "9" * 5000, "AWAY"):
        server.faults.add("sms", error=odd, times=1)
        assert send(server, http).json()["code"] == 20500


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ё" * 70, 1),
        ("ё" * 71, 2),
        ("🏔" * 35, 1),
        ("🏔" * 36, 2),
    ],
)
def test_segments_are_counted_as_the_network_counts(text: str, count: int) -> None:
    assert segments(text) == count

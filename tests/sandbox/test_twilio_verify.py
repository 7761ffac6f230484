"""The stand-in for Twilio Verify: a code in the inbox, approved once, five checks, ten minutes."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from messenger_api.sandbox import SandboxServer, SandboxStore, verifications

TO = "+919876543210"


def post(server: SandboxServer, http: requests.Session, resource: str, **fields: str) -> requests.Response:
    url = f"{server.twilio_url}/v2/Services/{server.twilio_verify_sid}/{resource}"
    return http.post(url, data=fields, auth=(server.twilio_sid, server.twilio_token), timeout=5)


def start(server: SandboxServer, http: requests.Session, **fields: str) -> str:
    answer = post(server, http, "Verifications", **{"To": TO, "Channel": "sms", **fields})
    assert answer.status_code == 201
    return str(answer.json()["sid"])


def check(server: SandboxServer, http: requests.Session, sid: str, code: str) -> tuple[int, object]:
    answer = post(server, http, "VerificationCheck", VerificationSid=sid, Code=code)
    found = answer.json()
    return answer.status_code, found["code"] if "code" in found else found["status"]


def newest_code(store: SandboxStore) -> str:
    text = store.texts()[0]
    assert (text.provider, text.to) == ("twilio_verify", TO[1:])
    found = re.search(r"\d{6}$", text.text)
    assert found
    return found[0]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_the_code_shows_in_the_inbox_and_is_approved_once(
    server: SandboxServer, http: requests.Session, store: SandboxStore
) -> None:
    answer = post(server, http, "Verifications", To=TO, Channel="call", Locale="en")
    found = answer.json()
    assert re.fullmatch(r"VE[0-9a-f]{32}", found["sid"])
    assert (found["status"], found["valid"], found["channel"], found["to"]) == ("pending", False, "call", TO)
    assert store.texts()[0].text.startswith("(call) ")
    code = newest_code(store)
    assert check(server, http, found["sid"], wrong(code)) == (200, "pending")
    assert check(server, http, found["sid"], code) == (200, "approved")
    assert check(server, http, found["sid"], code) == (404, 20404)


def test_a_check_may_name_the_number(
    server: SandboxServer, http: requests.Session, store: SandboxStore
) -> None:
    start(server, http)
    answer = post(server, http, "VerificationCheck", To=TO, Code=newest_code(store))
    assert (answer.json()["status"], answer.json()["valid"]) == ("approved", True)


def test_after_five_checks_even_the_right_code_is_refused(
    server: SandboxServer, http: requests.Session, store: SandboxStore
) -> None:
    sid, code = start(server, http), newest_code(store)
    assert [check(server, http, sid, wrong(code)) for _ in range(5)] == [(200, "pending")] * 5
    assert check(server, http, sid, code) == (429, 60202)


def test_twenty_checks_at_once_are_five(
    server: SandboxServer, http: requests.Session, store: SandboxStore
) -> None:
    sid, code = start(server, http), wrong(newest_code(store))
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: check(server, http, sid, code), range(20)))
    assert sorted(answers) == [(200, "pending")] * 5 + [(429, 60202)] * 15


def test_a_second_start_sends_the_same_code_and_the_sixth_none(
    server: SandboxServer, http: requests.Session, store: SandboxStore
) -> None:
    sids = {start(server, http) for _ in range(5)}
    codes = {text.text for text in store.texts()}
    assert (len(sids), len(codes), len(store.texts())) == (1, 1, 5)
    answer = post(server, http, "Verifications", To=TO, Channel="sms")
    assert (answer.status_code, answer.json()["code"]) == (429, 60203)


def test_a_verification_ends_after_ten_minutes(
    server: SandboxServer, http: requests.Session, store: SandboxStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sid, code = start(server, http), newest_code(store)
    monkeypatch.setattr(verifications, "now", lambda: time.time() + 590)
    assert check(server, http, sid, wrong(code)) == (200, "pending")
    monkeypatch.setattr(verifications, "now", lambda: time.time() + 601)
    assert check(server, http, sid, code) == (404, 20404)
    assert start(server, http) != sid


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"To": ""}, 400, 60200),
        ({"To": TO[1:]}, 400, 60200),
        ({"Channel": "carrier pigeon"}, 400, 60200),
        ({"Locale": "tlh"}, 404, 20404),
        ({"CustomCode": "1234"}, 400, 20001),
        ({"To": "+15005550001"}, 400, 60200),
        ({"To": "+15005550004"}, 403, 60410),
        ({"To": "+15005550009"}, 403, 60205),
    ],
)
def test_a_bad_start_is_refused_with_twilios_code(
    fields: dict[str, str], status: int, code: int, server: SandboxServer, http: requests.Session
) -> None:
    answer = post(server, http, "Verifications", **{"To": TO, "Channel": "sms", **fields})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert server.store.texts() == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Code": "123456"}, 60200),
        ({"Code": "123456", "VerificationSid": "VE0", "To": TO}, 60200),
        ({"Code": "123", "VerificationSid": "VE0"}, 60200),
        ({"VerificationSid": "VE0"}, 60200),
        ({"Code": "123456", "VerificationSid": "VE0"}, 20404),
        ({"Code": "123456", "VerificationSid": "VE0", "Amount": "1"}, 20001),
    ],
)
def test_a_bad_check_is_refused_with_twilios_code(
    fields: dict[str, str], code: int, server: SandboxServer, http: requests.Session
) -> None:
    assert post(server, http, "VerificationCheck", **fields).json()["code"] == code


def test_credentials_and_the_service_are_checked(server: SandboxServer, http: requests.Session) -> None:
    url = f"{server.twilio_url}/v2/Services/{server.twilio_verify_sid}"
    right = (server.twilio_sid, server.twilio_token)
    assert http.get(url, auth=right, timeout=5).json()["sid"] == server.twilio_verify_sid
    assert http.get(url, auth=(server.twilio_sid, "wrong"), timeout=5).json()["code"] == 20003
    assert http.get(url[:-1] + "1", auth=right, timeout=5).json()["code"] == 20404


def test_a_fault_may_be_set_for_this_provider_alone(server: SandboxServer, http: requests.Session) -> None:
    server.faults.add("twilio", error="20500")
    start(server, http)
    server.faults.add("twilio_verify", error="60605")
    answer = post(server, http, "Verifications", To=TO, Channel="sms")
    assert (answer.status_code, answer.json()["code"]) == (403, 60605)

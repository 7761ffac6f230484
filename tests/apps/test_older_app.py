"""An older Android app, with forms and an unforgiving reader, lives with this server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.apps.app import Install, parsed
from tests.apps.current import AndroidApp
from tests.apps.older import OlderApp, read_message, read_response
from tests.apps.store import AppCrash
from tests.apps.stories import STRANGERS, Stories, new_number, phone_book

pytestmark = pytest.mark.server

GOOD: dict[str, Any] = {
    "op": "getcontacts",
    "ts": 1566287105,
    "result": "OK",
    "contacts": [
        {"name": "", "status": "", "phone": "919876543210", "photo": "", "gid": "0", "ts": "1566287105"}
    ],
    "share": {"text": "t", "subject": "s", "title": "t"},
    "urls": {"upload": "u", "download": "d"},
    "unheard_of": {"x": [1.5, True]},
}


class TestOlderApp(Stories):
    mine = OlderApp
    theirs = AndroidApp


def test_local_numbers_with_null_in_front_are_read_in_the_callers_country(install: Install) -> None:
    ana, bob = install(OlderApp), install(OlderApp)
    ana.log_in(new_number())
    bob.log_in(new_number())
    assert ana.written(bob.store.own) == f"null{bob.store.own[2:]}"
    ana.sync(phone_book(Bobby=bob))
    assert list(ana.store.contacts) == [bob.store.own]


def test_a_new_phone_book_replaces_the_old_one(install: Install) -> None:
    ana, bob, cyd = (install(OlderApp) for _ in range(3))
    for app in (ana, bob, cyd):
        app.log_in(new_number())
    ana.sync({**phone_book(Bobby=bob), **STRANGERS})
    ana.sync({**STRANGERS, **phone_book(Cydney=cyd)})
    bob.change_profile("Robert", "no longer in the book")
    cyd.change_profile("Cydia", "in the book")
    ana.sync()
    assert ana.store.contacts[cyd.store.own].status == "in the book"
    assert ana.store.contacts[bob.store.own].status == ""


def test_the_reader_takes_quoted_numbers_and_ignores_what_it_does_not_know() -> None:
    answer = read_response(parsed(json.dumps(GOOD)))
    assert answer["contacts"][0]["ts"] == 1566287105
    assert "unheard_of" not in answer


@pytest.mark.parametrize(
    "fault",
    [
        {"ts": ""},
        {"ts": True},
        {"ts": 1566287105.5},
        {"ts": None},
        {"gid": "1.5"},
        {"contacts": {}},
        {"contacts": ""},
        {"contacts": [{"gid": ""}]},
        {"contacts": [{"name": None}]},
        {"share": []},
        {"urls": []},
        {"urls": ""},
        {"u": []},
        {"name": {}},
        {"phone": False},
    ],
    ids=str,
)
def test_the_reader_crashes_where_gson_does(fault: dict[str, Any]) -> None:
    with pytest.raises(AppCrash):
        read_response(parsed(json.dumps({**GOOD, **fault})))


@pytest.mark.parametrize("body", ["", "[]", "<html>", '{"result": "OK"}}', '\ufeff{"result": "OK"}', "null"])
def test_the_reader_crashes_on_anything_but_one_object(body: str) -> None:
    with pytest.raises(AppCrash):
        parsed(body)


def test_a_failure_without_a_reason_is_a_crash(install: Install) -> None:
    with pytest.raises(AppCrash, match="error"):
        install(OlderApp).accepted(read_response(parsed('{"op": "profile", "result": "FAIL"}')))


def test_a_message_with_a_subject_but_no_name_is_a_crash(install: Install) -> None:
    message = {"subject": "%NAME% is on Mesibo now", "msg": "", "gid": 0, "phone": "919876543210"}
    assert read_message(message)["subject"]
    with pytest.raises(AppCrash, match="name"):
        install(OlderApp).read_update(json.dumps(message))

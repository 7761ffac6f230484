"""What people and scripts see of the sandbox."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import requests
from flask import Flask
from PIL import Image

from messenger_api.doors import show_doors
from messenger_api.sandbox import Fault, Faults, SandboxServer, SandboxStore, sandbox_pages
from messenger_api.sandbox.records import RecordedCall
from tests.sandbox.conftest import ADA, BOB, CHI

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = "<img src=x onerror=document.title='taken'> 482913"


def get(server: SandboxServer, http: requests.Session, path: str) -> requests.Response:
    return http.get(f"{server.url}/sandbox{path}", timeout=5)


def test_text_messages_as_json(server: SandboxServer, http: requests.Session, store: SandboxStore) -> None:
    for number in range(3):
        store.record_sms("+" + BOB, f"{number} is your code")
    found = get(server, http, "/sms.json?limit=2").json()["sms"]
    assert [sms["text"] for sms in found] == ["2 is your code", "1 is your code"]
    assert (found[0]["to"], found[0]["provider"]) == (BOB, "console")
    assert isinstance(found[0]["time"], int)
    after = get(server, http, f"/sms.json?after={found[1]['id']}").json()["sms"]
    assert [sms["text"] for sms in after] == ["2 is your code"]


def test_messages_as_json_with_their_text_as_it_was_sent(
    server: SandboxServer, http: requests.Session, store: SandboxStore
) -> None:
    text = json.dumps({"subject": "", "tn": "AAAA"})
    store.add_message(ADA, [BOB, CHI], text, kind=1, expiry=3600, flag=4, forced=True)
    found = get(server, http, "/messages.json").json()["messages"][0]
    assert (found["from"], found["to"], found["text"]) == (ADA, [BOB, CHI], text)
    assert (found["type"], found["expiry"], found["flag"], found["forced"]) == (1, 3600, 4, True)


def test_users_and_groups_as_json_show_no_token(
    server: SandboxServer, http: requests.Session, people: SandboxStore
) -> None:
    token = people.mint_token(ADA, "app").token
    people.add_group("g", [ADA, BOB])
    users = get(server, http, "/users.json")
    assert [user["address"] for user in users.json()["users"]] == [CHI, BOB, ADA]
    assert users.json()["users"][-1]["appids"] == ["app"]
    assert token not in users.text
    assert get(server, http, "/groups.json").json()["groups"][0]["members"] == [ADA, BOB]


def test_the_state_is_sent_again_only_when_it_changed(
    server: SandboxServer, http: requests.Session, store: SandboxStore
) -> None:
    first = get(server, http, "/state.json")
    known = {"If-None-Match": first.headers["ETag"]}
    url = f"{server.url}/sandbox/state.json"
    assert http.get(url, headers=known, timeout=5).status_code == 304
    store.record_sms(BOB, "hello")
    assert http.get(url, headers=known, timeout=5).status_code == 200


def test_a_photo_in_a_message_is_served_as_a_picture(
    server: SandboxServer, http: requests.Session, store: SandboxStore
) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (4, 4)).save(picture, "JPEG")
    told = {"name": "Ada", "tn": base64.b64encode(picture.getvalue()).decode()}
    message = store.add_message(ADA, [BOB], json.dumps(told))
    content = get(server, http, "/state.json").json()["messages"][0]["content"]
    assert content == {"name": "Ada", "tn": f"/sandbox/thumbnails/{message.mid}.jpg"}
    served = http.get(server.url + content["tn"], timeout=5)
    assert (served.headers["Content-Type"], served.content) == ("image/jpeg", picture.getvalue())


@pytest.mark.parametrize(
    "text", ["plain", "[1]", "[" * 5000, '{"tn":"PHNjcmlwdD4="}', '{"tn":"*"}', '{"tn":5}']
)
def test_what_is_no_photo_is_not_served(
    text: str, server: SandboxServer, http: requests.Session, store: SandboxStore
) -> None:
    mid = store.add_message(ADA, [BOB], text).mid
    assert get(server, http, "/state.json").status_code == 200
    assert get(server, http, f"/thumbnails/{mid}.jpg").status_code == 404
    assert get(server, http, "/thumbnails/1.jpg").status_code == 404


@pytest.mark.parametrize("number", [str(2**63), "9" * 31, "9" * 5000], ids=len)
def test_there_is_nothing_at_a_number_that_no_row_can_have(
    number: str, server: SandboxServer, http: requests.Session
) -> None:
    assert get(server, http, f"/thumbnails/{number}.jpg").status_code == 404
    assert http.delete(f"{server.url}/sandbox/faults/{number}", timeout=5).status_code == 404


@pytest.mark.parametrize("path", ["sms", "messages", "calls"])
def test_after_an_id_that_no_row_has_there_is_nothing(
    path: str, server: SandboxServer, http: requests.Session, people: SandboxStore
) -> None:
    people.record_sms(ADA, "hello")
    people.add_message(ADA, [BOB], "hello")
    people.add_call(RecordedCall("usersget", "json", {}, {"result": True}, people.now()))
    assert get(server, http, f"/{path}.json").json()[path] != []
    for after in (2**63, 10**30):
        assert get(server, http, f"/{path}.json?after={after}").json() == {path: []}
    for odd in (-(10**30), "", "x", "1.5", "-1"):
        assert get(server, http, f"/{path}.json?after={odd}").json()[path] != []


def test_the_page_loads_nothing_from_elsewhere(server: SandboxServer, http: requests.Session) -> None:
    page = get(server, http, "")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none';")
    assert "://" not in page.text.replace(f"curl '{server.url}", "")
    for path in (
        "/static/messenger.css",
        "/static/sandbox.css",
        "/static/sandbox/page.js",
        "/static/icon.svg",
    ):
        assert f'"{path}"' in page.text
        assert http.get(f"{server.url}{path}", timeout=5).status_code == 200
    assert http.get(server.url, timeout=5).url == f"{server.url}/sandbox"


def test_in_the_product_the_page_proposes_a_login(store: SandboxStore) -> None:
    app = Flask("messenger_api")
    show_doors(app)
    app.register_blueprint(sandbox_pages(store))
    page = app.test_client().get("/sandbox", base_url="http://127.0.0.1:8080").text
    assert "curl 'http://127.0.0.1:8080/api.php?op=login&amp;phone=14155550123&amp;appid=" in page


@pytest.fixture
def page(browser: Browser, server: SandboxServer) -> Iterator[Page]:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{server.url}/sandbox")
        yield page


def test_a_hostile_text_is_shown_and_never_run(page: Page, people: SandboxStore) -> None:
    told = {
        "subject": HOSTILE,
        "name": HOSTILE,
        "status": HOSTILE,
        "members": f"1:{HOSTILE}",
        "photo": HOSTILE,
    }
    people.put_user(BOB, name=HOSTILE)
    people.add_group(HOSTILE, [BOB])
    people.add_message(BOB, [HOSTILE], json.dumps(told))
    people.add_message(BOB, [ADA], HOSTILE)
    people.record_sms(HOSTILE, HOSTILE, HOSTILE)
    Faults(people).set(Fault(op=HOSTILE, error=HOSTILE))
    for place in ("#sms", "#messages", "#users", "#groups", "#faults"):
        page.wait_for_function("place => document.querySelector(place).innerText.includes('<img')", arg=place)
    assert page.locator("img").count() == 0
    assert page.title() == "Sandbox · messenger-api"


def test_a_new_code_appears_by_itself_and_one_click_copies_it(page: Page, store: SandboxStore) -> None:
    assert page.locator("#sms-empty").is_visible()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    store.record_sms(BOB, "730251 is your code for Messenger.")
    code = page.get_by_role("button", name="Copy the code 730251")
    code.click()
    page.wait_for_function("document.querySelector('.code').innerText.includes('Copied')")
    assert page.evaluate("navigator.clipboard.readText()") == "730251"
    assert (
        page.get_by_role("status").inner_text()
        == f"Text message to +{BOB}: 730251 is your code for Messenger."
    )
    assert not page.locator("#sms-empty").is_visible()


def test_a_narrow_phone_needs_no_sideways_scrolling(page: Page, people: SandboxStore) -> None:
    people.add_message(ADA, [BOB], json.dumps({"subject": "x" * 300, "status": "y" * 300}))
    people.record_sms(BOB, "z" * 300)
    page.set_viewport_size({"width": 360, "height": 640})
    page.wait_for_selector("#messages li")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360

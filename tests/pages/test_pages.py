"""The front page, health for people, and addresses where there is no page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from messenger_api.doors import DOORS
from messenger_api.services.operator.judgement import FRESH_SECONDS
from messenger_api.settings import OWN_MACHINE
from messenger_api.version import VERSION
from tests.browsing import LOOKS, WIDE, faults, served, watched
from tests.product import APPID, Product

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from werkzeug.test import TestResponse

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
# Addresses, and words that only the right page has.
PAGES = {"/": "Point the apps here", "/readyz": "Machines get", "/nothing/here": "no such page"}


def seen(product: Product, path: str, **headers: str) -> TestResponse:
    """What a browser gets."""
    return product.http.get(path, headers={**BROWSER, **headers})


def forget_version(product: Product) -> None:
    """Its tables are no more known to be those of this version, which keeps everybody out."""
    with product.services.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    product.clock.advance(FRESH_SECONDS)


def doors_of(text: str) -> set[str]:
    return set(re.findall(r'href="(/[^"]*)"', text)) & {door.path for door in DOORS}


# The front page


def test_with_the_sandbox_it_shows_the_address_to_give_each_app(make_product: Callable[..., Product]) -> None:
    page = seen(make_product(public_url="https://api.example.com/<x>/"), "/").text
    assert "<x>" not in page
    for key, path in (("mApiUrl", "/api.php"), ("MessengerApiUrl", "/api.php"), ("MESSENGER_API_URL", "/")):
        assert f'id="{key}">https://api.example.com/&lt;x&gt;{path}<' in page
        assert f'data-copy="{key}"' in page


def test_the_address_for_the_emulator_is_that_of_its_host_and_whether_it_is_let_in_is_said(
    make_product: Callable[..., Product],
) -> None:
    login = {"op": "login", "phone": "14155550123", "appid": APPID}
    for sandbox, is_let_in in ((OWN_MACHINE, False), (True, True)):
        product = make_product(sandbox=sandbox)
        page = product.http.get("/", base_url="http://127.0.0.1:8080", headers=BROWSER).text
        given = re.findall(r'<code class="cmd" id="\w+">([^<]+)</code>', page)
        assert given == [
            *("http://10.0.2.2:8080/api.php", "http://127.0.0.1:8080/api.php", "http://127.0.0.1:8080/"),
        ]
        answer = product.http.post(given[0], data=login).json
        assert answer
        assert (answer["result"] == "OK") == is_let_in
        assert ("the emulator and phones are refused" in page) != is_let_in
        assert ("MESSENGER_SANDBOX=true make run" in page) != is_let_in


def test_every_door_of_the_front_page_leads_to_a_page(developing: Product) -> None:
    doors = doors_of(seen(developing, "/").text)
    assert doors == {door.path for door in DOORS}
    for path in doors:
        assert (
            developing.http.get(path, headers=BROWSER, follow_redirects=True, buffered=True).status_code
            == 200
        ), path


def test_a_public_front_page_says_what_it_is_and_nothing_of_the_installation(public: Product) -> None:
    page = seen(public, "/").text
    assert "This is the server of a messenger." in page
    assert not re.search(rf"{re.escape(VERSION)}|curl|api\.php|sandbox|playground|mesibo|script", page)
    for path in doors_of(page):
        assert public.http.get(path, headers=BROWSER, follow_redirects=True, buffered=True).status_code in (
            200,
            503,
        ), path


def test_the_navigation_names_no_page_that_is_not_there(public: Product) -> None:
    for path in ("/", "/readyz", "/nothing"):
        assert not doors_of(seen(public, path).text) & {"/sandbox", "/playground", "/playground/ops"}


# Health


def test_a_browser_sees_the_health_that_machines_read(developing: Product) -> None:
    asked = developing.http.get("/readyz")
    page = seen(developing, "/readyz")
    assert (asked.status_code, page.status_code, asked.mimetype, page.mimetype) == (
        *(200, 200),
        *("application/json", "text/html"),
    )
    assert asked.get_json()["said"] in page.text
    assert "in service" in page.text
    assert "Accept" in page.vary
    assert "Accept" in asked.vary
    for accept in ("*/*", "application/json", ""):
        assert developing.http.get("/readyz", headers={"Accept": accept}).is_json


def test_the_page_has_the_status_and_the_findings_of_a_night(developing: Product) -> None:
    forget_version(developing)
    asked, page = developing.http.get("/readyz"), seen(developing, "/readyz")
    assert (asked.status_code, page.status_code) == (503, 503)
    body = asked.get_json()
    for said in (body["said"], body["schema"], *(finding["said"] for finding in body["findings"])):
        assert said.replace("'", "&#39;") in page.text
    assert "out of service" in page.text


def test_strangers_read_no_more_on_the_page_than_in_the_json(public: Product) -> None:
    forget_version(public)
    away = {"X-Forwarded-For": "192.0.2.1"}
    own = public.http.get("/readyz").get_json()["findings"]
    to_do = {finding["to_do"] for finding in own if finding["to_do"]}
    assert to_do, "there is nothing to hide"
    page, strange = seen(public, "/readyz").text, seen(public, "/readyz", **away).text
    assert all("→ " + each.replace("'", "&#39;") in page for each in to_do)
    assert "→" not in strange


# Addresses where there is no page


def test_a_browser_gets_a_page_for_a_wrong_address_and_programs_do_not(developing: Product) -> None:
    for path in ("/nothing", "/x/y/api.php", "/static/none.css"):
        page = seen(developing, path)
        assert (page.status_code, page.mimetype) == (404, "text/html")
        assert "There is no such page." in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "There is no such page." not in developing.http.get(path).text
        assert developing.http.get(path).status_code == 404


def test_a_console_that_nobody_may_use_yet_looks_like_any_wrong_address(public: Product) -> None:
    for accept in (BROWSER, {}):
        console, wrong = (public.http.get(path, headers=accept) for path in ("/admin", "/nothing"))
        assert (console.status_code, console.text) == (wrong.status_code, wrong.text)
        assert "Set-Cookie" not in console.headers


def test_what_is_posted_to_a_wrong_address_is_the_apis_for_browsers_too(developing: Product) -> None:
    answer = developing.http.post("/nothing", data={"op": "loginui"}, headers=BROWSER)
    assert (answer.status_code, answer.get_json()["op"]) == (200, "loginui")


def test_the_icon_is_where_browsers_look_for_it(public: Product) -> None:
    with public.http.get("/favicon.ico") as answer:
        assert answer.status_code == 200
        assert answer.cache_control.max_age == 86_400
        with Image.open(io.BytesIO(answer.data)) as icon:
            assert icon.format == "ICO"


# In Chromium


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_no_page_breaks_its_policy_or_keeps_anybody_out(
    browser: Browser, developing: Product, scheme: str, width: int
) -> None:
    with served(developing.app) as url, watched(browser, scheme, width) as page:
        for path, words in PAGES.items():
            page.goto(url + path)
            assert words in page.inner_text("main")
            assert faults(page) == [], path
            assert not page.evaluate(WIDE), f"{path} is wider than the window"


def test_a_public_page_keeps_nobody_out(browser: Browser, public: Product) -> None:
    with served(public.app) as url, watched(browser) as page:
        page.goto(url)
        assert faults(page) == []


def test_one_click_copies_the_address_for_an_app(browser: Browser, developing: Product) -> None:
    with served(developing.app) as url, browser.new_context() as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.goto(url)
        page.get_by_role("button", name="Copy the address for iOS").press("Enter")
        page.wait_for_selector("button:has-text('Copied')")
        assert page.evaluate("navigator.clipboard.readText()") == f"{url}/api.php"

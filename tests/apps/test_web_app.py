"""The web app, on a page of another origin in a real Chromium, lives with this server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apps.app import App, Install
from tests.apps.current import AndroidApp
from tests.apps.outside import Outside
from tests.apps.store import Notice
from tests.apps.stories import STRANGERS, color_is, new_number
from tests.apps.webpage import OpenPage, WebApp
from tests.product import jpeg
from tests.servers import ProductServer

pytestmark = pytest.mark.server

# What a script of the page sees of a file on the server's origin.
FETCHED = """async (address) => {
    const answer = await fetch(address);
    const image = await createImageBitmap(await answer.blob());
    return [answer.status, answer.headers.get("Content-Type"), image.width, image.height];
}"""
WIDTH_WHEN_LOADED = """(image) => image.decode().then(() => image.naturalWidth)"""


@pytest.fixture
def web(open_page: OpenPage) -> WebApp:
    """Ana, logged in on the page."""
    app = open_page()
    app.log_in(new_number(), "Ana")
    return app


@pytest.fixture
def bob(install: Install, web: WebApp) -> App:
    """Bob, with Ana in his phone book."""
    app = install(AndroidApp)
    app.log_in(new_number(), "Bob")
    app.sync({web.number: "Annie"})
    return app


def test_the_browser_sends_a_preflight_and_lets_the_page_read_the_answers(
    open_page: OpenPage, server: ProductServer
) -> None:
    web = open_page()
    requests, answers = watched(web)
    web.log_in(new_number(), "Ana")  # the page reads the answers, or it would show no login
    to_server = [event for event in requests if event["request"]["url"] == f"{server.url}/"]
    # The devtools tell of a preflight and of the request that waits for it in any order.
    assert sorted(event["request"]["method"] for event in to_server) == ["OPTIONS", "POST", "POST"]
    [preflight] = [event for event in to_server if event["request"]["method"] == "OPTIONS"]
    assert preflight["initiator"]["type"] == "preflight"
    assert preflight["request"]["headers"]["Access-Control-Request-Headers"] == "content-type"
    assert preflight["request"]["headers"]["Origin"] != server.url
    [granted] = [event["response"] for event in answers if event["requestId"] == preflight["requestId"]]
    assert granted["status"] == 204


def test_a_wrong_code_is_explained_and_the_right_one_still_works(
    open_page: OpenPage, outside: Outside
) -> None:
    web, number = open_page(), new_number()
    web.open()
    web.submit("#login", phone=number)
    web.page.locator("#code-line").wait_for()
    code = outside.code(number)
    web.submit("#login", otp=f"{(int(code) + 1) % 10**6:06}")
    web.page.locator("#alert", has_text="BADCODE: ").wait_for()
    assert web.page.locator("#app").is_hidden()
    web.submit("#login", otp=code)
    web.page.locator("#me", has_text=number).wait_for()


def test_the_page_finds_the_friend_amid_numbers_that_have_no_account(web: WebApp, bob: App) -> None:
    bob.change_profile("Bob", "on the road")
    web.sync(*STRANGERS, bob.store.own)
    web.shows("#contacts", f"{bob.store.own} Bob on the road")
    assert len(web.texts("#contacts")) == 1
    assert list(bob.store.contacts) == [web.number]


def test_what_the_page_changes_reaches_the_other_phone(web: WebApp, bob: App) -> None:
    web.change_profile("Ana María", "from the desk 😀")
    web.change_photo(jpeg("teal"))
    bob.hear_until(lambda store: store.contacts[web.number].photo, "Ana's photo")
    seen = bob.store.contacts[web.number]
    assert (seen.name, seen.status) == ("Ana María", "from the desk 😀")
    assert color_is(bob.fetch_photo(seen.photo), "teal")


def test_a_phone_that_missed_the_messages_learns_the_pages_changes_by_its_next_sync(
    web: WebApp, bob: App
) -> None:
    web.change_photo(jpeg("teal"))
    bob.sync()
    assert color_is(bob.fetch_photo(bob.store.contacts[web.number].photo), "teal")


def test_what_the_other_phone_changes_is_shown_on_the_page(web: WebApp, bob: App) -> None:
    web.sync(bob.store.own)
    web.shows("#contacts", bob.store.own)
    bob.change_profile("Robert", "at the sea")
    web.hear_until(
        lambda page: page.texts("#contacts") == [f"{bob.store.own} Robert at the sea"], "Bob's change"
    )


def test_the_page_shows_and_reads_photos_of_the_servers_origin(web: WebApp, bob: App) -> None:
    bob.change_photo(jpeg("navy"))
    web.sync(bob.store.own)
    image = web.page.locator("#contacts img")
    assert image.evaluate(WIDTH_WHEN_LOADED) > 0
    address = image.get_attribute("src")
    assert address == bob.urls["download"] + bob.store.profile.photo
    status, kind, width, height = web.page.evaluate(FETCHED, address)
    assert (status, kind) == (200, "image/jpeg")
    assert min(width, height) > 0


def test_a_group_that_the_page_makes_is_announced_with_its_photo(web: WebApp, bob: App) -> None:
    web.make_group("Trek & Café", [bob.store.own], jpeg("purple"))
    group = bob.hear_until(lambda store: [g for g in store.groups.values() if g.photo], "the group's photo")[
        0
    ]
    assert Notice("You have been added to group Trek & Café", "") in bob.store.notices
    assert (group.admins, group.members) == ([web.number], [web.number, bob.store.own])
    assert color_is(bob.fetch_photo(group.photo), "purple")
    web.shows("#groups", f"Trek & Café: {web.number},{bob.store.own} (admins: {web.number})")
    assert web.page.locator("#groups img").evaluate(WIDTH_WHEN_LOADED) > 0


def test_the_page_follows_a_group_of_the_other_phone_until_its_end(web: WebApp, bob: App) -> None:
    gid = bob.make_group("Trek", [web.number], jpeg())
    web.hear_until(lambda page: page.texts("#groups"), "the group")
    assert "You have been added to group Trek" in web.texts("#notices")
    bob.rename_group(gid, "Peaks")
    bob.set_admin(gid, web.number)
    both = f"{bob.store.own},{web.number}"
    web.hear_until(lambda page: page.texts("#groups") == [f"Peaks: {both} (admins: {both})"], "the edits")
    assert "Bob has changed group name to Peaks" in web.texts("#notices")
    bob.leave_group(gid)
    web.hear_until(lambda page: not page.texts("#groups"), "the end of the group")


def test_logging_out_ends_that_pages_session_and_no_other(web: WebApp, bob: App, open_page: OpenPage) -> None:
    other, thief = open_page(), open_page()
    other.log_in(web.number)
    thief.open()
    stolen = web.page.evaluate("session")
    web.log_out()
    thief.page.evaluate("stolen => { session = stolen; show(); }", stolen)
    thief.sync()
    thief.page.locator("#alert", has_text="AUTHFAIL").wait_for()
    assert thief.page.locator("#login").is_visible()
    other.sync(bob.store.own)
    other.shows("#contacts", bob.store.own)
    bob.sync()


def watched(web: WebApp) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the browser's network sends and gets from now on, preflights too, as its devtools tell."""
    requests: list[dict[str, Any]] = []
    answers: list[dict[str, Any]] = []
    devtools = web.page.context.new_cdp_session(web.page)
    devtools.on("Network.requestWillBeSent", lambda event: requests.append(event))
    devtools.on("Network.responseReceived", lambda event: answers.append(event))
    devtools.send("Network.enable")
    return requests, answers

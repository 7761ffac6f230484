"""Two phones in Chromium: what a newcomer does, and what people see when something is away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browsing import WIDE, faults
from tests.playground.driver import Pair, Scheme, opened
from tests.playground.pictures import PICTURE
from tests.servers import ProductServer
from tests.stopwatch import Stopwatch

if TYPE_CHECKING:
    from playwright.sync_api import APIResponse, Browser, Route

pytestmark = pytest.mark.server

LOOKS: list[tuple[Scheme, int]] = [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]
STATIC = Path(__file__).parents[2] / "messenger_api/static"
MOST_SCRIPT = 39_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProductServer]:
    """The product as `make run` starts it, but that a second code may be asked for soon."""
    with ProductServer(tmp_path_factory.mktemp("server"), {"MESSENGER_OTP_RESEND_AFTER": "2"}) as running:
        yield running


@pytest.fixture
def pair(browser: Browser, server: ProductServer) -> Iterator[Pair]:
    with opened(browser, server.url) as page:
        yield page
        page.fault("All is well")


def printed_first(server: ProductServer) -> str:
    """The first address that the start printed."""
    found = re.search(r"http://\S+", server.log())
    assert found
    return found[0]


def test_the_start_names_the_page_first(server: ProductServer) -> None:
    assert printed_first(server) == f"{server.url}/playground"


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_a_newcomer_has_two_phones_that_chat_within_a_minute(
    browser: Browser, server: ProductServer, scheme: Scheme, width: int
) -> None:
    address = printed_first(server)
    watch = Stopwatch()
    with opened(browser, address.removesuffix("/playground"), scheme, width) as pair:
        ana, ben = pair.ana, pair.ben
        pair.both_chat()
        ana.say("Hello Ben, do you hear me?")
        ben.hears("Hello Ben, do you hear me?")
        ana.ticked("Hello Ben", "read")
        seconds = watch.quiet_seconds
        print(f"{scheme}, {width}: a message was delivered after {watch.seconds:.1f} s")
        assert seconds < 60
        assert faults(pair.page) == []

        ana.back()
        ana.find(".me").click()
        ana.draw_picture()
        ben.shows(".who img")
        ana.back()

        ana.make_group("Weekend")
        ben.back()
        ben.shows(".chats button", has_text="Weekend")
        ben.open_chat("Weekend")
        ben.shows(".notice-line", has_text="You have been added to group Weekend")
        ben.shows(".who img")
        ana.say("Who is in?")
        ben.hears("Who is in?")
        ana.ticked("Who is in?", "read")
        assert faults(pair.page) == []
        assert not pair.page.evaluate(WIDE)

        pair.fault("mesibo away")
        ana.shows(".who", has_text="Connecting…")
        ana.say("Can you read this?")
        ana.ticked("Can you read this?", "waiting")
        pair.fault("All is well")
        ben.hears("Can you read this?")
        ana.ticked("Can you read this?", "read")

        pair.page.reload()
        ana.ticked("Can you read this?", "read")
        ben.hears("Can you read this?")


def test_a_profile_that_changes_changes_on_the_other_phone(pair: Pair) -> None:
    pair.ana.log_in()
    pair.ben.log_in()
    pair.ana.rename("Ana Maria")
    pair.ben.shows(".chats button", has_text="Ana Maria")
    pair.ana.shows("[data-screen=home]")


def test_messages_wait_for_a_phone_that_is_logged_out(pair: Pair) -> None:
    ana, ben = pair.ana, pair.ben
    pair.both_chat()
    ben.back()
    ben.find(".me").click()
    ben.find("button", has_text="Log out").click()
    ben.shows("[data-screen=login]")
    ana.say("Are you there?")
    ana.ticked("Are you there?", "sent")
    ben.log_in()
    ana.ticked("Are you there?", "delivered")
    ben.open_chat("Ana")
    ben.hears("Are you there?")
    ana.ticked("Are you there?", "read")


def test_mesibo_away_keeps_people_from_logging_in_with_a_sentence(pair: Pair) -> None:
    pair.fault("mesibo away")
    pair.ana.find("button", has_text="Log in").click()
    assert "try again" in pair.ana.warned("").lower()
    pair.fault("All is well")
    pair.ana.find("button", has_text="Go on").click()
    pair.ana.shows("[data-screen=home]")


def test_a_late_text_arrives_and_logs_in(pair: Pair) -> None:
    watch = Stopwatch()
    pair.fault("Text late")
    pair.ana.find("button", has_text="Log in").click()
    pair.ana.shows(".waits", has_text="Waiting for the text message")
    pair.ana.shows("[data-screen=home]")
    assert watch.seconds > 14


def test_a_lost_text_is_asked_for_again(pair: Pair) -> None:
    pair.fault("Text lost")
    pair.ana.find("button", has_text="Log in").click()
    pair.ana.shows(".waits", has_text="Waiting for the text message")
    again = pair.ana.shows("button.link:not([disabled])", has_text="Send again")
    pair.fault("All is well")
    again.click()
    pair.ana.shows("[data-screen=home]")


def test_a_number_is_proposed_that_no_user_has(pair: Pair) -> None:
    taken = [{"address": f"4477009{number:05}"} for number in range(1000) if number not in (7, 507)]
    pair.page.route("**/sandbox/users.json*", lambda route: route.fulfill(json={"users": taken}))
    pair.open()
    assert pair.ana.find("[name=number]").input_value() == "+447700900007"
    assert pair.ben.find("[name=number]").input_value() == "+447700900507"


def test_a_dead_token_ends_the_session_on_that_phone_alone(pair: Pair) -> None:
    pair.both_chat()
    pair.ben.find("button", has_text="Token dead").click()
    assert "Log in again" in pair.ben.warned("You are logged out")
    pair.ana.say("Are you there?")
    pair.ana.ticked("Are you there?", "sent")
    pair.ben.log_in()
    pair.ana.ticked("Are you there?", "delivered")


def test_a_dead_token_ends_the_session_also_where_the_number_has_another_one(
    browser: Browser, server: ProductServer, pair: Pair
) -> None:
    pair.ben.log_in()
    with opened(browser, server.url) as other:
        other.ben.find("[name=number]").fill(pair.ben.number)
        other.ben.log_in()
        other.ben.find("button", has_text="Token dead").click()
        assert "Log in again" in other.ben.warned("You are logged out")
    pair.ben.shows("[data-screen=home]")


def test_a_token_that_the_server_cannot_end_now_is_said_to_live(pair: Pair) -> None:
    pair.ana.speak("android-older")
    pair.ana.log_in()
    away = {"op": "logout", "ts": 1, "result": "FAIL", "error": "TRYLATER", "retry_after": 5}
    with pair.handling("logout", lambda route: route.fulfill(json=away)):
        pair.ana.find("button", has_text="Token dead").click()
        assert "TRYLATER" in pair.ana.warned("It did not work")
    pair.ana.shows("[data-screen=home]")
    pair.ana.find("button", has_text="Token dead").click()
    pair.ana.warned("You are logged out")


def test_an_answer_to_a_session_that_ended_leaves_the_next_one_alone(pair: Pair) -> None:
    ana = pair.ana
    ana.speak("android-older")
    ana.log_in()
    held: list[Route] = []
    with pair.handling("profile", held.append):
        with pair.page.expect_request(lambda request: "op=profile" in (request.post_data or "")):
            ana.rename("Ana Maria")
        ana.find("button", has_text="Token dead").click()
        ana.warned("You are logged out")
        ana.log_in()
        held[0].continue_()
        pair.page.locator("#wire li", has_text="AUTHFAIL").filter(has_text="profile").wait_for()
    assert ana.find(".note").count() == 0
    ana.shows("[data-screen=home]")


def test_messages_that_wait_are_not_sent_by_the_next_session(pair: Pair) -> None:
    ana, ben = pair.ana, pair.ben
    pair.both_chat()
    pair.fault("mesibo away")
    for text in ("The first", "The second"):
        ana.say(text)
        ana.ticked(text, "waiting")
    held: list[tuple[Route, APIResponse]] = []
    pair.page.route("**/sandbox/chat", lambda route: held.append((route, route.fetch())), times=1)
    pair.fault("All is well")
    ben.hears("The first")
    ana.find("button", has_text="Token dead").click()
    ana.warned("You are logged out")
    ana.log_in()
    [(route, answer)] = held
    route.fulfill(response=answer)
    ana.open_chat("Ben")
    ana.say("The third")
    ben.hears("The third")
    assert ben.find(".theirs", has_text="The second").count() == 0


def test_a_chat_that_was_opened_while_mesibo_was_away_is_read(pair: Pair) -> None:
    ana, ben = pair.ana, pair.ben
    pair.both_chat()
    ben.back()
    ana.say("Have you read this?")
    ben.shows(".badge")
    pair.fault("mesibo away")
    ben.open_chat("Ana")
    pair.page.locator("#wire li", has_text="chat/read").wait_for()
    pair.fault("All is well")
    ana.ticked("Have you read this?", "read")


def test_a_session_that_ends_at_a_groups_picture_leads_to_the_log_in(pair: Pair) -> None:
    ana = pair.ana
    ana.speak("ios-older")
    ana.log_in()
    dead = {"op": "upload", "ts": 1, "result": "FAIL", "error": "AUTHFAIL"}

    def refuse(route: Route) -> None:
        is_upload = route.request.headers["content-type"].startswith("multipart/")
        route.fulfill(json=dead) if is_upload else route.fallback()

    pair.page.route("**/api.php", refuse)
    ana.find("[aria-label='New group']").click()
    ana.draw_picture()
    ana.find("button", has_text="Make the group").click()
    ana.warned("You are logged out")
    ana.shows("[data-screen=login]")


def test_a_server_that_is_away_at_log_in_is_said_to_be(pair: Pair) -> None:
    pair.page.route("**/sandbox/sms.json*", lambda route: route.fulfill(body="<h1>Bad Gateway</h1>"))
    pair.ana.find("button", has_text="Log in").click()
    assert "try again" in pair.ana.warned("No internet connection")
    pair.page.unroute_all()
    pair.ana.log_in()


def test_a_database_that_is_away_logs_nobody_out_and_leaves_chats_alone(pair: Pair) -> None:
    pair.both_chat()
    pair.fault("Database away")
    pair.ana.say("Do chats go on?")
    pair.ben.hears("Do chats go on?")
    pair.ana.back()
    pair.ana.rename("Ana Maria")
    pair.ana.warned("")
    pair.fault("All is well")
    pair.ana.find("button", has_text="Save").click()
    pair.ana.shows("[data-screen=home]")
    pair.ben.shows(".who", has_text="Ana Maria")


def test_the_wire_shows_what_was_sent_and_answered_and_what_mesibo_was_told(pair: Pair) -> None:
    pair.ana.log_in()
    first = pair.page.locator("#wire li").last
    first.locator("summary").click()
    assert "POST /" in first.inner_text()
    assert '"op": "login"' in first.inner_text()
    assert "HTTP 200" in first.inner_text()
    told = pair.page.locator("#told li", has_text="useradd").first
    told.locator("summary").click()
    assert '"token": "***"' in told.inner_text()


def test_all_of_it_works_by_keyboard(pair: Pair) -> None:
    press = pair.page.keyboard.press
    pair.ana.find("[name=number]").focus()
    press("Enter")
    pair.ana.shows("[data-screen=home]")
    pair.ben.find("[name=number]").focus()
    press("Enter")
    pair.ben.shows("[data-screen=home]")
    pair.ana.shows(".chats button").focus()
    press("Enter")
    pair.ana.shows("[aria-label=Message]:focus")
    pair.page.keyboard.type("By keyboard")
    press("Enter")
    pair.ana.ticked("By keyboard", "delivered")
    press("Shift+Tab")
    press("Shift+Tab")
    pair.ana.shows("[aria-label=Back]:focus")
    press("Enter")
    pair.ana.shows("[data-screen=home]")
    assert pair.page.evaluate("document.activeElement.closest('#phone-a') !== null")


def test_an_alert_is_put_away_by_keyboard_and_the_focus_comes_back(pair: Pair) -> None:
    number = pair.ana.find("[name=number]")
    number.fill("12")
    number.press("Enter")
    pair.ana.shows(".note button:focus")
    pair.page.keyboard.press("Escape")
    pair.ana.find(".note").wait_for(state="detached")
    pair.ana.shows("[name=number]:focus")


def test_the_picture_of_the_documentation_is_small() -> None:
    assert PICTURE.stat().st_size < 200_000


def test_the_scripts_are_small_and_name_no_other_host() -> None:
    scripts = sorted((STATIC / "phones").glob("*.js"))
    assert sum(script.stat().st_size for script in scripts) < MOST_SCRIPT
    for file in [*scripts, STATIC / "phones.css"]:
        assert "://" not in file.read_text(), file

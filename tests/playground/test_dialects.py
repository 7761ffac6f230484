"""Each phone speaks as one of five generations of apps, byte by byte as those do."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from messenger_api.app import parts_of
from tests.browsing import served
from tests.playground.driver import Pair, opened
from tests.processes import wait_for
from tests.product import Product

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from playwright.sync_api import Browser


@dataclass(frozen=True)
class Sent:
    """A request as it arrived."""

    path: str
    type: str
    body: bytes

    @property
    def op(self) -> str:
        for op in ("setgroup", "getcontacts", "upload", "login", "profile"):
            if op.encode() in self.body[:200]:
                return op
        return ""

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def json(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.body)
        return found


def recorded(app: WSGIApplication, sent: list[Sent]) -> WSGIApplication:
    """The same application; what is posted to the API is kept."""

    def recording(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST" and not environ["PATH_INFO"].startswith("/sandbox"):
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            sent.append(Sent(environ["PATH_INFO"], environ.get("CONTENT_TYPE", ""), body))
        return app(environ, start_response)

    return recording


# A phone syncs its phone book, then asks what else changed.
EACH_LOGS_IN = 2


def syncs(sent: list[Sent]) -> int:
    return sum(each.op == "getcontacts" for each in sent)


@pytest.fixture
def sent() -> list[Sent]:
    return []


@pytest.fixture
def pair(browser: Browser, tmp_path: Path, sent: list[Sent]) -> Iterator[Pair]:
    product = Product(f"sqlite:///{tmp_path / 'messenger.sqlite3'}", tmp_path)
    product.app.wsgi_app = recorded(product.app.wsgi_app, sent)  # type: ignore[assignment,method-assign]
    parts_of(product.app).worker.start()
    with served(product.app) as url, opened(browser, url) as page:
        yield page
    product.close()


def all_of(sent: list[Sent], op: str, count: int) -> list[Sent]:
    """The requests of an op, when there are so many."""

    def found() -> list[Sent]:
        those = [each for each in sent if each.op == op]
        return those if len(those) >= count else []

    return wait_for(found, 20, f"{count} of {op}")


def of_older_android(sent: list[Sent]) -> None:
    first, second = all_of(sent, "login", 2)
    assert (first.path, first.type) == ("/api.php", "application/x-www-form-urlencoded")
    assert first.form.keys() == {"op", "phone", "appid", "dt", "name"}
    assert second.form["code"].isdigit()
    assert "otp" not in second.form
    assert ",null7700900" in "," + all_of(sent, "getcontacts", 1)[0].form["phones"]
    [group] = all_of(sent, "setgroup", 1)
    assert group.path == "/api.php"
    assert group.type.startswith("multipart/form-data; boundary=")
    assert b"\r\n\r\nBook%20club%20%E2%9C%93\r\n" in group.body
    assert b'name="photo"; filename="photo.jpg"\r\nContent-Type: image/jpeg' in group.body


def of_older_ios(sent: list[Sent]) -> None:
    _first, second = all_of(sent, "login", 2)
    assert (second.path, second.type) == ("/api.php", "application/x-www-form-urlencoded")
    assert (second.form["dt"], second.form["code"].isdigit()) == ("2", True)
    assert all_of(sent, "setgroup", 1)[0].form["name"] == "Book club ✓"
    [photo] = all_of(sent, "upload", 1)
    assert b'name="token"' in photo.body
    assert b'name="photo"; filename="photo.jpg"' in photo.body


def of_current_android(sent: list[Sent]) -> None:
    _first, second = all_of(sent, "login", 2)
    assert (second.path, second.type) == ("/", "application/json")
    assert (second.json["dt"], second.json["lang"]) == ("1", "en")
    assert str(second.json["otp"]).isdigit()
    assert all(isinstance(value, str) for value in all_of(sent, "getcontacts", 1)[0].json.values())
    _check_uploader(sent)


def of_current_ios(sent: list[Sent]) -> None:
    _first, second = all_of(sent, "login", 2)
    assert (second.path, second.type) == ("/", "")
    assert second.json["dt"] == 2
    book = all_of(sent, "getcontacts", 1)[0].json
    assert isinstance(book["phones"], list)
    assert book["ts"] == 0
    _check_uploader(sent)


def _check_uploader(sent: list[Sent]) -> None:
    [photo] = all_of(sent, "upload", 1)
    assert b'name="auth"' in photo.body
    assert b'name="token"' not in photo.body
    assert b'name="file"; filename="IMG_0001.jpg"\r\nContent-Type: application/octet-stream' in photo.body


def of_web(sent: list[Sent]) -> None:
    _first, second = all_of(sent, "login", 2)
    assert (second.path, second.type) == ("/api.php", "application/json")
    assert (second.json["dt"], second.json["appid"]) == (4, "com.example.messenger.web")
    [photo] = all_of(sent, "upload", 1)
    assert b'name="token"' in photo.body


@pytest.mark.parametrize(
    ("dialect", "check"),
    [
        ("android-older", of_older_android),
        ("ios-older", of_older_ios),
        ("android-current", of_current_android),
        ("ios-current", of_current_ios),
        ("web", of_web),
    ],
)
def test_a_phone_of_each_generation_sends_what_that_one_does_and_gets_through(
    pair: Pair, sent: list[Sent], dialect: str, check: Callable[[list[Sent]], None]
) -> None:
    pair.ana.speak(dialect)
    pair.ana.log_in()
    wait_for(lambda: syncs(sent) == EACH_LOGS_IN, 10, "the syncs of one phone")
    pair.ben.log_in()
    wait_for(lambda: syncs(sent) == 2 * EACH_LOGS_IN, 10, "those of both")
    mine = len(sent)
    pair.ana.shows(".chats button", has_text="Ben")
    pair.ana.make_group("Book club ✓")
    pair.ben.open_chat("Book club ✓")
    pair.ben.shows(".who img")
    pair.ana.say("Chapter one?")
    pair.ben.hears("Chapter one?")
    check([each for number, each in enumerate(sent) if number >= mine or number < 4])
    pair.ana.back()
    pair.ana.find(".me").click()
    pair.ana.draw_picture()
    pair.ben.back()
    pair.ben.open_chat("Ana")
    pair.ben.shows(".who img")

"""The pages of ops: for each op all that it declares, in HTML that reads without its script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import NotRequired, TypedDict

import pytest
from flask.testing import FlaskClient
from msgspec import Struct
from msgspec.structs import fields

from messenger_api.domain.errors import Refused
from messenger_api.ops import OPERATIONS
from messenger_api.ops.answers import Failure, GroupShown, LoggedIn, Success
from messenger_api.ops.examples import EXAMPLES, PHOTO
from messenger_api.ops.provocations import provocations
from messenger_api.reference.described import Reference
from messenger_api.reference.lines import about, lines
from tests.product import Product
from tests.servers import ROOT

SCRIPTS = ROOT / "messenger_api" / "static" / "playground"
MOST_SCRIPT = 40_000


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    folder = tmp_path_factory.mktemp("product")
    product = Product(f"sqlite:///{folder / 'messenger.sqlite3'}", folder)
    yield product.http
    product.close()


def text_of(page: str) -> str:
    """What people read, blanks as one."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", page)).split())


def plain(line: str) -> str:
    return " ".join(line.replace("`", "").split())


@pytest.mark.parametrize("op", OPERATIONS)
def test_a_page_has_every_field_member_and_error_of_its_op(http: FlaskClient, op: str) -> None:
    operation = OPERATIONS[op]
    page = http.get(f"/playground/ops/{op}").text
    text = text_of(page)
    for info in fields(operation.parameters):
        assert f'data-name="{info.encode_name}"' in page
        assert plain(lines(operation.parameters)[info.name]) in text
    common = (LoggedIn,) if operation.needs_session else ()
    for shape in (*operation.answers, *common, Success, Failure):
        for name, member in Reference().schemas.of(shape)["properties"].items():
            assert f'data-path="{name}"' in page
            assert plain(member["description"]) in text
    for kind, how in provocations(op, operation).items():
        assert f'<li id="{how.says if kind is Refused else kind.code}">' in page
    assert ('type="file"' in page) == bool(operation.file)
    assert ('data-name="token"' in page) == operation.needs_session


@pytest.mark.parametrize("op", OPERATIONS)
def test_a_good_call_stands_in_the_form_without_the_script(http: FlaskClient, op: str) -> None:
    page = http.get(f"/playground/ops/{op}").text
    for name, value in EXAMPLES[op].fields.items():
        if value != PHOTO:
            field = re.search(rf'<(?:textarea|select) id="field-{name}".*?</(?:textarea|select)>', page, re.S)
            assert field
            assert str(value) in field[0]
        assert re.search(rf'id="send-{"file" if value == PHOTO else name}"[^>]* checked', page)


def test_a_page_says_what_is_changed_to_make_an_error_happen(http: FlaskClient) -> None:
    said = text_of(http.get("/playground/ops/editmembers").text)
    assert "Log the user out and show the login screen. Here: another token." in said
    assert "mesibo answers groupeditmembers with EXISTS" in said


def test_the_first_page_leads_to_every_op(http: FlaskClient) -> None:
    page = http.get("/playground/ops").text
    for op in OPERATIONS:
        assert f'href="/playground/ops/{op}"' in page


def test_nothing_stands_in_line_and_nothing_comes_from_elsewhere(http: FlaskClient) -> None:
    for path in ("/playground/ops", "/playground/ops/login"):
        answer = http.get(path)
        assert "script-src 'self'; style-src 'self'" in answer.headers["Content-Security-Policy"]
        assert not re.search(
            r"\sstyle=|\son[a-z]+=|<style|<script(?! type=\"module\" src=\"/static/)", answer.text
        )
        assert not re.search(r'(?:src|href)="(?:https?:)?//', answer.text)


def test_an_op_that_does_not_exist_has_no_page(http: FlaskClient) -> None:
    assert http.get("/playground/ops/nosuch").status_code == 404


def test_all_script_is_small_and_names_no_other_host() -> None:
    scripts = [path.read_text() for path in SCRIPTS.glob("*.js")]
    assert len(scripts) == 5
    assert sum(len(script.encode()) for script in scripts) <= MOST_SCRIPT
    assert not [
        script for script in scripts if re.search(r"https?://|\beval\b|innerHTML|\bFunction\(", script)
    ]


class Above(TypedDict):
    """One."""

    first: str
    """The first,
    in two lines."""
    silent: str


class Below(Above):
    """Another,
    in two lines.

    And more.
    """

    second: NotRequired[int]
    """The second."""


class Record(Struct):
    """A record."""

    third: str = ""
    """The third."""


def test_lines_are_those_below_the_members_and_of_what_is_extended() -> None:
    assert lines(Below) == {"first": "The first, in two lines.", "second": "The second."}
    assert lines(Record) == {"third": "The third."}
    assert {"name", "photo", "gid", "members"} <= lines(GroupShown).keys()
    assert about(Below) == "Another, in two lines."

"""Ops that an extension adds stand in the reference, and in the playground, beside ours."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient
from jsonschema_rs import validator_for

from tests.browsing import LOOKS, WIDE, faults, served, watched
from tests.product import Product
from tests.typed_pages import EXAMPLES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

OWN = "This server's own: other servers do not have it."
# With what people may leave out, name as ours, and declare in ways in which we do not.
ODD = '''
import enum
from typing import Annotated, Literal, NotRequired, TypedDict
from msgspec import Meta, Struct
from messenger_api.extensions import *

class Closed(errors.BadRequest):
    """Nobody is there. Neither at night."""
    code = "CLOSED"
    to_do = "Show `errmsg`."

class Missing(errors.BadValue):
    """A base's code, and words of its own."""

class Side(enum.Enum):
    LEFT = "left"
    RIGHT = "right"

class LoginParameters(Struct, rename="camel"):
    is_urgent: bool = True
    weight: float | None = None
    side: Side = Side.RIGHT
    many: Annotated[list[str], Meta(examples=[["a", "b"]])] = []

class NamedAsOurs(Struct):
    """A call in the words of its record."""

class Entry(TypedDict):
    below: list["Entry"]
    side: NotRequired[Side]
    anything: object
    either: int | str | None

class Tree(TypedDict):
    """A tree."""
    root: Entry

class Odd(Extension):
    def operations(self):
        return {
            "odd_tree": Operation(self.tree, LoginParameters, {Closed, Missing}, file="Any file."),
            "odd_open": Operation(self.open, LoginParameters, needs_session=False),
        }

    def tree(self, call, given) -> Tree | Entry:
        """Show a tree: in the words of its function.

        And more of it.
        """
        return {"root": {"below": [], "anything": [1], "either": "x"}}

    def open(self, call, given) -> JsonObject:
        return {"given": [given.is_urgent, given.side.value, given.many]}
'''


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """With the op of the guide, and with odd ones."""
    folder: Path = tmp_path_factory.mktemp("product")
    (folder / "odd.py").write_text(ODD)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.syspath_prepend(EXAMPLES)
        added = {"extensions": ["own_op.Support", "odd.Odd"], "support_number": "14155550100"}
        made = Product(f"sqlite:///{folder / 'messenger.sqlite3'}", folder, **added)
        yield made
        made.close()
    sys.modules.pop("odd", None)


@pytest.fixture
def http(product: Product) -> FlaskClient:
    return product.http


def test_the_pages_show_an_op_as_it_is_declared_and_say_whose_it_is(http: FlaskClient) -> None:
    page = unescape(http.get("/docs/ops/support").text)
    for text in (
        OWN,
        "Tell who answers questions, and have them call.",
        "What the question is about: <code>billing</code> or <code>other</code>.",
        "The number that calls back: digits of E.164 without +.",
        """-d '{"op":"support","token":"EXAMPLE-TOKEN","topic":"billing"}'""",
        '<a href="/docs/errors#BADVALUE">',
        '<a href="/docs/schemas/SupportRequest.json">',
    ):
        assert text in page
    assert 'class="answer"' not in page
    for path in ("/docs", "/docs/errors", "/docs/ops/login"):
        text = http.get(path).text
        assert "<h2>This server's own</h2>" in text
        assert '<a href="/docs/ops/support"' in text
    assert OWN not in http.get("/docs/ops/login").text
    assert "25 ops at one address" in http.get("/docs").text


def test_what_is_not_declared_is_told_as_that(http: FlaskClient) -> None:
    page = http.get("/docs/ops/odd_open").text
    assert "Not described." in page
    assert "Members that the op does not declare." in page
    page = http.get("/docs/ops/odd_tree").text
    for text in (
        '<p class="lead">Show a tree: in the words of its function.</p>',
        "true or false",
        "&#34;left&#34; or &#34;right&#34;",
        "list of Entry2",
        "any value",
        "number or text",
        "list of text",
        "-F isUrgent=1",
        "-F many=a,b",
        "-F photo=@photo.jpg",
        '<a href="/docs/errors#CLOSED">',
    ):
        assert text in page, text


def test_an_error_of_its_own_stands_among_the_errors_once(http: FlaskClient) -> None:
    page = http.get("/docs/errors").text
    assert page.count('id="CLOSED"') == page.count('id="BADVALUE"') == 1
    assert "Nobody is there." in page
    assert "A base&#39;s code" not in page


def test_the_documents_for_programs_and_assistants_have_it(http: FlaskClient) -> None:
    whole, ops = (http.get(f"/docs/{name}.json").get_json() for name in ("openapi", "openapi-ops"))
    mapping = whole["paths"]["/api.php"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert mapping["discriminator"]["mapping"]["support"] == "#/components/schemas/SupportRequest"
    operation = ops["paths"]["/api.php#support"]["post"]
    assert operation["tags"] == ["own"]
    [example] = operation["requestBody"]["content"]["application/json"]["examples"].values()
    assert example["value"] == {"op": "support", "token": "EXAMPLE-TOKEN", "topic": "billing"}
    assert ops["components"]["schemas"]["SupportRequest"]["properties"]["topic"]["examples"] == ["billing"]
    for name in ("/docs.md", "/llms.txt"):
        text = http.get(name).text
        assert "### support\n\nTell who answers questions, and have them call.\n\n" + OWN in text
        assert "| `phone` | text | The number that calls back: digits of E.164 without +. |" in text


def test_a_name_that_an_op_of_ours_has_already_stays_ours(http: FlaskClient) -> None:
    schemas = http.get("/docs/schemas/all.json").get_json()["$defs"]
    assert schemas["LoginRequest"]["properties"]["op"] == {"const": "login"}
    assert schemas["Login2Request"]["properties"]["op"] == {"const": "odd_tree"}
    assert schemas["Login3Request"]["properties"]["op"] == {"const": "odd_open"}
    assert "tn" in schemas["Entry"]["properties"]
    assert schemas["Entry2"]["properties"]["below"]["items"] == {"$ref": "#/$defs/Entry2"}


def test_answers_are_as_the_schemas_say(product: Product) -> None:
    ana = product.log_in("14155550101", "Ana")
    sent: dict[str, Any] = {"odd_tree": {"many": "a,b"}, "odd_open": {"side": "left"}, "support": {}}
    for op, named in {"odd_tree": "Login2", "odd_open": "Login3", "support": "Support"}.items():
        schema = product.http.get(f"/docs/schemas/{named}Answer.json").get_json()
        validator_for(schema).validate(ana.ok(op, **sent[op]))


def test_the_playground_has_a_page_with_a_call_that_can_be_sent(product: Product) -> None:
    http = product.http
    assert '<a href="/playground/ops/support">' in http.get("/playground/ops").text
    page = unescape(http.get("/playground/ops/support").text)
    assert OWN in page
    assert ">billing</textarea>" in page
    page = http.get("/playground/ops/odd_tree").text
    assert '<option value="right" selected>' in page
    assert ">a,b</textarea>" in page
    assert 'data-path="root.side"' in page
    assert '<li id="CLOSED">' in page
    assert 'data-code="CLOSED"' not in page


@pytest.mark.server
@pytest.mark.parametrize(("scheme", "width"), [LOOKS[0], LOOKS[3]])
def test_the_pages_are_looked_at_by_everybody(
    browser: Browser, product: Product, scheme: str, width: int
) -> None:
    with served(product.app) as address, watched(browser, scheme, width) as page:
        for path in ("docs", "docs/ops/support", "docs/ops/odd_tree", "docs/ops/odd_open", "docs/errors"):
            assert_well(page, f"{address}/{path}")
        for path in ("playground/ops", "playground/ops/support", "playground/ops/odd_tree"):
            assert_well(page, f"{address}/{path}")


def assert_well(page: Page, address: str) -> None:
    page.goto(address)
    assert not page.evaluate(WIDE), address
    assert faults(page) == [], address


@pytest.mark.server
def test_a_developer_sends_the_call_and_makes_its_errors_happen(browser: Browser, product: Product) -> None:
    with served(product.app) as address, watched(browser) as page:
        said: list[str] = []
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{address}/docs/ops/support")
        page.get_by_role("link", name="Try it in the playground").click()
        page.click("#login")
        page.wait_for_selector("#forget:not([hidden])")
        page.click("button.main")
        page.wait_for_selector("#answer-panel[data-result=ok]")
        assert "The number that calls back" in page.inner_text("#explained")
        assert "Hello Ana, we call you back." in page.inner_text("#explained")
        for code in page.eval_on_selector_all(".make", "all => all.map(it => it.dataset.code)"):
            page.click(f'.make[data-code="{code}"]')
            page.wait_for_selector(f"#made:has-text('{code}, as it should be')")
        page.goto(f"{address}/playground/ops/odd_open")
        page.click("button.main")
        page.wait_for_selector("#answer-panel[data-result=ok]")
        assert '"given":[true,"right",["a","b"]]' in "".join((page.text_content("#wire") or "").split())
        assert said == []

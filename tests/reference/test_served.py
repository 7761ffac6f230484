"""The reference as it is served at /docs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from messenger_api.ops import OPERATIONS
from messenger_api.transport.pages import HEADERS
from tests.product import Product
from tests.servers import ROOT

PAGES = [
    "/docs",
    "/docs/envelope",
    "/docs/errors",
    "/docs/updates",
    *(f"/docs/ops/{op}" for op in OPERATIONS),
]
DOCUMENTS = {
    "/docs/openapi.json": "application/json",
    "/docs/openapi-ops.json": "application/json",
    "/docs/schemas/all.json": "application/schema+json",
    "/docs/schemas/LoginAnswer.json": "application/schema+json",
    "/docs.md": "text/markdown",
    "/llms.txt": "text/plain",
}
MakeProduct = Callable[..., Product]


@pytest.fixture
def make_product(tmp_path: Path) -> Iterator[MakeProduct]:
    """Makes the product with settings of the test's own; no database plays a part in this."""
    made: list[Product] = []

    def make(**settings: object) -> Product:
        made.append(Product(f"sqlite:///{tmp_path / 'messenger.sqlite3'}", tmp_path, **settings))
        return made[-1]

    yield make
    for product in made:
        product.close()


def test_each_page_has_the_policy_of_all_pages_and_its_links_lead_somewhere(
    make_product: MakeProduct,
) -> None:
    http = make_product().http
    links: set[str] = set()
    for path in PAGES:
        found = http.get(path, headers={"Accept": "text/html"})
        assert found.status_code == 200, path
        assert found.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]
        assert "style=" not in found.text
        assert "`" not in re.sub(r"<pre.*?</pre>", "", found.text, flags=re.DOTALL), path
        links |= set(re.findall(r'href="(/docs[^"]*|/llms[^"]*)"', found.text))
    pages = {link.partition("#")[0] for link in links} - {"/docs/guide"}
    assert pages > {*PAGES, "/docs/openapi.json"}
    texts = {page: http.get(page) for page in pages}
    assert {page: text.status_code for page, text in texts.items()} == dict.fromkeys(pages, 200)
    marks = [link.split("#") for link in links if "#" in link]
    assert [mark for page, mark in marks if f'id="{mark}"' not in texts[page].text] == []


@pytest.mark.parametrize(("path", "kind"), DOCUMENTS.items())
def test_programs_of_any_origin_fetch_the_documents(make_product: MakeProduct, path: str, kind: str) -> None:
    found = make_product().http.get(path)
    assert (found.status_code, found.mimetype) == (200, kind)
    assert found.headers["Access-Control-Allow-Origin"] == "*"


def test_one_text_is_served_twice_and_is_the_page_in_the_docs(make_product: MakeProduct) -> None:
    http = make_product(public_url="https://chat.example.com").http
    assert http.get("/docs.md").text == http.get("/llms.txt").text == (ROOT / "docs" / "ops.md").read_text()


def test_the_address_is_the_public_one_else_that_which_was_asked(make_product: MakeProduct) -> None:
    known, other = make_product(public_url="https://known.example/chat/"), make_product()
    for http, address in ((known.http, "https://known.example/chat"), (other.http, "http://asked.example")):
        answer = http.get("/docs/openapi.json", base_url="http://asked.example").get_json()
        assert answer["servers"] == [{"url": address}]
        assert f"{address}/api.php" in http.get("/docs", base_url="http://asked.example").text


def test_it_is_there_in_production_and_names_no_playground(make_product: MakeProduct) -> None:
    http = make_product(mesibo_app_token="t" * 32, mesibo_api_url="http://127.0.0.1:9").http
    pages = [http.get(path) for path in PAGES]
    assert {page.status_code for page in pages} == {200}
    assert not [page for page in pages if "/playground" in page.text]


def test_what_is_not_there_is_not_found(make_product: MakeProduct) -> None:
    http = make_product().http
    for path in ("/docs/ops/nosuch", "/docs/schemas/NoSuch.json", "/docs/nosuch"):
        assert http.get(path).status_code == 404


def test_each_page_leads_to_every_other(make_product: MakeProduct) -> None:
    http = make_product().http
    for path in PAGES:
        text = http.get(path).text
        assert not [other for other in PAGES if f'<a href="{other}"' not in text], path

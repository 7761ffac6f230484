"""The guide at /docs/guide, as the product serves it, and in the wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

from messenger_api.transport import guide
from tests.browsing import faults, served, watched
from tests.guide.building import checkout, site_of
from tests.product import Product

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from werkzeug.test import TestResponse

pytestmark = pytest.mark.server

BROWSER = {"Accept": "text/html"}
# What axe-core says that we leave. The theme's: blocks of code, and sections of the navigation, are landmarks
# without a name. Markdown's: a column that names its rows has no head.
LEFT = ("landmark-unique", "empty-table-header")
# Each kind of content: tables, code, pictures, a long reference, nested navigation.
LOOKED_AT = ("index", "operations/going-live", "operations/console", "mesibo", "decisions/index")


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    product = Product(f"sqlite:///{tmp_path / 'messenger.sqlite3'}", tmp_path)
    yield product
    product.close()


@pytest.fixture
def built(product: Product, site: Path, monkeypatch: pytest.MonkeyPatch) -> Product:
    """A product with the guide."""
    monkeypatch.setattr(guide, "SITE", site)
    return product


@pytest.fixture
def absent(product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Product:
    """One without."""
    monkeypatch.setattr(guide, "SITE", tmp_path / "nowhere")
    return product


def seen(product: Product, path: str) -> TestResponse:
    """What a browser ends at."""
    return product.http.get(path, headers=BROWSER, follow_redirects=True, buffered=True)


def test_each_file_of_the_site_is_served(built: Product, site: Path) -> None:
    for file in (each for each in site.rglob("*") if each.is_file()):
        found = seen(built, f"/docs/guide/{file.relative_to(site)}")
        assert (found.status_code, found.data) == (200, file.read_bytes()), file
    assert seen(built, "/docs/guide/").data == (site / "index.html").read_bytes()
    assert seen(built, "/docs/guide").request.path == "/docs/guide/"
    assert seen(built, "/docs/guide/files/deploy/nginx.conf.txt").mimetype == "text/plain"


def test_its_policy_admits_no_script_but_its_own(built: Product, site: Path) -> None:
    for file in site.rglob("*.html"):
        headers = seen(built, f"/docs/guide/{file.relative_to(site)}").headers
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert re.fullmatch(r"'self'( 'sha256-[\w+/]{43}=')+", policy["script-src"])
        assert (policy["style-src"], policy["frame-ancestors"]) == ("'self'", "'none'")
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_that_was_built_anew_has_the_policy_of_its_new_scripts(
    built: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guide, "SITE", tmp_path)
    policies = []
    for number, script in enumerate(("one()", "two()")):
        (tmp_path / "page.html").write_text(f"<script>{script}</script>")
        os.utime(tmp_path / "page.html", (number, number))
        policies.append(seen(built, "/docs/guide/page.html").headers["Content-Security-Policy"])
    assert policies[0] != policies[1]


@pytest.mark.parametrize(
    "path", ["nothing.html", "../app.py", "%2e%2e/app.py", "..%5capp.py", "%00", "decisions"]
)
def test_what_is_no_file_of_the_site_is_not_found(built: Product, path: str) -> None:
    assert seen(built, f"/docs/guide/{path}").status_code == 404


def test_where_it_was_not_built_the_address_says_how(absent: Product) -> None:
    page = seen(absent, "/docs/guide")
    assert page.status_code == 200
    assert "make docs" in page.text
    assert seen(absent, "/docs/guide/sms.html").status_code == 404
    assert "Not built here yet" in seen(absent, "/").text


def test_where_it_was_built_no_page_says_that_it_was_not(built: Product) -> None:
    assert "Not built here" not in seen(built, "/").text


def test_each_page_leads_back_to_the_pages_of_the_server(browser: Browser, built: Product) -> None:
    with served(built.app) as url, watched(browser, width=390) as page:
        page.goto(f"{url}/docs/guide/learn/tour.html")
        page.click("text=This server")
        page.wait_for_url(f"{url}/")
        assert page.evaluate("window.broken") == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_pages_keep_their_policy_and_keep_nobody_out(
    browser: Browser, built: Product, scheme: str, width: int
) -> None:
    with served(built.app) as url, watched(browser, scheme, width) as page:
        said: list[str] = []
        asked: list[str] = []
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: asked.append(request.url))
        for name in LOOKED_AT:
            page.goto(f"{url}/docs/guide/{name}.html")
            page.wait_for_function("document.documentElement.classList.contains('js')")
            found = [fault for fault in faults(page) if not fault.startswith(LEFT)]
            assert found == [], name
        assert said == []
        assert [each for each in asked if not each.startswith((url, "data:"))] == []


def test_search_finds_a_page_and_opens_it(browser: Browser, built: Product) -> None:
    with served(built.app) as url, watched(browser) as page:
        said: list[str] = []
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{url}/docs/guide/")
        page.click(".md-search__button")
        page.get_by_role("combobox").press_sequentially("resend")
        found = page.locator("a[href*='security.html'] mark").first
        assert page.evaluate("window.broken") == []
        found.click()
        page.wait_for_url("**/docs/guide/security.html*")
        assert said == []


@pytest.mark.parametrize("with_guide", [True, False])
def test_the_wheel_has_the_guide_where_it_was_built(folder: Path, tmp_path: Path, with_guide: bool) -> None:
    source = folder if with_guide else checkout(tmp_path / "checkout")
    program = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", f"--wheel-dir={tmp_path}"]
    subprocess.run([*program, str(source)], check=True, stdin=subprocess.DEVNULL)
    with ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        packed = {name for name in wheel.namelist() if name.startswith("messenger_api/guide/")}
    site = site_of(source)
    assert packed == {each.relative_to(source).as_posix() for each in site.rglob("*") if each.is_file()}
    assert bool(packed) == with_guide

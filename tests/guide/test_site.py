"""`make docs`: every page has its place, no link is dead, and the site opens from a folder."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.guide.building import build
from tests.servers import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.server

DOCS = ROOT / "docs"
PARTS = ["Start", "Learn", "Do", "Look up", "Understand"]

# Each of these lines in a page stops the build, which says what follows.
FAULTS = {
    "[x](no-such-page.md)": "push.html links to no-such-page.html, which is not there",
    "[x](sms.md#nowhere)": "push.html links to sms.html#nowhere, which is not there",
    "[x](#nowhere)": "push.html links to #nowhere, which is not there",
    "[x](../deploy/no-such.conf)": "push.html links to ../deploy/no-such.conf, which is not there",
    "![x](no-such.png)": "push.html links to no-such.png, which is not there",
    "![x](https://example.com/x.png)": "push.html loads https://example.com/x.png from elsewhere",
}


def leaves(entries: list[object] | dict[str, object] | str) -> Iterator[str]:
    """The pages of a part of the navigation."""
    if isinstance(entries, str):
        yield entries
    elif isinstance(entries, dict):
        for each in entries.values():
            yield from leaves(each)  # type: ignore[arg-type]
    else:
        for each in entries:
            yield from leaves(each)  # type: ignore[arg-type]


def test_every_page_of_docs_has_one_place_in_the_navigation() -> None:
    navigation = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["nav"]
    assert [name for part in navigation for name in part] == PARTS
    placed = sorted(leaves(navigation))
    assert placed == sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


def test_each_page_is_built(site: Path) -> None:
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).with_suffix(".html").as_posix().replace("README", "index")
        assert (site / name).is_file(), name


def test_what_leads_nowhere_or_elsewhere_fails_the_build_and_leaves_the_former_site(
    folder: Path, site: Path
) -> None:
    page, before = folder / "docs" / "push.md", (site / "push.html").read_text()
    whole = page.read_text()
    page.write_text("\n\n".join([whole, *FAULTS]))
    failed = build(folder)
    page.write_text(whole)
    assert failed.returncode != 0
    assert sorted(failed.stderr.splitlines()) == sorted(FAULTS.values())
    assert (site / "push.html").read_text() == before


def test_a_file_that_a_page_names_is_shown_as_text(site: Path) -> None:
    shown = site / "files" / "deploy" / "nginx.conf.txt"
    assert shown.read_text() == (ROOT / "deploy" / "nginx.conf").read_text()
    assert 'href="../files/deploy/nginx.conf.txt"' in (site / "operations" / "going-live.html").read_text()


def test_search_works_from_a_folder_and_asks_no_other_host(browser: Browser, site: Path) -> None:
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto((site / "operations" / "going-live.html").as_uri())
        page.click(".md-search__button")
        page.get_by_role("combobox").press_sequentially("galera")
        page.get_by_text("3. A Galera cluster").first.click()
        page.wait_for_url("**/scaling.html*")
        assert page.url.startswith("file:")
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_the_products_colours(browser: Browser, site: Path, scheme: str) -> None:
    with browser.new_context(color_scheme=scheme) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto((site / "index.html").as_uri())
        paper = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--paper')")
        style = (ROOT / "messenger_api" / "static" / "messenger.css").read_text()
        light, dark = style.partition("@media (prefers-color-scheme: dark)")[::2]
        assert f"--paper: {paper.strip()};" in (light if scheme == "light" else dark)
        shown = page.evaluate(
            "(paper) => { document.body.insertAdjacentHTML('beforeend', '<i id=paper></i>');"
            " const it = document.getElementById('paper'); it.style.color = paper;"
            " return [getComputedStyle(it).color, getComputedStyle(document.body).backgroundColor] }",
            paper,
        )
        assert shown[0] == shown[1]


def test_no_page_is_wider_than_a_phone(browser: Browser, site: Path) -> None:
    with browser.new_context(viewport={"width": 390, "height": 800}) as context:
        page = context.new_page()
        wide = []
        for file in sorted(site.rglob("*.html")):
            page.goto(file.as_uri())
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wide.append(file.name)
        assert wide == []

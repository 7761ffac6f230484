"""Every block of the guide's learn and do pages is run or says why not, and every link leads somewhere."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

from tests.guide.following import PAGES, all_blocks, name
from tests.guide.stories import STORIES
from tests.servers import ROOT
from tests.typed_pages import CONFIGURATION, DOCS, EXAMPLES, SHELL, SHOWN, blocks, example_of

LANGUAGES = {*SHELL, CONFIGURATION, *SHOWN}

# How many blocks are not run, by the reason that their page gives: none comes in unseen.
NOT_RUN = {
    "a file of the Android app": 1,
    "a line of the Android app": 2,
    "a setting of FreeRADIUS": 1,
    "installs packages of the system": 1,
    "installs packages; a test looks whether the extra exists": 4,
    "lines of the iOS app": 2,
    "lines of the web app": 1,
    "listens on all addresses of the machine": 1,
    "serves the files of the web app": 1,
}


def test_every_page_with_something_to_type_is_followed_by_one_of_the_tests() -> None:
    there = [page for part in ("learn", "do") for page in sorted((DOCS / part).glob("*.md"))]
    assert sorted(PAGES) == sorted(page for page in there if blocks(page.read_text()))


def test_every_block_is_in_a_language_that_is_run_or_says_why_not() -> None:
    left = [(page, block) for page, block in all_blocks() if not block.not_run]
    assert [f"{page}:{block.line}" for page, block in left if block.language not in LANGUAGES] == []


def test_no_fence_is_overlooked() -> None:
    for page in PAGES:
        fences = len(re.findall(r"^ *```", page.read_text(), re.MULTILINE))
        assert fences == 2 * len(blocks(page.read_text())), page


def test_what_is_typed_means_the_same_in_zsh() -> None:
    """macOS' shell takes no comments where commands are typed, no variable for several words, and looks for
    files by every ? and * outside of quotes."""
    readme = [("README.md", block) for block in blocks((ROOT / "README.md").read_text())]
    typed = [(page, block) for page, block in [*readme, *all_blocks()] if block.language in SHELL]
    wrong = re.compile(
        r"(^|\s)#|\bfor (?P<each>\w+) in [\s\S]*\$(?P=each)\b|https?://[^\s'\"]*[?*\[]", re.MULTILINE
    )
    assert [f"{page}:{block.line}" for page, block in typed if wrong.search(unquoted(block.text))] == []
    assert wrong.search(unquoted("run  # tells"))
    assert wrong.search(unquoted('for way in "a b"; do curl $way; done'))
    assert wrong.search(unquoted("curl http://127.0.0.1/?op=x"))
    assert not wrong.search(unquoted("curl 'http://127.0.0.1/?op=x' \"# $NAME\""))


def unquoted(text: str) -> str:
    """A command without what stands in quotes; ${…} may hold a # of its own."""
    return re.sub(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"|\$\{[^}]*\}", "QUOTED", text)


def test_what_is_not_run_is_known() -> None:
    reasons = [block.not_run for _, block in all_blocks() if block.not_run]
    assert {reason: reasons.count(reason) for reason in reasons} == NOT_RUN


def test_every_story_belongs_to_a_page() -> None:
    assert set(STORIES) <= {name(page) for page in PAGES}


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("own_*.py")), ids=lambda path: path.name)
def test_every_example_stands_on_a_page_and_is_short(example: Path) -> None:
    shown = [page for page, block in all_blocks() if example_of(block) == example.name]
    assert len(shown) == 1, f"a page shows {example} as it was: copy it there"
    body = example.read_text().partition("\n@dataclass")[2] or example.read_text()
    assert len([line for line in body.splitlines() if line.strip()]) <= 30


def test_every_extra_that_a_page_installs_exists() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    named = {
        extra for page in PAGES for extra in re.findall(r"pip install '\.\[([\w-]+)\]'", page.read_text())
    }
    assert named <= set(setup["options.extras_require"])


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_to_a_page_and_its_heading(page: Path) -> None:
    for target, heading in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text()):
        there = (page.parent / target) if target else page
        assert there.exists(), f"{target} is not there"
        if heading:
            headings = re.findall(r"^#+ (.+)$", there.read_text(), re.MULTILINE)
            assert heading in {slug(each) for each in headings}, f"{target} has no heading {heading}"


def slug(heading: str) -> str:
    """A heading as the anchor that forges and the site make of it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")

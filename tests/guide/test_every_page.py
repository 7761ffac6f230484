"""Every block of the guide's learn and do pages is run, in the page's order, and prints what the page shows.

What a page leaves to its reader, accounts and servers, is played: `STORIES` says by what.
"""

from __future__ import annotations

import configparser
import json
import re
from pathlib import Path

import pytest

from messenger_api.sandbox import SandboxServer
from tests.guide.stories import STORIES, alone
from tests.servers import ROOT
from tests.typed_pages import CONFIGURATION, DOCS, EXAMPLES, SHELL, SHOWN, Block, Reader, blocks, example_of
from tests.whole_log import WholeLog

PAGES = sorted(path for part in ("learn", "do") for path in (DOCS / part).glob("*.md"))
SAME_EVERY_DAY = {"op", "result", "error", "phone"}
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


def name(page: Path) -> str:
    return page.relative_to(DOCS).with_suffix("").as_posix()


def all_blocks() -> list[tuple[str, Block]]:
    return [(name(page), block) for page in PAGES for block in blocks(page.read_text())]


@pytest.mark.server
@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_reader_who_types_all_of_it_gets_what_the_page_shows(
    page: Path, tmp_path: Path, sandbox: SandboxServer, whole_log: WholeLog
) -> None:
    steps = [block for block in blocks(page.read_text()) if not block.not_run]
    if not steps:
        return
    folder = tmp_path / "reader"
    folder.mkdir()
    reader = Reader(folder)
    with STORIES.get(name(page), alone)(reader, sandbox) as keys:
        printed = reader.reads([block for block in steps if block.language not in SHOWN], keys)
    for log in folder.glob("goes-on*.log"):
        whole_log.read_server(log.read_text(), folder)
    assert_shown(steps, printed)


def assert_shown(steps: list[Block], printed: list[str]) -> None:
    """What a page shows below a command is what it printed, but for figures and what … stands for."""
    outputs = iter(printed)
    last = ""
    for block in steps:
        told = f"line {block.line} shows\n{block.text}\nand there was\n{last}"
        if block.language in SHELL:
            last = next(outputs)
        elif block.language == "json":
            assert shapes(block.text) == shapes(last), told
        elif block.language == "text":
            assert re.search(pattern(block.text), last), told


def shapes(text: str) -> list[object]:
    """Of each line that is a JSON object its members, with the values that do not depend on the day."""
    objects = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [{key: value if key in SAME_EVERY_DAY else "" for key, value in each.items()} for each in objects]


def pattern(text: str) -> str:
    """A text as the pattern of what may stand for it: any figure for a figure, anything for …"""
    escaped = re.escape(text.strip())
    return (
        re.sub(r"\d+", r"\\d+", escaped)
        .replace("…", "(?s:.*?)")
        .replace(r"\ ", r"\s+")
        .replace("\\\n", r"\s+")
    )


def test_every_block_is_in_a_language_that_is_run_or_says_why_not() -> None:
    left = [(page, block) for page, block in all_blocks() if not block.not_run]
    assert [f"{page}:{block.line}" for page, block in left if block.language not in LANGUAGES] == []


def test_no_fence_is_overlooked() -> None:
    for page in PAGES:
        fences = len(re.findall(r"^ *```", page.read_text(), re.MULTILINE))
        assert fences == 2 * len(blocks(page.read_text())), page


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

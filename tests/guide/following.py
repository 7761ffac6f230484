"""The guide's pages to learn and to do, and how one is followed to its end.

What a page leaves to its reader, accounts and servers, is played: `STORIES` says by what.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from messenger_api.sandbox import SandboxServer
from tests.guide.stories import STORIES, alone
from tests.typed_pages import DOCS, SHELL, SHOWN, Block, Reader, blocks
from tests.whole_log import WholeLog

# In these parts, each followed by a file of tests: pytest shares files among its processes.
LEARN, TEXTS, LOGINS, OWN = (
    sorted(DOCS.glob(pattern)) for pattern in ("learn/*.md", "do/sms-*.md", "do/login-*.md", "do/own-*.md")
)
PAGES = [*LEARN, *TEXTS, *LOGINS, *OWN]
SAME_EVERY_DAY = {"op", "result", "error", "phone"}


def name(page: Path) -> str:
    return page.relative_to(DOCS).with_suffix("").as_posix()


def all_blocks() -> list[tuple[str, Block]]:
    return [(name(page), block) for page in PAGES for block in blocks(page.read_text())]


def follow(page: Path, folder: Path, sandbox: SandboxServer, log: WholeLog) -> None:
    """Type all of a page in a folder of its own; what it shows is what is printed, and no log tells a secret.

    Raises:
        AssertionError: it is not so; it names the line of the page.
    """
    steps = [block for block in blocks(page.read_text()) if not block.not_run]
    assert steps, "nothing of it is run"
    reader = Reader(folder)
    with STORIES.get(name(page), alone)(reader, sandbox) as keys:
        printed = reader.reads([block for block in steps if block.language not in SHOWN], keys)
    for beside in folder.glob("goes-on.log"):
        log.read_server(beside.read_text(), folder)
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

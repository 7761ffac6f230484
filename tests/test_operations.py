"""The pages for operators: what they name is there."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from messenger_api.cli import main

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "operations"
PAGES = sorted(FOLDER.glob("*.md"))


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!http)([^)]+)\)", page.read_text()):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text()), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_that_are_named_exist(page: Path) -> None:
    for words in re.findall(r"(?<=[`/])messenger-api ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)", page.read_text()):
        command: click.Command | None = main
        for word in words.split():
            if isinstance(command, click.Group):
                command = command.get_command(click.Context(command), word)
                assert command, words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_keys_that_are_named_exist(page: Path) -> None:
    example = (ROOT / "config.example.py").read_text()
    keys = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+) = ", example, re.M))
    heads = "DB|MESIBO|SMS|TWILIO|VONAGE|S3|MAX|FILES|OUTBOX|OTP|SESSION|SECRET|PUBLIC"
    ours = re.compile(rf"`((?:{heads})_[A-Z0-9_]+)`")
    assert set(ours.findall(page.read_text())) <= keys

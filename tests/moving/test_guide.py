"""docs/moving-from-php.md is run: its commands, word for word, in their order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from messenger_api.cli import main
from messenger_api.shadow.comparison import IMPROVEMENTS
from tests.cli.commands import Cli
from tests.moving.demo import Demo
from tests.moving.large import fill
from tests.processes import LOOPBACK
from tests.servers import ROOT

PAGE = (ROOT / "docs" / "moving-from-php.md").read_text()
BLOCKS = re.findall(r"^ *```(sh|sql)\n(.*?)^ *```", PAGE, re.DOTALL | re.MULTILINE)
USERS = 30


@pytest.fixture
def place(demo: Demo, tmp_path: Path) -> dict[str, str]:
    """What stands on the page, and what has its place here."""
    fill(demo, USERS, 4)
    demo.server.query(f"CREATE USER 'mover'@'{LOOPBACK}'")
    config = demo.folder / "config.php"
    database = f"$db_host = '{LOOPBACK}:{demo.server.port}'; $db_user = 'mover';"
    folders = f"$files_path = '{demo.files}'; $files_tn_path = '{demo.thumbnails}';"
    config.write_text(f"<?php\n{database}\n{folders}\n$mesibo_apptoken = 'of mesibo';\n")
    return {
        "/var/www/messenger/api/config.php": str(config),
        "@localhost/mesibo": f"@{LOOPBACK}:{demo.server.port}/{demo.name}",
        "@'localhost'": f"@'{LOOPBACK}'",
        "mesibo.*": f"{demo.name}.*",
        "'the user of DB_USER'": "'mover'",
    }


def here(text: str, place: dict[str, str]) -> str:
    """A block of the page as it is run here."""
    for there, instead in place.items():
        text = text.replace(there, instead)
    return text


def test_the_guide_works_word_for_word(cli: Cli, demo: Demo, place: dict[str, str]) -> None:
    printed = []
    try:
        for language, block in BLOCKS:
            for line in filter(None, here(block, place).splitlines()):
                if language == "sql":
                    demo.server.query(line.strip().replace("%", "%%"))
                else:
                    printed.append(run(cli, shlex.split(line)))
    finally:
        demo.server.query("DROP DATABASE IF EXISTS messenger")
        demo.server.query(f"DROP USER IF EXISTS 'reader'@'{LOOPBACK}', 'mover'@'{LOOPBACK}'")
    assert "Moved." in "".join(printed)
    assert f"users         {USERS}" in "".join(printed)


def run(cli: Cli, words: list[str]) -> str:
    """Run a line; a shadow, which would go on, is only read."""
    if words[0] == "export":
        name, _, value = words[1].partition("=")
        cli.environment[name] = value
        return ""
    command, *arguments = words
    assert command == "messenger-api"
    if "mended.csv" in arguments:
        Path("mended.csv").write_bytes(Path("move-skipped-check.csv").read_bytes())
    if arguments[0] == "shadow":
        shadow = main.get_command(click.Context(main), "shadow")
        assert shadow
        shadow.make_context("shadow", arguments[1:])
        return ""
    if arguments == ["check"]:  # mesibo and the providers of texts are none here
        return cli.run(*arguments).output
    return cli.ok(*arguments)


def test_every_difference_that_the_shadow_knows_is_explained() -> None:
    explained = re.findall(r"^\| ([^|]*) \|", PAGE.partition("## What is meant to differ")[2], re.MULTILINE)
    names = {name for cell in explained for name in cell.split(", ")}
    assert {name for name, _meant in IMPROVEMENTS} <= names

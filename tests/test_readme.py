"""The README is run: what it tells a newcomer to type works, word for word."""

from __future__ import annotations

import configparser
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from messenger_api.ops import OPERATIONS
from tests.servers import ProductServer
from tests.typed_pages import SHELL, Block, Reader, blocks

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def section(title: str) -> str:
    """The text under a heading, up to the next one."""
    return README.split(f"## {title}\n")[1].split("\n## ")[0]


def commands(text: str) -> list[Block]:
    """The shell blocks of a section."""
    return [block for block in blocks(text) if block.language == "sh"]


@pytest.mark.server
def test_the_tour_works_word_for_word(product_server: Callable[..., ProductServer], tmp_path: Path) -> None:
    reader = Reader(tmp_path, ports={8080: product_server().port})

    printed = reader.reads(commands(section("A five-minute tour")))

    assert "curl: " not in "".join(printed)
    assert not re.search(r"[\w+/]{200}", "".join(printed)), "pictures in base64"
    asked, ana, bob, matched, changed, synced, group, out = printed
    assert '"result":"OK"' in asked
    assert re.search(r"Ana's token: \w{32,}", ana)
    assert '"result":"OK"' in bob
    assert matched.count('"phone":"14155550123"') == 1
    assert "4915112345678" not in matched
    assert changed.count('"result":"OK"') == 2
    assert re.search(r'"photo":"\d+-\w{32}\.(jpg|png)"', changed)
    assert '"name":"Ana"' in synced
    assert '"status":"On the mountain 🏔"' in synced
    assert '"members":"1:14155550123,919876543210"' in group
    assert "You have been added to group Hike" in group
    assert '"result":"OK"' in out
    assert '"error":"AUTHFAIL"' in out


def test_it_is_read_in_one_go_and_the_first_screen_says_what_it_is() -> None:
    lines = README.splitlines()
    assert len(lines) < 200
    first = "\n".join(lines[:30])
    assert all(word in first for word in ("make run", "docs/phones.png", "PHP sample", "private API"))


def test_the_page_of_ops_that_it_leads_to_has_every_op_and_every_error() -> None:
    assert "(docs/ops.md)" in section("Where to read on")
    page = (ROOT / "docs/ops.md").read_text()
    codes = set(re.findall(r'code = "([A-Z]+)"', (ROOT / "messenger_api/domain/errors.py").read_text()))
    assert codes
    assert set(OPERATIONS) <= set(re.findall(r"^### (\w+)$", page, re.MULTILINE))
    assert codes <= set(re.findall(r"^\| `([A-Z]+)` \|", page, re.MULTILINE))


def test_every_setting_that_is_named_exists() -> None:
    example = (ROOT / "config.example.py").read_text()  # it has every key: tests/test_settings.py
    keys = set(re.findall(r"^(?:# )?([A-Z][A-Z_]+) = ", example, re.MULTILINE))
    named = set(
        re.findall(r"\b((?:DB|MESIBO|SMS|TWILIO|PUBLIC|SECRET|DEFAULT|TRUSTED|MAX)_[A-Z_]+)\b", README)
    )

    assert named <= keys


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!http)([^)#]+)\)", README))))
def test_every_link_into_the_project_leads_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


def test_no_page_has_a_command_typed_that_a_plain_debian_has_not() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    typed = [(page, block) for page in pages for block in blocks(page.read_text()) if block.language in SHELL]
    assert len(typed) > 50
    assert [f"{page}:{block.line}" for page, block in typed if re.search(r"\bsudo\b", block.text)] == []


@pytest.mark.server
def test_no_text_sends_anybody_to_a_package_of_somebody_elses() -> None:
    """`messenger-api` on PyPI is another project: extras are installed from the folder, as '.[ldap]'."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    texts = [
        ROOT / name for name in listed.stdout.split() if Path(name).suffix in {".md", ".py", ".cfg", ".toml"}
    ]
    wrong = re.compile(r"pip install [^\n]*(?<![\w-])(mesibo-)?messenger-api|(?<![\w-])messenger-api\[")
    found = [path.name for path in texts if path.name != "test_readme.py" and wrong.search(path.read_text())]
    assert found == []
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert setup["metadata"]["name"] == "mesibo-messenger-api"
    assert "messenger-api = messenger_api.cli:main" in setup["options.entry_points"]["console_scripts"]

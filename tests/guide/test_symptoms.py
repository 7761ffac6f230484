"""docs/do/symptoms.md: each command, key, address, cause and word of the log that it names exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from messenger_api.cli import main
from messenger_api.domain.causes import CAUSES
from messenger_api.domain.errors import CODES
from tests.product import Product
from tests.servers import ROOT

PAGE = (ROOT / "docs" / "do" / "symptoms.md").read_text()
NAMED = sorted(set(re.findall(r"`([^`]+)`", PAGE)))
COMMANDS = [each for each in NAMED if each.startswith("messenger-api ")]
KEYS = {each.partition(" ")[0] for each in NAMED if re.fullmatch(r"[A-Z]+(_[A-Z]+)+( = .*)?", each)}
ADDRESSES = [each for each in NAMED if each.startswith("/")]
# What a reader puts in.
VALUES = {"NUMBER": "14155550123", "GID": "1", "COUNTRY": "IN", "FILE": __file__}
OF_THE_APPS = {"MESSENGER_API_URL"}


def test_it_names_what_there_is_to_look_at() -> None:
    assert len(COMMANDS) >= 15
    assert {"/readyz", "/admin", "/sandbox", "/metrics"} <= set(ADDRESSES)


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_exists_and_takes_what_is_shown(line: str) -> None:
    words = [VALUES.get(word, word) for word in line.split()[1:]]
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found, line
        command = found
    command.make_context(
        line, words
    )  # raises UsageError for an option that there is not, or a value too many


def test_each_key_of_the_configuration_exists() -> None:
    example = (ROOT / "config.example.py").read_text()
    assert not KEYS - OF_THE_APPS - set(re.findall(r"^([A-Z][A-Z0-9_]+) = ", example, re.MULTILINE))


def test_each_error_cause_and_event_exists() -> None:
    words = {each for each in NAMED if re.fullmatch(r"[A-Z]{6,}", each)} - {"NUMBER"}
    assert words <= CODES | {"NOOP"}
    of_why = [line for line in PAGE.splitlines() if "messenger-api why" in line]
    causes = re.findall(r"`([a-z_]+)`", "\n".join(of_why))
    assert len(causes) >= 5
    assert set(causes) <= set(CAUSES)
    log = (ROOT / "docs" / "operations" / "logs.md").read_text()
    events = [each for each in NAMED if re.fullmatch(r"[a-z]+\.[a-z_]+", each)]
    assert [each for each in events if f"`{each}`" not in log and not each.endswith(".js")] == []


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    product = Product(f"sqlite:///{tmp_path / 'messenger.sqlite3'}", tmp_path)
    yield product
    product.close()


@pytest.mark.parametrize("path", ADDRESSES)
def test_each_address_is_served(product: Product, path: str) -> None:
    routes = product.app.url_map.bind("")
    assert routes.test(path, "GET")

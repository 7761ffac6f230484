"""What stands around whoever follows a page of the guide, and the guide, built once a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from messenger_api.sandbox import SandboxServer, SandboxStore
from tests.guide.building import build, checkout, site_of


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxServer]:
    """mesibo, Twilio and Vonage, for pages that leave an account's secrets to their reader."""
    folder = tmp_path / "sandbox"
    folder.mkdir()
    with SandboxStore(folder / "sandbox.sqlite3") as store, SandboxServer(store) as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with its guide built."""
    copy = checkout(tmp_path_factory.mktemp("checkout"))
    built = build(copy)
    assert built.returncode == 0, built.stdout + built.stderr
    return copy


@pytest.fixture(scope="module")
def site(folder: Path) -> Path:
    """The site in it."""
    return site_of(folder)


@pytest.fixture
def reader_folder(tmp_path: Path) -> Path:
    """Where whoever follows a page is, with nothing in it."""
    folder = tmp_path / "reader"
    folder.mkdir()
    return folder

"""What stands around whoever follows a page of the guide."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from messenger_api.sandbox import SandboxServer, SandboxStore


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxServer]:
    """mesibo, Twilio and Vonage, for pages that leave an account's secrets to their reader."""
    folder = tmp_path / "sandbox"
    folder.mkdir()
    with SandboxStore(folder / "sandbox.sqlite3") as store, SandboxServer(store) as server:
        yield server

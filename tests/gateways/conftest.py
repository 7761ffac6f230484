"""What the tests of the mesibo client share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateways.mesibo_stub import Stub, serving


@pytest.fixture(autouse=True)
def _no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as server:
        yield server

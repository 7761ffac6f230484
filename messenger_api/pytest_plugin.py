"""A plugin of pytest: the fixture `mesibo_sandbox`, mesibo's backend API for one test.

pytest loads this file wherever the package is installed, wanted or not, so it loads nothing itself.
The sandbox is imported for the first test that asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from messenger_api.sandbox.testing import MesiboSandbox

_MARKER = "mesibo_sandbox(faults=(), strict=False): how the fixture mesibo_sandbox answers this test"


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker, which `--strict-markers` asks for."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def mesibo_sandbox(request: pytest.FixtureRequest) -> Iterator[MesiboSandbox]:
    """mesibo's backend API over real HTTP in this process, with nobody in it yet."""
    marker = request.node.get_closest_marker("mesibo_sandbox")
    opened: MesiboSandbox = import_module("messenger_api.sandbox.testing").MesiboSandbox(
        **(marker.kwargs if marker else {})
    )
    with opened as sandbox:
        yield sandbox

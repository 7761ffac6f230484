"""A reader who types all of a page of the guide gets what it shows: pages to learn."""

from __future__ import annotations

from pathlib import Path

import pytest

from messenger_api.sandbox import SandboxServer
from tests.guide.following import LEARN, follow, name
from tests.whole_log import WholeLog

pytestmark = pytest.mark.server


@pytest.mark.parametrize("page", LEARN, ids=name)
def test_a_reader_who_types_all_of_it_gets_what_the_page_shows(
    page: Path, reader_folder: Path, sandbox: SandboxServer, whole_log: WholeLog
) -> None:
    follow(page, reader_folder, sandbox, whole_log)

"""A reader who types all of a page of the guide gets what it shows: pages to learn."""

from __future__ import annotations

from pathlib import Path

import pytest

from messenger_api.sandbox import SandboxServer
from tests.guide.following import LEARN, assert_shown, follow, name
from tests.servers import ROOT
from tests.typed_pages import SHELL, SHOWN, Block, Reader, blocks
from tests.whole_log import WholeLog

pytestmark = pytest.mark.server


@pytest.mark.parametrize("page", LEARN, ids=name)
def test_a_reader_who_types_all_of_it_gets_what_the_page_shows(
    page: Path, reader_folder: Path, sandbox: SandboxServer, whole_log: WholeLog
) -> None:
    follow(page, reader_folder, sandbox, whole_log)


def test_who_reads_all_in_order_on_one_server_is_shown_the_same_and_never_locked_out(
    reader_folder: Path, whole_log: WholeLog
) -> None:
    """Each page has numbers of its own: five codes an hour to one were soon used up."""
    tour = (ROOT / "README.md").read_text().split("## A five-minute tour\n")[1].split("\n## ")[0]
    pages = {name(page): blocks(page.read_text()) for page in LEARN}
    # The page that opens the sandbox to the emulator has the server for all of them.
    server = [block for block in pages["learn/android"] if block.goes_on]
    order = ("tour", "two-phones", "web", "android", "ios", "tour")
    steps = [*server, *blocks(tour), *(step for each in order for step in typed(pages[f"learn/{each}"]))]

    printed = Reader(reader_folder).reads([block for block in steps if block.language not in SHOWN])

    whole_log.read_server((reader_folder / "goes-on.log").read_text(), reader_folder)
    assert_shown(steps, printed)
    left = {path.name for path in reader_folder.iterdir()}
    assert left == {"docs", "goes-on.log", "instance", "printed.log", "uploads"}


def typed(page: list[Block]) -> list[Block]:
    return [
        block for block in page if block.language in SHELL | SHOWN and not (block.not_run or block.goes_on)
    ]

"""docs/architecture.md names the rooms that there are, and files that exist."""

from __future__ import annotations

import re

from tests.test_house import PACKAGE

PAGE = (PACKAGE.parent / "docs" / "architecture.md").read_text()
NAMES = set(re.findall(r"`([\w/]+(?:\.py|/))`", PAGE))
# What nobody looks for: the package's own beginnings, and what is not code.
UNSAID = {"__init__.py", "__main__.py", "version.py", "wsgi.py", "logs.py"}
UNSAID |= {"guide/", "static/", "templates/", "migrations/"}


def test_every_room_and_file_beside_the_rooms_is_named() -> None:
    rooms = {f"{path.name}/" for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    files = {path.name for path in PACKAGE.glob("*.py")}
    assert (rooms | files) - UNSAID - NAMES == set()


def test_every_file_and_folder_that_is_named_exists() -> None:
    there = {path.relative_to(PACKAGE).as_posix() + "/" * path.is_dir() for path in PACKAGE.rglob("*")}
    found = {name for name in NAMES if any(f"/{path}".endswith(f"/{name}") for path in there)}
    assert NAMES - found == {"config.py"}

"""What both databases have in common for a backup."""

from __future__ import annotations

from io import BufferedReader
from pathlib import Path
from typing import NamedTuple, Protocol

from messenger_api.keeping.manifest import Manifest, Tell


class Saved(NamedTuple):
    """The revision of the tables that were saved, "" without tables of ours, and how many rows each has."""

    revision: str
    rows: dict[str, int]


class Keeper(Protocol):
    """Saves a database into a file, and loads it from there; `name` is the database's."""

    engine: str
    file: str
    name: str

    def save(self, target: Path, tell: Tell) -> Saved:
        """Write all that is committed at one moment. Raises KeepingError."""

    def is_empty(self) -> bool:
        """Whether nothing is there that `load` would destroy."""

    def load(self, source: BufferedReader, manifest: Manifest, tell: Tell) -> None:
        """Put what was saved in the place of what is there. Raises KeepingError."""

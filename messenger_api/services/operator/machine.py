"""The machine that this process runs on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from messenger_api.settings import Settings
from messenger_api.settings.files import is_bucket


@dataclass(frozen=True)
class Disk:
    """Where something is kept: `place` is files, thumbnails or instance. In bytes."""

    place: str
    free: int
    size: int


class Machine:
    """Asks the operating system."""

    def __init__(self, settings: Settings) -> None:
        self._places = {
            "files": settings.files_path,
            "thumbnails": settings.files_tn_path,
            "instance": str(settings.instance),
        }

    def disks(self) -> Iterator[Disk]:
        """The disk of each folder that is there; none of a bucket."""
        for place, path in self._places.items():
            if not is_bucket(path) and Path(path).exists():
                found = shutil.disk_usage(path)
                yield Disk(place, found.free, found.total)

"""Files of the PHP demo come over whatever the place and whatever the file: none stops the others."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from messenger_api.domain.errors import TryLater
from messenger_api.domain.images import THUMBNAIL_CHARACTERS
from messenger_api.moving import pictures
from messenger_api.moving.mended import Skipped
from messenger_api.moving.pictures import Folders, Pictures, keepers, rehearsing
from messenger_api.moving.report import PICTURES, Report
from messenger_api.moving.targets import Target
from messenger_api.storage.files import FileStore, Folder, Found, Opened, Part, Place
from messenger_api.storage.moved import Row
from tests.product import jpeg

NAMES = [f"1600000000-{digit * 16}.jpg" for digit in "abc"]


class Bucket(Place):
    """Keeps files in memory; those whose name is in `refused` it does not take."""

    def __init__(self, refused: str = "") -> None:
        self.kept: dict[str, bytes] = {}
        self._refused = refused

    def put(self, key: str, data: bytes) -> None:
        if key == self._refused:
            raise TryLater
        self.kept[key] = data

    def remove(self, key: str) -> None:
        self.kept.pop(key, None)

    def find(self, key: str) -> Found | None:
        return Found(len(self.kept[key]), 0.0) if key in self.kept else None

    def open(self, key: str, part: Part | None = None) -> Opened | None:
        raise NotImplementedError

    def check(self) -> None:
        raise NotImplementedError


class Rows(Target):
    """Keeps the rows that it is given."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, table: str, *rows: Row) -> None:
        self.rows += rows


@pytest.fixture
def php(tmp_path: Path) -> Folders:
    """Three photos, and a thumbnail of the first."""
    files, thumbnails = tmp_path / "php", tmp_path / "php" / "tn"
    thumbnails.mkdir(parents=True)
    for name in NAMES:
        (files / name).write_bytes(jpeg())
    (thumbnails / NAMES[0]).write_bytes(jpeg("teal", (100, 100)))
    return Folders(files, thumbnails)


@pytest.fixture
def skipped(tmp_path: Path) -> Iterator[Skipped]:
    with Skipped(tmp_path / "skipped.csv") as file:
        yield file


def moved(store: FileStore, php: Folders, skipped: Skipped) -> tuple[Pictures, Report]:
    """Pictures that were moved, and what is told of it."""
    report = Report(lambda *_: None)
    found = Pictures(store, php, report, skipped, 10**8)
    found.move(*keepers(store, php))
    return found, report


def test_where_nothing_can_be_linked_files_are_copied(
    php: Folders, skipped: Skipped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refused)
    store = FileStore(Folder(tmp_path / "new"), Folder(tmp_path / "new" / "tn"))
    _pictures, report = moved(store, php, skipped)
    assert report[PICTURES].moved == 3
    for name in NAMES:
        assert (tmp_path / "new" / name).read_bytes() == jpeg()
        assert (tmp_path / "new" / name).stat().st_nlink == 1
    assert {path.name for path in (tmp_path / "new").iterdir()} == {*NAMES, "tn"}


def test_into_a_bucket_files_are_sent_once_and_one_that_fails_stops_none(
    php: Folders, skipped: Skipped
) -> None:
    bucket, thumbnails = Bucket(refused=NAMES[1]), Bucket()
    for _again in range(2):
        _pictures, report = moved(FileStore(bucket, thumbnails), php, skipped)
    assert set(bucket.kept) == {NAMES[0], NAMES[2]}
    assert set(thumbnails.kept) == {NAMES[0]}
    assert (report[PICTURES].read, report[PICTURES].moved) == (3, 2)
    assert report[PICTURES].skipped == {pictures.NOT_READ: 1}


def test_a_link_in_the_demos_folder_leads_nowhere(php: Folders, skipped: Skipped, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of the machine")
    assert php.files
    (php.files / NAMES[1]).unlink()
    (php.files / NAMES[1]).symlink_to(tmp_path / "secret")
    store = FileStore(Folder(tmp_path / "new"), Folder(tmp_path / "new" / "tn"))
    _pictures, report = moved(store, php, skipped)
    assert report[PICTURES].skipped == {pictures.NO_FILE: 1}
    assert not (tmp_path / "new" / NAMES[1]).exists()


def test_thumbnails_are_the_demos_else_made_else_left_out(
    php: Folders, skipped: Skipped, tmp_path: Path
) -> None:
    assert php.files
    assert php.thumbnails
    heavy = io.BytesIO()
    Image.frombytes("RGB", (100, 100), os.urandom(30_000)).save(heavy, "JPEG", quality=95)
    (php.thumbnails / NAMES[1]).write_bytes(heavy.getvalue())
    (php.files / NAMES[2]).write_bytes(b"no picture")
    store, rows = FileStore(Folder(tmp_path / "new"), Folder(tmp_path / "new" / "tn")), Rows()
    found, report = moved(store, php, skipped)
    found.write_thumbnails([*NAMES, NAMES[0], "1600000000-dddddddddddddddd.jpg"], rows)
    written = {str(name): str(tn) for name, tn in rows.rows}
    assert base64.b64decode(written[NAMES[0]]) == (php.thumbnails / NAMES[0]).read_bytes()
    # The demo's thumbnail is too large for an update message.
    assert len(written[NAMES[1]]) <= THUMBNAIL_CHARACTERS
    assert set(written) == {NAMES[0], NAMES[1]}
    assert report[PICTURES].notes == {pictures.NO_THUMBNAIL: 1, pictures.NO_PICTURE: 1, pictures.MISSING: 1}


def test_a_rehearsal_that_was_killed_leaves_nothing_to_the_next(php: Folders, tmp_path: Path) -> None:
    store = FileStore(Folder(tmp_path / "new"), Folder(tmp_path / "new" / "tn"))
    (tmp_path / "new" / pictures.REHEARSAL).mkdir()
    (tmp_path / "new" / pictures.REHEARSAL / "old").write_text("of one that was killed")
    assert php.files
    with rehearsing(store) as (keep, _thumbnails):
        keep(NAMES[0], php.files / NAMES[0])
        assert [path.name for path in (tmp_path / "new" / pictures.REHEARSAL).iterdir()] == [NAMES[0]]
    assert not list(tmp_path.rglob(pictures.REHEARSAL))


def test_the_file_of_what_was_skipped_is_its_owners_alone_also_where_another_was(tmp_path: Path) -> None:
    before = tmp_path / "skipped.csv"
    before.touch()
    before.chmod(0o644)
    with Skipped(before):
        assert before.stat().st_mode & 0o777 == 0o600

import base64
import io
import os
import re
import resource
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from messenger_api.domain.errors import TryLater
from messenger_api.domain.images import Picture, profile_photo
from messenger_api.storage.files import FileStore, safe_extension

NOW = 1_795_174_363
NAME = re.compile(r"1795174363-[0-9a-f]{32}\.[a-z0-9]+")
# The form that the PHP demo gave to names.
DEMO_NAME = "1566287105-e57c53e757205bb9.jpg"


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "uploads", tmp_path / "uploads" / "tn")


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def picture() -> Picture:
    out = io.BytesIO()
    Image.new("RGBA", (20, 10), (200, 0, 0, 100)).save(out, "PNG")
    return profile_photo(out.getvalue(), max_pixels=10_000)


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_photo_is_kept_with_its_thumbnail_under_one_stem(store: FileStore) -> None:
    photo = picture()

    name = store.save_picture(photo, NOW)

    assert NAME.fullmatch(name)
    assert name.endswith(".png")
    path, thumbnail = store.path(name), store.thumbnail_path(name)
    assert path is not None
    assert thumbnail is not None
    assert path.read_bytes() == photo.data
    assert thumbnail.read_bytes() == base64.b64decode(photo.thumbnail)
    assert thumbnail == store.thumbnails / f"{name[:-4]}.jpg"
    assert files_in(store.files) == sorted([name, thumbnail.name])


def test_an_attachment_is_kept_byte_for_byte_and_has_no_thumbnail(store: FileStore) -> None:
    data = bytes(range(256)) * 300

    name = store.save(data, "pdf", NOW)

    path = store.path(name)
    assert path is not None
    assert path.read_bytes() == data
    assert store.thumbnail_path(name) is None


def test_names_are_of_one_form_and_never_repeat(store: FileStore) -> None:
    names = [store.save(b"same", "txt", NOW) for _ in range(200)]

    assert len(set(names)) == 200
    assert all(NAME.fullmatch(name) for name in names)
    # Every hex digit varies: nothing of a name follows from another.
    assert all(len({name[position] for name in names}) > 8 for position in range(11, 43))


@pytest.mark.usefixtures("umask")
def test_folders_and_files_are_closed_to_strangers_and_never_executable(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "files", tmp_path / "tn")
    name = store.save_picture(picture(), NOW)

    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}

    assert modes == {
        store.files: 0o750,
        store.thumbnails: 0o750,
        store.path(name): 0o640,
        store.thumbnail_path(name): 0o640,
    }


def test_removing_takes_photo_and_thumbnail_and_is_content_with_neither(store: FileStore) -> None:
    name, other = store.save_picture(picture(), NOW), store.save_picture(picture(), NOW)

    store.remove(name)
    store.remove(name)

    assert store.path(name) is None
    assert store.thumbnail_path(name) is None
    assert store.path(other) is not None
    assert store.thumbnail_path(other) is not None


def odd_names(victim: Path) -> list[str]:
    good = f"{NOW}-{'a' * 32}"
    return [
        "",
        ".",
        "..",
        "tn",
        "../victim.jpg",
        "..%2fvictim.jpg",
        f"../{victim.name}",
        str(victim),
        f"tn/../../{victim.name}",
        f"{good}.jpg/../../{victim.name}",
        f"{good}.jpg\n",
        f"{good}.jpg\0",
        f"{good}",
        f"{good}.",
        f"{good}.j/g",
        f"{good}.tar.gz",
        f".{good}.jpg.part",
        f"{NOW}-{'A' * 32}.jpg",
        f"{NOW}-{'g' * 32}.jpg",
        f"{NOW}-{'a' * 31}.jpg",
        f"-{'a' * 32}.jpg",
        f"\u0661-{'a' * 32}.jpg",
        "x" * 5_000,
    ]


def test_odd_names_reach_no_file(store: FileStore, tmp_path: Path) -> None:
    victim = tmp_path / f"{NOW}-{'b' * 32}.jpg"
    victim.write_bytes(b"not for the store")
    (store.files / "passwords.txt").write_bytes(b"not for the store")
    (store.files / f".{NOW}-{'a' * 32}.jpg.part").write_bytes(b"half")

    for name in [*odd_names(victim), "passwords.txt", victim.name]:
        assert store.path(name) is None
        assert store.thumbnail_path(name) is None
        store.remove(name)

    assert files_in(tmp_path) == sorted([victim.name, "passwords.txt", f".{NOW}-{'a' * 32}.jpg.part"])


def test_a_folder_by_the_name_of_a_file_is_no_file(store: FileStore) -> None:
    name = f"{NOW}-{'a' * 32}.jpg"
    (store.files / name).mkdir()

    assert store.path(name) is None


def test_pictures_of_the_php_demo_go_on_being_found(store: FileStore) -> None:
    (store.files / DEMO_NAME).write_bytes(b"old")

    assert store.path(DEMO_NAME) == store.files / DEMO_NAME
    store.remove(DEMO_NAME)
    assert store.path(DEMO_NAME) is None


@pytest.mark.parametrize("extension", ["php", "html", "svg", "", "PDF", "../x", "p/df"])
def test_the_store_itself_writes_no_dangerous_extension(store: FileStore, extension: str) -> None:
    name = store.save(b"<?php", extension, NOW)

    assert NAME.fullmatch(name)
    assert name.endswith(".bin")


@contextmanager
def full_disk() -> Iterator[None]:
    """Files of this process may hold 1,000 bytes, as if the disk were full then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_try_later_with_its_cause_and_leaves_nothing(store: FileStore) -> None:
    photo = picture()
    too_big = Picture(bytes(5_000), photo.extension, base64.b64encode(bytes(500)).decode())

    attempts: list[Callable[[], str]] = [
        lambda: store.save(bytes(5_000), "txt", NOW),
        lambda: store.save_picture(too_big, NOW),
    ]
    for attempt in attempts:
        with pytest.raises(TryLater) as refusal, full_disk():
            attempt()
        assert isinstance(refusal.value.__cause__, OSError)

    assert files_in(store.files) == []


def test_a_missing_folder_is_try_later_and_fails_the_check(store: FileStore) -> None:
    store.check()
    store.thumbnails.rmdir()
    store.files.rmdir()
    store.files.touch()

    with pytest.raises(TryLater):
        store.save(b"data", "txt", NOW)
    with pytest.raises(TryLater):
        store.remove(f"{NOW}-{'a' * 32}.jpg")
    with pytest.raises(OSError, match="Not a directory"):
        store.check()


def test_the_check_looks_at_both_folders_and_leaves_nothing(store: FileStore) -> None:
    store.check()
    assert files_in(store.files) == []

    store.thumbnails.rmdir()
    with pytest.raises(FileNotFoundError):
        store.check()


def test_a_reader_never_sees_half_a_file(store: FileStore) -> None:
    data, sizes, done = bytes(3_000_000), set[int](), threading.Event()

    def watch() -> None:
        while not done.is_set():
            sizes.update(path.stat().st_size for path in store.files.glob("[0-9]*"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(10):
        store.save(data, "mp4", NOW)
    done.set()
    watcher.join()

    assert sizes <= {len(data)}
    assert len(files_in(store.files)) == 10


@pytest.mark.parametrize(
    ("filename", "extension"),
    [
        ("Report 2026.PDF", "pdf"),
        ("voice.m4a", "m4a"),
        ("a.b.docx", "docx"),
        ("card.vcf", "vcf"),
        ("shell.php", "bin"),
        ("shell.php.jpg", "bin"),  # a picture would have been known by its content
        ("page.html", "bin"),
        ("page.xhtml", "bin"),
        ("drawing.svg", "bin"),
        ("setup.exe", "bin"),
        ("app.apk", "bin"),
        ("notes.txt\0.php", "bin"),
        ("txt", "bin"),
        ("", "bin"),
        ("file.", "bin"),
        (".pdf/../x", "bin"),
    ],
)
def test_only_harmless_endings_of_attachments_are_kept(filename: str, extension: str) -> None:
    assert safe_extension(filename) == extension

import base64
import io
import os
import re
import resource
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from PIL import Image

from messenger_api.domain.errors import TryLater
from messenger_api.domain.images import Picture, profile_photo
from messenger_api.storage.files import FileStore, Folder, Found, Part, safe_extension
from messenger_api.storage.files.folder import LEFT_OVER_SECONDS
from tests.media.places import FolderPlaces, Places
from tests.s3 import content, thumbnail_content

NOW = 1_795_174_363
NAME = re.compile(r"1795174363-[0-9a-f]{32}\.[a-z0-9]+")
# The form that the PHP demo gave to names.
DEMO_NAME = "1566287105-e57c53e757205bb9.jpg"


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


def test_a_photo_is_kept_with_its_thumbnail_under_one_stem(places: Places) -> None:
    store, photo = places.store, picture()

    name = store.save_picture(photo, NOW)

    assert NAME.fullmatch(name)
    assert name.endswith(".png")
    assert content(store, name) == photo.data
    assert thumbnail_content(store, name) == base64.b64decode(photo.thumbnail)
    assert places.names() == sorted([name, f"tn/{name[:-4]}.jpg"])


def test_an_attachment_is_kept_byte_for_byte_and_has_no_thumbnail(store: FileStore) -> None:
    data = bytes(range(256)) * 300

    name = store.save(data, "pdf", NOW)

    assert content(store, name) == data
    assert thumbnail_content(store, name) is None


def test_what_is_known_of_a_file_is_its_size_and_when_it_was_written(store: FileStore) -> None:
    before = time.time()
    entry = store.file(store.save(bytes(70_000), "mp4", NOW))
    assert entry is not None

    found, opened = entry.find(), entry.open(Part(10, 20))

    assert found is not None
    assert opened is not None
    with closing(opened.body):
        assert opened.found == found
    assert found == Found(70_000, found.written)
    assert before - 2 < found.written < time.time() + 2  # a bucket tells whole seconds


@pytest.mark.parametrize("part", [Part(0, 1), Part(999, 1_000), Part(65_536, 65_537), Part(5, 199_999)])
def test_a_part_of_a_file_is_read_alone(store: FileStore, part: Part) -> None:
    data = b"".join(number.to_bytes(4) for number in range(50_000))

    assert content(store, store.save(data, "mp4", NOW), part) == data[part.start : part.stop]


def test_names_are_of_one_form_and_never_repeat(store: FileStore) -> None:
    names = [store.save(b"same", "txt", NOW) for _ in range(200)]

    assert len(set(names)) == 200
    assert all(NAME.fullmatch(name) for name in names)
    # Every hex digit varies: nothing of a name follows from another.
    assert all(len({name[position] for name in names}) > 8 for position in range(11, 43))


@pytest.mark.usefixtures("umask")
def test_folders_and_files_are_closed_to_strangers_and_never_executable(tmp_path: Path) -> None:
    files, thumbnails = tmp_path / "files", tmp_path / "tn"
    name = FileStore(Folder(files), Folder(thumbnails)).save_picture(picture(), NOW)

    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}

    assert modes == {
        files: 0o750,
        thumbnails: 0o750,
        files / name: 0o640,
        thumbnails / f"{name[:-4]}.jpg": 0o640,
    }


def test_removing_takes_photo_and_thumbnail_and_is_content_with_neither(store: FileStore) -> None:
    name, other = store.save_picture(picture(), NOW), store.save_picture(picture(), NOW)

    store.remove(name)
    store.remove(name)

    assert content(store, name) is None
    assert thumbnail_content(store, name) is None
    assert content(store, other) is not None
    assert thumbnail_content(store, other) is not None


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


def test_odd_names_reach_no_file(folders: FolderPlaces, tmp_path: Path) -> None:
    store = folders.store
    victim = tmp_path / f"{NOW}-{'b' * 32}.jpg"
    victim.write_bytes(b"not for the store")
    folders.lay("passwords.txt", b"not for the store")
    folders.lay(f".{NOW}-{'a' * 32}.jpg.part", b"half")

    for name in [*odd_names(victim), "passwords.txt", victim.name]:
        assert content(store, name) is None
        assert thumbnail_content(store, name) is None
        store.remove(name)

    assert files_in(tmp_path) == sorted([victim.name, "passwords.txt", f".{NOW}-{'a' * 32}.jpg.part"])


def test_odd_names_are_no_names_wherever_the_files_rest(places: Places, tmp_path: Path) -> None:
    places.lay("passwords.txt", b"not for the store")

    for name in [*odd_names(tmp_path / "victim.jpg"), "passwords.txt"]:
        assert places.store.file(name) is None
        assert places.store.thumbnail(name) is None
        places.store.remove(name)

    assert places.names() == ["passwords.txt"]


def test_a_folder_by_the_name_of_a_file_is_no_file(folders: FolderPlaces) -> None:
    name = f"{NOW}-{'a' * 32}.jpg"
    (folders.files / name).mkdir()

    assert content(folders.store, name) is None


def test_pictures_of_the_php_demo_go_on_being_found(places: Places) -> None:
    places.lay(DEMO_NAME, b"old")

    assert content(places.store, DEMO_NAME) == b"old"
    places.store.remove(DEMO_NAME)
    assert content(places.store, DEMO_NAME) is None


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


def test_a_full_disk_is_try_later_with_its_cause_and_leaves_nothing(folders: FolderPlaces) -> None:
    store, photo = folders.store, picture()
    too_big = Picture(bytes(5_000), photo.extension, base64.b64encode(bytes(500)).decode())

    attempts: list[Callable[[], str]] = [
        lambda: store.save(bytes(5_000), "txt", NOW),
        lambda: store.save_picture(too_big, NOW),
    ]
    for attempt in attempts:
        with pytest.raises(TryLater) as refusal, full_disk():
            attempt()
        assert isinstance(refusal.value.__cause__, OSError)

    assert folders.names() == []


def test_a_missing_folder_is_try_later_and_fails_the_check(folders: FolderPlaces) -> None:
    store = folders.store
    store.check()
    folders.thumbnails.rmdir()
    folders.files.rmdir()
    folders.files.touch()

    with pytest.raises(TryLater):
        store.save(b"data", "txt", NOW)
    with pytest.raises(TryLater):
        store.remove(f"{NOW}-{'a' * 32}.jpg")
    with pytest.raises(OSError, match="Not a directory"):
        store.check()


def test_the_check_leaves_nothing(places: Places) -> None:
    places.store.check()

    assert places.names() == []


def test_the_check_looks_at_both_folders(folders: FolderPlaces) -> None:
    store = folders.store
    store.check()

    folders.thumbnails.rmdir()
    with pytest.raises(FileNotFoundError):
        store.check()


def test_a_file_that_cannot_be_read_is_try_later(folders: FolderPlaces) -> None:
    entry = folders.store.file(folders.store.save(b"data", "txt", NOW))
    assert entry is not None
    (folders.files / entry.key).unlink()
    (folders.files / entry.key).symlink_to(entry.key)  # which leads nowhere but to itself

    for attempt in (entry.find, entry.open):
        with pytest.raises(TryLater) as refusal:
            attempt()
        assert isinstance(refusal.value.__cause__, OSError)


def test_a_reader_never_sees_half_a_file(folders: FolderPlaces) -> None:
    store = folders.store
    data, sizes, done = bytes(3_000_000), set[int](), threading.Event()

    def watch() -> None:
        while not done.is_set():
            sizes.update(path.stat().st_size for path in folders.files.glob("[0-9]*"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(10):
        store.save(data, "mp4", NOW)
    done.set()
    watcher.join()

    assert sizes <= {len(data)}
    assert len(folders.names()) == 10


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


def left_over(folders: FolderPlaces, name: str, age: float) -> Path:
    path = folders.files / f".{NOW}-{name * 32}.jpg.part"
    path.write_bytes(b"half")
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def test_what_a_dead_process_left_half_written_is_swept(
    folders: FolderPlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, young = left_over(folders, "a", 60), left_over(folders, "b", 0)
    photo = folders.store.save(b"whole", "jpg", NOW)
    mine = folders.files / ".somebody-elses"
    mine.write_bytes(b"kept")

    folders.store.sweep()

    assert not old.exists()
    assert young.exists()  # it may be somebody's at work
    assert mine.exists()
    assert (folders.files / photo).read_bytes() == b"whole"
    monkeypatch.setattr(time, "monotonic", lambda now=time.monotonic: float(now()) + LEFT_OVER_SECONDS)
    os.utime(young, (time.time() - 60, time.time() - 60))
    folders.store.sweep()
    assert not young.exists()


def test_what_somebody_writes_is_not_swept_however_long_it_takes(
    folders: FolderPlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = os.fsync

    def slow(descriptor: int) -> None:
        for path in folders.files.glob(".*.part"):
            os.utime(path, (time.time() - 9_000, time.time() - 9_000))
        folders.store.sweep()
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", slow)

    name = folders.store.save(b"whole", "jpg", NOW)

    assert (folders.files / name).read_bytes() == b"whole"

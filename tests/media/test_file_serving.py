import base64
import http.client
import io
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from flask import Flask
from PIL import Image
from werkzeug.serving import make_server

from messenger_api.domain.images import Picture, profile_photo
from messenger_api.storage.files import FileStore, Found, safe_extension
from messenger_api.transport.files import files_blueprint
from tests.media.places import FolderPlaces, Places

NOW = 1_795_174_363
TEXT = bytes(range(100))


class Site(NamedTuple):
    places: Places
    port: int

    @property
    def store(self) -> FileStore:
        return self.places.store

    def ask(self, target: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> "Answer":
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, target, headers=dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


Serve = Callable[[Places], Site]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves the files of a store by HTTP."""
    with ExitStack() as servers:
        yield lambda places: servers.enter_context(serving(places))


@pytest.fixture
def site(places: Places, serve: Serve) -> Site:
    return serve(places)


@contextmanager
def serving(places: Places) -> Iterator[Site]:
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(files_blueprint(places.store))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield Site(places, server.port)
    server.shutdown()
    thread.join()
    server.server_close()


def picture(form: str = "JPEG") -> Picture:
    out = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(out, form)
    return profile_photo(out.getvalue(), max_pixels=10_000)


def assert_safe(answer: Answer) -> None:
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_photo_is_shown_with_its_type_and_kept_by_caches_for_a_year(site: Site) -> None:
    photo = picture()
    name = site.store.save_picture(photo, NOW)

    answer = site.ask(f"/files/{name}")

    assert (answer.status, answer.body) == (200, photo.data)
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Content-Disposition"].startswith("inline")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Length"] == str(len(photo.data))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert_safe(answer)


def test_a_thumbnail_is_served_by_the_name_of_its_photo(site: Site) -> None:
    photo = picture()
    name = site.store.save_picture(photo, NOW)

    answer = site.ask(f"/files/tn/{name}")

    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert answer.body == base64.b64decode(photo.thumbnail)
    assert_safe(answer)


@pytest.mark.parametrize(
    ("extension", "kind"),
    [("jpg", "image/jpeg"), ("png", "image/png"), ("webp", "image/webp"), ("gif", "image/gif")],
)
def test_the_four_picture_types_are_shown(site: Site, extension: str, kind: str) -> None:
    answer = site.ask(f"/files/{site.store.save(b'pixels', extension, NOW)}")

    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Content-Disposition"].startswith("inline")


@pytest.mark.parametrize(
    ("filename", "kind"),
    [
        ("song.mp3", "audio/mpeg"),
        ("voice.opus", "audio/ogg"),
        ("film.mp4", "video/mp4"),
        ("film.mov", "video/quicktime"),
        ("paper.pdf", "application/octet-stream"),
        ("notes.txt", "application/octet-stream"),
        ("logs.gz", "application/octet-stream"),
        ("shell.php", "application/octet-stream"),
        ("page.html", "application/octet-stream"),
        ("drawing.svg", "application/octet-stream"),
    ],
)
def test_everything_else_is_a_download(site: Site, filename: str, kind: str) -> None:
    data = b"<?php system($_GET['c']); ?><script>alert(1)</script>"
    name = site.store.save(data, safe_extension(filename), NOW)

    answer = site.ask(f"/files/{name}")

    assert (answer.status, answer.body) == (200, data)
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Content-Disposition"] == f"attachment; filename={name}"
    assert "Content-Encoding" not in answer.headers
    assert not name.endswith((".php", ".html", ".svg"))
    assert_safe(answer)


def test_a_file_that_was_loaded_before_is_not_sent_again(site: Site) -> None:
    name = site.store.save(TEXT, "txt", NOW)
    tag = site.ask(f"/files/{name}").headers["ETag"]
    assert tag.startswith('"')  # a strong one

    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = site.ask(f"/files/{name}", headers={"If-None-Match": known, "Range": "bytes=0-4"})
        assert (answer.status, answer.body, answer.headers["ETag"]) == (304, b"", tag)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert_safe(answer)
    assert site.ask(f"/files/{name}", headers={"If-None-Match": '"other"'}).status == 200


@pytest.mark.parametrize(
    ("wanted", "part", "content_range"),
    [
        ("bytes=0-9", TEXT[:10], "bytes 0-9/100"),
        ("bytes=90-", TEXT[90:], "bytes 90-99/100"),
        ("bytes=50-5000", TEXT[50:], "bytes 50-99/100"),
        ("bytes=-5", TEXT[-5:], "bytes 95-99/100"),
        ("bytes=-500", TEXT, "bytes 0-99/100"),
        ("bytes=99-99", TEXT[99:], "bytes 99-99/100"),
    ],
)
def test_a_part_of_a_file_is_served(site: Site, wanted: str, part: bytes, content_range: str) -> None:
    name = site.store.save(TEXT, "mp4", NOW)

    answer = site.ask(f"/files/{name}", headers={"Range": wanted})

    assert (answer.status, answer.body) == (206, part)
    assert answer.headers["Content-Range"] == content_range
    assert answer.headers["Content-Length"] == str(len(part))
    assert answer.headers["Content-Type"] == "video/mp4"
    assert_safe(answer)


def test_a_part_of_a_large_file_begins_where_it_should(site: Site) -> None:
    data = b"".join(number.to_bytes(4) for number in range(50_000))
    name = site.store.save(data, "mp4", NOW)

    answer = site.ask(f"/files/{name}", headers={"Range": "bytes=100000-150001"})

    assert (answer.status, answer.body) == (206, data[100_000:150_002])


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=200-300"])
def test_a_part_behind_the_end_is_refused_with_the_length(site: Site, wanted: str) -> None:
    name = site.store.save(TEXT, "mp4", NOW)

    answer = site.ask(f"/files/{name}", headers={"Range": wanted})

    assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */100")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert_safe(answer)


@pytest.mark.parametrize(
    "wanted", ["bytes=0-1,5-6", "bytes=9-3", "bytes=x", "pages=1-2", "nonsense", "bytes=-0"]
)
def test_a_range_that_we_do_not_serve_gets_the_whole_file(site: Site, wanted: str) -> None:
    name = site.store.save(TEXT, "mp4", NOW)

    answer = site.ask(f"/files/{name}", headers={"Range": wanted})

    assert (answer.status, answer.body) == (200, TEXT)


def test_a_part_is_served_only_of_the_file_that_the_client_began_with(site: Site) -> None:
    name = site.store.save(TEXT, "mp4", NOW)
    tag = site.ask(f"/files/{name}").headers["ETag"]

    same = site.ask(f"/files/{name}", headers={"Range": "bytes=0-4", "If-Range": tag})
    other = site.ask(f"/files/{name}", headers={"Range": "bytes=0-4", "If-Range": '"other"'})

    assert (same.status, same.body) == (206, TEXT[:5])
    assert (other.status, other.body) == (200, TEXT)


@pytest.mark.parametrize("wanted", ["bytes=0-4", "bytes=500-"])
def test_head_describes_the_whole_file_and_sends_none_of_it(site: Site, wanted: str) -> None:
    name = site.store.save(TEXT, "mp4", NOW)

    answer = site.ask(f"/files/{name}", "HEAD", {"Range": wanted})

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Length"] == "100"
    assert answer.headers["ETag"] == site.ask(f"/files/{name}").headers["ETag"]
    assert_safe(answer)


def test_an_empty_file_is_served_whatever_the_range(site: Site) -> None:
    name = site.store.save(b"", "txt", NOW)

    for headers in ({}, {"Range": "bytes=0-"}, {"Range": "bytes=-5"}):
        answer = site.ask(f"/files/{name}", headers=headers)
        assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "0")


@pytest.mark.parametrize(
    "target",
    [
        "/files/",
        "/files/tn/",
        "/files/secret.txt",
        "/files/../secret.txt",
        "/files/..%2fsecret.txt",
        "/files/%2e%2e/secret.txt",
        "/files/tn/../../secret.txt",
        "/files/tn/%2e%2e%2f%2e%2e%2fsecret.txt",
        "/files/..%5csecret.txt",
        "/files/%2fetc%2fpasswd",
        "/files/%00",
        "/files/%ff%fe",
        f"/files/{NOW}-{'a' * 32}.jpg",
        f"/files/{NOW}-{'a' * 32}.jpg%0a",
        f"/files/{NOW}-{'a' * 32}.jpg/x",
        f"/files/tn/{NOW}-{'a' * 32}.jpg",
        "/files/" + "x" * 5_000,
    ],
)
def test_unknown_and_odd_names_are_not_found(site: Site, target: str) -> None:
    site.places.lay("secret.txt", b"SECRET")
    if isinstance(site.places, FolderPlaces):
        (site.places.files.parent / "secret.txt").write_bytes(b"SECRET")

    for method in ("GET", "HEAD"):
        answer = site.ask(target, method)
        assert answer.status == 404
        assert b"SECRET" not in answer.body
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert answer.headers["Cache-Control"] == "no-store"
        assert_safe(answer)


def test_a_removed_photo_is_not_found(site: Site) -> None:
    name = site.store.save_picture(picture(), NOW)
    assert site.ask(f"/files/{name}").status == 200

    site.store.remove(name)

    assert site.ask(f"/files/{name}").status == 404
    assert site.ask(f"/files/tn/{name}").status == 404


def test_a_photo_removed_while_it_is_asked_for_is_not_found(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The store found it, and then another request removed it.
    gone = f"{NOW}-{'a' * 32}.jpg"
    monkeypatch.setattr(site.store.files, "find", lambda _key: Found(100, NOW))

    for headers in ({}, {"Range": "bytes=0-4"}):
        answer = site.ask(f"/files/{gone}", headers=headers)

        assert answer.status == 404
        assert_safe(answer)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_files_can_only_be_read(site: Site, method: str) -> None:
    name = site.store.save(TEXT, "txt", NOW)

    assert site.ask(f"/files/{name}", method).status == 405
    assert site.ask(f"/files/{name}").body == TEXT


def open_files(folder: Path) -> list[str]:
    targets = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            targets.append(str(entry.readlink()))
        except FileNotFoundError:
            continue
    return [target for target in targets if target.startswith(str(folder))]


def test_no_answer_leaves_a_file_open(folders: FolderPlaces, serve: Serve) -> None:
    site = serve(folders)
    name = site.store.save(TEXT, "txt", NOW)
    tag = site.ask(f"/files/{name}").headers["ETag"]
    requests: list[tuple[str, dict[str, str]]] = [
        ("GET", {}),
        ("HEAD", {}),
        ("GET", {"Range": "bytes=0-4"}),
        ("GET", {"Range": "bytes=500-"}),
        ("GET", {"If-None-Match": tag}),
    ]

    for method, headers in requests:
        site.ask(f"/files/{name}", method, headers)

    # The server closes after its last byte, maybe a moment after the client read it.
    for _ in range(100):
        if not open_files(folders.files):
            break
        threading.Event().wait(0.02)
    assert open_files(folders.files) == []

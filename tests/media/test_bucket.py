"""Files in a bucket: what is told to it, what is left in it, and what its failures come to."""

from __future__ import annotations

import base64
import itertools
import os
import random
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from flask import Flask
from werkzeug.test import TestResponse

from messenger_api import configuration
from messenger_api.domain.errors import TryLater
from messenger_api.domain.images import Picture
from messenger_api.storage.files import FileStore, Part, s3
from messenger_api.transport.files import files_blueprint
from tests.media.places import BucketPlaces
from tests.media.wire import Fault, Wire, wire_to
from tests.processes import LOOPBACK, free_port
from tests.s3 import SECRET_KEY, S3Server, content, s3_settings
from tests.servers import ROOT
from tests.stopwatch import Stopwatch

pytestmark = pytest.mark.server

NOW = 1_795_174_363
PHOTO = Picture(b"a photo" * 100, "jpg", base64.b64encode(b"a thumbnail").decode())
UNKNOWN = f"{NOW}-{'a' * 32}.jpg"
REFUSED = Fault(status=403, code="AccessDenied")
BROKEN = Fault(status=500, code="InternalError")
FILM = random.Random(7).randbytes(1_200_000)

Build = Callable[..., FileStore]


@pytest.fixture
def wire(s3_server: S3Server) -> Iterator[Wire]:
    with wire_to(s3_server.port) as wire:
        yield wire


@pytest.fixture
def build() -> Iterator[Build]:
    """Makes stores in a bucket behind a wire, or wherever the test says."""
    with ExitStack() as stores:

        def build(url: str, bucket: str, **others: object) -> FileStore:
            settings = configuration.build(**s3_settings(url, bucket, **others))
            return stores.enter_context(closing(FileStore.from_settings(settings)))

        yield build


@pytest.fixture
def kept(bucket: BucketPlaces, wire: Wire, build: Build) -> FileStore:
    """A store that reaches its bucket by the wire."""
    return build(wire.url, bucket.name)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for a bucket are short."""
    monkeypatch.setattr(s3, "READ_TIMEOUT", 0.4)
    monkeypatch.setattr(s3, "CONNECT_TIMEOUT", 0.4)
    monkeypatch.setattr(s3, "QUEUE_SECONDS", 0.1)


# What is told to the bucket


@pytest.mark.parametrize(
    ("extension", "content_type", "disposition"),
    [
        ("png", "image/png", "inline"),
        ("mp4", "video/mp4", "attachment"),
        ("pdf", "application/octet-stream", "attachment"),
        ("html", "application/octet-stream", "attachment"),
    ],
)
def test_an_object_carries_the_headers_with_which_others_may_serve_it(
    bucket: BucketPlaces, extension: str, content_type: str, disposition: str
) -> None:
    name = bucket.store.save(b"data", extension, NOW)

    head = bucket.server.client.head_object(Bucket=bucket.name, Key=f"files/{name}")

    assert head["ContentType"] == content_type
    assert head["ContentDisposition"] == f"{disposition}; filename={name}"
    assert head["CacheControl"] == "public, max-age=31536000, immutable"


def test_a_thumbnail_is_an_object_that_is_shown(bucket: BucketPlaces) -> None:
    name = bucket.store.save_picture(PHOTO, NOW)

    head = bucket.server.client.head_object(Bucket=bucket.name, Key=f"files/tn/{name}")

    assert head["ContentType"] == "image/jpeg"
    assert head["ContentDisposition"] == f"inline; filename={name}"


@pytest.mark.parametrize(
    ("ending", "content_type"),
    [("jpg", "image/jpeg"), ("mp4", "video/mp4"), ("pdf", "application/octet-stream")],
)
def test_what_another_tool_copied_there_without_headers_is_served_by_its_name(
    bucket: BucketPlaces, ending: str, content_type: str
) -> None:
    name = f"1566287105-e57c53e757205bb9.{ending}"
    bucket.lay(name, b"copied")

    answer = served(bucket.store, name)

    assert (answer.status_code, answer.data) == (200, b"copied")
    assert answer.headers["Content-Type"] == content_type
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_the_bucket_checks_that_what_arrives_is_what_was_sent(kept: FileStore, wire: Wire) -> None:
    kept.save(b"data", "txt", NOW)

    assert wire.asked[0].headers["Content-MD5"] == "jXd/OF09/siBXSD3SWAm3A=="


def test_a_photo_comes_after_its_thumbnail(kept: FileStore, wire: Wire) -> None:
    kept.save_picture(PHOTO, NOW)

    assert wire.methods == ["PUT", "PUT"]
    assert [asked.path.count("/files/tn/") for asked in wire.asked] == [1, 0]


def test_a_prefix_is_not_needed_and_thumbnails_may_lie_in_a_folder(
    bucket: BucketPlaces, build: Build, tmp_path: Path
) -> None:
    places = {"files_path": f"s3://{bucket.name}", "files_tn_path": str(tmp_path)}
    store = build(bucket.server.url, bucket.name, **places)

    name = store.save_picture(PHOTO, NOW)

    assert bucket.server.keys(bucket.name) == [name]
    assert served(store, name).data == PHOTO.data
    assert served(store, name, folder="tn").data == b"a thumbnail"


def test_a_product_with_folders_needs_no_boto3(tmp_path: Path) -> None:
    start = (
        "import sys; sys.modules['boto3'] = sys.modules['botocore'] = None;"
        "from messenger_api.app import build_app, parts_of; from messenger_api.configuration import build;"
        "parts_of(build_app(build(secret_key='k'))).services.files.check()"
    )

    done = subprocess.run(
        [sys.executable, "-c", start],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "uploads" / "tn").is_dir()


# What is asked of it


def test_a_whole_file_is_one_call_and_a_part_asks_for_no_more_than_the_part(
    kept: FileStore, wire: Wire
) -> None:
    name = kept.save(FILM, "mp4", NOW)
    wire.asked.clear()

    assert served(kept, name).data == FILM
    assert wire.methods == ["GET"]

    answer = served(kept, name, Range="bytes=1000-1999")
    assert answer.data == FILM[1000:2000]
    assert wire.methods == ["GET", "HEAD", "GET"]
    assert wire.asked[-1].headers["Range"] == "bytes=1000-1999"


@pytest.mark.parametrize("headers", [{"If-None-Match": "*"}, {"Range": "bytes=9999999-"}])
def test_an_answer_without_the_file_does_not_fetch_it(
    kept: FileStore, wire: Wire, headers: dict[str, str]
) -> None:
    name = kept.save(FILM, "mp4", NOW)
    wire.asked.clear()

    assert served(kept, name, **headers).status_code in (304, 416)
    assert wire.methods == ["HEAD"]


def test_a_large_file_passes_through_without_being_in_memory_as_a_whole(bucket: BucketPlaces) -> None:
    entry = bucket.store.file(bucket.store.save(bytes(40_000_000), "mp4", NOW))
    assert entry
    tracemalloc.start()
    try:
        opened = entry.open()
        assert opened
        with closing(opened.body):
            size = sum(len(chunk) for chunk in opened.body)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert size == 40_000_000
    assert peak < 4_000_000


# Failures


@pytest.mark.parametrize("fault", [BROKEN, REFUSED, Fault(status=503, code="SlowDown"), Fault()])
def test_a_failing_bucket_is_try_later_with_its_cause(kept: FileStore, wire: Wire, fault: Fault) -> None:
    name = kept.save(b"data", "txt", NOW)
    wire.always = fault
    entry = kept.file(name)
    assert entry

    for attempt in (
        lambda: kept.save(b"data", "txt", NOW),
        lambda: kept.save_picture(PHOTO, NOW),
        lambda: kept.remove(name),
        entry.find,
        entry.open,
    ):
        with pytest.raises(TryLater) as refusal:
            attempt()
        assert isinstance(refusal.value.__cause__, ClientError | BotoCoreError)
        assert SECRET_KEY not in repr(refusal.value.__cause__)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("fault", [BROKEN, REFUSED])
def test_a_file_that_the_bucket_does_not_give_is_not_called_missing(
    kept: FileStore, wire: Wire, fault: Fault, method: str
) -> None:
    name = kept.save(b"data", "txt", NOW)
    wire.always = fault

    answer = served(kept, name, method)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert b"data" not in answer.data


def test_a_missing_bucket_is_no_missing_file(bucket: BucketPlaces, build: Build) -> None:
    store = build(bucket.server.url, "no-such-bucket")

    assert served(store, UNKNOWN).status_code == 503
    with pytest.raises(TryLater):
        store.save(b"data", "txt", NOW)


@pytest.mark.parametrize("fault", [BROKEN, Fault()])
def test_a_passing_fault_is_not_noticed(kept: FileStore, wire: Wire, fault: Fault) -> None:
    wire.faults.extend([fault, None])
    name = kept.save(b"data", "txt", NOW)
    wire.faults.extend([fault, None])

    assert content(kept, name) == b"data"


def test_a_server_that_is_down_is_told_at_once(build: Build) -> None:
    store = build(f"http://{LOOPBACK}:{free_port()}", "bucket")
    watch = Stopwatch()

    with pytest.raises(TryLater):
        store.save_picture(PHOTO, NOW)
    assert served(store, UNKNOWN).status_code == 503
    assert watch.quiet_seconds < 5


@pytest.mark.usefixtures("impatient")
def test_a_bucket_that_hangs_is_waited_for_no_longer_than_the_timeouts(
    bucket: BucketPlaces, wire: Wire, build: Build
) -> None:
    store = build(wire.url, bucket.name)
    wire.always = Fault(hang=20)
    watch = Stopwatch()

    with pytest.raises(TryLater):
        store.save_picture(PHOTO, NOW)

    # Two tries of one put, a moment between them, and nothing after it.
    assert wire.methods == ["PUT", "PUT"]
    assert watch.quiet_seconds < 3


@pytest.mark.usefixtures("impatient")
def test_an_address_that_swallows_connections_is_given_up(build: Build) -> None:
    with socket.create_server((LOOPBACK, 0), backlog=1) as deaf:
        store = build(f"http://{LOOPBACK}:{deaf.getsockname()[1]}", "bucket")
        watch = Stopwatch()
        with pytest.raises(TryLater):
            store.save(b"data", "txt", NOW)
    # botocore waits a second in each of two tries for leave to send the body.
    assert watch.quiet_seconds < 6


def test_a_photo_that_cannot_be_kept_leaves_no_thumbnail(
    bucket: BucketPlaces, kept: FileStore, wire: Wire
) -> None:
    wire.faults.extend([None, REFUSED])

    with pytest.raises(TryLater):
        kept.save_picture(PHOTO, NOW)

    assert bucket.names() == []


def test_an_upload_that_arrived_although_its_answer_was_lost_is_removed_again(
    bucket: BucketPlaces, kept: FileStore, wire: Wire
) -> None:
    lost = Fault(arrives=True)
    wire.faults.extend([lost, lost])

    with pytest.raises(TryLater):
        kept.save(b"data", "txt", NOW)

    assert wire.methods == ["PUT", "PUT", "DELETE"]
    assert bucket.names() == []


# A download that breaks off


def test_a_download_that_breaks_off_goes_on_where_it_broke(kept: FileStore, wire: Wire) -> None:
    name = kept.save(FILM, "mp4", NOW)
    wire.asked.clear()
    wire.faults.extend([Fault(cut_after=500_000), Fault(cut_after=200_000), None])

    answer = served(kept, name)

    assert answer.data == FILM
    first, second, third = (asked.headers.get("Range", "") for asked in wire.asked)
    assert (first, second.startswith("bytes="), third.startswith("bytes=")) == ("", True, True)
    # What had arrived is not fetched again.
    assert 0 < int(second[6:].partition("-")[0]) < int(third[6:].partition("-")[0]) <= 700_000


def test_a_part_whose_download_breaks_off_stays_that_part(kept: FileStore, wire: Wire) -> None:
    name = kept.save(FILM, "mp4", NOW)
    wire.faults.extend([None, Fault(cut_after=100_000), None])

    answer = served(kept, name, Range="bytes=1000-400999")

    assert (answer.status_code, answer.data) == (206, FILM[1000:401_000])
    assert wire.asked[-1].headers["Range"].endswith("-400999")


def test_a_download_that_breaks_off_again_and_again_is_never_taken_for_the_whole_file(
    kept: FileStore, wire: Wire
) -> None:
    entry = kept.file(kept.save(FILM, "mp4", NOW))
    assert entry
    wire.always = Fault(cut_after=100_000)
    opened = entry.open()
    assert opened

    received = bytearray()
    with closing(opened.body), pytest.raises(BotoCoreError):
        received.extend(itertools.chain.from_iterable(opened.body))

    assert FILM.startswith(bytes(received))
    assert len(received) < len(FILM)


# Slow neighbours do not spread


@pytest.mark.usefixtures("impatient")
def test_a_slow_bucket_takes_half_of_the_threads_at_most(
    bucket: BucketPlaces, wire: Wire, monkeypatch: pytest.MonkeyPatch, build: Build
) -> None:
    monkeypatch.setattr(s3, "READ_TIMEOUT", 10.0)
    store = build(wire.url, bucket.name)
    wire.always = Fault(hang=20, status=500, code="InternalError")
    threads = [threading.Thread(target=served, args=(store, UNKNOWN)) for _ in range(s3.MAX_CALLS)]
    for thread in threads:
        thread.start()
    while len(wire.asked) < s3.MAX_CALLS:
        time.sleep(0.01)

    watch = Stopwatch()
    answer = served(store, UNKNOWN)

    assert answer.status_code == 503
    assert watch.quiet_seconds < 1
    assert len(wire.asked) == s3.MAX_CALLS
    wire.always = None
    wire.released.set()
    for thread in threads:
        thread.join()


def test_files_that_are_being_sent_count_until_they_are_closed(
    bucket: BucketPlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "QUEUE_SECONDS", 0.05)
    entry = bucket.store.file(bucket.store.save(FILM, "mp4", NOW))
    assert entry
    opened = [entry.open(Part(0, 500_000)) for _ in range(s3.MAX_CALLS)]

    with pytest.raises(TryLater) as refusal:
        entry.open()

    assert isinstance(refusal.value.__cause__, TimeoutError)
    for each in opened:
        assert each
        each.body.close()
    assert content(bucket.store, entry.key) == FILM


def served(
    store: FileStore, name: str, method: str = "GET", folder: str = "", **headers: str
) -> TestResponse:
    """The answer of `/files/`."""
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(files_blueprint(store))
    path = f"/files/{folder}/{name}" if folder else f"/files/{name}"
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    answer: TestResponse = app.test_client().open(path, method=method, headers=named)
    with answer:
        answer.get_data()
    return answer

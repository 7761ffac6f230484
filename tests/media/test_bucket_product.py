"""The product as its operator starts it, with its files in a bucket."""

from __future__ import annotations

import http.client
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
import requests

from messenger_api.storage.files import s3
from tests.apps.outside import Outside
from tests.media.wire import Fault, Wire, wire_to
from tests.processes import LOOPBACK, wait_for
from tests.product import APPID, jpeg
from tests.s3 import S3Server, s3_settings
from tests.servers import ProductServer

pytestmark = pytest.mark.server

ANA, BOB = "14155550123", "919876543210"
FILM = random.Random(7).randbytes(8_000_000)

Answer = dict[str, Any]


@pytest.fixture(scope="module")
def bucket(s3_server: S3Server) -> str:
    """A bucket for all tests here, as is the server."""
    return s3_server.new_bucket()


@pytest.fixture(scope="module")
def running(
    s3_server: S3Server, bucket: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ProductServer, Wire]]:
    with wire_to(s3_server.port) as wire:
        settings = s3_settings(wire.url, bucket)
        environment = {f"MESSENGER_{key.upper()}": str(value) for key, value in settings.items()}
        with ProductServer(tmp_path_factory.mktemp("product"), environment) as server:
            yield server, wire


@pytest.fixture
def server(running: tuple[ProductServer, Wire]) -> ProductServer:
    return running[0]


@pytest.fixture
def wire(running: tuple[ProductServer, Wire]) -> Iterator[Wire]:
    _server, wire = running
    yield wire
    wire.always = None


@pytest.fixture
def kept(s3_server: S3Server, bucket: str) -> Callable[[], set[str]]:
    """What is in the bucket."""
    return lambda: set(s3_server.keys(bucket))


def both(photo: str) -> set[str]:
    """The keys of a photo and its thumbnail."""
    return {f"files/{photo}", f"files/tn/{photo}"}


def call(server: ProductServer, op: str, file: tuple[str, bytes] | None = None, **fields: Any) -> Answer:
    files = {"photo": file} if file else None
    answer = requests.post(f"{server.url}/api.php", data={"op": op, **fields}, files=files, timeout=60)
    found: Answer = answer.json()
    return found


def log_in(server: ProductServer, number: str) -> Answer:
    fields: dict[str, Any] = {"phone": number, "appid": APPID}
    assert call(server, "login", **fields)["result"] == "OK"
    with closing(Outside(server.url)) as outside:
        answer = call(server, "login", otp=outside.code(number), **fields)
    assert answer["result"] == "OK"
    return answer


def show(server: ProductServer, color: str, token: str) -> Answer:
    """Upload a profile photo."""
    return call(server, "upload", ("photo.jpg", jpeg(color)), profile="1", token=token)


def attach(server: ProductServer) -> str:
    """Upload a film and return its URL."""
    token = log_in(server, ANA)["token"]
    url: str = call(server, "upload", ("film.mp4", FILM), token=token)["url"]
    return url


def fetch(url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers=headers, timeout=30)


def test_a_photo_is_uploaded_seen_by_others_replaced_and_removed_from_the_bucket(
    server: ProductServer, kept: Callable[[], set[str]]
) -> None:
    ana, bob = log_in(server, ANA), log_in(server, BOB)
    call(server, "getcontacts", token=bob["token"], phones=ANA)

    assert show(server, "teal", ana["token"])["result"] == "OK"
    (entry,) = call(server, "getcontacts", token=bob["token"], ts="0")["contacts"]
    first = fetch(bob["urls"]["download"] + entry["photo"])
    assert (first.status_code, first.headers["Content-Type"]) == (200, "image/jpeg")
    assert both(entry["photo"]) <= kept()

    assert show(server, "red", ana["token"])["result"] == "OK"
    (later,) = call(server, "getcontacts", token=bob["token"], ts="0")["contacts"]
    assert later["photo"] != entry["photo"]
    assert fetch(bob["urls"]["download"] + later["photo"]).content != first.content
    # The outbox removes the old one from the bucket.
    wait_for(lambda: not both(entry["photo"]) & kept(), 20, "the old photo to go")
    assert both(later["photo"]) <= kept()
    assert fetch(bob["urls"]["download"] + entry["photo"]).status_code == 404


def test_an_attachment_is_downloaded_whole_and_in_parts(server: ProductServer) -> None:
    url = attach(server)

    whole, part = fetch(url), fetch(url, Range="bytes=4000000-4999999")
    assert (whole.status_code, whole.content) == (200, FILM)
    assert whole.headers["Content-Type"] == "video/mp4"
    assert whole.headers["Content-Disposition"].startswith("attachment")
    assert (part.status_code, part.content) == (206, FILM[4_000_000:5_000_000])
    assert part.headers["Content-Range"] == f"bytes 4000000-4999999/{len(FILM)}"
    assert fetch(url, **{"If-None-Match": whole.headers["ETag"]}).status_code == 304


def test_an_outage_of_the_bucket_is_try_later_and_then_over(
    server: ProductServer, wire: Wire, kept: Callable[[], set[str]]
) -> None:
    ana = log_in(server, ANA)
    old = show(server, "teal", ana["token"])["photo"]
    before = kept()
    wire.always = Fault(status=500, code="InternalError")

    refused = show(server, "red", ana["token"])

    assert (refused["result"], refused["error"]) == ("FAIL", "TRYLATER")
    assert fetch(ana["urls"]["download"] + old).status_code == 503
    assert call(server, "profile", name="Ana", token=ana["token"])["result"] == "OK", "the rest goes on"
    wire.always = None
    # What an earlier test replaced may be removed meanwhile.
    assert kept() <= before, "nothing of the refused photo stays"
    assert fetch(ana["urls"]["download"] + old).status_code == 200
    assert show(server, "red", ana["token"])["result"] == "OK"
    wait_for(lambda: not both(old) & kept(), 30, "the old photo to go")


def test_a_download_that_cannot_be_completed_is_cut_and_not_ended(server: ProductServer, wire: Wire) -> None:
    url = attach(server)
    wire.always = Fault(cut_after=500_000)

    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        fetch(url)

    wire.always = None
    assert fetch(url).content == FILM


def test_phones_that_hang_up_in_the_middle_take_no_ones_place(server: ProductServer) -> None:
    url = attach(server)
    path = url.partition(server.url)[2]

    for _ in range(s3.MAX_CALLS + 4):
        with closing(http.client.HTTPConnection(LOOPBACK, server.port, timeout=30)) as phone:
            phone.connect()
            phone.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            phone.request("GET", path)
            assert len(phone.getresponse().read(10_000)) == 10_000
        time.sleep(0.02)

    wait_for(lambda: fetch(url).content == FILM, 20, "a free place")

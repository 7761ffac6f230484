"""What stands in front of the application hands on whole bodies, and lends each network its part."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from messenger_api.transport.receiving import READING, STEP, Receiving

LARGEST = 3 * STEP
Environ = dict[str, Any]


class Application:
    """Notes what it is given, and answers in pieces."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        self.closed = 0

    def __call__(self, environ: Environ, _start: object) -> Iterable[bytes]:
        self.bodies.append((environ.get("CONTENT_LENGTH", ""), environ["wsgi.input"].read()))
        return self

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"a", b"b"])

    def close(self) -> None:
        self.closed += 1


def environ(body: bytes = b"", length: int | None = None, **more: Any) -> Environ:
    announced = {"CONTENT_LENGTH": str(len(body) if length is None else length)} if length != -1 else {}
    return {
        **announced,
        "REMOTE_ADDR": "192.0.2.1",
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/api.php",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        **more,
    }


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
def receiving(application: Application) -> Callable[[Environ], Any]:
    front = Receiving(application, LARGEST)
    return lambda asked: front(asked, lambda *_: None)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 1, STEP - 1, STEP, STEP + 1, LARGEST])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_is_handed_on_as_it_came(
    receiving: Callable[[Environ], Any], application: Application, size: int, chunked: bool
) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    more: Environ = {"HTTP_TRANSFER_ENCODING": "chunked"} if chunked else {}
    receiving(environ(body, -1 if chunked else None, **more))
    assert application.bodies == [(str(size), body)]


@pytest.mark.parametrize("body", [b"", b"x", bytes(STEP + 1)])
def test_whatever_comes_can_be_read_again(body: bytes) -> None:
    class Once:
        """All that PEP 3333 has servers hand over, and granian does."""

        def __init__(self, body: bytes) -> None:
            self.read = io.BytesIO(body).read

    def twice(environ: Environ, _start: object) -> Iterable[bytes]:
        first = environ["wsgi.input"].read()
        assert environ["wsgi.input"].seekable()
        environ["wsgi.input"].seek(0)
        return [first, environ["wsgi.input"].read()]

    asked = {**environ(body), "wsgi.input": Once(body)}
    assert Receiving(twice, LARGEST)(asked, lambda *_: None) == [body, body]  # type: ignore[arg-type]


@pytest.mark.parametrize("chunked", [False, True])
def test_of_what_is_too_large_nothing_is_kept_and_all_is_read(
    receiving: Callable[[Environ], Any], application: Application, chunked: bool
) -> None:
    more: Environ = {"HTTP_TRANSFER_ENCODING": "chunked"} if chunked else {}
    asked = environ(bytes(LARGEST + 1), -1 if chunked else None, **more)
    sent = asked["wsgi.input"]
    receiving(asked)
    assert application.bodies == [(str(LARGEST + 1), b"")]
    assert sent.read() == b""


def test_one_network_has_half_of_the_threads_and_then_a_part(
    receiving: Callable[[Environ], Any], application: Application
) -> None:
    """Downloads hold theirs until the server lets go of them."""

    def download(address: str) -> Any:
        return receiving(environ(PATH_INFO="/files/a.jpg", REQUEST_METHOD="GET", REMOTE_ADDR=address))

    held = [download("192.0.2.1") for _ in range(READING // 2 + 1)]
    assert list(held[0]) == [b"a", b"b"]
    (refused,) = download("192.0.2.1")
    assert json.loads(refused)["error"] == "TRYLATER"
    others = download("192.0.2.2")
    assert list(others) == [b"a", b"b"]
    for answer in [*held, others]:
        answer.close()
        answer.close()
    assert application.closed >= len(held)
    assert list(download("192.0.2.1")) == [b"a", b"b"]

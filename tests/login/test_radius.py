"""RADIUS: against a real FreeRADIUS, and against datagrams that somebody else sends."""

from __future__ import annotations

import hashlib
import hmac
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from structlog.testing import capture_logs

from messenger_api.configuration import build
from messenger_api.gateways.login import Denied, Person, Unavailable, method_from_settings
from messenger_api.gateways.login.radius import RadiusMethod
from tests.login.radius_server import PASSWORD, SECRET, FreeRadius
from tests.login.standins import assert_hidden, quick
from tests.processes import LOOPBACK, free_port

pytestmark = pytest.mark.server

ACCEPT, REJECT, CHALLENGE = 2, 3, 11
MESSAGE_AUTHENTICATOR = 80
WRONG = "not-the-password"


@pytest.fixture(scope="module")
def server() -> Iterator[FreeRadius]:
    with FreeRadius() as running:
        yield running


def method(port: int, **changes: object) -> RadiusMethod:
    values: dict[str, object] = {
        "login_method": "radius",
        "login_timeout": 2,
        "radius_host": LOOPBACK,
        "radius_port": port,
        "radius_secret": SECRET,
    }
    made = method_from_settings(build(**(values | changes)))
    assert isinstance(made, RadiusMethod)
    return made


# --- A real server


@pytest.mark.parametrize(("address", "password"), [("ana", PASSWORD), ("ben", "pässwörd")])
def test_the_right_password_logs_in(server: FreeRadius, address: str, password: str) -> None:
    assert method(server.port).authenticate(address, password) == Person(address)


@pytest.mark.parametrize(
    ("address", "password"),
    [("ana", WRONG), ("nobody", PASSWORD), ("gone", PASSWORD), ("token", PASSWORD), ("ana", "x" * 128)],
)
def test_a_rejection_and_a_challenge_are_denied(server: FreeRadius, address: str, password: str) -> None:
    with capture_logs() as events, pytest.raises(Denied) as caught:
        method(server.port).authenticate(address, password)
    assert_hidden(caught.value, events, password, SECRET, "nobody")


@pytest.mark.parametrize("password", ["", "x" * 129, "ö" * 65, PASSWORD + "\0", "\0"])
def test_a_password_that_radius_cannot_carry_is_denied_without_asking(password: str) -> None:
    with pytest.raises(Denied, match="cannot carry"):
        method(free_port()).authenticate("ana", password)


def test_the_check_asks_every_server(server: FreeRadius) -> None:
    method(server.port).check()
    gone = free_port()
    with pytest.raises(Unavailable, match=rf"^127\.0\.0\.1:{gone}: no connection \(Connection"):
        method(server.port, radius_host=f"{LOOPBACK}, {LOOPBACK}:{gone}").check()


def test_a_wrong_shared_secret_is_a_fault_that_is_told(server: FreeRadius) -> None:
    secret = "another secret"
    with capture_logs() as events, pytest.raises(Unavailable, match=r"RADIUS_SECRET|timed out") as caught:
        method(server.port, radius_secret=secret, login_timeout=0.6).authenticate("ana", PASSWORD)
    assert_hidden(caught.value, events, PASSWORD)


def test_a_server_that_is_gone_is_told_at_once() -> None:
    with quick(1), pytest.raises(Unavailable, match="no connection"):
        method(free_port(), login_timeout=10).authenticate("ana", PASSWORD)


def test_the_next_server_is_asked_when_one_is_gone_or_silent(server: FreeRadius) -> None:
    with udp_server(lambda request: []) as (silent, _):
        hosts = f"{LOOPBACK}:{free_port()}, {LOOPBACK}:{silent}, {LOOPBACK}"
        assert method(server.port, radius_host=hosts).authenticate("ana", PASSWORD) == Person("ana")
        with pytest.raises(Denied):
            method(server.port, radius_host=hosts).authenticate("ana", WRONG)


def test_a_server_that_comes_back_is_asked_again() -> None:
    with FreeRadius() as own:
        radius = method(own.port)
        assert radius.authenticate("ana", PASSWORD)
        own.kill()
        with pytest.raises(Unavailable):
            radius.authenticate("ana", PASSWORD)
        own.start()
        assert radius.authenticate("ana", PASSWORD)


# --- Datagrams of somebody else


@contextmanager
def udp_server(answers: Callable[[bytes], list[bytes]]) -> Iterator[tuple[int, list[bytes]]]:
    """Answers each request with the given datagrams. Yields its port, and the requests as they come."""
    got: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind((LOOPBACK, 0))
        listener.settimeout(0.05)
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                with suppress(TimeoutError):
                    request, address = listener.recvfrom(4096)
                    got.append(request)
                    for answer in answers(request):
                        listener.sendto(answer, address)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1], got
        finally:
            done.set()
            thread.join()


def answer(
    request: bytes, code: int = ACCEPT, *, signed: bool = True, secret: str = SECRET, ident: int | None = None
) -> bytes:
    """An answer as RFC 2865 and RFC 3579 make it, written here once more."""
    ident = request[1] if ident is None else ident
    authenticator = request[4:20]
    attributes = struct.pack("!BB16x", MESSAGE_AUTHENTICATOR, 18) if signed else b""
    head = struct.pack("!BBH", code, ident, 20 + len(attributes))
    if signed:
        mac = hmac.digest(secret.encode(), head + authenticator + attributes, "md5")
        attributes = attributes[:2] + mac
    digest = hashlib.md5(head + authenticator + attributes + secret.encode()).digest()
    return head + digest + attributes


def test_the_stand_in_is_believed_when_it_does_all_right() -> None:
    with udp_server(lambda request: [answer(request)]) as (port, _):
        assert method(port).authenticate("ana", PASSWORD) == Person("ana")


def flipped(datagram: bytes, place: int) -> bytes:
    return datagram[:place] + bytes([datagram[place] ^ 1]) + datagram[place + 1 :]


FORGED: dict[str, Callable[[bytes], bytes]] = {
    "no Message-Authenticator": lambda request: answer(request, signed=False),
    "another secret": lambda request: answer(request, secret="guessed"),
    "another request": lambda request: answer(request, ident=(request[1] + 1) % 256),
    "a rejection turned round": lambda request: bytes([ACCEPT]) + answer(request, REJECT)[1:],
    "Message-Authenticator changed": lambda request: flipped(answer(request), 30),
    "Response Authenticator changed": lambda request: flipped(answer(request), 10),
    "nothing": lambda request: b"",
    "cut off": lambda request: answer(request)[:25],
    "an answer of another kind": lambda request: answer(request, 5),
    "noise": lambda request: bytes(range(200)),
    "the request sent back": lambda request: request,
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_answer_lets_nobody_in(kind: str) -> None:
    forged, refused = udp_server(lambda request: [FORGED[kind](request)]), pytest.raises(Unavailable)
    with forged as (port, _), quick(2), refused:
        method(port, login_timeout=0.5).authenticate("ana", PASSWORD)


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_answer_keeps_the_true_one_from_nobody(kind: str) -> None:
    with udp_server(lambda request: [FORGED[kind](request), answer(request)]) as (port, _):
        assert method(port).authenticate("ana", PASSWORD) == Person("ana")
    rejecting = udp_server(lambda request: [FORGED[kind](request), answer(request, REJECT)])
    with rejecting as (port, _), pytest.raises(Denied):
        method(port).authenticate("ana", PASSWORD)


def test_a_challenge_with_everything_right_is_no_acceptance() -> None:
    challenging = udp_server(lambda request: [answer(request, CHALLENGE)])
    with challenging as (port, _), pytest.raises(Denied, match="challenged"):
        method(port).authenticate("ana", PASSWORD)


def test_a_lost_request_is_sent_again_as_it_was_within_the_time_limit() -> None:
    with udp_server(lambda request: []) as (port, got), quick(1.5), pytest.raises(Unavailable):
        method(port, login_timeout=0.6).authenticate("ana", PASSWORD)
    assert len(got) == 3
    assert len(set(got)) == 1


def test_the_request_is_signed_names_us_and_hides_the_password() -> None:
    with udp_server(lambda request: [answer(request)]) as (port, got):
        method(port, radius_nas_id="chat.example.com").authenticate("ana", PASSWORD)
    request = got[0]
    assert request[0] == 1
    assert PASSWORD.encode() not in request
    attributes = dict(attributes_of(request))
    assert attributes[1] == b"ana"
    assert attributes[32] == b"chat.example.com"
    zeroed = request.replace(attributes[MESSAGE_AUTHENTICATOR], bytes(16))
    assert attributes[MESSAGE_AUTHENTICATOR] == hmac.digest(SECRET.encode(), zeroed, "md5")


def attributes_of(packet: bytes) -> Iterator[tuple[int, bytes]]:
    rest = packet[20:]
    while rest:
        yield rest[0], rest[2 : rest[1]]
        rest = rest[rest[1] :]

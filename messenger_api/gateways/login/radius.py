"""Logging in by RADIUS (RFC 2865) with PAP: one request, one answer (keys `RADIUS_...`).

Requests carry a Message-Authenticator and only answers that carry one are believed (RFC 3579, section 3.2).
Without it whoever stands between can turn a rejection into an acceptance (CVE-2024-3596, "BlastRADIUS").
Packets are pyrad's; sending them is ours, because its client cannot tell a server that is gone from one
that is slow, and keeps no time limit for several of them.
"""

from __future__ import annotations

import secrets
import socket
import struct
from collections.abc import Iterator

# The library is untyped.
from pyrad.packet import (  # type: ignore[import-untyped]
    AccessAccept,
    AccessChallenge,
    AccessReject,
    AuthPacket,
    Packet,
    PacketError,
)

from messenger_api.gateways.keys.radius import RadiusKeys
from messenger_api.gateways.login.base import Denied, LoginMethod, Person, Unavailable
from messenger_api.mesibo.http.deadline import TIMED_OUT, Deadline
from messenger_api.settings import Settings

# Attributes, RFC 2865, sections 5.1, 5.2 and 5.32.
USER_NAME, USER_PASSWORD, NAS_IDENTIFIER = 1, 2, 32

# RFC 2865, section 5.2.
LONGEST_PASSWORD = 128
# RFC 2865, section 3.
LONGEST_PACKET = 4096
# How often a request is sent to one server in the time that it has; datagrams get lost.
TRIES = 3

Place = tuple[str, int]


class RadiusMethod(LoginMethod):
    """Asks the servers in turn until one answers."""

    name = "radius"

    def __init__(self, settings: Settings) -> None:
        keys = settings.of(RadiusKeys)
        self._secret = keys.radius_secret.encode()
        self._nas_id = keys.radius_nas_id.encode()
        self._seconds = settings.login_timeout
        self._places = [_place(host.strip(), keys.radius_port) for host in keys.radius_host.split(",")]

    def check(self) -> None:
        """Ask every server about nobody: that it answers proves the address and the shared secret."""
        faults = []
        for place in self._places:
            request = self._request("messenger-api-check", secrets.token_hex(16))
            try:
                _answer(request, place, Deadline(self._seconds))
            except Unavailable as error:
                faults.append(f"{place[0]}:{place[1]}: {error.reason}")
        if faults:
            raise Unavailable("; ".join(faults))

    def _authenticate(self, address: str, secret: str) -> Person:
        password = secret.encode("utf-8", "surrogatepass")
        # Passwords are padded with zeros: one that ends in them would be taken for a shorter one.
        if not password or len(password) > LONGEST_PASSWORD or b"\0" in password:
            raise Denied("a password that RADIUS cannot carry")
        reply = self._ask(self._request(address, password))
        if reply.code == AccessAccept:
            return Person(address)
        # A challenge asks for a second factor, which the apps have no screen for.
        raise Denied("challenged" if reply.code == AccessChallenge else "rejected")

    def _request(self, address: str, password: str | bytes) -> AuthPacket:
        request = AuthPacket(secret=self._secret, message_authenticator=True)
        # The server knows who asks by its address; RFC 2865, section 4.1, wants a name besides.
        request[NAS_IDENTIFIER] = [self._nas_id]
        request[USER_NAME] = [address.encode()]
        request[USER_PASSWORD] = [request.PwCrypt(password)]
        return request

    def _ask(self, request: AuthPacket) -> Packet:
        """The first answer; each server has an equal share of the time that is left."""
        deadline = Deadline(self._seconds)
        faults = []
        for number, place in enumerate(self._places):
            try:
                return _answer(request, place, deadline, len(self._places) - number)
            except Unavailable as error:
                faults.append(error.reason)
        raise Unavailable("; ".join(faults))


def _place(host: str, port: int) -> Place:
    name, _, own_port = host.partition(":")
    return name, int(own_port or port)


def _answer(request: AuthPacket, place: Place, deadline: Deadline, shared_by: int = 1) -> Packet:
    """Send the request, again if need be, until an answer comes that only this server can have made.

    It has an equal part of the time that is left for so many servers.
    """
    datagram = request.RequestPacket()
    try:
        share = Deadline(deadline.left() / shared_by)
        with _connected(place) as connection:
            for number in range(TRIES):
                # The same bytes from the same port: the server knows it as a repetition (RFC 5080, 2.2.2).
                connection.send(datagram)
                wait = Deadline(share.left() / (TRIES - number))
                for answer in _datagrams(connection, wait):
                    reply = _verified(request, answer)
                    if reply is not None:
                        return reply
    except TimeoutError:
        raise Unavailable(TIMED_OUT) from None
    except OSError as error:
        raise Unavailable(f"no connection ({type(error).__name__})") from None
    raise Unavailable(f"{TIMED_OUT}, or RADIUS_SECRET is not the server's")


def _connected(place: Place) -> socket.socket:
    """A datagram socket that hears this server alone, and hears of it when nobody listens there."""
    family, kind, protocol, _, address = socket.getaddrinfo(*place, type=socket.SOCK_DGRAM)[0]
    connection = socket.socket(family, kind, protocol)
    try:
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def _datagrams(connection: socket.socket, wait: Deadline) -> Iterator[bytes]:
    while not wait.is_over:
        try:
            connection.settimeout(wait.left())
            yield connection.recv(LONGEST_PACKET)
        except TimeoutError:
            return


def _verified(request: AuthPacket, datagram: bytes) -> Packet | None:
    """The answer, unless somebody else may have made it; such datagrams are passed over in silence."""
    try:
        reply = request.CreateReply(packet=datagram)
        expected = reply.code in (AccessAccept, AccessReject, AccessChallenge)
        return reply if expected and request.VerifyReply(reply, datagram, enforce_ma=True) else None
    except (PacketError, struct.error, ValueError, LookupError, TypeError):
        return None

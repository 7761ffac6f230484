"""Connections of the HTTP client: an answer is read by one deadline, and a request is sent past its guard."""

from __future__ import annotations

import http.client
import socket
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from messenger_api.mesibo.http.deadline import Deadline, reader
from messenger_api.mesibo.http.sending import CURRENT


class _Receiving:
    """In the place of a socket, of which `http.client` wants nothing but a file to read the answer from."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, _mode: str) -> object:
        return reader(self._sock, Deadline(self._sock.gettimeout() or 0))


class _Response(http.client.HTTPResponse):
    """Head and body come within the seconds that the socket's timeout was when the reading began."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(_Receiving(sock), *args, **kwargs)  # type: ignore[arg-type]


class _Guarded:
    """Asks the guard before a request is written; the handshakes of TLS and of a proxy are none."""

    sock: Any
    _is_connecting = False
    _is_head = False

    def connect(self) -> None:
        self._is_connecting = True
        try:
            super().connect()  # type: ignore[misc]
        finally:
            self._is_connecting = False

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        self._is_head = True
        try:
            super().endheaders(*args, **kwargs)  # type: ignore[misc]
        finally:
            self._is_head = False

    def send(self, data: Any) -> None:
        if not self._is_connecting:
            if self.sock is None:
                self.connect()
            guard = CURRENT.get()
            if guard and not (self._is_head and guard.with_body):
                guard.before_sending()
        super().send(data)  # type: ignore[misc]


class _Connection(_Guarded, HTTPConnection):
    response_class = _Response


class _TlsConnection(_Guarded, HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def use_our_pools(manager: PoolManager) -> PoolManager:
    """The manager, whose connections from here on are these."""
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
    return manager


def close_connections(manager: PoolManager) -> None:
    """Close idle connections now.

    Clearing the manager only drops its pools, whose connections stay open until the garbage collector finds
    them when an error of the past still refers to one.
    """
    for key in manager.pools.keys():  # noqa: SIM118 - it forbids iteration, its keys are a copy
        if pool := manager.pools.get(key):
            pool.close()

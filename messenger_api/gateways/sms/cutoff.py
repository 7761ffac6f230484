"""Connections that are cut when an answer does not begin in time.

A socket's timeout counts anew for every byte. A server that sends the head of its answer byte by byte would
hold the thread of an attempt for as long as it likes, and with enough of them no attempt could be made.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse

from messenger_api.gateways.sms.departure import current


def _in_time(connection: HTTPConnection, read: Callable[[], HTTPResponse]) -> HTTPResponse:
    """The head of the answer, unless it is not complete within the connection's read timeout.

    Raises:
        TimeoutError: it was not.
    """
    cut = threading.Event()
    timer = threading.Timer(float(connection.timeout or 0), _cut, args=(connection, cut))
    timer.daemon = True
    timer.start()
    found = None
    try:
        found = read()
    except Exception:
        if not cut.is_set():
            raise
    finally:
        timer.cancel()
    if cut.is_set() or found is None:
        # Half a head may pass for a whole one: what came until the cut is no answer.
        if found is not None:
            found.close()
        raise TimeoutError
    return found


def _cut(connection: HTTPConnection, cut: threading.Event) -> None:
    cut.set()
    if connection.sock is not None:
        with suppress(OSError):
            # Not the method of a TLS socket, which would take the socket apart under its reader.
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


class _Departing:
    """Says when the first byte of a request is about to be written: not that of a TLS or proxy handshake."""

    sock: Any
    _is_connecting = False

    def connect(self) -> None:
        self._is_connecting = True
        try:
            super().connect()  # type: ignore[misc]
        finally:
            self._is_connecting = False

    def send(self, data: Any) -> None:
        if not self._is_connecting:
            if self.sock is None:
                self.connect()
            if departure := current():
                departure.leave()
        super().send(data)  # type: ignore[misc]


class _Connection(_Departing, HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # urllib3's own, not http.client's
        return _in_time(self, super().getresponse)


class _TlsConnection(_Departing, HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        return _in_time(self, super().getresponse)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class CuttingAdapter(HTTPAdapter):
    """An adapter whose connections are cut, behind a proxy too."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools."""
        super().init_poolmanager(*args, **kwargs)
        _use_cutting_pools(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> PoolManager:
        """Make the pools of a proxy."""
        manager: PoolManager = super().proxy_manager_for(*args, **kwargs)
        _use_cutting_pools(manager)
        return manager

    def close_connections(self) -> None:
        """Close idle connections now.

        Closing the adapter only drops its pools, whose connections stay open until the garbage
        collector finds them when an error of the past still refers to one.
        """
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():  # noqa: SIM118 - it forbids iteration, its keys are a copy
                if pool := manager.pools.get(key):
                    pool.close()


def _use_cutting_pools(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

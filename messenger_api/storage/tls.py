"""What TLS needs, made once an engine.

PyMySQL makes a context for every connection, and reads all of the machine's certificates into it: 30 ms of
processor time, many times what the rest of a connection costs, and spent on servers too that speak no TLS.
"""

from __future__ import annotations

from collections.abc import Callable
from ssl import SSLContext
from typing import Any


def sharing_context(pymysql: Any) -> Callable[..., Any]:
    """PyMySQL's `connect`; connections with the same settings of TLS share a context."""
    made: dict[str, SSLContext] = {}

    class Connection(pymysql.connections.Connection):  # type: ignore[misc]
        def _create_ssl_ctx(self, settings: Any) -> SSLContext:
            if isinstance(settings, SSLContext):
                return settings
            key = repr(sorted(settings.items()))
            if key not in made:
                made[key] = super()._create_ssl_ctx(settings)
            return made[key]

    return Connection

"""What TLS needs, made once an engine.

PyMySQL makes a context for every connection, and reads all of the machine's certificates into it: 30 ms of
processor time, many times what the rest of a connection costs, and spent on servers too that speak no TLS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ssl import SSLContext
from typing import Any

from pymysql.constants import CR


def sharing_context(pymysql: Any) -> Callable[..., Any]:
    """PyMySQL's `connect`; connections with the same settings of TLS share a context.

    Certificates that cannot be read are an OperationalError, as with mysqlclient.
    """
    made: dict[str, SSLContext] = {}

    class Connection(pymysql.connections.Connection):  # type: ignore[misc]
        def _create_ssl_ctx(self, settings: Any) -> SSLContext:
            if isinstance(settings, SSLContext):
                return settings
            key = repr(sorted(settings.items()))
            if key not in made:
                try:
                    made[key] = super()._create_ssl_ctx(settings)
                except OSError as error:  # ssl.SSLError is one
                    raise pymysql.OperationalError(
                        CR.CR_SSL_CONNECTION_ERROR, _unread(settings, error)
                    ) from error
            return made[key]

    return Connection


def _unread(settings: Mapping[str, Any], error: OSError) -> str:
    files = ", ".join(f"ssl_{part} {settings[part]}" for part in ("ca", "cert", "key") if settings.get(part))
    return f"{files}: {error.strerror or error}"

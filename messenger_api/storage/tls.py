"""What TLS needs, made once an engine.

PyMySQL makes a context for every connection, and reads all of the machine's certificates into it: 30 ms of
processor time, many times what the rest of a connection costs, and spent on servers too that speak no TLS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from ssl import SSLContext
from typing import Any

from pymysql.constants import CR

_PARTS = ("ca", "cert", "key")


def sharing_context(pymysql: Any) -> Callable[..., Any]:
    """PyMySQL's `connect`; connections with the same settings of TLS share a context, until a file changes.

    Certificates that cannot be read are an OperationalError, as with mysqlclient.
    """
    made: dict[str, tuple[object, SSLContext]] = {}

    class Connection(pymysql.connections.Connection):  # type: ignore[misc]
        def _create_ssl_ctx(self, settings: Any) -> SSLContext:
            if isinstance(settings, SSLContext):
                return settings
            key, files = repr(sorted(settings.items())), _files(settings)
            if key not in made or made[key][0] != files:
                try:
                    made[key] = (files, super()._create_ssl_ctx(settings))
                except OSError as error:  # ssl.SSLError is one
                    raise pymysql.OperationalError(
                        CR.CR_SSL_CONNECTION_ERROR, _unread(settings, error)
                    ) from error
            return made[key][1]

    return Connection


def _files(settings: Mapping[str, Any]) -> list[tuple[int, int, int] | None]:
    """What tells the files that are named from those that come in their place; None: it is not there."""
    return [_file(str(settings[part])) for part in _PARTS if settings.get(part)]


def _file(path: str) -> tuple[int, int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _unread(settings: Mapping[str, Any], error: OSError) -> str:
    files = ", ".join(f"ssl_{part} {settings[part]}" for part in _PARTS if settings.get(part))
    return f"{files}: {error.strerror or error}"

"""Why a server could not be reached, in words for whoever has to mend it."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from urllib3 import exceptions as urllib3_errors

from messenger_api.mesibo.http.exchange import NoResponse

Reasons = tuple[tuple[str, tuple[type[Exception], ...]], ...]
"""What `NoResponse.reason` is for exceptions of a library, looked through in order."""

_KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLError, "no TLS spoken there"),
    (urllib3_errors.SSLError, "no TLS spoken there"),
    (socket.gaierror, "name not found"),
    (urllib3_errors.NameResolutionError, "name not found"),
    (ConnectionRefusedError, "refused"),
    (ConnectionResetError, "connection ended"),
    (urllib3_errors.ConnectTimeoutError, "no answer"),
    (TimeoutError, "no answer"),
)
_NO_WAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN})


def no_response(error: Exception, url: str, reasons: Reasons, *, sent: bool, answered: bool) -> NoResponse:
    """What to raise in the place of a library's exception, which may hold the request."""
    reason = next((reason for reason, kinds in reasons if isinstance(error, kinds)), "")
    return NoResponse(
        reason or ("broken" if sent else "connect"),
        sent=sent,
        answered=answered,
        detail=what_happened(error),
        server="" if reason == "bad url" else server_of(url),
    )


def what_happened(error: BaseException) -> str:
    """What the error and its causes tell: name, connection, certificate or time; "" when they do not.

    Never what an error says of the request, which may hold secrets.
    """
    chain = list(_chain(error))
    for each in chain:
        if isinstance(each, ssl.SSLCertVerificationError):
            # aiohttp's is one by its class alone, and holds that of the library.
            why = getattr(each, "verify_message", "")
            return f"certificate not accepted: {why}".rstrip(".: ")
    for kind, told in _KINDS:
        if any(isinstance(each, kind) for each in chain):
            return told
    if any(isinstance(each, OSError) and each.errno in _NO_WAY for each in chain):
        return "no way there"
    return ""


def server_of(url: str) -> str:
    """Scheme, host and port of a URL, of which gateways may want their keys in any other part; "" of none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""


def place(url: str) -> str:
    """A URL without user, password and query, which may hold secrets; "" of what is none."""
    server = server_of(url)
    return server and server + urlsplit(url).path


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that it was made of."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.append(each)
        yield each
        within = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
        waiting += [inner for inner in within if isinstance(inner, BaseException)]

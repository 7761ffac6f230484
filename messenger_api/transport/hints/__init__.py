"""With the sandbox in use, answers carry a header that says what of the request was ignored or odd.

The header is a list of strings in the form of RFC 9651 (structured field values): ASCII, each string in
double quotes, `\\` before a quote and a backslash. No hint repeats a value of the request, and a field's name
only where it looks like one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec
import structlog
from msgspec.structs import replace

from messenger_api.ops.call import ApiRequest, Call, Operation
from messenger_api.services.record import Services
from messenger_api.transport.envelope import Reply
from messenger_api.transport.hints import body, fields, numbers, session
from messenger_api.transport.hints.asked import Asked

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

HEADER = "X-Messenger-Hint"
# Without this, scripts of another origin see no header of our own.
EXPOSED = ("Access-Control-Expose-Headers", HEADER)
# nginx keeps 4 KiB for all headers of an answer together.
MOST_BYTES = 2_000
MOST = 20
MOST_BYTES_OF_ONE = 300

log = structlog.get_logger(__name__)


class Hints:
    """Adds the header to answers."""

    def __init__(self, services: Services, operations: Mapping[str, Operation]) -> None:
        self._services = services
        self._operations = operations

    def added(
        self, reply: Reply, environ: WSGIEnvironment, request: ApiRequest | None, call: Call | None
    ) -> Reply:
        """The same answer with its hints; what goes wrong here costs the hints and nothing else.

        Args:
            reply: the answer.
            environ: the request, its body read.
            request: what was read; None where it could not be.
            call: None where no op was reached.
        """
        headers = [*reply.headers, EXPOSED]
        try:
            asked = Asked(self._operations, request, call, msgspec.json.decode(reply.body))
            value = as_list(self._found(environ, asked))
        except Exception:
            log.exception("api.hints")
            value = ""
        return replace(reply, headers=[*headers, (HEADER, value)] if value else headers)

    def _found(self, environ: WSGIEnvironment, asked: Asked) -> Iterable[str]:
        yield from session.hints(environ, asked)
        yield from body.hints(environ)
        yield from fields.hints(asked)
        yield from numbers.hints(asked, self._services)
        yield from session.next_steps(asked, self._services.settings)


def as_list(texts: Iterable[str]) -> str:
    """Texts as a list of strings of RFC 9651, as many of them as there is room for."""
    strings: list[str] = []
    left = MOST_BYTES
    for text in texts:
        shown = "".join(char if " " <= char <= "~" else "?" for char in text[:MOST_BYTES_OF_ONE])
        string = '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'
        if string in strings:
            continue
        left -= len(string) + 2
        if left < 0 or len(strings) == MOST:
            break
        strings.append(string)
    return ", ".join(strings)

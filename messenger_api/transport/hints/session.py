"""Hints about the method, the op, the token, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

from messenger_api.settings import Settings
from messenger_api.transport.addresses import FRONT, METHODS, PATHS
from messenger_api.transport.hints.asked import Asked, is_name

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BEARER = "bearer "


def hints(environ: WSGIEnvironment, asked: Asked) -> Iterator[str]:
    """What is odd about where a request went, which op it names, and whose it is."""
    if environ["REQUEST_METHOD"] not in METHODS:
        yield "only GET and POST run ops"
        return
    if (environ.get("PATH_INFO") or FRONT) not in PATHS:
        yield "the API's address is /api.php; this path is taken for it, and nothing is read from it"
    if asked.request and not asked.op:
        yield "name an op in the field 'op'"
    elif asked.request:
        yield from _op(environ, asked, asked.request.token)


def _op(environ: WSGIEnvironment, asked: Asked, token: str) -> Iterator[str]:
    if asked.operation is None:
        close = get_close_matches(asked.op, asked.operations, n=1) if is_name(asked.op) else []
        yield "there is no such op" + (f": did you mean '{close[0]}'?" if close else "")
    elif not asked.operation.needs_session:
        if asked.has("token"):
            yield f"{asked.op} needs no token; the one sent was not looked at"
    elif token:
        if token.lower().startswith(BEARER):
            yield "'token' is the token alone, without Bearer in front"
        elif asked.error == "AUTHFAIL":
            yield "the token is unknown, expired or revoked: log in again"
    else:
        yield _without_token(environ, asked)


def _without_token(environ: WSGIEnvironment, asked: Asked) -> str:
    if asked.has("token"):
        return "'token' is blank, or not a text"
    if asked.has("auth"):
        return f"'auth' was not looked at: only upload takes the token under this name, {asked.op} as 'token'"
    if "HTTP_AUTHORIZATION" in environ:
        return f"the header Authorization was not looked at: {asked.op} needs the field 'token'"
    return f"{asked.op} needs the field 'token', which login answers with"


def next_steps(asked: Asked, settings: Settings) -> Iterator[str]:
    """What to do after an answer that newcomers take for the end."""
    if asked.op not in ("login", "changenumber") or "console" not in settings.sms_providers:
        return
    if asked.error == "BADCODE":
        yield "codes sent by text are shown at /sandbox; the newest one of a number is the one that counts"
    elif not asked.error and "token" not in asked.answer and settings.texts_codes:
        yield f"codes sent by text are shown at /sandbox; call {asked.op} again with it as 'otp'"

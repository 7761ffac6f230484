"""From the bytes of a request, in any of the accepted encodings, to an `ApiRequest`.

The encoding is decided by looking at the body, whatever its label: the iOS app posts JSON without saying so,
others call a form JSON, or Latin letters UTF-8. Form, multipart, JSON and query fields name the same things;
the body wins over the query.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import msgspec
from werkzeug import Request
from werkzeug.http import parse_options_header

from messenger_api.domain.encodings import OBJECT, WESTERN, WIDE, from_json, in_utf8, known, text
from messenger_api.domain.errors import BadValue
from messenger_api.domain.network import network_of
from messenger_api.ops.call import ApiRequest, UploadedFile
from messenger_api.settings import Settings
from messenger_api.transport.bodies import MAX_BODY_BYTES, Body, has_body, unreadable
from messenger_api.transport.multipart import Multipart, boundary_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MAX_FIELDS = 60_000
# The only fields that may be repeated, or have brackets behind their name; of any other the last one counts.
LISTS = frozenset({"phones", "m"})
BRACKETS = "[]"
_BRACKETED = frozenset(name + BRACKETS for name in LISTS)
# An op that is longer exists nowhere; so much of it is echoed.
LONGEST_OP = 64
# What an address is made of, and how many a process remembers.
NAMES = ("wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME")
ROOTS_KEPT = 256
MULTIPART = "multipart/"
JSON = "json"
JSON_START = b"{"
DASHES = b"--"
# A longer one is no Content-Type, and would take long to read.
LONGEST_TYPE = 500
_FORM_START = re.compile(rb"\s*[^\s={}\[\]\"<>\x00-\x1f]{1,100}(?:\[\])?=")

Fields = dict[str, object]


def read(environ: WSGIEnvironment, settings: Settings) -> ApiRequest:
    """Read a request.

    Raises:
        BadValue: the body cannot be read.
        TooLarge: it is longer than accepted.
    """
    fields, file = _in_address(environ), None
    if has_body(environ):
        body, file = _read_body(environ, settings)
        fields = {**fields, **body} if fields else body
    return ApiRequest(
        op=_op(fields.get("op", "")),
        fields=fields,
        file=file,
        accept_language=environ.get("HTTP_ACCEPT_LANGUAGE", ""),
        root=lambda: _root(*map(environ.get, NAMES)),
        network=network_of(environ.get("REMOTE_ADDR", "")),
        user_agent=environ.get("HTTP_USER_AGENT", ""),
    )


@lru_cache(maxsize=ROOTS_KEPT)
def _root(*values: str | None) -> str:
    """The address that the app knows, by the values of `NAMES`. Apps know one or two."""
    present = {name: value for name, value in zip(NAMES, values, strict=True) if value is not None}
    return Request(present).url_root.rstrip("/")


def op_in_address(environ: WSGIEnvironment) -> str:
    """The op that the query names: all that is known of a request whose body cannot be read."""
    return _op(_in_address(environ).get("op", ""))


def _in_address(environ: WSGIEnvironment) -> Fields:
    query = environ.get("QUERY_STRING")
    return _form(query.encode("latin-1", "replace"), "") if query else {}


def _op(value: object) -> str:
    if value is None or isinstance(value, (dict, list)):
        raise BadValue(properties=("op",), field="op", wanted="Expected a text")
    return str(value).strip().lower()[:LONGEST_OP]


def _read_body(environ: WSGIEnvironment, settings: Settings) -> tuple[Fields, UploadedFile | None]:
    label = environ.get("CONTENT_TYPE", "")[:LONGEST_TYPE]
    charset = boundary = ""
    if ";" in label:
        label, options = parse_options_header(label)
        charset, boundary = known(options.get("charset", "")), options.get("boundary", "")
    body = Body(environ, settings.max_upload_bytes + MAX_BODY_BYTES)
    start = body.head.lstrip()[:2]
    may_have_parts = start == DASHES or (boundary and start[:1] != JSON_START)
    if may_have_parts and (separator := boundary_of(body.head, boundary)):
        found = Multipart.read(body, separator, charset)
        return _fields(found.pairs), found.file
    return _text_body(body, label, charset), None


def _text_body(body: Body, label: str, charset: str) -> Fields:
    data = in_utf8(body.whole(MAX_BODY_BYTES))
    charset = "" if charset in WIDE else charset  # so it is in UTF-8 by now
    if data.lstrip()[:1] == JSON_START:
        return _json(data, charset)
    label = label.lower()
    if (JSON in label or MULTIPART in label) and data.strip() and not _FORM_START.match(data):
        raise unreadable("it is not a JSON object" if JSON in label else "it is not a form")
    return _form(data, charset)


def _json(data: bytes, charset: str) -> Fields:
    try:
        members = from_json(data, OBJECT)
    except UnicodeDecodeError:
        if charset:
            return _json(text(data, charset).encode(), "")
        raise unreadable("it is not valid JSON") from None
    except (msgspec.DecodeError, RecursionError):
        raise unreadable("it is not valid JSON") from None
    if members.keys().isdisjoint(_BRACKETED):
        return members
    return {field_name(name): value for name, value in members.items()}


def _form(data: bytes, charset: str) -> Fields:
    try:
        return _fields(_pairs(data, charset))
    except ValueError:
        raise unreadable("too many fields") from None


def _pairs(data: bytes, charset: str) -> Iterable[tuple[str, str]]:
    """The names and values of a form. Raises ValueError: there are too many."""
    if charset in ("", WESTERN):
        try:
            return parse_qsl(
                data.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
            )
        except UnicodeDecodeError:
            pass
    # Byte by byte, and then each text by itself.
    plain = parse_qsl(
        data.decode("latin-1"), keep_blank_values=True, encoding="latin-1", max_num_fields=MAX_FIELDS
    )
    return [tuple(text(part.encode("latin-1"), charset) for part in pair) for pair in plain]  # type: ignore[misc]


def _fields(pairs: Iterable[tuple[str, str]]) -> Fields:
    fields: Fields = {}
    lists: dict[str, list[str]] = {}
    for given, value in pairs:
        name = field_name(given)
        if name in LISTS:
            lists.setdefault(name, []).append(value)
        else:
            fields[name] = value
    return {**fields, **lists}


def field_name(given: str) -> str:
    """A field's name, without the brackets that some libraries put behind that of a list."""
    bare = given.removesuffix(BRACKETS)
    return bare if bare in LISTS else given

"""From the bytes of a request, in any of the accepted encodings, to an `ApiRequest`.

The encoding is decided by looking at the body: the iOS app posts JSON without saying so. Form, multipart,
JSON and query fields name the same things; the body wins over the query.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import parse_qsl

import msgspec
from werkzeug import Request

from messenger_api.domain.errors import BadValue, TooLarge
from messenger_api.domain.network import network_of
from messenger_api.ops.call import ApiRequest, UploadedFile
from messenger_api.settings import Settings

# A phone book of the largest accepted size, with room.
MAX_BODY_BYTES = 1024 * 1024
MAX_FIELDS = 60_000
# The only fields that may be repeated; of any other the last one counts.
LISTS = frozenset({"phones", "m"})
# An op that is longer exists nowhere; so much of it is echoed.
LONGEST_OP = 64
# What an address is made of, and how many a process remembers.
NAMES = ("wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME")
ROOTS_KEPT = 256
MULTIPART = "multipart/form-data"
JSON_START = b"{"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read(request: Request, settings: Settings) -> ApiRequest:
    """Read a request.

    Raises:
        BadValue: the body cannot be read.
        TooLarge: it is longer than accepted.
    """
    # What werkzeug makes of these costs as much as the rest of this function.
    environ = request.environ
    multipart = MULTIPART in environ.get("CONTENT_TYPE", "").lower() and request.mimetype == MULTIPART
    _limit(request, settings.max_upload_bytes + MAX_BODY_BYTES if multipart else MAX_BODY_BYTES)
    query = _fields(request.args.items(multi=True)) if environ.get("QUERY_STRING") else {}
    body = _multipart(request) if multipart else _body(request)
    fields = {**query, **body}
    return ApiRequest(
        op=_op(fields.get("op", "")),
        fields=fields,
        file=_file(request) if multipart else None,
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


def op_in_address(request: Request) -> str:
    """The op that the query names: all that is known of a request whose body cannot be read."""
    return _op(request.args.get("op", ""))


def _op(value: object) -> str:
    if value is None or isinstance(value, (dict, list)):
        raise BadValue(properties=("op",), field="op", wanted="Expected a text")
    return str(value).strip().lower()[:LONGEST_OP]


def _limit(request: Request, limit: int) -> None:
    request.max_content_length = limit
    request.max_form_memory_size = MAX_BODY_BYTES
    request.max_form_parts = MAX_FIELDS
    if (request.content_length or 0) > limit:
        raise TooLarge(limit=f"{limit // 1024} KiB")


def _multipart(request: Request) -> dict[str, object]:
    return _fields(request.form.items(multi=True))


def _body(request: Request) -> dict[str, object]:
    data = request.get_data(cache=False).removeprefix(BYTE_ORDER_MARK)
    if data.lstrip().startswith(JSON_START):
        return _json(data)
    if request.is_json and data.strip():
        raise _unreadable("it is not a JSON object")
    try:
        pairs = parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise _unreadable("too many fields") from None
    return _fields(pairs)


def _json(data: bytes) -> dict[str, object]:
    try:
        members = msgspec.json.decode(data, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _unreadable("it is not valid JSON") from None
    return {_name(name): value for name, value in members.items()}


def _unreadable(wanted: str) -> BadValue:
    return BadValue("body_bad", properties=("body",), wanted=wanted)


def _fields(pairs: Iterable[tuple[str, str]]) -> dict[str, object]:
    fields: dict[str, object] = {}
    lists: dict[str, list[str]] = {}
    for given, value in pairs:
        name = _name(given)
        if name in LISTS:
            lists.setdefault(name, []).append(value)
        else:
            fields[name] = value
    return {**fields, **lists}


def _name(given: str) -> str:
    return given.removesuffix("[]")


def _file(request: Request) -> UploadedFile | None:
    for part in request.files.values():
        data = part.read()
        if data or part.filename:
            return UploadedFile(part.filename or "", data)
    return None

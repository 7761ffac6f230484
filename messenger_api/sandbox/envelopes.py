"""Which op a request asks, with which token, in which style: from its path, type, query and body."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qs

from flask import request

from messenger_api.sandbox.asked import is_text
from messenger_api.sandbox.wire import Envelope, RefusedError, Upload

ENVELOPE = frozenset({"op", "token", "id", "key"})
# mesibo's older PHP helper adds `sig=none` to every query; mesibo ignores it.
IGNORED_IN_FORM = frozenset({"sig"})
STRICT_PATHS = ("/backend", "/backend/", "/mesiboapi", "/api.php")
_FORM_PATH = "/api.php"


def strict_envelope(path: str) -> Envelope:
    """The envelope of a request as mesibo documents it: JSON or a form with files is posted to `/backend`,
    flat names to `/api.php`, or anywhere in a query.

    Raises:
        RefusedError: it is none of these, and why.
    """
    if request.method not in ("GET", "POST"):
        raise _refused(f"the method {request.method} is not documented", "POST")
    if path not in STRICT_PATHS:
        raise _refused(f"the path {path} is not documented", " or ".join(STRICT_PATHS))
    if request.mimetype == "multipart/form-data":
        return _multipart()
    if request.method == "GET" or path == _FORM_PATH:
        return envelope_of_form(request.values.to_dict(flat=False))
    body = request.get_data()
    if body and request.mimetype != "application/json":
        raise _refused("Content-Type is not application/json", "Content-Type: application/json")
    return envelope_of_json(body or b"{}", strict=True)


def any_envelope() -> Envelope:
    """The envelope of a request in whatever form: what is in the query counts where the body is silent.

    Raises:
        RefusedError: there is no reading it.
    """
    body, query = request.get_data(), request.args.to_dict(flat=False)
    if request.mimetype == "multipart/form-data":
        return _multipart(query)
    if request.mimetype == "application/json" or body.lstrip().startswith(b"{"):
        found = _json_object(body or b"{}")
        flat = {name: values[0] for name, values in query.items()}
        return _envelope_of({**flat, **found}, strict=False) if found else envelope_of_form(query)
    form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return envelope_of_form({**query, **form})


def envelope_of_json(body: bytes, *, strict: bool) -> Envelope:
    """The envelope of a JSON request.

    Raises:
        RefusedError: the body is not one JSON object, or `op` or `id` have a wrong type.
    """
    return _envelope_of(_json_object(body), strict=strict)


def _json_object(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise _refused("the body is not JSON", "one JSON object") from None
    if not isinstance(found, dict):
        raise _refused("the body is not a JSON object", "one JSON object")
    return found


def _envelope_of(found: Mapping[str, object], *, strict: bool) -> Envelope:
    op = found.get("op", "")
    if not isinstance(op, str) or not is_text(op):
        raise _refused("op is not a text", "op as a text", "op")
    rest = {key: value for key, value in found.items() if key not in ENVELOPE}
    number = _number(found.get("id"), strict=strict)
    return Envelope(op, found.get("token"), number, "json", rest, found.get("key"))


def _number(value: object, *, strict: bool) -> int | None:
    if isinstance(value, str) and not strict and re.fullmatch(r"[0-9]{1,16}", value):
        return int(value)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise _refused("id is not an integer", "id as an integer", "id")
    return value


def envelope_of_form(
    pairs: Mapping[str, list[str]], files: Mapping[str, Upload] | None = None, style: str = "form"
) -> Envelope:
    """The envelope of a request with flat names.

    Raises:
        RefusedError: a field came twice.
    """
    twice = [name for name, values in pairs.items() if len(values) > 1]
    if twice:
        raise _refused("given more than once", "each field once", *twice)
    flat: dict[str, str] = {name: values[0] for name, values in pairs.items()}
    rest = {key: value for key, value in flat.items() if key not in ENVELOPE | IGNORED_IN_FORM}
    fields = {**rest, **(files or {})}
    return Envelope(flat.get("op", ""), flat.get("token"), flat.get("id"), style, fields, flat.get("key"))


def _multipart(query: Mapping[str, list[str]] | None = None) -> Envelope:
    files = {name: Upload(file.filename or "", file.read()) for name, file in request.files.items()}
    pairs = {**(query or {}), **request.form.to_dict(flat=False)}
    # Without a file it is a form, which curl -F and browsers send this way.
    return envelope_of_form(pairs, files, "multipart" if files or query is None else "form")


def _refused(cause: str, wanted: str, *properties: str) -> RefusedError:
    return RefusedError("BADVALUE", 400, cause, list(properties), f"send {wanted}")

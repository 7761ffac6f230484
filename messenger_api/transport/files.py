"""`/files/<name>` and `/files/tn/<name>`: what people uploaded.

Pictures that the server encoded itself are shown; everything else is a download. No answer can run a
script, be taken for another type or act on this site. Whether the files rest in a folder or in a bucket
is no difference: they pass through, a chunk at a time.
"""

from __future__ import annotations

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from messenger_api.domain.errors import TryLater
from messenger_api.storage.files import Entry, FileStore, Found, Opened, Part, presentation
from messenger_api.transport.addresses import AnyPath

SAFETY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    # The web app shows these files from another origin.
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
}

# With one of these headers the answer may be another than the whole file.
CONDITIONS = ("Range", "If-None-Match", "If-Modified-Since", "If-Match")


def files_blueprint(store: FileStore) -> Blueprint:
    """The pages that read from `store`."""
    blueprint = Blueprint("files", __name__, url_prefix="/files")

    @blueprint.after_request
    def add_safety(response: Response) -> Response:
        response.headers.update(SAFETY)
        return response

    blueprint.record_once(AnyPath.let_in)

    @blueprint.get("/<any_path:name>")
    def file(name: str) -> Response:
        return _answer(store.file(name))

    @blueprint.get("/tn/<any_path:name>")
    def thumbnail(name: str) -> Response:
        return _answer(store.thumbnail(name))

    return blueprint


def _answer(entry: Entry | None) -> Response:
    try:
        return (_sent(entry) if entry else None) or _instead(404, "No such file.\n")
    except RequestedRangeNotSatisfiable as refusal:
        return _instead(416, "No such range.\n", {"Content-Range": f"bytes */{refusal.length}"})
    except TryLater as failure:
        return _instead(503, "Try again later.\n", {"Retry-After": str(failure.retry_after)})


def _instead(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    """What is answered in the place of a file, and never kept by a cache."""
    headers = {"Cache-Control": "no-store", **(headers or {})}
    return Response(text, status=status, mimetype="text/plain", headers=headers)


def _sent(entry: Entry) -> Response | None:
    """The answer with the file or what was asked of it; None if there is no such file."""
    if request.method == "GET" and not any(name in request.headers for name in CONDITIONS):
        # The common case asks a bucket once.
        opened = entry.open()
        return opened and _with_body(_described(entry.key, opened.found), opened)
    found = entry.find()
    if found is None:
        return None
    response = _described(entry.key, found)
    response.make_conditional(_environ(entry.key, found.size), accept_ranges=True, complete_length=found.size)
    if request.method == "HEAD" or response.status_code not in (200, 206):
        return response
    opened = entry.open(_part(response))
    return opened and _with_body(response, opened)


def _described(key: str, found: Found) -> Response:
    """An answer with everything but the bytes."""
    served = presentation(key)
    headers = {
        "Content-Type": served.content_type,
        "Content-Disposition": served.disposition,
        "Content-Length": str(found.size),
        "Cache-Control": served.cache_control,
        "Accept-Ranges": "bytes",
    }
    response = Response(headers=headers, direct_passthrough=True)
    response.last_modified = found.written  # type: ignore[assignment] # unix seconds do as well
    # A name never gets other content, so the name itself tells versions apart.
    response.set_etag(key)
    return response


def _part(response: Response) -> Part | None:
    """The part that an answer promises; None for the whole."""
    promised = response.content_range
    if promised.start is None or promised.stop is None:
        return None
    return Part(promised.start, promised.stop)


def _with_body(response: Response, opened: Opened) -> Response:
    response.response = opened.body
    return response


def _environ(tag: str, size: int) -> dict[str, object]:
    """The request's environment, its range set right where Werkzeug departs from RFC 9110, 13 and 14.

    Werkzeug answers 416 to any range that it does not serve. But ranges are for GET alone; several at
    once, or none that can be read, may be ignored and get the whole file; `If-None-Match` comes first;
    and the last N bytes of a shorter file are the whole file.
    """
    environ: dict[str, object] = dict(request.environ)
    wanted = request.range
    one_range = wanted is not None and wanted.units == "bytes" and len(wanted.ranges) == 1
    if not one_range or request.method != "GET" or request.if_none_match.contains_weak(tag):
        environ.pop("HTTP_RANGE", None)
    elif wanted and wanted.ranges[0][0] < -size:
        environ["HTTP_RANGE"] = "bytes=0-"
    return environ

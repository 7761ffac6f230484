"""`/files/<name>` and `/files/tn/<name>`: what people uploaded, served so that it can harm nobody.

Pictures that the server encoded itself are shown; everything else is a download. No answer can run a
script, be taken for another type or act on this site.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.routing import BaseConverter
from werkzeug.utils import send_file
from werkzeug.wrappers import Response as BaseResponse

from messenger_api.storage.files import FileStore

YEAR_SECONDS = 365 * 24 * 3600

SHOWN = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif"}
# Downloads whose type a player needs. Anything else is bytes.
PLAYED = {
    "3gp": "video/3gpp",
    "aac": "audio/aac",
    "amr": "audio/amr",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "m4v": "video/mp4",
    "mkv": "video/x-matroska",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "ogv": "video/ogg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "webm": "video/webm",
}
OPAQUE_TYPE = "application/octet-stream"

SAFETY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    # The web app shows these files from another origin.
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
}


class _AnyName(BaseConverter):
    """Every text, slashes and line ends too, so that odd names get the answer that is given here."""

    regex = r"(?s:.*)"
    part_isolating = False
    # That of Werkzeug's own `path`: tried after everything more exact.
    weight = 200


def files_blueprint(store: FileStore) -> Blueprint:
    """The pages that read from `store`."""
    blueprint = Blueprint("files", __name__, url_prefix="/files")

    @blueprint.after_request
    def add_safety(response: Response) -> Response:
        response.headers.update(SAFETY)
        return response

    @blueprint.record_once
    def add_converter(state: BlueprintSetupState) -> None:
        state.app.url_map.converters["any_name"] = _AnyName

    @blueprint.get("/<any_name:name>")
    def file(name: str) -> BaseResponse:
        return _answer(store.path(name))

    @blueprint.get("/tn/<any_name:name>")
    def thumbnail(name: str) -> BaseResponse:
        return _answer(store.thumbnail_path(name))

    return blueprint


def _answer(path: Path | None) -> BaseResponse:
    try:
        return _not_found() if path is None else _sent(path)
    except FileNotFoundError:  # removed since the store looked
        return _not_found()
    except RequestedRangeNotSatisfiable as refusal:
        headers = {"Content-Range": f"bytes */{refusal.length}", "Cache-Control": "no-store"}
        return Response("No such range.\n", status=416, mimetype="text/plain", headers=headers)


def _not_found() -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response("No such file.\n", status=404, mimetype="text/plain", headers=headers)


def _sent(path: Path) -> BaseResponse:
    extension = path.suffix[1:]
    response = send_file(
        path.absolute(),
        _environ(path),
        mimetype=SHOWN.get(extension) or PLAYED.get(extension, OPAQUE_TYPE),
        as_attachment=extension not in SHOWN,
        # A name never gets other content, so the name itself tells versions apart.
        etag=path.name,
        max_age=YEAR_SECONDS,
        response_class=Response,
    )
    response.cache_control.immutable = True
    return response


def _environ(path: Path) -> dict[str, object]:
    """The request's environment, its range set right where Werkzeug departs from RFC 9110, 13 and 14.

    Werkzeug answers 416 to any range that it does not serve. But ranges are for GET alone; several at
    once, or none that can be read, may be ignored and get the whole file; `If-None-Match` comes first;
    and the last N bytes of a shorter file are the whole file.
    """
    environ: dict[str, object] = dict(request.environ)
    wanted = request.range
    one_range = wanted is not None and wanted.units == "bytes" and len(wanted.ranges) == 1
    if not one_range or request.method != "GET" or request.if_none_match.contains_weak(path.name):
        environ.pop("HTTP_RANGE", None)
    elif wanted and wanted.ranges[0][0] < -path.stat().st_size:
        environ["HTTP_RANGE"] = "bytes=0-"
    return environ

"""`/docs/guide/`: the site that `make docs` builds, or how to build it where it is absent.

The generator's pages have scripts in them. The policy of a page admits those that it has, by their hashes.
"""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from flask import Blueprint, Response, redirect, send_from_directory, url_for
from werkzeug import Response as WerkzeugResponse

from messenger_api.transport.pages import HEADERS, page

SITE = Path(__file__).resolve().parent.parent / "guide"

_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def guide_blueprint() -> Blueprint:
    """The pages of the site."""
    blueprint = Blueprint("guide", __name__, url_prefix="/docs/guide")
    blueprint.add_app_template_global(is_built, "guide_is_built")

    @blueprint.get("")
    def without_slash() -> WerkzeugResponse:
        return redirect(url_for(".start"))

    @blueprint.get("/")
    def start() -> Response:
        return file("index.html") if is_built() else page("guide_absent.html")

    @blueprint.get("/<path:name>")
    def file(name: str) -> Response:
        response = send_from_directory(SITE, name, max_age=0)
        response.headers.update(HEADERS | {"Cache-Control": "no-cache"})
        if name.endswith(".html"):
            response.headers["Content-Security-Policy"] = _policy(SITE / name, response.last_modified)
        return response

    return blueprint


def is_built() -> bool:
    """Whether there is a guide, at this moment: `make docs` needs no restart."""
    return (SITE / "index.html").is_file()


@lru_cache(maxsize=500)
def _policy(file: Path, _written: datetime | None) -> str:
    """What a page may load: what is served here, pictures in its styles, and the scripts in its text."""
    found = {sha256(script).digest() for script in _INLINE_SCRIPT.findall(file.read_bytes())}
    scripts = "".join(f" 'sha256-{b64encode(each).decode()}'" for each in sorted(found))
    return (
        f"default-src 'none'; script-src 'self'{scripts}; worker-src 'self'; connect-src 'self';"
        " style-src 'self'; img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )

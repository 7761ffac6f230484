"""The playground at /playground: pages to try the product in, while the sandbox plays mesibo.

The application registers it with the sandbox's pages alone, and so it is answered to whoever may see those.
A page is a file here with `add(blueprint)`, a template in `templates/playground/` and a line of `PAGES`;
`doors.py` names them in the navigation.
"""

from __future__ import annotations

from flask import Blueprint, Response

from messenger_api.transport.playground import ops, phones
from messenger_api.version import VERSION

PATH = "/playground"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
    "Cross-Origin-Opener-Policy": "same-origin",
}
PAGES = (phones.add, ops.add)


def playground_blueprint() -> Blueprint:
    """The pages below /playground."""
    blueprint = Blueprint("playground", __name__, url_prefix=PATH)
    for add in PAGES:
        add(blueprint)

    @blueprint.after_request
    def protect(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    @blueprint.context_processor
    def shared() -> dict[str, object]:
        return {"version": VERSION}

    return blueprint

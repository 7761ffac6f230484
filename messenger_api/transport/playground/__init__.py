"""The playground at /playground: pages to try the product in, while the sandbox plays mesibo.

The application registers it with the sandbox's pages alone, and so it is answered to whoever may see those.
A page is a file here with `add`, which is called here, and a template in `templates/playground/`;
`doors.py` names them in the navigation.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response

from messenger_api.ops.call import Operation
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


def playground_blueprint(operations: Mapping[str, Operation]) -> Blueprint:
    """The pages below /playground. `operations`: all that may be asked for, by their names on the wire."""
    blueprint = Blueprint("playground", __name__, url_prefix=PATH)
    phones.add(blueprint)
    ops.add(blueprint, operations)

    @blueprint.after_request
    def protect(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    @blueprint.context_processor
    def shared() -> dict[str, object]:
        return {"version": VERSION}

    return blueprint

"""The playground at /playground: pages to try the product in, while the sandbox plays mesibo.

The application registers it with the sandbox's pages alone, and so it is answered to whoever may see those.
A page is a file here with `add(blueprint)` and its template in `templates/playground/`; `TABS` is the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response

from messenger_api.transport.playground import phones
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


@dataclass(frozen=True)
class Tab:
    """A line of the table: the name of a page's first route, its title in the navigation, what adds it."""

    name: str
    title: str
    add: Callable[[Blueprint], None]


TABS = (Tab("phones", "Two phones", phones.add),)
"""In the order of the navigation."""


def playground_blueprint() -> Blueprint:
    """The pages below /playground."""
    blueprint = Blueprint("playground", __name__, url_prefix=PATH)
    for tab in TABS:
        tab.add(blueprint)

    @blueprint.after_request
    def protect(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    @blueprint.context_processor
    def shared() -> dict[str, object]:
        return {"version": VERSION, "tabs": TABS}

    return blueprint

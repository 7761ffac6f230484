"""Which requests are the API's, by their address and method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask.blueprints import BlueprintSetupState
from werkzeug import Request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, Map

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# The name of the API's blueprint.
API = "api"
# Of the paths, the front page's is the API's too.
FRONT = "/"
PATHS = frozenset({FRONT, "/api", "/api.php"})
# Where files are served (transport/files.py).
FILES = "/files/"
# Where providers of texts post receipts, and nobody else anything.
WEBHOOKS = "/sms/"
# Webhooks and machines go by the status; apps read nothing but JSON with status 200.
BY_STATUS = (WEBHOOKS, FILES, "/healthz", "/readyz", "/metrics")
# Of the methods, those that run ops; any other but OPTIONS is answered like a call with no op.
METHODS = frozenset({"GET", "POST"})


class AnyPath(BaseConverter):
    """`<any_path:...>` in a route: every text, slashes and line ends too, after everything more exact."""

    regex = r"(?s:.*)"
    part_isolating = False
    # That of Werkzeug's own `path`.
    weight = 200

    @classmethod
    def let_in(cls, state: BlueprintSetupState) -> None:
        """Have the routes of an application know it, when a blueprint is registered there."""
        state.app.url_map.converters["any_path"] = cls


def is_api(routes: Map, environ: WSGIEnvironment) -> bool:
    """Whether a request is the API's, and no page's."""
    method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO") or FRONT
    if path not in PATHS:
        # An app whose address has a slash too many could not read a page.
        return method in ("POST", "OPTIONS") and is_posted_to_api(routes, path)
    return path != FRONT or method not in ("GET", "HEAD") or not is_browser(Request(environ))


def is_posted_to_api(routes: Map, path: str) -> bool:
    """Whether the API takes what is posted to this path: no page does, and it is no webhook's."""
    if path.startswith(WEBHOOKS):
        return False
    try:
        endpoint, _values = routes.bind("").match(path, "POST")
    except HTTPException:
        return False
    return str(endpoint).partition(".")[0] == API


def is_browser(http: Request) -> bool:
    """Whether somebody looks at the front page: a GET of its address that wants HTML and names no op."""
    return "op" not in http.args and wants_page(http)


def wants_page(http: Request) -> bool:
    """Whether a request comes from a browser's address bar or a link; machines name no HTML."""
    return "text/html" in http.accept_mimetypes.values()

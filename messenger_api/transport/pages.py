"""Pages for people: the front page, which shares its address with the API."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Flask, Response, make_response, render_template, request

from messenger_api.services import Services
from messenger_api.version import VERSION

CONTENT_SECURITY_POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"


def takes_posts(app: Flask) -> Callable[[str], bool]:
    """A function that tells of a path whether a page of this application takes what is posted there."""
    pages = app.url_map.bind("")
    return lambda path: pages.test(path, "POST")


def pages_blueprint(services: Services) -> Blueprint:
    """`/`: the front page. What is no browser was answered before (`transport.api`)."""
    blueprint = Blueprint("pages", __name__)

    @blueprint.route("/")
    def front() -> Response:
        page = render_template(
            "front.html",
            version=VERSION,
            sandbox=services.settings.uses_sandbox,
            base_url=(services.settings.public_url or request.url_root).rstrip("/"),
        )
        response = make_response(page)
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return blueprint

"""The front page, which shares its address with the API (`transport.routes`), and what pages share."""

from __future__ import annotations

import re

from flask import Flask, Response, current_app, render_template, request, send_from_directory
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from messenger_api.doors import show_doors
from messenger_api.services.record import Services
from messenger_api.transport.addresses import wants_page
from messenger_api.version import VERSION

# Nothing comes from elsewhere, and nothing that stands in a page's text is run.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

# The name that Android's emulator has for the machine that it runs on.
EMULATORS_HOST = "10.0.2.2"
_OWN_MACHINE = re.compile(r"^(http://)(localhost|127\.0\.0\.1|\[::1\])(?=:|$)")


def page(template: str, status: int = 200, /, **values: object) -> Response:
    """A page for people, with the policy that all pages have."""
    return _guarded(render_template(template, **values), status)


def not_found(error: NotFound) -> BaseResponse:
    """The answer of an address where there is nothing: a page to browsers, the same whoever answers."""
    if not wants_page(request):
        return error.get_response()
    # Not by `render_template`: the console's own context would make a cookie.
    return _guarded(current_app.jinja_env.get_template("not_found.html").render(), 404)


def _guarded(text: str, status: int) -> Response:
    response = Response(text, status, mimetype="text/html")
    response.headers.update(HEADERS)
    return response


def front_page(services: Services) -> Response:
    """What this address is: for developers, with the sandbox, where to go; for all others, one paragraph."""
    settings = services.settings
    if not settings.uses_sandbox:
        return page("front_public.html")
    base = (settings.public_url or request.url_root).rstrip("/")
    emulator = _OWN_MACHINE.sub(rf"\g<1>{EMULATORS_HOST}", base)
    return page("front.html", version=VERSION, base=base, emulator=emulator, shown=settings.shows_sandbox)


def add_pages(app: Flask) -> None:
    """Give an application the icon where browsers look for it, and the page of a wrong address."""
    show_doors(app)

    @app.get("/favicon.ico")
    def favicon() -> Response:
        return send_from_directory(str(app.static_folder), "favicon.ico", max_age=86_400)

    @app.errorhandler(NotFound)
    def nowhere(error: NotFound) -> BaseResponse:
        return not_found(error)

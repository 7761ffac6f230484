"""The front page, for people; it shares its address with the API (`transport.routes`)."""

from __future__ import annotations

from flask import Response, make_response, render_template, request

from messenger_api.services.record import Services
from messenger_api.version import VERSION

CONTENT_SECURITY_POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"


def front_page(services: Services) -> Response:
    """The page as it is sent; it shows this server's address, and whether the sandbox is in use."""
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

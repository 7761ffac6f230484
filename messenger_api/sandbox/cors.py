"""What a browser asks before a page of another origin may call: the answer of the stand-in for mesibo."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from messenger_api.domain.network import is_loopback


def allow_browsers(routes: Blueprint, methods: list[str], *, everywhere: bool) -> None:
    """Let pages read the answers of these routes, also after a preflight.

    A page of this machine (http://localhost:3000) may always; a page of the internet only `everywhere`: it
    would read the users of whoever opens it while a sandbox runs.
    """

    @routes.after_request
    def allow(response: Response) -> Response:
        origin = request.headers.get("Origin", "")
        response.vary.add("Origin")
        if origin and (everywhere or _is_here(origin)):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
            response.headers["Access-Control-Allow-Headers"] = "Content-Type"
            response.headers["Access-Control-Max-Age"] = "600"
        return response


def _is_here(origin: str) -> bool:
    try:
        host = urlsplit(origin).hostname
    except ValueError:
        return False
    return host is not None and is_loopback(host)

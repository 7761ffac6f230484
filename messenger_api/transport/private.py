"""Who may see figures and details: whoever holds METRICS_TOKEN, or else this machine alone."""

from __future__ import annotations

import hmac

from flask import request

from messenger_api.guard import comes_from_here
from messenger_api.settings import Settings


def may_see_figures(settings: Settings) -> bool:
    """Whether this request's sender may."""
    if not settings.metrics_token:
        # Not through a proxy on this machine, be it configured or not.
        return comes_from_here(request.environ, settings.trusted_proxy_header)
    given = request.headers.get("Authorization", "").encode("utf-8", "replace")
    return hmac.compare_digest(given, f"Bearer {settings.metrics_token}".encode())

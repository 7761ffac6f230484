"""Who makes a request of the console: its cookie, and the token that each form carries."""

from __future__ import annotations

import secrets

from flask import Response, g, request

from messenger_api.domain.network import network_of
from messenger_api.domain.secrets import same
from messenger_api.services.operator.admin_sessions import AdminSessions, SignedIn

FORM_FIELD = "form_token"
# What the page's own script sends: a page that refreshes itself does not keep a session alive.
LIVE_HEADER = "X-Live"
PATH = "/admin"
COOKIE_BYTES = 32


def cookie_name() -> str:
    """Where it comes by https, only this very host can have set it (RFC 6265bis, 4.1.3.2)."""
    return "__Host-messenger-admin" if request.is_secure else "messenger-admin"


def cookie() -> str:
    """The value that the browser sent; "" if none."""
    return request.cookies.get(cookie_name(), "")


def network() -> str:
    """The network that tries are counted for."""
    return network_of(request.remote_addr or "")


def signed_in() -> SignedIn:
    """Who makes this request; only behind `identify`."""
    found: SignedIn = g.administrator
    return found


def identify(sessions: AdminSessions) -> bool:
    """Find out who makes this request. Whether somebody does. Raises TryLater."""
    found = sessions.caller(cookie(), in_use=LIVE_HEADER not in request.headers)
    g.administrator = found
    return found is not None


def form_is_ours(sessions: AdminSessions) -> bool:
    """Whether a form was sent by a page that this browser got from here."""
    sent = request.form.get(FORM_FIELD, "")
    return bool(cookie()) and same(sent.encode("utf-8", "replace"), sessions.form_token(cookie()).encode())


def form_token(sessions: AdminSessions) -> str:
    """What the forms of this page carry. Where the browser has no cookie, `keep_cookie` sends it one."""
    g.cookie = cookie() or g.get("cookie") or secrets.token_urlsafe(COOKIE_BYTES)
    return sessions.form_token(g.cookie)


def keep_cookie(response: Response) -> None:
    """Send the cookie that `form_token` or `hand_over` made."""
    value = g.get("cookie", "")
    if value and value != cookie():
        host_only = request.is_secure
        response.set_cookie(
            cookie_name(),
            value,
            path="/" if host_only else PATH,
            secure=host_only,
            httponly=True,
            samesite="Strict",
        )


def hand_over(token: str) -> None:
    """Give the browser the cookie of a session that was just opened, in the place of any before."""
    g.cookie = token


def forget_cookie(response: Response) -> None:
    """Have the browser forget the cookie."""
    response.delete_cookie(
        cookie_name(),
        path="/" if request.is_secure else PATH,
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )

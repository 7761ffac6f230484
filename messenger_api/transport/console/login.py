"""Logging in and out: one form for name, password and code, so that no answer tells which was wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from messenger_api.domain.errors import TooMany
from messenger_api.gateways.login import Unavailable
from messenger_api.services.operator.admin_sessions import NotAdmitted
from messenger_api.transport.console import access

if TYPE_CHECKING:
    from messenger_api.services.operator.console import Console

NAME = "console.login"
# What a form says that came from an old page, or from another site's.
STALE = "This page was too old. Try once more."
WRONG = "Name, password and code do not fit together, or the code was used already."


def login_screen(url: str = "") -> Response:
    """The page to log in, which leads on to the address that was asked for."""
    return make_response(render_template("console/login.html", to=_within(url), said=""))


def add_login(blueprint: Blueprint, console: Console) -> None:
    """The routes of logging in and out."""

    @blueprint.get("/login")
    def login() -> Response:
        return login_screen()

    @blueprint.post("/login")
    def log_in() -> BaseResponse:
        form, to = request.form, _within(request.form.get("to", ""))
        if not access.form_is_ours(console.sessions):
            return _again(STALE, to, 403)
        try:
            proofs = (form.get("name", ""), form.get("password", ""), form.get("code", ""))
            token = console.sessions.log_in(*proofs, access.network())
        except NotAdmitted:
            return _again(WRONG, to, 403)
        except TooMany as refusal:
            answer = _again("Too many tries. Wait a little.", to, 429)
            answer.headers["Retry-After"] = str(refusal.retry_after)
            return answer
        except Unavailable:
            return _again("Too many log in at this moment. Try once more.", to, 503)
        access.hand_over(token)
        return redirect(to or url_for("console.overview"), 303)

    @blueprint.post("/logout")
    def log_out() -> BaseResponse:
        console.sessions.log_out(access.signed_in(), access.cookie())
        answer = redirect(url_for(NAME), 303)
        access.forget_cookie(answer)  # type: ignore[arg-type]
        return answer


def _again(said: str, to: str, status: int) -> Response:
    return make_response(render_template("console/login.html", to=to, said=said), status)


def _within(url: str) -> str:
    """An address of the console, never another site's; "" for any other."""
    ours = url.startswith(f"{access.PATH}/") or url == access.PATH
    return url if ours and "//" not in url and "\\" not in url and url.isprintable() else ""

"""The table of screens, and the blueprint that holds them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from flask import Blueprint, Response, abort, g, make_response, render_template, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from messenger_api.domain.address import masked_address
from messenger_api.domain.administrators import Role
from messenger_api.domain.errors import TryLater
from messenger_api.services.operator.acts import NoSuchUser
from messenger_api.services.operator.console import Console
from messenger_api.transport.console import (
    access,
    audit,
    groups,
    money,
    outbox,
    overview,
    reports,
    search,
    settings,
    texts,
    users,
)
from messenger_api.transport.console.login import NAME, add_login, login_screen
from messenger_api.transport.console.notices import notice
from messenger_api.transport.console.pages import Pages
from messenger_api.transport.pages import HEADERS as PAGE_HEADERS
from messenger_api.transport.pages import not_found
from messenger_api.version import VERSION

HEADERS = {**PAGE_HEADERS, "Cross-Origin-Opener-Policy": "same-origin"}
# What whoever is not logged in may ask for.
OPEN = {NAME, "console.log_in"}


@dataclass(frozen=True)
class Screen:
    """A line of the table: the name of its first route, its title in the navigation, who sees it there."""

    name: str
    title: str
    add: Callable[[Pages], None]
    role: Role = Role.LOOK


SCREENS = (
    Screen("overview", "Overview", overview.add),
    Screen("users", "Users", users.add),
    Screen("groups", "Groups", groups.add),
    Screen("reports", "Reports", reports.add),
    Screen("texts", "Texts", texts.add),
    Screen("money", "Money and limits", money.add),
    Screen("outbox", "Outbox", outbox.add),
    Screen("audit", "Audit", audit.add, Role.OPERATE),
    Screen("settings", "Settings", settings.add, Role.OPERATE),
)
"""In the order of the navigation."""


def console_blueprint(console: Console) -> Blueprint:
    """The pages below /admin."""
    blueprint = Blueprint("console", __name__, url_prefix=access.PATH)
    add_login(blueprint, console)
    pages = Pages(blueprint, console)
    for screen in SCREENS:
        screen.add(pages)
    search.add(pages)
    _guard(blueprint, console)
    _tell(blueprint)
    _dress(blueprint, console)
    return blueprint


def _guard(blueprint: Blueprint, console: Console) -> None:
    """Off until there is an administrator; then for those who are logged in, and forms of our own pages."""

    @blueprint.before_request
    def let_in() -> Response | None:
        if not console.administrators.exist():
            abort(404)
        known, looks = access.identify(console.sessions), request.method == "GET"
        if request.endpoint in OPEN:
            return None
        if not known:
            return login_screen(request.full_path.rstrip("?") if looks else "")
        if looks or access.form_is_ours(console.sessions):
            return None
        return make_response(render_template("console/stale.html"), 403)

    @blueprint.get("/<path:elsewhere>")
    def nowhere(elsewhere: str) -> NoReturn:
        abort(404)

    @blueprint.after_request
    def protect(response: Response) -> Response:
        response.headers.update(HEADERS)
        access.keep_cookie(response)
        return response


def _tell(blueprint: Blueprint) -> None:
    """What is answered where there is no page."""

    @blueprint.errorhandler(NoSuchUser)
    def gone(_error: NoSuchUser) -> Response:
        return make_response(render_template("console/nothing.html"), 404)

    @blueprint.errorhandler(NotFound)
    def nothing(error: NotFound) -> BaseResponse:
        if g.get("administrator") is None:
            return not_found(error)
        return make_response(render_template("console/nothing.html"), 404)

    @blueprint.errorhandler(TryLater)
    def away(failure: TryLater) -> Response:
        answer = Response("The database does not answer. Try again later.\n", 503, mimetype="text/plain")
        answer.headers["Retry-After"] = str(failure.retry_after)
        return answer

    @blueprint.errorhandler(ImportError)
    def incomplete(_error: ImportError) -> Response:
        return Response("The console needs: pip install '.[console]'\n", 503, mimetype="text/plain")


def _dress(blueprint: Blueprint, console: Console) -> None:
    """What all templates have."""

    @blueprint.context_processor
    def shared() -> dict[str, object]:
        me = g.get("administrator")
        administrators = console.administrators.every() if me else []
        return {
            "version": VERSION,
            "me": me,
            "Role": Role,
            "screens": [screen for screen in SCREENS if me and me.role >= screen.role],
            "form_token": access.form_token(console.sessions),
            "notice": notice(),
            "number": _number,
            "names": {console.audit.name_of(each.name): each.name for each in administrators} if me else {},
        }

    blueprint.add_app_template_filter(_moment, "moment")
    blueprint.add_app_template_filter(_moment_iso, "moment_iso")
    blueprint.add_app_template_filter(_words, "event_words")


def _number(address: str, uid: int = 0) -> str:
    """A number as this session may see it: whole where it was revealed."""
    return address if uid and g.administrator.revealed == uid else masked_address(address)


def _words(event: str) -> str:
    """The name of an event in words: "UserDeleted" is "User deleted"."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", event).capitalize()


def _moment(second: int) -> str:
    """A unix second for people, in UTC."""
    return f"{dt.datetime.fromtimestamp(second, dt.UTC):%Y-%m-%d %H:%M}"


def _moment_iso(second: int) -> str:
    return f"{dt.datetime.fromtimestamp(second, dt.UTC):%Y-%m-%dT%H:%M:%SZ}"

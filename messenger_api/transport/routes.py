"""The API's addresses as routes of the Flask application, and the short way past them.

Both ways end in `transport.api.Api`. What `shortcut` saves are the contexts of Flask, its look-up of the
address and its response; hooks see no call that takes the short way.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import structlog
from flask import Blueprint, Flask, Response, current_app, got_request_exception, request
from werkzeug.datastructures import Headers, ImmutableDict
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from messenger_api.domain.errors import TryLater
from messenger_api.services.record import Services
from messenger_api.transport.addresses import (
    API,
    FRONT,
    PATHS,
    AnyPath,
    is_api,
    is_posted_to_api,
)
from messenger_api.transport.api import Api
from messenger_api.transport.envelope import Reply
from messenger_api.transport.pages import front_page

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger(__name__)

# The methods of the API's own addresses; any other is answered in front of Flask, which has to know them all.
_ROUTED = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# Those of all other addresses.
_POSTED = ("POST", "OPTIONS")


class Application(Flask):
    """Flask, where OPTIONS of a page that takes no POST reaches the routes of the API."""

    default_config = ImmutableDict({**Flask.default_config, "PROVIDE_AUTOMATIC_OPTIONS": False})


class ApiResponse(Response):
    """A `Reply` as Flask's response."""

    default_mimetype = None

    @classmethod
    def of(cls, reply: Reply) -> ApiResponse:
        """The response with its status, headers and body, and nothing else."""
        return cls(reply.body or None, status=reply.status, headers=list(reply.headers))

    def get_wsgi_headers(self, _environ: WSGIEnvironment) -> Headers:
        """The headers as they are: there is no address in them to complete, and the length is known."""
        return self.headers


def api_blueprint(api: Api, services: Services) -> Blueprint:
    """The API's routes: its own addresses, and whatever is posted where no page takes it."""
    blueprint = Blueprint(API, __name__)

    blueprint.record_once(AnyPath.let_in)

    def call() -> Response:
        return _reply_in_flask(api)

    def front() -> Response:
        return call() if is_api(current_app.url_map, request.environ) else front_page(services)

    def elsewhere(path: str) -> Response:
        if is_posted_to_api(current_app.url_map, f"/{path}"):
            return call()
        if request.method == "OPTIONS":
            return current_app.make_default_options_response()
        return current_app.make_response(NotFound().get_response())

    @blueprint.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        """Answer what a hook or the front page raised."""
        return _reply_in_flask(api, error)

    @blueprint.app_errorhandler(MethodNotAllowed)
    def other_method(error: MethodNotAllowed) -> Any:
        """404 where there is nothing but `elsewhere`."""
        if set(error.valid_methods or ()) == set(_POSTED):
            return current_app.handle_user_exception(NotFound())
        return error

    blueprint.add_url_rule(FRONT, view_func=front, methods=_ROUTED)
    for path in sorted(PATHS - {FRONT}):
        blueprint.add_url_rule(path, view_func=call, methods=_ROUTED)
    blueprint.add_url_rule("/<any_path:path>", view_func=elsewhere, methods=_POSTED)
    return blueprint


def always_answered(app: Flask, api: Api) -> WSGIApplication:
    """Flask as WSGI, where a call of the API has its answer whatever hooks raise and whatever its method is.

    Flask lets out what `teardown_request` raises, and with `TESTING` or `DEBUG` what `after_request` does.
    """
    flask, routes = app.wsgi_app, app.url_map

    def answering(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["PATH_INFO"] = environ.get("PATH_INFO") or FRONT
        if not is_api(routes, environ):
            return flask(environ, start_response)
        if environ["REQUEST_METHOD"] not in _ROUTED:
            return api.respond(environ).send(environ, start_response)
        begun = _Begun()
        try:
            pieces = flask(environ, begun)
        except Exception as error:  # noqa: BLE001 - `Api.respond` logs it
            return _reply(api, environ, error).send(environ, start_response)
        start_response(begun.status, begun.headers)
        return pieces

    return answering


class _Begun:
    """The `start_response` of a request that may yet be answered otherwise."""

    status: str
    headers: list[tuple[str, str]]

    def __call__(
        self, status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None
    ) -> Callable[[bytes], object]:
        self.status, self.headers = status, headers
        return io.BytesIO().write  # Flask writes nothing there


def shortcut(served: WSGIApplication, app: Flask, api: Api) -> WSGIApplication:
    """The same application, where a call of the API does not go through Flask (`API_SHORTCUT`)."""
    routes, looked = app.url_map, False

    def answering(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        nonlocal looked
        if not looked:
            looked = True
            _warn_of_hooks(app)
        if is_api(routes, environ):
            return api.respond(environ).send(environ, start_response)
        return served(environ, start_response)

    return answering


def _warn_of_hooks(app: Flask) -> None:
    """Say that hooks for the whole application see no call of the API."""
    if any(hooks.get(None) for hooks in (app.before_request_funcs, app.after_request_funcs)):
        log.warning(
            "api.hooks_passed_by",
            what="before_request and after_request see no call of the API",
            to_do="API_SHORTCUT = False, if they shall",
        )


def _reply_in_flask(api: Api, raised: Exception | None = None) -> ApiResponse:
    """The answer to Flask's request; who listens to Flask for exceptions hears of a fault."""
    reply = _reply(api, request.environ, raised)
    if reply.fault and not hasattr(raised, "original_exception"):  # of those, Flask has told
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        got_request_exception.send(app, exception=reply.fault)
    return ApiResponse.of(reply)


def _reply(api: Api, environ: WSGIEnvironment, raised: Exception | None) -> Reply:
    """The answer to a request whose body a hook may have read.

    Args:
        api: what answers.
        environ: the request.
        raised: what a hook raised. `abort` of any status is TRYLATER without being a fault of ours.
    """
    if environ["wsgi.input"].seekable():
        environ["wsgi.input"].seek(0)
    cause = getattr(raised, "original_exception", None) or raised
    return api.respond(environ, TryLater() if isinstance(cause, HTTPException) else cause)

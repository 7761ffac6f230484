"""What the sandbox shows: a page for people and the same as JSON for scripts, newest first."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from messenger_api.mesibo.specification import operations
from messenger_api.sandbox.asked import ID, after, limit
from messenger_api.sandbox.controls import add_controls, held
from messenger_api.sandbox.faults import Faults
from messenger_api.sandbox.phones import add_phones
from messenger_api.sandbox.records import Group, Message, User
from messenger_api.sandbox.store import SandboxStore

API = "/api.php"
# The first call a newcomer makes: asks for a code, which then shows on the page.
LOGIN = f"{API}?op=login&phone=14155550123&appid=com.example.messenger"
SHOWN = 50
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_JPEG = b"\xff\xd8\xff"


def _nothing_more() -> None:
    """What a reset forgets beside the sandbox's memory where no product stands beside it."""


def sandbox_pages(
    store: SandboxStore,
    *,
    api: str = API,
    first_call: str = LOGIN,
    forget: Callable[[], None] = _nothing_more,
) -> Blueprint:
    """Routes below `/sandbox`: the page, its data as JSON, and what tests set.

    Args:
        store: what is shown.
        api: where the page logs users in, "" where no private API stands beside it.
        first_call: path and query of the call that the empty page proposes.
        forget: what a product beside it forgets at a reset.
    """
    pages = Blueprint(
        "sandbox",
        __name__,
        url_prefix="/sandbox",
        template_folder="templates",
    )

    @pages.after_request
    def guard(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-cache"
        return response

    @pages.get("")
    def show() -> str:
        return render_template("sandbox.html", api=api, first_call=request.host_url.rstrip("/") + first_call)

    _add_lists(pages, store)
    add_controls(pages, store, forget)
    add_phones(pages, store)
    return pages


def _add_lists(pages: Blueprint, store: SandboxStore) -> None:
    @pages.get("/sms.json")
    def sms() -> Response:
        return jsonify(sms=list(map(dataclasses.asdict, store.texts(limit(), after()))))

    @pages.get("/messages.json")
    def messages() -> Response:
        return jsonify(messages=[_message(message) for message in store.messages(limit(), after())])

    @pages.get("/users.json")
    def users() -> Response:
        return jsonify(users=[_user(store, user) for user in store.users(limit=limit())])

    @pages.get("/groups.json")
    def groups() -> Response:
        return jsonify(groups=[_group(group) for group in store.groups(limit=limit())])

    @pages.get("/calls.json")
    def calls() -> Response:
        found = store.calls(limit(), after())
        return jsonify(calls=[{"id": number, **dataclasses.asdict(call)} for number, call in found])

    @pages.get("/app.json")
    def app() -> Response:
        return jsonify(_app(store))

    @pages.get("/state.json")
    def state() -> BaseResponse:
        # The page asks every second; an ETag spares it all but the changes.
        answer = jsonify(_state(store))
        answer.add_etag()
        return answer.make_conditional(request)

    @pages.get(f"/thumbnails/{ID}.jpg")
    def thumbnail(number: int) -> Response:
        found = _thumbnail(store.message(number))
        if found is None:
            abort(404)
        return Response(found, mimetype="image/jpeg")


def _state(store: SandboxStore) -> dict[str, Any]:
    return {
        "sms": list(map(dataclasses.asdict, store.texts(SHOWN))),
        "messages": [_brief(message) for message in store.messages(SHOWN)],
        "users": [_user(store, user) for user in store.users(limit=SHOWN)],
        "groups": [_group(group) for group in store.groups(limit=SHOWN)],
        "faults": held(Faults(store)),
    }


def _user(store: SandboxStore, user: User) -> dict[str, Any]:
    appids = sorted({token.appid for token in store.tokens(user.address)})
    return {**dataclasses.asdict(user), "appids": appids}


def _group(group: Group) -> dict[str, Any]:
    return dataclasses.asdict(group)


def _app(store: SandboxStore) -> dict[str, Any]:
    """What the app was told, without its secrets and the tokens of other apps."""
    app, fields = store.app(), operations()["appset"].fields
    secret = {name for name, field in fields.items() if field.secret}
    return {
        "name": app.name,
        "settings": {name: "***" if name in secret else value for name, value in app.settings.items()},
        "apps": [other.name for other in store.added_apps()],
        "credentials": list(map(dataclasses.asdict, store.credentials())),
        "scripts": list(map(dataclasses.asdict, store.scripts())),
        "access": [{"id": access.id, **access.fields} for access in store.access()],
        "otps": store.otps(),
        "time": store.now(),
    }


def _message(message: Message) -> dict[str, Any]:
    found = dataclasses.asdict(message)
    return {"from": found.pop("sender"), **found}


def _brief(message: Message) -> dict[str, Any]:
    """A message as the page needs it: its JSON parsed, the picture by its address."""
    content = _parsed(message.text)
    if content is None:
        return {**_message(message), "content": None}
    if content.pop("tn", ""):
        content["tn"] = url_for("sandbox.thumbnail", number=message.mid)
    return {**_message(message), "text": "", "content": content}


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _thumbnail(message: Message | None) -> bytes | None:
    content = _parsed(message.text) if message else None
    try:
        found = base64.b64decode(str((content or {}).get("tn", "")), validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if found.startswith(_JPEG) else None

"""What a phone asks of mesibo once its user is logged in: to send, to fetch and to say what was read.

mesibo's own apps do this by its SDK, whose protocol is not public. This is the same over HTTP, for tests and
for pages: JSON, with the user's token as `Authorization: Bearer`. As mesibo's backend API does, it answers
HTTP 200 and one JSON object, with `result` false and an `error` where it refuses.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, jsonify, request

from messenger_api.sandbox.answers_messages import reached, stores
from messenger_api.sandbox.asked import after, is_id, is_text
from messenger_api.sandbox.faults import Faults, play
from messenger_api.sandbox.groups import YEAR_SECONDS
from messenger_api.sandbox.records import Message
from messenger_api.sandbox.store import SandboxStore

FAULT = "chat"
"""The op of faults that phones meet, and the backend does not."""
LONGEST_TEXT = 4_000
_BEARER = "Bearer "


class _Refused(Exception):
    def __init__(self, error: str, cause: str) -> None:
        super().__init__(error)
        self.error, self.cause = error, cause

    def answer(self) -> Response:
        return jsonify(error=self.error, cause=self.cause, result=False)


def add_phones(pages: Blueprint, store: SandboxStore) -> None:
    """Add `/chat` to the sandbox's pages."""

    def for_users(work: Callable[[str], dict[str, Any]]) -> Callable[[], Response]:
        """A route for whoever has a live token; `work` gets the user's address."""

        @wraps(work)
        def route() -> Response:
            def answer() -> Response:
                try:
                    return jsonify(**work(_user(store)), result=True)
                except _Refused as refusal:
                    return refusal.answer()

            def failed(error: str) -> Response:
                return _Refused(error, "a fault set in the sandbox").answer()

            return play(Faults(store).take(FAULT), answer, failed)

        return route

    @pages.get("/chat")
    @for_users
    def chat(user: str) -> dict[str, Any]:
        found = store.fetch(user, after())
        receipts = map(dataclasses.asdict, store.receipts(user))
        return {"messages": list(map(_shown, found)), "receipts": list(receipts), "time": store.now()}

    @pages.post("/chat")
    @for_users
    def say(user: str) -> dict[str, Any]:
        sent = _send(store, user, request.get_json())
        return {"mid": sent.mid, "time": sent.time}

    @pages.post("/chat/read")
    @for_users
    def read(user: str) -> dict[str, Any]:
        match request.get_json():
            case {"mids": [*mids], **rest} if not rest and all(map(is_id, mids)):
                store.mark_read(user, mids)
                return {}
        raise _Refused("BADVALUE", "mids: a list of whole numbers")


def _user(store: SandboxStore) -> str:
    """The address of the user whose token came."""
    given = request.headers.get("Authorization", "")
    token = store.token(given.removeprefix(_BEARER)) if given.startswith(_BEARER) else None
    if token is None:
        cause = "the user's token is missing, unknown or ended: Authorization: Bearer TOKEN"
        raise _Refused("AUTHFAIL", cause)
    return token.address


def _send(store: SandboxStore, user: str, given: object) -> Message:
    match given:
        case {"text": str(text), "to": str(to), **rest} if not rest:
            _check_text(text)
            if not is_text(to) or store.user(to) is None:
                raise _Refused("BADVALUE", "to: not a user")
            return store.add_message(user, [to], text, expiry=YEAR_SECONDS, reaches=[to])
        case {"text": str(text), "gid": int(gid), **rest} if is_id(gid) and not rest:
            _check_text(text)
            return _send_to_group(store, user, gid, text)
    raise _Refused("BADVALUE", "text, and to (an address) or gid (a number)")


def _send_to_group(store: SandboxStore, user: str, gid: int, text: str) -> Message:
    group = store.group(gid)
    if group is None or not group.active or not group.may_send(user):
        raise _Refused("BADVALUE", "gid: no group that this user may send to")
    to = reached(store, group, user)
    sent = store.add_message(user, [], text, gid=gid, expiry=YEAR_SECONDS, reaches=to, stored=stores(group))
    store.touch_group(gid)
    return sent


def _check_text(text: str) -> None:
    if not 0 < len(text.strip()) <= LONGEST_TEXT or not is_text(text):
        raise _Refused("BADVALUE", f"text: 1 to {LONGEST_TEXT} characters of Unicode")


def _shown(message: Message) -> dict[str, Any]:
    names = ("mid", "gid", "type", "text", "time")
    return {"from": message.sender, **{name: getattr(message, name) for name in names}}

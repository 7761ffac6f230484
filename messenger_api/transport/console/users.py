"""Users: a list, and one with all that is theirs and what may be done about them."""

from __future__ import annotations

from flask import render_template

from messenger_api.domain.administrators import Role
from messenger_api.domain.errors import BadPhone
from messenger_api.services.operator.users import UserPage
from messenger_api.services.operator.why import Explained
from messenger_api.transport.console import access
from messenger_api.transport.console.notices import Notice
from messenger_api.transport.console.pages import (
    Done,
    Pages,
    asked_number,
    me,
    reason,
    shown,
    there,
    typed_name,
)

PAGE = 50
TOLD = 20
BACK = ("user", "uid")


def add(pages: Pages) -> None:
    """Register the screens."""
    users, audit = pages.console.operator.users, pages.console.audit

    @pages.screen("/users", "users")
    def listed() -> str:
        after = asked_number("after")
        page = shown(lambda most: users.page(after=after, limit=most), PAGE)
        return render_template("console/users.html", **page)

    @pages.screen("/users/<id:uid>", "user")
    def user(uid: int) -> str:
        found = there(users.page_of(uid))
        told = audit.page(user=found.user.address, most=TOLD)
        return render_template(
            "console/user.html",
            found=found,
            user=found.user,
            typed=name_to_type(found),
            told=told,
            why=_why(pages, found),
        )

    _reveal(pages)
    _sessions(pages)
    _access(pages)


def _why(pages: Pages, found: UserPage) -> Explained | None:
    """The last 24 hours of a user's codes; None for an address that nobody logs in with any more."""
    try:
        return pages.console.why.of(found.user.address)
    except BadPhone:
        return None


def name_to_type(found: UserPage) -> str:
    """What is typed to delete a user: the name, or, where there is none, the number that they have here."""
    return " ".join(found.user.name.split()) or f"user {found.user.uid}"


def _reveal(pages: Pages) -> None:
    console = pages.console

    @pages.act("/users/<id:uid>/reveal", "reveal", Role.SUPPORT, BACK)
    def reveal(uid: int) -> Notice:
        why, found = reason(), there(console.operator.users.by_uid(uid))
        console.sessions.reveal(access.signed_in(), access.cookie(), uid, found.address, why)
        return Notice.REVEALED


def _sessions(pages: Pages) -> None:
    acts = pages.console.acts

    @pages.act("/users/<id:uid>/sessions/<id:sid>/end", "end_session", Role.SUPPORT, BACK)
    def end_session(uid: int, sid: int) -> Notice:
        acts.end_session(sid, by=me(), reason=reason())
        return Notice.SESSION_ENDED

    @pages.act("/users/<id:uid>/sessions/end", "end_sessions", Role.SUPPORT, BACK)
    def end_sessions(uid: int) -> Notice:
        acts.end_sessions(uid, by=me(), reason=reason())
        return Notice.SESSIONS_ENDED


def _access(pages: Pages) -> None:
    console = pages.console
    acts = console.acts

    @pages.act("/users/<id:uid>/block", "block", Role.OPERATE, BACK)
    def block(uid: int) -> Notice:
        acts.keep_out(uid, by=me(), reason=reason())
        return Notice.BLOCKED

    @pages.act("/users/<id:uid>/unblock", "unblock", Role.OPERATE, BACK)
    def unblock(uid: int) -> Notice:
        acts.let_in(uid, by=me(), reason=reason())
        return Notice.UNBLOCKED

    @pages.act("/users/<id:uid>/delete", "delete_user", Role.OPERATE, BACK, proof=True)
    def delete(uid: int) -> Done:
        typed_name(name_to_type(there(console.operator.users.page_of(uid))))
        done = acts.delete(uid, by=me(), reason=reason())
        return Done.at("users", Notice.DELETED if done else Notice.CLOSED)

"""What all screens share: who may see one, how an act is checked, and where it leads.

A screen is a file here with `add(pages)`, its template in `templates/console/`, and a line in
`screens.SCREENS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import IntegerConverter, Map
from werkzeug.wrappers import Response as BaseResponse

from messenger_api.domain.administrators import Role
from messenger_api.domain.errors import TooMany
from messenger_api.services.operator.admin_sessions import NotAdmitted
from messenger_api.services.operator.console import Console
from messenger_api.services.operator.search import LARGEST_ID
from messenger_api.transport.console.access import network, signed_in
from messenger_api.transport.console.notices import Notice

# Of what is typed beside an act.
LONGEST_REASON = 200


@dataclass(frozen=True)
class Done:
    """Where an act leads: a screen of this name, its values, and what is said there."""

    screen: str
    notice: Notice
    values: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def at(cls, screen: str, notice: Notice, **values: Any) -> Done:
        """The same, with the values of the screen's address by their names."""
        return cls(screen, notice, tuple(values.items()))

    def redirect(self) -> BaseResponse:
        """The answer to the form: the browser asks for the screen (303)."""
        address = url_for(f"console.{self.screen}", **dict(self.values), notice=self.notice.name.lower())
        return redirect(address, 303)


class Refused(Exception):
    """An act that is not done, and what is said of it."""

    def __init__(self, notice: Notice) -> None:
        super().__init__(notice.name)
        self.notice = notice


Screen = Callable[..., str | BaseResponse]
Act = Callable[..., Notice | Done]
T = TypeVar("T")


class Id(IntegerConverter):
    """`<id:...>` in a route: a number that a row can have; there is no page for others."""

    def __init__(self, routes: Map) -> None:
        super().__init__(routes, max=LARGEST_ID)

    @classmethod
    def let_in(cls, state: BlueprintSetupState) -> None:
        """Have the routes of an application know it, when a blueprint is registered there."""
        state.app.url_map.converters["id"] = cls


class Pages:
    """Registers the routes of screens."""

    def __init__(self, blueprint: Blueprint, console: Console) -> None:
        self.console = console
        self._blueprint = blueprint
        blueprint.record_once(Id.let_in)

    def screen(
        self, path: str, name: str, role: Role = Role.LOOK, *, posted: bool = False
    ) -> Callable[[Screen], Screen]:
        """A page to be looked at, by whoever has this role.

        `posted`: it is asked for by a form whose fields are to stand in no address.
        """

        def register(show: Screen) -> Screen:
            self._route(path, name, "POST" if posted else "GET", _for(role, show))
            return show

        return register

    def act(
        self, path: str, name: str, role: Role, back: tuple[str, ...], *, proof: bool = False
    ) -> Callable[[Act], Act]:
        """Something to be done by a form, which then leads to a screen and says what came of it.

        Args:
            path: where the form is sent.
            name: of the route.
            role: who may do it.
            back: the screen that it leads to, and which values of the path its address has.
            proof: whether a code of the authenticator is demanded.
        """

        def register(do: Act) -> Act:
            @wraps(do)
            def checked(**values: object) -> BaseResponse:
                try:
                    if proof:
                        self._prove()
                    done = do(**values)
                except Refused as refusal:
                    done = refusal.notice
                if isinstance(done, Notice):
                    done = Done(back[0], done, tuple((value, values[value]) for value in back[1:]))
                return done.redirect()

            self._route(path, name, "POST", _for(role, checked))
            return do

        return register

    def _route(self, path: str, name: str, method: str, view: Callable[..., str | BaseResponse]) -> None:
        self._blueprint.add_url_rule(path, endpoint=name, view_func=view, methods=[method])

    def _prove(self) -> None:
        try:
            self.console.sessions.prove(signed_in(), request.form.get("code", ""), network())
        except NotAdmitted:
            raise Refused(Notice.WRONG_CODE) from None
        except TooMany:
            raise Refused(Notice.TOO_MANY_TRIES) from None


def _for(role: Role, view: Callable[..., str | BaseResponse]) -> Callable[..., str | BaseResponse]:
    @wraps(view)
    def allowed(**values: object) -> str | BaseResponse:
        return view(**values) if signed_in().role >= role else refused()

    return allowed


def refused() -> Response:
    """The answer to whoever may not do this."""
    return make_response(render_template("console/refused.html"), 403)


def reason() -> str:
    """The reason that was typed, which acts on people need."""
    typed = " ".join(request.form.get("reason", "").split())
    if not typed or len(typed) > LONGEST_REASON:
        raise Refused(Notice.NO_REASON)
    return typed


def typed_name(name: str) -> None:
    """See that the name of what is destroyed was typed. Raises Refused."""
    if request.form.get("typed", "").strip() != name:
        raise Refused(Notice.NOT_TYPED)


def shown(read: Callable[[int], Sequence[T]], most: int) -> dict[str, object]:
    """A page of a list: up to `most` rows, and whether there are more. `read` returns up to so many rows."""
    rows = read(most + 1)
    return {"rows": rows[:most], "more": len(rows) > most}


def asked_number(name: str) -> int:
    """A number of this request's address; 0 for none, or for one that no row can have."""
    found = request.args.get(name, 0, type=int)
    return found if abs(found) <= LARGEST_ID else 0


def there(thing: T | None) -> T:
    """What was looked for; 404 for what is not there."""
    if thing is None:
        abort(404)
    return thing


def me() -> str:
    """The administrator who does it, for the audit."""
    return signed_in().name

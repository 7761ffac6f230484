"""The client of mesibo's backend API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import structlog

from messenger_api.gateways.http import Response, Timeouts
from messenger_api.gateways.mesibo import answers, wire
from messenger_api.gateways.mesibo.answers import Answer, UserToken
from messenger_api.gateways.mesibo.errors import MesiboError, MesiboRefused, MesiboUnreachable
from messenger_api.gateways.mesibo.transport import Transport
from messenger_api.gateways.mesibo.wire import Expiry, Message, Op

log = structlog.get_logger(__name__)

# How long a group may take to be made before nobody notices it any more: the longest that a proxy between
# us and mesibo usually waits.
LATE_SECONDS = 60.0

# One year in minutes, what mesibo's PHP backend asks for and mesibo's own default.
TOKEN_MINUTES = 365 * 24 * 60

# Ten years and one, in seconds. mesibo ends a group after a year unless it is told otherwise (documented).
GROUP_EXPIRY = 315_360_000
GROUP_EXTENSION = 31_536_000

# Answers to `ping` that mean a wrong URL or style: no op, or none that is known, was seen in the request.
PING_FAULTS = frozenset({"MISSINGOP", "BADOP"})
# Refusals of a group that is none, by somebody who serves groups. Which one mesibo uses is inferred.
NO_GROUP = frozenset({"BADVALUE", "MISSINGVALUE", "BADGID", "MISSINGGID", "MISSINGPARAM", "BADPARAM"})

T = TypeVar("T")


class MesiboClient:
    """Calls mesibo's backend API; one object serves any number of threads.

    Every call ends within `timeouts.read` seconds, plus half a second of waiting for its turn when
    `max_calls` are under way. All raise `MesiboUnreachable` and `MesiboRefused`; lists of addresses
    raise ValueError when an address is empty or holds a comma.

    Args:
        url: of the backend API: `https://.../backend`, `.../mesiboapi` on premise, or `.../api.php`.
        app_token: the app's token.
        style: `json`, `form`, or `auto`: by the URL's path.
        timeouts: in seconds.
        max_calls: how many may be under way at once.
        group_expiry: seconds that a group lives; 0 leaves it to mesibo.
        group_extension: seconds by which activity extends that; 0 leaves it to mesibo.
        on_app_token_refused: told of each refusal that is about the app token, before it is raised.
    """

    def __init__(
        self,
        url: str,
        app_token: str,
        *,
        style: str = "auto",
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - frozen
        max_calls: int = 16,
        group_expiry: int = GROUP_EXPIRY,
        group_extension: int = GROUP_EXTENSION,
        on_app_token_refused: Callable[[MesiboRefused], None] = lambda refusal: None,
    ) -> None:
        expiry = {wire.EXPIRY: group_expiry, wire.EXTENSION: group_extension}
        self._expiry = {name: seconds for name, seconds in expiry.items() if seconds}
        self._style = wire.style_of(url, style)
        self._app_token = app_token
        self._transport = Transport(url, timeouts, max_calls)
        self._on_app_token_refused = on_app_token_refused

    def add_user(self, address: str, *, appid: str, name: str = "", expiry: int = TOKEN_MINUTES) -> UserToken:
        """Make the user unless known, and a token for the app id. `expiry` is in minutes."""
        return self._call(wire.useradd(address, appid, name, expiry), answers.user_token)

    def delete_token(self, address: str, *, uid: int | None, appid: str) -> None:
        """End the user's token for this app id; the user stays and gets messages at the next login."""
        self._call(wire.delete_token(address, uid, appid), answers.nothing)

    def delete_user(self, address: str, *, uid: int | None) -> None:
        """Delete the user."""
        self._call(wire.userdel(address, uid), answers.nothing)

    def add_group(
        self, name: str, members: Sequence[str], *, on_late: Callable[[int], None] | None = None
    ) -> int:
        """Make a group and return its gid.

        When the answer comes only after this method raised MesiboUnreachable, `on_late` gets the gid of
        the group that nobody knows of, so that it can be deleted: called from another thread, up to
        `LATE_SECONDS` after the call began.
        """

        def late(response: Response) -> None:
            if on_late:
                self._late_group(response, on_late)

        def make(expiry: Expiry) -> int:
            op = wire.groupadd(name, members, expiry)
            patience = LATE_SECONDS if on_late else 0.0
            return self._call(op, answers.group_id, patience=patience, on_late=late if on_late else None)

        return self._with_expiry(make)

    def set_group(self, gid: int, name: str, members: Sequence[str] = ()) -> None:
        """Name the group anew, and hand mesibo its members unless the list is empty."""
        self._with_expiry(
            lambda expiry: self._call(wire.groupset(gid, name, members, expiry), answers.nothing)
        )

    def _with_expiry(self, call: Callable[[Expiry], T]) -> T:
        """Make a call that says how long a group lives; without what mesibo does not take of that, from then
        on: two of its names are inferred."""
        while True:
            expiry = self._expiry
            try:
                return call(expiry)
            except MesiboRefused as refusal:
                taken = {name: seconds for name, seconds in expiry.items() if not refusal.names(name)}
                if taken == expiry:
                    raise
                self._expiry = taken
                log.warning("mesibo_group_life", refused=sorted(set(expiry).difference(taken)))

    def edit_members(self, gid: int, members: Sequence[str], *, remove: bool = False) -> None:
        """Add members to the group, or remove them. mesibo refuses addresses that it does not know."""
        self._call(wire.groupeditmembers(gid, members, remove=remove), answers.nothing)

    def delete_group(self, gid: int) -> None:
        """Delete the group."""
        self._call(wire.groupdel(gid), answers.nothing)

    def groups_named(self, name: str) -> list[int]:
        """The gids of groups of exactly this name: 20 are looked at, for mesibo documents no way to ask for
        more. Only a backend API on one's own premises answers this (documented).

        Raises:
            MesiboUnreachable: also, as `too many`, where 20 were found, for there may be others.
        """
        found = self._call(wire.groupsget(name), answers.groups)
        if len(found) >= wire.ITEMS_PER_CALL:
            raise MesiboUnreachable("too many")
        return [gid for gid, named in found if named == name]

    def group_members(self, gid: int) -> list[str]:
        """Addresses of the group's members: 20 at most, for mesibo documents no way to ask for more."""
        return self._call(wire.groupgetmembers(gid), answers.addresses)

    def send_message(self, message: Message) -> int:
        """Send a message and return mesibo's number of it, 0 when the answer has none.

        Raises:
            ValueError: nobody to send it to.
        """
        if not message.to:
            raise ValueError("a message needs a recipient")
        return self._call(wire.message(message), answers.message_id)

    def size(self, message: Message) -> int:
        """Bytes of the request body that this message makes."""
        return len(self._encoded(wire.message(message)))

    def fits(self, message: Message, limit: int) -> bool:
        """Whether the message's request body is at most `limit` bytes (8192 on a stock on-premise nginx)."""
        return self.size(message) <= limit

    def ping(self) -> None:
        """Prove URL, style and app token with a real call that changes nothing.

        A `useradd` without a user: mesibo refuses a wrong token with AUTHFAIL or 401, and with a right one
        the missing user (400, seen in public probes of 2026), which is the answer hoped for.

        Raises:
            MesiboRefused: the app token is not valid, or the request was not understood.
            MesiboUnreachable: no usable answer.
        """
        with self._logged("ping"):
            try:
                self._answer(wire.probe())
            except MesiboRefused as refusal:
                if refusal.about_app_token or refusal.error in PING_FAULTS:
                    raise

    def refusal_of_groups(self) -> MesiboRefused | None:
        """Why groups are not served; None when they are. To an app on premise, mesibo's own hosts answer
        useradd, userset and usertoken alone (documented), so that people log in and groups fail.

        Asks for the members of a group that is none, which changes nothing.

        Raises:
            MesiboUnreachable: no usable answer.
        """
        with self._logged("groupgetmembers"):
            try:
                self._answer(wire.groupgetmembers(0))
            except MesiboRefused as refusal:
                return None if refusal.is_not_there or refusal.error in NO_GROUP else refusal
        return None

    def close(self) -> None:
        """Close idle connections, at once. A late group may still be reported afterwards."""
        self._transport.close()

    def _call(
        self,
        op: Op,
        read: Callable[[Answer], T],
        *,
        patience: float = 0.0,
        on_late: Callable[[Response], None] | None = None,
    ) -> T:
        with self._logged(op.name):
            return read(self._answer(op, patience, on_late))

    def _answer(
        self, op: Op, patience: float = 0.0, on_late: Callable[[Response], None] | None = None
    ) -> Answer:
        if not self._app_token:  # nobody is asked on nobody's behalf; what waits for mesibo goes on waiting
            raise MesiboUnreachable("MESIBO_APP_TOKEN is not set")
        content_type = wire.CONTENT_TYPES[self._style]
        response = self._transport.post(
            op.name, content_type, self._encoded(op), patience=patience, on_late=on_late
        )
        return self._decoded(op.name, response)

    def _logged(self, op: str) -> AbstractContextManager[None]:
        return _logged(op, self._on_app_token_refused)

    def _encoded(self, op: Op) -> bytes:
        return wire.encode(op, self._style, self._app_token)

    def _decoded(self, op: str, response: Response) -> Answer:
        return answers.decode(op, response.status, response.body, self._app_token)

    def _late_group(self, response: Response, on_late: Callable[[int], None]) -> None:
        try:
            gid = answers.group_id(self._decoded("groupadd", response))
        except MesiboError:
            return  # no group was made
        log.warning("mesibo_late_group", gid=gid)
        try:  # whatever it raises: there is nobody above this thread
            on_late(gid)
        except Exception:
            log.exception("mesibo_late_group_kept", gid=gid)


@contextmanager
def _logged(op: str, on_app_token_refused: Callable[[MesiboRefused], None]) -> Iterator[None]:
    """One line for a call: op, seconds, outcome. Never what was in it."""
    began = time.monotonic()

    def seconds() -> float:
        return round(time.monotonic() - began, 3)

    try:
        yield
    except MesiboUnreachable as error:
        log.warning(
            "mesibo_call",
            op=op,
            seconds=seconds(),
            outcome="unreachable",
            reason=f"{error.reason} ({error.detail})" if error.detail else error.reason,
            maybe_done=error.maybe_done,
        )
        raise
    except MesiboRefused as error:
        log.warning(
            "mesibo_call", op=op, seconds=seconds(), outcome="refused", error=error.label, code=error.code
        )
        if error.about_app_token:
            on_app_token_refused(error)
        raise
    log.debug("mesibo_call", op=op, seconds=seconds(), outcome="ok")

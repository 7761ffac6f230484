"""What the product asks of mesibo: users' tokens, groups, and messages in users' names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from messenger_api import mesibo
from messenger_api.gateways.http import Timeouts
from messenger_api.gateways.mesibo.calls import Calls
from messenger_api.gateways.mesibo.transport import Transport
from messenger_api.mesibo.core import is_fault_of_ping
from messenger_api.mesibo.errors import MesiboRefused, MesiboUnreachable
from messenger_api.mesibo.wire import ITEMS_PER_CALL

log = structlog.get_logger(__name__)

# One year in minutes, what mesibo's PHP backend asks for and mesibo's own default.
TOKEN_MINUTES = 365 * 24 * 60

# Ten years and one, in seconds. mesibo ends a group after a year unless it is told otherwise (documented).
GROUP_EXPIRY = 315_360_000
GROUP_EXTENSION = 31_536_000

# Refusals of a group that is none, by somebody who serves groups. Which one mesibo uses is inferred.
NO_GROUP = frozenset({"BADVALUE", "MISSINGVALUE", "BADGID", "MISSINGGID", "MISSINGPARAM", "BADPARAM"})

# Forbidden, no such method, not implemented (RFC 9110).
NOT_SERVED = frozenset({403, 405, 501})

# What mesibo's PHP backend adds to its forms.
_PHP: Mapping[str, Mapping[str, Any]] = {
    "useradd": {"session": 0, "flags": 0, "restrictions": 0},
    "groupadd": {"gid": 0, "flags": 0},
    "groupset": {"flags": 0},
    "groupeditmembers": {"remove": False},
    "message": {"channel": 0},
}

T = TypeVar("T")


@dataclass(frozen=True)
class UserToken:
    """mesibo's number of a user, 0 when it tells none, and the token that the app logs in with."""

    uid: int
    token: str = field(repr=False)


@dataclass(frozen=True)
class Message:
    """A message that the backend sends in a user's name.

    `sender` and `to` are addresses, `text` the body (JSON, for the apps' update messages), `expiry` is in
    seconds. The defaults are those of mesibo's PHP backend: type 1 is what its apps take for an update,
    flag 4 is a transient message, `forced` makes a recipient whom mesibo does not know yet (inferred).
    """

    sender: str
    to: Sequence[str]
    text: str = field(repr=False)
    type: int = 1
    expiry: int = 3600
    flag: int = 4
    forced: bool = True


class MesiboClient:
    """Calls mesibo; one object serves any number of threads.

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
        on_call: told of each call that has ended: its op, outcome (`calls.outcome_of`) and seconds.
        headers: more of them for each call, asked for in its caller's thread.
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
        on_call: Callable[[str, str, float], None] = lambda op, outcome, seconds: None,
        headers: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        expiry = {"expiry": group_expiry, "expiryext": group_extension}
        self._expiry = {name: seconds for name, seconds in expiry.items() if seconds}
        self._transport = Transport(url, timeouts, max_calls, headers)
        self._calls = Calls(self._transport, url, app_token, style, on_app_token_refused, on_call)

    def add_user(
        self, address: str, *, appid: str, name: str = "", expiry: int = TOKEN_MINUTES, otp: str = ""
    ) -> UserToken:
        """Make the user unless known, and a token for the app id. `expiry` is in minutes. With an `otp`, only
        if mesibo finds it right; which refusal a wrong one gets is documented nowhere."""
        added = {"name": name or None, "otp": otp or None, **self._added("useradd")}
        op = mesibo.UserAdd(address=address, appid=appid, expiry=expiry, **added)

        def read(answer: mesibo.UserAddAnswer) -> UserToken:
            if not answer.token:
                raise MesiboUnreachable("bad answer", maybe_done=True)
            return UserToken(answer.uid or 0, answer.token)

        return self._calls.make(op, read)

    def make_otp(self, address: str, *, tries: int, expiry: int) -> str:
        """Have mesibo make a one-time password for an address, good for so many tries and seconds. mesibo
        delivers it to nobody."""
        op = mesibo.Otp(address=address, tries=tries, expiry=expiry, reuse=True)
        return self._calls.make(op, lambda answer: answer.otp)

    @property
    def makes_users(self) -> bool:
        """Whether users can be made without a token: api.php makes none without an app id (documented)."""
        return not self._is_form

    def make_user(self, address: str, name: str = "") -> int:
        """Make the user unless known, without a token, and return mesibo's number, 0 when it tells none.

        A token that the user has stays. Raises ValueError: not `makes_users`.
        """
        return self._calls.make(
            mesibo.UserAdd(address=address, name=name or None), lambda answer: answer.uid or 0
        )

    def delete_token(self, address: str, *, uid: int | None, appid: str) -> None:
        """End the user's token for this app id; the user stays and gets messages at the next login."""
        self._calls.make(mesibo.UserToken(**_user(address, uid), appid=appid, delete=True), _nothing)

    def delete_user(self, address: str, *, uid: int | None) -> None:
        """Delete the user."""
        self._calls.make(mesibo.UserDel(**_user(address, uid)), _nothing)

    def add_group(
        self, name: str, members: Sequence[str], *, on_late: Callable[[int], None] | None = None
    ) -> int:
        """Make a group and return its gid.

        When the answer comes only after this method raised MesiboUnreachable, `on_late` gets the gid of
        the group that nobody knows of, so that it can be deleted: called from another thread, up to
        `LATE_SECONDS` after the call began.
        """

        def make(expiry: Mapping[str, int]) -> int:
            added = {**expiry, **self._added("groupadd")}
            op = mesibo.GroupAdd(name=name, members=members, **added)
            return self._calls.make(op, lambda answer: answer.gid, on_late=on_late)

        return self._with_expiry(make)

    def set_group(self, gid: int, name: str, members: Sequence[str] = ()) -> None:
        """Name the group anew, and hand mesibo its members unless the list is empty."""

        def change(expiry: Mapping[str, int]) -> None:
            added = {**expiry, **self._added("groupset")}
            self._calls.make(mesibo.GroupSet(gid=gid, name=name, members=members or None, **added), _nothing)

        self._with_expiry(change)

    def _with_expiry(self, call: Callable[[Mapping[str, int]], T]) -> T:
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
        said = {"remove": True} if remove else self._added("groupeditmembers")
        self._calls.make(mesibo.GroupEditMembers(gid=gid, members=members, **said), _nothing)

    def delete_group(self, gid: int) -> None:
        """Delete the group."""
        self._calls.make(mesibo.GroupDel(gid=gid), _nothing)

    def groups_named(self, name: str) -> list[int]:
        """The gids of groups of exactly this name: 20 are looked at, for mesibo documents no way to ask for
        more. Only a backend API on one's own premises answers this (documented).

        Raises:
            MesiboUnreachable: also, as `too many`, where 20 were found, for there may be others.
        """
        found = self._calls.make(mesibo.GroupsGet(name=name, count=ITEMS_PER_CALL), lambda groups: groups)
        if len(found) >= ITEMS_PER_CALL:
            raise MesiboUnreachable("too many")
        return [group.gid for group in found if group.gid and group.name == name]

    def group_members(self, gid: int) -> list[str]:
        """Addresses of the group's members: 20 at most, for mesibo documents no way to ask for more."""
        op = mesibo.GroupGetMembers(gid=gid, count=ITEMS_PER_CALL)
        return self._calls.make(op, lambda members: [each.address for each in members if each.address])

    def send_message(self, message: Message) -> int:
        """Send a message and return mesibo's number of it, 0 when the answer has none.

        Raises:
            ValueError: nobody to send it to.
        """
        if not message.to:
            raise ValueError("a message needs a recipient")
        return self._calls.make(self._message(message), lambda answer: answer.mid or 0)

    def fits(self, message: Message, limit: int) -> bool:
        """Whether the message's request body is at most `limit` bytes (8192 on a stock on-premise nginx)."""
        return self.size(message) <= limit

    def size(self, message: Message) -> int:
        """Bytes of the request body that this message makes."""
        return self._calls.wire.size(self._message(message))

    def ping(self) -> None:
        """Prove URL, style and app token with a real call that changes nothing.

        A `useradd` without a user: mesibo refuses a wrong token with AUTHFAIL or 401, and with a right one
        the missing user (400, seen in public probes of 2026), which is the answer hoped for.

        Raises:
            MesiboRefused: the app token is not valid, or the request was not understood.
            MesiboUnreachable: no usable answer.
        """
        try:
            self._calls.raw("useradd", {}, called="ping")
        except MesiboRefused as refusal:
            if is_fault_of_ping(refusal):
                raise

    def refusal_of_groups(self) -> MesiboRefused | None:
        """Why groups are not served; None when they are. To an app on premise, mesibo's own hosts answer
        useradd, userset and usertoken alone (documented), so that people log in and groups fail.

        Asks for the members of a group that is none, which changes nothing.

        Raises:
            MesiboUnreachable: no usable answer.
        """
        count = {"gid": 0, "count": ITEMS_PER_CALL}
        try:
            self._calls.raw("groupgetmembers", count if self._is_form else {"group": count})
        except MesiboRefused as refusal:
            return None if refusal.is_not_there or refusal.error in NO_GROUP else refusal
        return None

    def refusal_of_otp(self) -> MesiboRefused | None:
        """Why one-time passwords are not made; None when they are. Asks for one for nobody, which changes
        nothing. To an app on premise, mesibo's own hosts answer useradd, userset and usertoken alone
        (documented).

        Raises:
            MesiboUnreachable: no usable answer.
        """
        try:
            self._calls.raw("otp", {})
        except MesiboRefused as refusal:
            return refusal if is_fault_of_ping(refusal) or refusal.code in NOT_SERVED else None
        return None

    def close(self) -> None:
        """Close idle connections, at once. A late group may still be reported afterwards."""
        self._transport.close()

    @property
    def _is_form(self) -> bool:
        return self._calls.wire.style == "form"

    def _added(self, op: str) -> Mapping[str, Any]:
        return _PHP[op] if self._is_form else {}

    def _message(self, message: Message) -> mesibo.Message:
        return mesibo.Message(
            sender=message.sender,
            to=message.to,
            gid=0,
            type=message.type,
            expiry=message.expiry,
            flags=message.flag,
            forced=message.forced,
            text=message.text,
            **self._added("message"),
        )


def _nothing(_answer: object) -> None:
    """What the calls return of which only success counts."""


def _user(address: str, uid: int | None) -> Mapping[str, Any]:
    # api.php documents `uid` alone; `addr` in its place is inferred and better than no call at all.
    return {"uid": uid} if uid else {"address": address}

"""mesibo's ops: groups. Made of specification.json by scripts/make-mesibo-ops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from messenger_api.mesibo.operation import Operation


@dataclass(frozen=True, kw_only=True)
class GroupAddAnswer:
    """What `groupadd` answers.

    Attributes:
        gid: mesibo's number of the group. Source: documented.
    """

    gid: int


@dataclass(frozen=True, kw_only=True)
class GroupAdd(Operation[GroupAddAnswer]):
    """`groupadd`: make a group.

    Source: documented. Asked twice, it happens twice.

    Attributes:
        gid: Sent as 0 by mesibo's PHP backend. One of 0. Sent as gid (form, code).
        name: The group's name. Sent as group.name (json, third-party), name (form, documented).
        flags: Bits: see group_flags. mesibo's default: 0. Sent as group.flags (json, inferred), flag (form,
            documented).
        expiry: How long the group lives. In seconds. mesibo's default: 31536000. Sent as group.expiry (json,
            inferred), expiry (form, documented).
        expiryext: By how much activity extends that; not at all unless it is said. In seconds. Sent as
            group.expiryext (json, inferred), expiryext (form, documented).
        active: Whether the group is in use. Sent as group.active (json, third-party), active (form,
            documented).
        sflags: Settings of a conference: resolution in the bits from 24 up; -1 leaves them as they are. At
            least -1. mesibo's default: -1. Sent as sflags (form, code).
        pinned: An argument of mesibo's console, whose meaning is not documented; -1 leaves it as it is. At
            least -1. Sent as pinned (form, third-party).
        image: URL of the group's picture. Sent as group.profile.image (json, third-party).
        members: Addresses of users, comma separated on the wire. Sent as group.members.m (json, third-party),
            m (form, code).
        send: Whether these members may send to the group. Sent as group.members.permissions.send (json,
            third-party), cs (form, code).
        recv: Whether these members may receive from it. Sent as group.members.permissions.recv (json,
            third-party), cr (form, code).
        pub: Whether these members may publish in its conference. Sent as group.members.permissions.pub (json,
            third-party), canpub (form, code).
        sub: Whether these members may subscribe to what others publish. Sent as group.members.permissions.sub
            (json, third-party), cansub (form, code).
        list: Whether these members may list its members. Sent as group.members.permissions.list (json,
            third-party), canlist (form, code).
        owner: Whether these members own the group. Sent as group.members.admin.owner (json, third-party).
    """

    OP: ClassVar[str] = "groupadd"
    ANSWER: ClassVar[type[GroupAddAnswer]] = GroupAddAnswer

    gid: int | None = None
    name: str | None = None
    flags: int | None = None
    expiry: int | None = None
    expiryext: int | None = None
    active: bool | None = None
    sflags: int | None = None
    pinned: int | None = None
    image: str | None = None
    members: Sequence[str] | None = None
    send: bool | None = None
    recv: bool | None = None
    pub: bool | None = None
    sub: bool | None = None
    list: bool | None = None
    owner: bool | None = None


@dataclass(frozen=True, kw_only=True)
class GroupSetAnswer:
    """What `groupset` answers.

    Attributes:
        gid: mesibo's number of the group. Source: documented.
    """

    gid: int | None


@dataclass(frozen=True, kw_only=True)
class GroupSet(Operation[GroupSetAnswer]):
    """`groupset`: change a group.

    Source: documented. May be asked again when no answer came.

    Attributes:
        gid: mesibo's number of the group. At least 1. Sent as group.gid (json, third-party), gid (form,
            documented).
        name: The group's name. Sent as group.name (json, third-party), name (form, documented).
        flags: Bits: see group_flags. Sent as group.flags (json, inferred), flag (form, documented).
        expiry: How long the group lives. In seconds. mesibo's default: 31536000. Sent as group.expiry (json,
            inferred), expiry (form, documented).
        expiryext: By how much activity extends that; not at all unless it is said. In seconds. Sent as
            group.expiryext (json, inferred), expiryext (form, documented).
        active: Whether the group is in use. Sent as group.active (json, third-party), active (form,
            documented).
        sflags: Settings of a conference: resolution in the bits from 24 up; -1 leaves them as they are. At
            least -1. mesibo's default: -1. Sent as sflags (form, code).
        pinned: An argument of mesibo's console, whose meaning is not documented; -1 leaves it as it is. At
            least -1. Sent as pinned (form, third-party).
        image: URL of the group's picture. Sent as group.profile.image (json, third-party).
        members: Addresses of users, comma separated on the wire. Whether they take the place of the old ones
            is not documented. Sent as group.members.m (json, third-party), m (form, code).
        send: Whether these members may send to the group. Sent as group.members.permissions.send (json,
            third-party), cs (form, code).
        recv: Whether these members may receive from it. Sent as group.members.permissions.recv (json,
            third-party), cr (form, code).
        pub: Whether these members may publish in its conference. Sent as group.members.permissions.pub (json,
            third-party), canpub (form, code).
        sub: Whether these members may subscribe to what others publish. Sent as group.members.permissions.sub
            (json, third-party), cansub (form, code).
        list: Whether these members may list its members. Sent as group.members.permissions.list (json,
            third-party), canlist (form, code).
        owner: Whether these members own the group. Sent as group.members.admin.owner (json, third-party).
    """

    OP: ClassVar[str] = "groupset"
    ANSWER: ClassVar[type[GroupSetAnswer]] = GroupSetAnswer

    gid: int
    name: str | None = None
    flags: int | None = None
    expiry: int | None = None
    expiryext: int | None = None
    active: bool | None = None
    sflags: int | None = None
    pinned: int | None = None
    image: str | None = None
    members: Sequence[str] | None = None
    send: bool | None = None
    recv: bool | None = None
    pub: bool | None = None
    sub: bool | None = None
    list: bool | None = None
    owner: bool | None = None


@dataclass(frozen=True, kw_only=True)
class GroupDel(Operation[None]):
    """`groupdel`: delete a group.

    Source: documented. May be asked again when no answer came.

    Attributes:
        gid: mesibo's number of the group. At least 1. Sent as group.gid (json, inferred), gid (form,
            documented).
    """

    OP: ClassVar[str] = "groupdel"

    gid: int


@dataclass(frozen=True, kw_only=True)
class GroupEditMembers(Operation[None]):
    """`groupeditmembers`: add members to a group, or remove them. An address that is no user's makes it fail.

    Source: documented. May be asked again when no answer came.

    Attributes:
        gid: mesibo's number of the group. At least 1. Sent as group.gid (json, third-party), gid (form,
            documented).
        members: Addresses of users, comma separated on the wire. Sent as group.members.m (json, third-party),
            m (form, documented).
        remove: Remove them instead of adding them. mesibo's default: False. Sent as group.members.remove
            (json, third-party), delete (form, documented).
        send: Whether these members may send to the group. Sent as group.members.permissions.send (json,
            third-party), cs (form, code).
        recv: Whether these members may receive from it. Sent as group.members.permissions.recv (json,
            third-party), cr (form, code).
        pub: Whether these members may publish in its conference. Sent as group.members.permissions.pub (json,
            third-party), canpub (form, code).
        sub: Whether these members may subscribe to what others publish. Sent as group.members.permissions.sub
            (json, third-party), cansub (form, code).
        list: Whether these members may list its members. Sent as group.members.permissions.list (json,
            third-party), canlist (form, code).
        owner: Whether these members own the group. Sent as group.members.admin.owner (json, third-party).
        remuser: Whether these members may remove others. Sent as group.members.admin.remuser (json,
            third-party).
    """

    OP: ClassVar[str] = "groupeditmembers"

    gid: int
    members: Sequence[str]
    remove: bool | None = None
    send: bool | None = None
    recv: bool | None = None
    pub: bool | None = None
    sub: bool | None = None
    list: bool | None = None
    owner: bool | None = None
    remuser: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Member:
    """An item of what `groupgetmembers` answers.

    Attributes:
        address: The member's address. Source: third-party.
        send: Whether the member may send to the group. Source: third-party.
        recv: Whether the member receives from it. Source: third-party.
    """

    address: str | None
    send: bool | None
    recv: bool | None


@dataclass(frozen=True, kw_only=True)
class GroupGetMembers(Operation[tuple[Member, ...]]):
    """`groupgetmembers`: list members of a group.

    Source: documented. May be asked again when no answer came.

    Attributes:
        gid: mesibo's number of the group. At least 1. Sent as group.gid (json, inferred), gid (form,
            documented).
        count: How many at most. 1 to 20. mesibo's default: 20. Sent as group.count (json, inferred), count
            (form, documented).
    """

    OP: ClassVar[str] = "groupgetmembers"
    ANSWER: ClassVar[type[Member]] = Member

    gid: int
    count: int | None = None


@dataclass(frozen=True, kw_only=True)
class Group:
    """An item of what `groupsget` answers.

    Attributes:
        gid: mesibo's number of the group. Source: third-party.
        name: The group's name. Source: third-party.
        flags: Bits: see group_flags. Source: third-party.
        pinned: As groupset has it. Source: third-party.
        expiry: How long the group lives. Source: third-party.
        expiryext: By how much activity extends that. Source: third-party.
    """

    gid: int | None
    name: str | None
    flags: int | None
    pinned: int | None
    expiry: int | None
    expiryext: int | None


@dataclass(frozen=True, kw_only=True)
class GroupsGet(Operation[tuple[Group, ...]]):
    """`groupsget`: list groups. Only a backend API on one's own premises serves it.

    Source: documented. May be asked again when no answer came.

    Attributes:
        name: Which names; `*` stands for any text. mesibo's default: *. Sent as group.name (json, inferred),
            name (form, inferred).
        count: How many at most. 1 to 20. mesibo's default: 20. Sent as group.count (json, inferred), count
            (form, inferred).
    """

    OP: ClassVar[str] = "groupsget"
    ANSWER: ClassVar[type[Group]] = Group

    name: str | None = None
    count: int | None = None

"""mesibo's ops: users. Made of specification.json by scripts/make-mesibo-ops."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from messenger_api.mesibo.operation import Operation


@dataclass(frozen=True, kw_only=True)
class UserAddAnswer:
    """What `useradd` answers.

    Attributes:
        uid: mesibo's number of the user. Source: documented.
        address: The address as it was sent. Source: documented.
        token: What the app logs in with; absent where the json request has no token object. 48 to 55
            characters were seen; the length of a v2 token is not documented. Source: documented.
    """

    uid: int | None
    address: str | None
    token: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class UserAdd(Operation[UserAddAnswer]):
    """`useradd`: make the user, or give one that exists a new token.

    Source: documented. May be asked again when no answer came.

    Attributes:
        address: Opaque, unique in the app, such as a phone number or an e-mail address. Sent as user.address
            (json, documented), addr (form, documented).
        name: Shown to others. Sent as user.name (json, documented), name (form, code).
        otp: A one-time password that is checked before anything is done; which error a wrong one has is not
            documented. Sent as user.otp (json, code), otp (form, code).
        active: Whether the user may connect. Sent as user.active (json, documented), active (form,
            documented).
        flags: Flags of the user, whose meaning is not documented. mesibo's default: 0. Sent as user.flags
            (json, documented), flag (form, code).
        groups: The most groups that the user may have. Sent as groups (form, documented).
        session: Sent as 0 by mesibo's PHP backend; its meaning is not documented. mesibo's default: 0. Sent
            as session (form, code).
        restrictions: Sent as 0 by mesibo's PHP backend; its meaning is not documented. mesibo's default: 0.
            Sent as restrictions (form, code).
        pinned: Seen in calls of mesibo's console; its meaning is not documented. Sent as pinned (form,
            third-party).
        appid: Android package, iOS bundle or a name of one's own, for which alone the token works. Sent as
            user.token.appid (json, documented), appid (form, documented).
        expiry: How long the token lives; 0 for ever. In minutes. mesibo's default: 525600. Sent as
            user.token.expiry (json, documented), expiry (form, documented).
        v2: Ask for a token of the newer format. With it mesibo takes a token object without an app id (seen
            in a caller of 2025). Sent as user.token.v2 (json, code).
    """

    OP: ClassVar[str] = "useradd"
    ANSWER: ClassVar[type[UserAddAnswer]] = UserAddAnswer

    address: str
    name: str | None = None
    otp: str | None = field(default=None, repr=False)
    active: bool | None = None
    flags: int | None = None
    groups: int | None = None
    session: int | None = None
    restrictions: int | None = None
    pinned: bool | None = None
    appid: str | None = None
    expiry: int | None = None
    v2: bool | None = None


@dataclass(frozen=True, kw_only=True)
class UserSet(Operation[None]):
    """`userset`: change a user.

    Source: documented. May be asked again when no answer came. Needs `uid` or `address`.

    Attributes:
        uid: mesibo's number of the user, as useradd returned it. At least 1. Sent as user.uid (json,
            inferred), uid (form, documented).
        address: The user's address, in the place of the uid. Whether mesibo takes it there is not documented.
            Sent as user.address (json, inferred), addr (form, inferred).
        active: Whether the user may connect. Sent as user.active (json, inferred), active (form, documented).
        flags: Flags of the user, whose meaning is not documented. Sent as user.flags (json, inferred), flag
            (form, documented).
        storage: An argument of mesibo's console, whose meaning is not documented; -1 leaves it as it is. At
            least -1. Sent as storage (form, third-party).
        ssr: An argument of mesibo's console, whose meaning is not documented; -1 leaves it as it is. At least
            -1. Sent as ssr (form, third-party).
        pinned: An argument of mesibo's console, whose meaning is not documented; -1 leaves it as it is. At
            least -1. Sent as pinned (form, third-party).
    """

    OP: ClassVar[str] = "userset"

    uid: int | None = None
    address: str | None = None
    active: bool | None = None
    flags: int | None = None
    storage: int | None = None
    ssr: int | None = None
    pinned: int | None = None


@dataclass(frozen=True, kw_only=True)
class UserDel(Operation[None]):
    """`userdel`: delete a user.

    Source: documented. May be asked again when no answer came. Needs `uid` or `address`.

    Attributes:
        uid: mesibo's number of the user, as useradd returned it. At least 1. Sent as user.uid (json,
            inferred), uid (form, documented).
        address: The user's address, in the place of the uid. Whether mesibo takes it there is not documented.
            Sent as user.address (json, inferred), addr (form, inferred).
    """

    OP: ClassVar[str] = "userdel"

    uid: int | None = None
    address: str | None = None


@dataclass(frozen=True, kw_only=True)
class UserTokenAnswer:
    """What `usertoken` answers.

    Attributes:
        uid: mesibo's number of the user. Source: third-party.
        appid: The app id of the token. Source: third-party.
        token: What the app logs in with; absent where one was ended. Source: third-party.
    """

    uid: int | None
    appid: str | None
    token: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class UserToken(Operation[UserTokenAnswer]):
    """`usertoken`: make a new token of a user, or end the one there is.

    Source: third-party. May be asked again when no answer came. Needs `uid` or `address`.

    Attributes:
        uid: mesibo's number of the user, as useradd returned it. At least 1. Sent as user.uid (json,
            inferred), uid (form, third-party).
        address: The user's address, in the place of the uid. Whether mesibo takes it there is not documented.
            Sent as user.address (json, inferred), addr (form, inferred).
        appid: The app id for which the token works. Sent as user.token.appid (json, inferred), appid (form,
            third-party).
        expiry: How long the token lives; 0 for ever. In minutes. mesibo's default: 525600. Sent as
            user.token.expiry (json, inferred), expiry (form, inferred).
        v2: Ask for a token of the newer format. Sent as user.token.v2 (json, inferred).
        delete: End the token instead: the user is logged out and gets what came meanwhile at the next login.
            mesibo's console passes a last argument of 1 for it, whose name is written nowhere. Sent as
            user.token.delete (json, inferred), delete (form, inferred).
    """

    OP: ClassVar[str] = "usertoken"
    ANSWER: ClassVar[type[UserTokenAnswer]] = UserTokenAnswer

    uid: int | None = None
    address: str | None = None
    appid: str | None = None
    expiry: int | None = None
    v2: bool | None = None
    delete: bool | None = None


@dataclass(frozen=True, kw_only=True)
class User:
    """An item of what `usersget` answers.

    Attributes:
        uid: mesibo's number of the user. Source: third-party.
        address: The user's address. Source: third-party.
        name: The name that others see. Source: inferred.
        appid: An item for each pair of address and app id is possible. Source: third-party.
        active: Whether the user may connect. Source: third-party.
        flags: Flags of the user. Source: third-party.
        pinned: As userset has it. Source: third-party.
        ip: The last address of the internet. Source: third-party.
        online: Whether the user is connected. Source: third-party.
    """

    uid: int | None
    address: str | None
    name: str | None
    appid: str | None
    active: bool | None
    flags: int | None
    pinned: int | None
    ip: str | None
    online: bool | None


@dataclass(frozen=True, kw_only=True)
class UsersGet(Operation[tuple[User, ...]]):
    """`usersget`: list users. For development; on one's own premises for more.

    Source: documented. May be asked again when no answer came.

    Attributes:
        address: Which addresses; `*` stands for any text. mesibo's default: *. Sent as user.address (json,
            inferred), addr (form, documented).
        count: How many at most. 1 to 20. mesibo's default: 20. Sent as user.count (json, inferred), count
            (form, documented).
    """

    OP: ClassVar[str] = "usersget"
    ANSWER: ClassVar[type[User]] = User

    address: str | None = None
    count: int | None = None


@dataclass(frozen=True, kw_only=True)
class OtpAnswer:
    """What `otp` answers.

    Attributes:
        otp: The password: a text, or a number. Of json no answer is documented; the root is inferred. Source:
            code.
    """

    otp: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Otp(Operation[OtpAnswer]):
    """`otp`: make a one-time password for an address. mesibo never delivers it.

    Source: code. Asked twice, it happens twice.

    Attributes:
        address: Whose it is: a phone number or an e-mail address. Sent as otp.address (json, code), addr
            (form, code).
        tries: How often it may be tried at most; mesibo's demo sends 5. At least 1. Sent as otp.tries (json,
            code), tries (form, code).
        expiry: How long it lives; mesibo's demo sends 300. In seconds. At least 1. Sent as otp.expiry (json,
            code), expiry (form, code).
        reuse: Whether it may be used again; mesibo's demo sends 1. Sent as otp.reuse (json, code), reuse
            (form, code).
    """

    OP: ClassVar[str] = "otp"
    ANSWER: ClassVar[type[OtpAnswer]] = OtpAnswer

    address: str
    tries: int | None = None
    expiry: int | None = None
    reuse: bool | None = None

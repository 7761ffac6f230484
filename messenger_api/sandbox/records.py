"""What the sandbox remembers, one frozen record each. Times are Unix seconds, 0 in `ends` for never."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class User:
    """A mesibo user of the app; `address` is unique, `uid` is mesibo's own number.

    `groups` is the most groups that the user may be in, None for any number. `session`, `restrictions`,
    `storage`, `ssr` and `pinned` are kept as they came: mesibo documents no meaning.
    """

    uid: int
    address: str
    name: str
    active: bool
    flag: int
    created: int
    groups: int | None = None
    session: int = 0
    restrictions: int = 0
    pinned: int = 0
    storage: int = 0
    ssr: int = 0
    online: bool = False


@dataclass(frozen=True)
class UserToken:
    """An access token of a user for one `appid`."""

    token: str
    address: str
    appid: str
    created: int
    ends: int = 0


@dataclass(frozen=True)
class Member:
    """What a member of a group may do; None is not said: the group's flags decide."""

    send: bool | None = None
    recv: bool | None = None
    pub: bool | None = None
    sub: bool | None = None
    list: bool | None = None
    owner: bool | None = None
    remuser: bool | None = None


@dataclass(frozen=True)
class Group:
    """A group with its members in the order in which they joined; `expiry` and `expiryext` in seconds."""

    gid: int
    name: str
    flag: int
    active: bool
    members: tuple[str, ...]
    created: int
    expiry: int = 0
    expiryext: int = 0
    ends: int = 0
    sflags: int = -1
    pinned: int = 0
    image: str = ""
    rights: Mapping[str, Member] = field(default_factory=dict)

    def may_send(self, address: str) -> bool:
        """Whether a message of this user to the group is taken: the low four bits of the flags say who sends:
        0 members, 1 chosen members, 2 anyone."""
        member, who = self.rights.get(address), self.flag & 0x0F
        if member is None:
            return who == 2
        return who != 1 if member.send is None else member.send

    def may_receive(self, address: str) -> bool:
        """Whether this member gets what is sent: by 0x10 only chosen ones do."""
        member = self.rights.get(address, Member())
        return not self.flag & 0x10 if member.recv is None else member.recv


@dataclass(frozen=True)
class Message:
    """A message that the backend sent in the name of a user, `expiry` and `when` in seconds."""

    mid: int
    sender: str
    to: tuple[str, ...]
    gid: int
    type: int
    expiry: int
    flag: int
    forced: bool
    text: str
    time: int
    when: int = 0
    url: str = ""
    title: str = ""
    channel: int = 0


@dataclass(frozen=True)
class Delivery:
    """A message on its way to one user from `due` on until `ends`; `received` and `read` are None before."""

    mid: int
    address: str
    due: int
    ends: int
    received: int | None
    read: int | None = None


@dataclass(frozen=True)
class Receipt:
    """How far a message of a chat came: each of those that it reaches is in one of the three."""

    mid: int
    waiting: tuple[str, ...]
    delivered: tuple[str, ...]
    read: tuple[str, ...]


@dataclass(frozen=True)
class Credential:
    """A credential for push notifications: what it is, never its content. `kind` is fcm or apn."""

    id: int
    kind: str
    name: str
    bytes: int
    sha256: str
    project: str
    time: int


@dataclass(frozen=True)
class Script:
    """A script of mesibo's scripting feature."""

    sid: int
    name: str
    description: str
    content: str
    time: int


@dataclass(frozen=True)
class Access:
    """A set of features of user access control; `fields` by their dotted names, such as `call.video`."""

    id: int
    fields: Mapping[str, str | int]


@dataclass(frozen=True)
class App:
    """An app of the account: its settings are those of appset, as they came."""

    id: int
    name: str
    token: str
    settings: Mapping[str, str | int]
    created: int


@dataclass(frozen=True)
class RecordedCall:
    """A call of mesibo's backend API and its answer.

    `fields` are the call's as they came, without op, id, token and key; `style` is json, form or multipart.
    `answer` is empty where a fault left none. A request that could not be read has neither op nor style.
    `time` is the sandbox's.
    """

    op: str
    style: str
    fields: Mapping[str, Any]
    answer: Mapping[str, Any]
    time: int

    @property
    def error(self) -> str:
        """mesibo's error code, empty where there is none."""
        return str(self.answer.get("error", ""))


@dataclass(frozen=True)
class TextMessage:
    """A text message on the pretended SMS network; `to` is digits without a plus."""

    id: int
    to: str
    text: str
    provider: str
    sender: str
    time: int


@dataclass(frozen=True)
class Fault:
    """A fault to play to callers.

    `op` is an op of mesibo's, "*" for all of them, "sms" for the whole SMS network, or one of its providers:
    "twilio", "twilio_verify", "vonage", or "chat" for what phones ask of mesibo. `delay` seconds pass first.
    Then, when asked for: `drop` closes the connection with no answer, `html` answers HTTP 500 with an HTML
    page, `error` answers with that error code. With `after` the call is carried out before all that, so that
    only its answer is late or lost.
    `times` calls are hit; 0 means until cleared.

    Two ops are no callers': "text" for a text that a provider has taken, which comes `delay` seconds late or,
    with `drop`, never; "database" for a connection to the product's database, which is then away.
    """

    op: str = "*"
    delay: float = 0.0
    error: str = ""
    drop: bool = False
    html: bool = False
    after: bool = False
    times: int = 0

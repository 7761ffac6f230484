"""What the sandbox remembers, one frozen record each. Times are Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class User:
    """A mesibo user of the app; `address` is unique, `uid` is mesibo's own number."""

    uid: int
    address: str
    name: str
    active: bool
    flag: int
    created: int


@dataclass(frozen=True)
class UserToken:
    """An access token of a user for one `appid`."""

    token: str
    address: str
    appid: str
    created: int


@dataclass(frozen=True)
class Group:
    """A group with its members in the order in which they joined."""

    gid: int
    name: str
    flag: int
    active: bool
    members: tuple[str, ...]
    created: int


@dataclass(frozen=True)
class Message:
    """A message that the backend sent in the name of a user, `expiry` in seconds."""

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
    "twilio", "twilio_verify", "vonage". `delay` seconds pass first. Then, when asked for: `drop` closes the
    connection with no answer, `html` answers HTTP 500 with an HTML page, `error` answers with that error
    code. With `after` the call is carried out before all that, so that only its answer is late or lost.
    `times` calls are hit; 0 means until cleared.
    """

    op: str = "*"
    delay: float = 0.0
    error: str = ""
    drop: bool = False
    html: bool = False
    after: bool = False
    times: int = 0

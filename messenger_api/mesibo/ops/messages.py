"""mesibo's ops: messages. Made of specification.json by scripts/make-mesibo-ops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from messenger_api.mesibo.operation import Operation


@dataclass(frozen=True, kw_only=True)
class MessageAnswer:
    """What `message` answers.

    Attributes:
        mid: mesibo's number of the message; older servers send none. Source: documented.
    """

    mid: int | None


@dataclass(frozen=True, kw_only=True)
class Message(Operation[MessageAnswer]):
    """`message`: send a message in a user's name.

    Source: documented. Asked twice, it happens twice. Needs `to` or `gid`.

    Attributes:
        sender: From whom; must be a user. Sent as message.from (json, documented), from (form, documented).
        to: To whom, comma separated on the wire. Sent as message.to (json, documented), to (form,
            documented).
        gid: To the members of this group; 0 for none. mesibo's default: 0. Sent as message.gid (json,
            documented), gid (form, documented).
        channel: Sent as 0 by mesibo's PHP backend; its meaning is not documented. mesibo's default: 0. Sent
            as channel (form, code).
        type: A number that apps tell messages apart by. mesibo's default: 0. Sent as message.type (json,
            documented), type (form, documented).
        expiry: How long it waits for whoever is offline; 0: only who is online gets it. In seconds. mesibo's
            default: 31536000. Sent as message.expiry (json, documented), expiry (form, documented).
        when: Send it so much later. In seconds. mesibo's default: 0. Sent as message.when (json, documented),
            when (form, third-party).
        flags: Bits; 4 is a transient message (mesibo's PHP backend). Sent as message.flags (json,
            documented), flag (form, code).
        forced: Send although a recipient is not known. That it makes the user is inferred from the console's
            label. Sent as message.forced (json, documented), forced (form, code).
        text: The message. Sent as message.message (json, documented), msg (form, documented).
        url: URL of a file. Sent as message.url (json, documented).
        title: The title of that file. Sent as message.title (json, documented).
    """

    OP: ClassVar[str] = "message"
    ANSWER: ClassVar[type[MessageAnswer]] = MessageAnswer

    sender: str
    to: Sequence[str] | None = None
    gid: int | None = None
    channel: int | None = None
    type: int | None = None
    expiry: int | None = None
    when: int | None = None
    flags: int | None = None
    forced: bool | None = None
    text: str | None = None
    url: str | None = None
    title: str | None = None

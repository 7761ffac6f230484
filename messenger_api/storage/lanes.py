"""The names of the outbox's lanes: what stands in one is done one after the other."""

from __future__ import annotations

GROUP = "group:"
"""What the lanes of groups begin with."""

TOKENS = "token:"
"""What those of `tokens` begin with."""


def group(gid: int) -> str:
    """What follows a change of a group."""
    return f"{GROUP}{gid}"


def group_intent(gid: int) -> str:
    """Intentions to change a group at mesibo."""
    return f"intent:{gid}"


def user(uid: int) -> str:
    """What follows a change of an account."""
    return f"user:{uid}"


def gone(contact_key: bytes) -> str:
    """What is left to do about whoever had this number, or its tokens; a login waits for it."""
    return f"gone:{contact_key.hex()}"


def intent(contact_key: bytes) -> str:
    """Intentions to make a user of this number at mesibo."""
    return f"intent:{contact_key.hex()}"


def tokens(uid: int) -> str:
    """Where version 0.1 put the deletion of an account's tokens."""
    return f"{TOKENS}{uid}"


def key_of(lane: str) -> bytes | None:
    """The contact key that a lane of `gone` or `intent` names; None: it is one of `tokens`."""
    return None if lane.startswith(TOKENS) else bytes.fromhex(lane.partition(":")[2])


def file(name: str) -> str:
    """The removal of a file."""
    return f"file:{name}"


def text(text_id: int) -> str:
    """What looks after a text message or call."""
    return f"text:{text_id}"

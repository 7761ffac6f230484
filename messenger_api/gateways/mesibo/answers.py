"""Answers of mesibo's backend API: what counts as success, and what is read out of it.

Both styles are answered alike: one JSON object with `result`, and on failure `error`, `code`, `cause`,
`action`, `properties` (all documented by mesibo). api.php writes numbers as texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from messenger_api.gateways.mesibo.errors import MesiboRefused, MesiboUnreachable

Answer = Mapping[str, object]

# A refusal's texts are for logs and people: longer ones are not mesibo's.
LONGEST_CODE = 64
LONGEST_TEXT = 500

# Statuses of a server that is overloaded or slow (RFC 9110, RFC 6585), beside 5xx.
PASSING_CODES = frozenset({408, 429})
# The codes that mesibo documents, or that were seen in its answers.
KNOWN_LABELS = frozenset(
    {"MISSINGOP", "BADOP", "MISSINGPARA", "BADVALUE", "AUTHFAIL", "TOKENBREACH", "EXISTS"}
    | {"BADUSER", "BADGROUP", "BADAPP", "BADCODE", "MISSINGAPPID", "NOTMEMBER", "NOTFOUND"}
)

_DIGITS = re.compile(r"[0-9]{1,19}")


@dataclass(frozen=True)
class UserToken:
    """What useradd returns: mesibo's number of the user and the token that the app logs in with."""

    uid: int
    token: str = field(repr=False)


def decode(op: str, status: int, body: bytes, secret: str) -> Answer:
    """The answer of a call that succeeded, whatever the HTTP status: mesibo speaks in the body.

    Raises:
        MesiboRefused: mesibo said no.
        MesiboUnreachable: it was not mesibo that answered, or mesibo told of a fault of its own.
    """
    answer = _json_object(body)
    if status // 100 == 3:
        raise MesiboUnreachable("redirect", maybe_done=False)
    if answer is None or "result" not in answer:
        # A proxy's 4xx (413 from nginx) stands for a request that was not passed on.
        raise MesiboUnreachable(_stranger(status, answer), maybe_done=status // 100 != 4)
    if _is_success(answer.get("result")):
        return answer
    refusal = _refusal(op, answer, secret)
    if _is_outage(refusal, status):
        raise MesiboUnreachable(f"fault {refusal.label}", maybe_done=True)
    raise refusal


def _json_object(body: bytes) -> dict[str, object] | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):  # RecursionError: a body of nothing but brackets
        return None
    return answer if isinstance(answer, dict) else None


def _stranger(status: int, answer: dict[str, object] | None) -> str:
    # mesibo's own answers always hold `result`, so this one is a proxy's or another server's.
    if status >= 400:
        return f"http {status}"
    return "not json" if answer is None else "bad answer"


def _is_outage(refusal: MesiboRefused, status: int) -> bool:
    """Whether mesibo could not do it, and did not say no.

    `code` is an RFC 9110 status (documented); where it is absent, the HTTP status stands for it if it is one
    of a failure, and else the label alone speaks: one that nobody knows is no answer to what was asked.
    """
    code = refusal.code if refusal.code is not None else status
    if 400 <= code < 500:
        return code in PASSING_CODES
    return code >= 500 or refusal.error not in KNOWN_LABELS


def _is_success(result: object) -> bool:
    # `true` is documented; 1 and "OK" stand in mesibo's oldest pages and are tolerated.
    return result is True or result == 1 or result == "OK"


def _refusal(op: str, answer: Answer, secret: str) -> MesiboRefused:
    def text(value: object, longest: int = LONGEST_TEXT) -> str:
        plain = "" if value is None else str(value)
        return (plain.replace(secret, "***") if secret else plain)[:longest]

    named = answer.get("properties")
    return MesiboRefused(
        text(answer.get("error"), LONGEST_CODE),
        op=op,
        code=number(answer.get("code")),
        cause=text(answer.get("cause")),
        action=text(answer.get("action")),
        properties=[text(name) for name in named] if isinstance(named, list) else (),
    )


def number(value: object) -> int | None:
    """A whole number that came as a number or, as api.php writes it, as a text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    return None


def nothing(_answer: Answer) -> None:
    """What the ops return of which only success counts."""


def message_id(answer: Answer) -> int:
    """mid out of an answer to message, 0 when absent: older servers send none."""
    return number(answer.get("mid")) or 0


def user_token(answer: Answer) -> UserToken:
    """uid (0 when absent) and token out of an answer to useradd.

    Raises:
        MesiboUnreachable: the answer holds no token.
    """
    user = answer.get("user")
    token = user.get("token") if isinstance(user, dict) else None
    if not isinstance(user, dict) or not isinstance(token, str) or not token:
        raise MesiboUnreachable("bad answer", maybe_done=True)
    return UserToken(number(user.get("uid")) or 0, token)


def group_id(answer: Answer) -> int:
    """gid out of an answer to groupadd.

    Raises:
        MesiboUnreachable: the answer holds no gid.
    """
    group = answer.get("group")
    gid = number(group.get("gid")) if isinstance(group, dict) else None
    if not gid:
        raise MesiboUnreachable("bad answer", maybe_done=True)
    return gid


def addresses(answer: Answer) -> list[str]:
    """Addresses out of an answer to groupgetmembers: items are objects, or (inferred) plain texts.

    Raises:
        MesiboUnreachable: the answer holds no list of members.
    """
    group = answer.get("group")
    # Inferred: a json server may put the list into the subject, as it does with what useradd returns.
    members = answer.get("members", group.get("members") if isinstance(group, dict) else None)
    if not isinstance(members, list):
        raise MesiboUnreachable("bad answer", maybe_done=True)
    found = (item.get("address") if isinstance(item, dict) else item for item in members)
    return [str(address) for address in found if address]


def groups(answer: Answer) -> list[tuple[int, str]]:
    """(gid, name) of the groups in an answer to groupsget.

    Raises:
        MesiboUnreachable: the answer holds no list of groups.
    """
    listed = answer.get("groups")
    if not isinstance(listed, list):
        raise MesiboUnreachable("bad answer", maybe_done=True)
    found = ((number(item.get("gid")), item.get("name")) for item in listed if isinstance(item, dict))
    return [(gid, str(name or "")) for gid, name in found if gid]

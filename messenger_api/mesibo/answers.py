"""Answers of mesibo's backend API: what counts as success, and what is read out of it.

Both styles are answered alike: one JSON object with `result`, and on failure `error`, `code`, `cause`,
`action`, `properties` (all documented by mesibo). api.php writes numbers as texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from messenger_api.mesibo.errors import MesiboError, MesiboRefused, MesiboUnreachable
from messenger_api.mesibo.http.exchange import Response
from messenger_api.mesibo.retry import seconds_of
from messenger_api.mesibo.specification import Returned, document

Answer = Mapping[str, object]

# A refusal's texts are for logs and people: longer ones are not mesibo's.
LONGEST_CODE = 64
LONGEST_TEXT = 500

# Statuses of a server that is overloaded or slow (RFC 9110, RFC 6585), beside 5xx.
PASSING_CODES = frozenset(document()["passing"]["codes"])
# RFC 9110, section 15.
FIRST_FAILURE = 400
FIRST_OUTAGE = int(document()["passing"]["from"])
# The codes that mesibo documents, or that were seen in its answers or in those of its PHP backend.
KNOWN_LABELS = frozenset(document()["errors"]) | frozenset(
    {"BADUSER", "BADGROUP", "BADAPP", "BADCODE", "MISSINGAPPID", "NOTMEMBER", "NOTFOUND"}
)

_DIGITS = re.compile(r"-?[0-9]{1,19}")


def judge(op: str, response: Response, secrets: Sequence[str]) -> Answer | MesiboError:
    """The answer of a call that succeeded, or why it did not, whatever the HTTP status: mesibo speaks in
    the body. `secrets` are blotted out of what it says."""
    answer = json_object(response.body)
    if response.status // 100 == 3:
        return MesiboUnreachable("redirect")
    if answer is None or "result" not in answer:
        return _stranger(response, answer)
    if is_success(answer.get("result")):
        return answer
    refusal = _refusal(op, answer, secrets)
    if _is_outage(refusal, response.status):
        wait = seconds_of(response.headers)
        fault = MesiboUnreachable(f"fault {refusal.label}", maybe_done=True, passing=True, retry_after=wait)
        fault.error, fault.code = refusal.error, _status(refusal, response.status)
        return fault
    return refusal


def json_object(body: bytes) -> dict[str, object] | None:
    """The object that a body holds; None where it holds something else."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):  # RecursionError: a body of nothing but brackets
        return None
    return answer if isinstance(answer, dict) else None


def _stranger(response: Response, answer: Answer | None) -> MesiboUnreachable:
    # mesibo's own answers always hold `result`, so this one is a proxy's or another server's.
    status = response.status
    if status < 400:
        return MesiboUnreachable("not json" if answer is None else "bad answer", maybe_done=True)
    # A proxy's 4xx (413 from nginx) stands for a request that was not passed on.
    wait = seconds_of(response.headers)
    passing = status >= FIRST_OUTAGE or status in PASSING_CODES
    return MesiboUnreachable(
        f"http {status}", maybe_done=status // 100 != 4, passing=passing, retry_after=wait
    )


def _is_outage(refusal: MesiboRefused, status: int) -> bool:
    """Whether mesibo could not do it, and did not say no.

    `code` is an RFC 9110 status (documented); where it is absent, the HTTP status stands for it if it is one
    of a failure, and else the label alone speaks: one that nobody knows is no answer to what was asked.
    """
    code = _status(refusal, status)
    if code is not None and code < FIRST_OUTAGE:
        return code in PASSING_CODES
    return code is not None or refusal.error not in KNOWN_LABELS


def _status(refusal: MesiboRefused, status: int) -> int | None:
    """The status of a failure that `code`, or else HTTP, tells; None where neither does."""
    code = refusal.code if refusal.code is not None else status
    return code if code >= FIRST_FAILURE else None


def is_success(result: object) -> bool:
    """Whether `result` says yes: `true` is documented; 1 and "OK" stand in mesibo's oldest pages."""
    return result is True or result == 1 or result == "OK"


def _refusal(op: str, answer: Answer, secrets: Sequence[str]) -> MesiboRefused:
    def text(value: object, longest: int = LONGEST_TEXT) -> str:
        plain = "" if value is None else str(value)
        for secret in filter(None, secrets):
            plain = plain.replace(secret, "***")
        return plain[:longest]

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


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _truth(value: object) -> bool | None:
    return None if value is None else value in (True, 1, "1", "true")


_READERS: Mapping[str, Callable[[object], object]] = {"integer": number, "text": _text, "boolean": _truth}


def record(kind: type[Any], fields: Mapping[str, Returned], answer: object, op: str) -> Any:
    """A record of what an answer, or an item of it, holds.

    Raises:
        MesiboUnreachable: `bad answer`: what every success must hold is missing.
    """
    found = {name: _READERS[each.type](at(answer, each.path)) for name, each in fields.items()}
    if any(each.always and not found[name] for name, each in fields.items()):
        raise bad_answer(op)
    return kind(**found)


def items(answer: Answer, path: str, subject: str, op: str) -> list[object]:
    """The list in an answer, at the root or (inferred: as with what useradd returns) in the subject.

    Raises:
        MesiboUnreachable: `bad answer`: there is none.
    """
    found = at(answer, path)
    if found is None:
        found = at(answer, f"{subject}.{path}")
    if not isinstance(found, list):
        raise bad_answer(op)
    return found


def at(answer: object, path: str) -> object:
    """What stands at a dotted path, None where nothing does."""
    for name in path.split("."):
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer


def bad_answer(op: str) -> MesiboUnreachable:
    """That a success lacks what it must hold."""
    error = MesiboUnreachable("bad answer", maybe_done=True)
    error.op = op
    return error

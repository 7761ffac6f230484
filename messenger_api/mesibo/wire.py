"""Records to bytes and bytes to records, in every style of mesibo's backend API, without a network.

The names on the wire are those of `specification.json`. What it calls inferred stands in `INFERRED`, and
whoever knows better names it otherwise: `Wire(..., inferred={"usertoken.delete.json": "user.token.remove"})`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from urllib3.filepost import encode_multipart_formdata

from messenger_api.mesibo import answers
from messenger_api.mesibo.answers import Answer
from messenger_api.mesibo.errors import MesiboError
from messenger_api.mesibo.http.exchange import Response
from messenger_api.mesibo.operation import File, Operation
from messenger_api.mesibo.specification import Field, OpSpecification, document, operations
from messenger_api.mesibo.values import checked, path_of, written

CONTENT_TYPES = {name: style["content_type"] for name, style in document()["styles"].items()}

ITEMS_PER_CALL: int = document()["limits"]["items"]["value"]
"""The most items that a list answers in one call; mesibo documents no way to ask for the next."""

ON_PREMISE_BODY: int = document()["limits"]["body"]["value"]
"""Bytes: the longest request body of the nginx in mesibo's on-premise image, which answers 413 beyond."""

# The type of every file that is sent: what it is, mesibo tells by its name.
UNTOLD = "application/octet-stream"

A = TypeVar("A")


def _inferred() -> Iterator[tuple[str, str]]:
    for op in operations().values():
        for name, each in op.fields.items():
            for style, spelt in each.spellings.items():
                if spelt.source == "inferred":
                    yield f"{op.name}.{name}.{style}", spelt.name
        if op.items and op.items.source == "inferred":
            yield f"{op.name}.items", op.items.path


INFERRED: Mapping[str, str] = MappingProxyType(dict(_inferred()))
"""What stands nowhere in mesibo's documentation or code: `op.field.style`, and `op.items` for the list in an
answer, to the (dotted) name on the wire."""


@dataclass(frozen=True)
class Request:
    """What is sent: a POST of this body, under this content type. `op` is its name and `id` its number."""

    op: str
    content_type: str
    body: bytes = field(repr=False)
    id: int | None = None


class Wire:
    """Writes requests and reads answers, for one app.

    Args:
        token: the app's token.
        style: `json` or `form`; an op that has not this one takes the one that it has.
        key: the account's API key, for the ops that want it.
        inferred: names in the place of those in `INFERRED`, under the same keys.

    Raises:
        ValueError: no such style, or a key that is not in `INFERRED`.
    """

    def __init__(
        self, token: str, style: str = "json", *, key: str = "", inferred: Mapping[str, str] | None = None
    ) -> None:
        if style not in ("json", "form"):
            raise ValueError("the style of mesibo's API is auto, json or form")
        if unknown := sorted(set(inferred or {}) - set(INFERRED)):
            raise ValueError(f"not inferred, or unknown: {', '.join(unknown)}")
        self.style = style
        self._auth = {"token": token, "key": key}
        self._names = {**INFERRED, **(inferred or {})}

    def __repr__(self) -> str:
        return f"Wire(style={self.style!r})"

    def encode(self, op: Operation[Any], *, id: int | None = None, boundary: str | None = None) -> Request:  # noqa: A002
        """The request for a record. Characters that UTF-8 cannot carry (lone surrogates) become `?`.

        Raises:
            ValueError: a field is out of bounds, is missing, or cannot be said in this style.
        """
        found = operations()[op.OP]
        style = self._style_of(found)
        values = [
            (each, value) for each in found.fields.values() if (value := path_of(op, each.name)) is not None
        ]
        _check_presence(found, {each.name for each, _ in values}, style)
        named = {
            self._name(found, each, style): written(checked(each, value), each, style)
            for each, value in values
        }
        return self._request(found.name, style, named, found.auth, id, boundary)

    def encode_raw(
        self,
        op: str,
        fields: Mapping[str, Any],
        *,
        style: str = "",
        id: int | None = None,  # noqa: A002
    ) -> Request:
        """The request for an op of any name: `fields` stand beside op and token as they are: for a form
        texts, numbers, booleans (1 or 0) or `File`s."""
        style = style or self.style
        if style != "json":
            fields = {name: int(each) if isinstance(each, bool) else each for name, each in fields.items()}
            style = "multipart" if any(isinstance(each, File) for each in fields.values()) else style
        auth = operations()[op].auth if op in operations() else "token"
        return self._request(op, style, fields, auth, id, None, nested=True)

    def judge(self, request: Request, response: Response) -> Answer | MesiboError:
        """The answer of a call that succeeded, or why it did not."""
        outcome = answers.judge(request.op, response, tuple(self._auth.values()))
        if isinstance(outcome, MesiboError):
            outcome.op, outcome.request_id = request.op, request.id
            return outcome
        returned = answers.number(outcome.get("id"))
        if request.id is not None and returned not in (None, request.id):
            # The answer to something else, out of a cache on the way.
            return answers.bad_answer(request.op)
        return outcome

    def decode(self, op: Operation[A], answer: Answer) -> A:
        """The record of what a call returned.

        Raises:
            MesiboUnreachable: `bad answer`: it lacks what every success must hold.
        """
        found = operations()[op.OP]
        result: Any = None
        if found.items and op.ANSWER:
            listed = answers.items(
                answer, self._names.get(f"{op.OP}.items", found.items.path), found.subject, op.OP
            )
            kind, fields = op.ANSWER, found.items.fields
            result = tuple(
                answers.record(kind, fields, item if isinstance(item, dict) else {"address": item}, op.OP)
                for item in listed
            )
        elif op.ANSWER:
            result = answers.record(op.ANSWER, found.answer, answer, op.OP)
        return result  # type: ignore[no-any-return]  # ANSWER is what the record's type says

    def size(self, op: Operation[Any]) -> int:
        """Bytes of the request body for a record, without an id."""
        return len(self.encode(op).body)

    def _style_of(self, op: OpSpecification) -> str:
        return self.style if self.style in op.styles else op.styles[0]

    def _name(self, op: OpSpecification, each: Field, style: str) -> str:
        if style not in each.spellings:
            raise ValueError(f"{op.name}: {each.name} cannot be said in the {style} style")
        return self._names.get(f"{op.name}.{each.name}.{style}") or each.spellings[style].name

    def _request(
        self,
        op: str,
        style: str,
        named: Mapping[str, Any],
        auth: str,
        number: int | None,
        boundary: str | None,
        *,
        nested: bool = False,
    ) -> Request:
        head = {} if number is None else {"id": number}
        secret = {auth: self._auth[auth]}
        if style == "json":
            root = {"op": op, **secret, **head, **(named if nested else _nested(named))}
            text = json.dumps(root, ensure_ascii=False, separators=(",", ":"))
            return Request(op, CONTENT_TYPES[style], text.encode("utf-8", "replace"), number)
        # The token last, as mesibo's PHP helper has it.
        flat = {"op": op, **head, **named, **secret}
        if style == "form":
            body = urlencode(flat, errors="replace").encode("ascii")
            return Request(op, CONTENT_TYPES[style], body, number)
        parts = {name: _part(value) for name, value in flat.items()}
        content, content_type = encode_multipart_formdata(parts, boundary)
        return Request(op, content_type, content, number)


def _check_presence(op: OpSpecification, named: set[str], style: str) -> None:
    missing = [
        each.name
        for each in op.fields.values()
        if (each.required or style in each.required_in) and each.name not in named
    ]
    if missing:
        raise ValueError(f"{op.name}: {missing[0]} is required")
    if op.one_of and not named.intersection(op.one_of):
        raise ValueError(f"{op.name}: one of {', '.join(op.one_of)} is required")
    if op.when in named and len(named.intersection(op.at_most_one)) > 1:
        raise ValueError(f"{op.name}: at most one of {', '.join(op.at_most_one)} with {op.when}")


def _part(value: Any) -> Any:
    return (value.name, value.content, UNTOLD) if isinstance(value, File) else str(value)


def _nested(named: Mapping[str, Any]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for path, value in named.items():
        *outer, last = path.split(".")
        inner = root
        for name in outer:
            inner = inner.setdefault(name, {})
        inner[last] = value
    return root


def style_of(url: str, style: str = "auto") -> str:
    """`json` or `form`: as asked, and for `auto` by the path, of which only api.php wants forms.

    Raises:
        ValueError: `style` is none of `auto`, `json`, `form`.
    """
    if style not in ("auto", "json", "form"):
        raise ValueError("the style of mesibo's API is auto, json or form")
    if style != "auto":
        return style
    return "form" if urlsplit(url).path.rstrip("/").endswith("api.php") else "json"

"""`specification.json` as typed records: the ops of mesibo's backend API, their fields and answers.

The file says of each fact how sure it is (`source`): `documented` by mesibo, read in its own `code`, seen in
`third-party` code, `observed` in an answer of a real server, or `inferred`, which is written nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

STYLES: Final = ("json", "form", "multipart")
"""How a request is written: nested JSON, flat names in a form, or a form with files."""


@dataclass(frozen=True)
class Spelling:
    """A field's name on the wire in one style, dotted where it is nested, and how sure it is."""

    name: str
    source: str


@dataclass(frozen=True)
class Field:
    """What a request may hold.

    Attributes:
        name: here, and on the command line.
        type: a key of the file's `types`.
        about: for people.
        spellings: by style. A style that is absent cannot say it.
        required: whether every request holds it.
        required_in: the styles in which it is required.
        default: what mesibo takes where it is absent; None where that is not known.
        unit: of a number, "" for none.
        least: of a number.
        most: of a number; of a text its characters.
        values: the only ones, if any.
        secret: whether it must stay out of logs.
    """

    name: str
    type: str
    about: str
    spellings: Mapping[str, Spelling]
    required: bool = False
    required_in: tuple[str, ...] = ()
    default: object = None
    unit: str = ""
    least: int | None = None
    most: int | None = None
    values: tuple[object, ...] = ()
    secret: bool = False


@dataclass(frozen=True)
class Returned:
    """What an answer may hold: its name here, and where it stands in the answer, dotted.

    `styles`: the only ones in which it comes, if any; `always`: a success without it is no usable answer.
    """

    name: str
    type: str
    path: str
    source: str
    about: str
    styles: tuple[str, ...] = ()
    unit: str = ""
    secret: bool = False
    always: bool = False


@dataclass(frozen=True)
class Items:
    """A list in an answer: the name of an item's record, where the list stands, and what an item may hold."""

    record: str
    path: str
    source: str
    fields: Mapping[str, Returned]


@dataclass(frozen=True)
class OpSpecification:
    """One op.

    Attributes:
        name: on the wire.
        record: the name of its record in Python.
        about: for people.
        room: `users`, `groups`, `messages`, `app` or `account`.
        subject: the object of the json style that holds its fields; "" for none.
        source: how sure it is that the op exists.
        styles: in which it may be asked.
        repeatable: whether asking twice leaves mesibo as asking once does.
        deletes: whether something is gone for good afterwards.
        hosting: who serves it: a key of the file's `hosting`.
        auth: by what name the secret travels: `token` (the app's) or `key` (the account's).
        one_of: fields of which one is required.
        at_most_one: fields of which one may be sent at most when `when` is.
        when: the field that `at_most_one` looks at.
        fields: in the order in which they are sent.
        answer: what a success holds.
        items: the list that it holds, if any.
    """

    name: str
    record: str
    about: str
    room: str
    subject: str
    source: str
    styles: tuple[str, ...]
    repeatable: bool
    deletes: bool
    hosting: str
    auth: str
    one_of: tuple[str, ...]
    at_most_one: tuple[str, ...]
    when: str
    fields: Mapping[str, Field]
    answer: Mapping[str, Returned]
    items: Items | None


@cache
def document() -> Mapping[str, Any]:
    """The file as it stands."""
    text = files("messenger_api.mesibo").joinpath("specification.json").read_text("utf-8")
    read: Mapping[str, Any] = json.loads(text)
    return read


@cache
def operations() -> Mapping[str, OpSpecification]:
    """All ops of the file."""
    return read_operations(document())


def read_operations(found: Mapping[str, Any]) -> Mapping[str, OpSpecification]:
    """The ops of a document of the file's shape."""
    return {name: _operation(name, op) for name, op in found["ops"].items()}


def _operation(name: str, op: Mapping[str, Any]) -> OpSpecification:
    items = op.get("items")
    return OpSpecification(
        name,
        op["record"],
        op["about"],
        op["room"],
        op.get("subject", ""),
        op["source"],
        tuple(op["styles"]),
        op["repeatable"],
        op.get("deletes", False),
        op["hosting"],
        op.get("auth", "token"),
        tuple(op.get("one_of", ())),
        tuple(op.get("at_most_one", {}).get("fields", ())),
        op.get("at_most_one", {}).get("when", ""),
        {each: _field(each, said) for each, said in op["fields"].items()},
        _returned(op["answer"]),
        Items(items["record"], items["name"], items["source"], _returned(items["fields"])) if items else None,
    )


def _field(name: str, said: Mapping[str, Any]) -> Field:
    return Field(
        name,
        said["type"],
        said["about"],
        {style: Spelling(**said[style]) for style in STYLES if style in said},
        said.get("required", False),
        tuple(said.get("required_in", ())),
        said.get("default"),
        said.get("unit", ""),
        said.get("least"),
        said.get("most"),
        tuple(said.get("values", ())),
        said.get("secret", False),
    )


def _returned(said: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Returned]:
    return {
        name: Returned(
            name,
            each["type"],
            each["name"],
            each["source"],
            each["about"],
            tuple(each.get("styles", ())),
            each.get("unit", ""),
            each.get("secret", False),
            each.get("always", False),
        )
        for name, each in said.items()
    }

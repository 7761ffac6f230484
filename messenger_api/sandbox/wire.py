"""mesibo's two wire generations: the fields of every op, and the strict reading of a request.

"JSON" is `/backend`: POST of a JSON object with the op's fields nested under the subject. "Form" is
`api.php`: flat names in a query or a form, every value a string. Names and types are mesibo's
documentation or its published code; a JSON name that neither shows is marked inferred.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Value = str | int | bool
Kind = Literal["text", "whole", "flag"]

ENVELOPE = frozenset({"op", "token", "id"})
# mesibo's older PHP helper adds `sig=none` to every query; mesibo ignores it.
IGNORED_IN_FORM = frozenset({"sig"})
# JSON numbers are exact up to here in every language the callers are written in.
LARGEST = 2**53 - 1


@dataclass(frozen=True)
class Field:
    """A parameter: its name here, in a form ("" = none) and its path in JSON ("" = none)."""

    name: str
    form: str
    path: str
    kind: Kind = "text"
    required: bool = False
    lowest: int = 0

    def wire_name(self, *, form: bool) -> str:
        """How an answer's `properties` call it."""
        return self.form if form else self.path.rpartition(".")[2]


class RefusedError(Exception):
    """The request is answered with `result` false; what the members mean is mesibo's documentation."""

    def __init__(self, error: str, code: int, cause: str, properties: list[str] | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.code = code
        self.cause = cause
        self.properties = properties or []


@dataclass(frozen=True)
class Envelope:
    """What every request carries, and its other fields still unread."""

    op: str
    token: object
    id: Value | None
    form: bool
    fields: Mapping[str, object]


_USER = (Field("uid", "uid", "user.uid", "whole"), Field("address", "addr", "user.address"))
_APP = (
    Field("appid", "appid", "user.token.appid"),
    Field("expiry", "expiry", "user.token.expiry", "whole"),
    Field("v2", "", "user.token.v2", "flag"),
)
_PERMISSIONS = (
    Field("send", "cs", "group.members.permissions.send", "flag"),
    Field("recv", "cr", "group.members.permissions.recv", "flag"),
    Field("pub", "canpub", "group.members.permissions.pub", "flag"),
    Field("sub", "cansub", "group.members.permissions.sub", "flag"),
    Field("list", "canlist", "group.members.permissions.list", "flag"),
    Field("owner", "", "group.members.admin.owner", "flag"),
    Field("remuser", "", "group.members.admin.remuser", "flag"),
)
_GROUP = (
    Field("name", "name", "group.name"),
    Field("flag", "flag", "group.flags", "whole"),  # JSON: inferred
    Field("expiry", "expiry", "group.expiry", "whole"),  # JSON: inferred
    Field("expiryext", "expiryext", "group.expiryext", "whole"),  # JSON: inferred
    Field("active", "active", "group.active", "flag"),
    Field("sflags", "sflags", "", "whole", lowest=-1),
    Field("pinned", "pinned", "", "whole", lowest=-1),
    Field("image", "", "group.profile.image"),
    Field("members", "m", "group.members.m"),
    *_PERMISSIONS,
)
_GID = Field("gid", "gid", "group.gid", "whole", required=True)

# JSON of userset, userdel, usertoken, usersget, groupdel, groupgetmembers and groupsget: inferred.
FIELDS: Mapping[str, tuple[Field, ...]] = {
    "useradd": (
        Field("address", "addr", "user.address", required=True),
        *_APP,
        Field("name", "name", "user.name"),
        Field("active", "active", "user.active", "flag"),
        Field("flag", "flag", "user.flags", "whole"),
        Field("otp", "otp", "user.otp"),
        Field("groups", "groups", "", "whole"),
        Field("session", "session", "", "whole"),
        Field("restrictions", "restrictions", "", "whole"),
        Field("pinned", "pinned", "", "flag"),
    ),
    "userset": (
        *_USER,
        Field("active", "active", "user.active", "flag"),
        Field("flag", "flag", "user.flags", "whole"),
        Field("pinned", "pinned", "", "whole", lowest=-1),
    ),
    "userdel": _USER,
    "usertoken": (
        *_USER,
        *_APP,
        Field("delete", "delete", "user.token.delete", "flag"),  # both: inferred
        Field("remove", "", "user.token.remove", "flag"),  # inferred from groupeditmembers
    ),
    "usersget": (
        Field("address", "addr", "user.address"),
        Field("count", "count", "user.count", "whole"),
    ),
    "otp": (
        Field("address", "addr", "otp.address", required=True),
        Field("tries", "tries", "otp.tries", "whole", lowest=1),
        Field("expiry", "expiry", "otp.expiry", "whole", lowest=1),
        Field("reuse", "reuse", "otp.reuse", "flag"),
    ),
    # The PHP demo sends groupadd with gid 0.
    "groupadd": (Field("gid", "gid", "", "whole"), *_GROUP),
    "groupset": (_GID, *_GROUP),
    "groupdel": (_GID,),
    "groupeditmembers": (
        _GID,
        Field("members", "m", "group.members.m", required=True),
        Field("delete", "delete", "group.members.remove", "flag"),
        *_PERMISSIONS,
    ),
    "groupgetmembers": (_GID, Field("count", "count", "group.count", "whole")),
    "groupsget": (Field("name", "name", "group.name"), Field("count", "count", "group.count", "whole")),
    "message": (
        Field("from", "from", "message.from", required=True),
        Field("to", "to", "message.to"),
        Field("gid", "gid", "message.gid", "whole"),
        Field("type", "type", "message.type", "whole"),
        Field("expiry", "expiry", "message.expiry", "whole"),
        Field("when", "when", "message.when", "whole"),
        Field("text", "msg", "message.message"),
        Field("url", "", "message.url"),
        Field("title", "", "message.title"),
        Field("flag", "flag", "message.flags", "whole"),
        Field("forced", "forced", "message.forced", "flag"),
        Field("channel", "channel", "", "whole"),
    ),
}
# mesibo's own example sends null here.
_MAY_BE_NULL = frozenset({"message.flags"})


@dataclass(frozen=True)
class Call:
    """A request that was understood: values by `Field.name`, and the JSON objects that were present."""

    op: str
    form: bool
    values: Mapping[str, Value]
    objects: frozenset[str] = frozenset()

    def text(self, name: str, default: str = "") -> str:
        """A text field."""
        return str(self.values.get(name, default))

    def whole(self, name: str, default: int = 0) -> int:
        """A numeric field."""
        return int(self.values.get(name, default))

    def flag(self, name: str) -> bool:
        """A yes-or-no field; absent is no."""
        return bool(self.values.get(name, False))

    def wire_name(self, name: str) -> str:
        """The field's name as the caller knows it."""
        field = next(field for field in FIELDS[self.op] if field.name == name)
        return field.wire_name(form=self.form)

    def missing(self, *names: str) -> RefusedError:
        """The refusal for required fields that are absent."""
        properties = [self.wire_name(name) for name in names]
        return RefusedError("MISSINGPARA", 400, f"missing: {', '.join(properties)}", properties)

    def bad(self, name: str, cause: str) -> RefusedError:
        """The refusal for a field with a bad value."""
        return RefusedError("BADVALUE", 400, f"{self.wire_name(name)}: {cause}", [self.wire_name(name)])

    def addresses(self, name: str) -> list[str]:
        """A comma-separated list of addresses. One listed twice is kept; an empty one is refused."""
        if not self.values.get(name):
            return []
        found = self.text(name).split(",")
        if not all(found):
            raise self.bad(name, "an address in the list is empty")
        return found


def envelope_of_json(body: bytes) -> Envelope:
    """The envelope of a JSON request.

    Raises:
        RefusedError: the body is not one JSON object, or `op` or `id` have a wrong type.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError("BADVALUE", 400, "the body is not JSON") from None
    if not isinstance(found, dict):
        raise RefusedError("BADVALUE", 400, "the body is not a JSON object")
    op, number = found.get("op", ""), found.get("id")
    if _as_text(op) is None:
        raise RefusedError("BADVALUE", 400, "op is not a text", ["op"])
    if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
        raise RefusedError("BADVALUE", 400, "id is not an integer", ["id"])
    rest = {key: value for key, value in found.items() if key not in ENVELOPE}
    return Envelope(op, found.get("token"), number, False, rest)


def envelope_of_form(pairs: Mapping[str, list[str]]) -> Envelope:
    """The envelope of a request with flat names.

    Raises:
        RefusedError: a field came twice.
    """
    twice = [name for name, values in pairs.items() if len(values) > 1]
    if twice:
        raise RefusedError("BADVALUE", 400, "given more than once", twice)
    flat = {name: values[0] for name, values in pairs.items()}
    rest = {key: value for key, value in flat.items() if key not in ENVELOPE | IGNORED_IN_FORM}
    return Envelope(flat.get("op", ""), flat.get("token"), flat.get("id"), True, rest)


def read(envelope: Envelope) -> Call:
    """The call that the envelope holds.

    Raises:
        RefusedError: a field is unknown, has a wrong type or range, or a required one is absent.
    """
    form = envelope.form
    leaves, objects = (dict(envelope.fields), frozenset[str]()) if form else _flatten(envelope.fields)
    known = {(field.form if form else field.path): field for field in FIELDS[envelope.op]}
    known.pop("", None)
    _refuse_unknown(leaves, objects, known)
    values = {
        known[key].name: _checked(known[key], value, form=form)
        for key, value in leaves.items()
        if not (value is None and key in _MAY_BE_NULL)
    }
    call = Call(envelope.op, form, values, objects)
    absent = [field.name for field in known.values() if field.required and field.name not in values]
    if absent:
        raise call.missing(*absent)
    return call


def _flatten(fields: Mapping[str, object]) -> tuple[dict[str, object], frozenset[str]]:
    leaves: dict[str, object] = {}
    objects = set()
    for path, value in _walk("", fields):
        if isinstance(value, dict):
            objects.add(path)
        else:
            leaves[path] = value
    return leaves, frozenset(objects)


def _walk(prefix: str, fields: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for key, value in fields.items():
        # A dot in a member's name must not pass for a nesting.
        path = prefix + key.replace(".", "\\.")
        yield path, value
        if isinstance(value, dict):
            yield from _walk(path + ".", value)


def _refuse_unknown(
    leaves: Mapping[str, object], objects: frozenset[str], known: Mapping[str, Field]
) -> None:
    holders = {path[:at] for path in known for at, letter in enumerate(path) if letter == "."}
    unknown = [path for path in leaves if path not in known] + sorted(objects - holders)
    if unknown:
        names = [path.rpartition(".")[2] for path in unknown]
        raise RefusedError("BADVALUE", 400, "not a field of this op", names)


def _checked(field: Field, value: object, *, form: bool) -> Value:
    checked = _of_kind(field, value, form=form)
    name = field.wire_name(form=form)
    if checked is None:
        raise RefusedError("BADVALUE", 400, f"{name} has the wrong type or range", [name])
    if checked == "" and field.required and field.kind == "text":
        raise RefusedError("BADVALUE", 400, f"{name} is empty", [name])
    return checked


def _of_kind(field: Field, value: object, *, form: bool) -> Value | None:
    if field.kind == "text":
        return _as_text(value)
    number = _form_number(value) if form else value
    if field.kind == "flag" and number in (0, 1):
        return bool(number)
    if field.kind == "whole" and isinstance(number, int) and not isinstance(number, bool):
        return number if field.lowest <= number <= LARGEST else None
    return None


def _as_text(value: object) -> str | None:
    # Half of a surrogate pair cannot travel further as UTF-8.
    if not isinstance(value, str) or any("\ud800" <= letter <= "\udfff" for letter in value):
        return None
    return value


def _form_number(value: object) -> int | None:
    return int(str(value)) if re.fullmatch(r"-?[0-9]{1,16}", str(value)) else None

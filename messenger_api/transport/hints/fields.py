"""Hints about fields: unknown ones, those of other ops, and those that counted as absent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from itertools import islice

import msgspec
from msgspec.structs import FieldInfo

from messenger_api.ops.binding import Preference, marks
from messenger_api.ops.call import ApiRequest, Operation
from messenger_api.ops.fields import Ignored
from messenger_api.transport.hints.asked import Asked, declared, is_name, listed, shown

# In every call: `lang` is looked at by `ApiRequest.language`.
EVERYWHERE = frozenset({"op", "token", "lang"})
AUTH = "auth"
FILES = ("photo", "file")
# So many fields of a request are looked at.
MOST_FIELDS = 100
# Beyond this a time is no second of these centuries.
LATEST = 10**11


def hints(asked: Asked) -> Iterator[str]:
    """What of the fields was ignored."""
    request, operation = asked.request, asked.operation
    if request is None or operation is None:
        return
    taken = declared(operation)
    for name, value in islice(request.fields.items(), MOST_FIELDS):
        if name in taken:
            yield from _counted_as_absent(taken[name], value)
        elif name not in EVERYWHERE and not (name == AUTH and _has_its_own_hint(asked)):
            yield from _unknown(asked, operation, name)
    yield from _file(request, operation)
    yield from _meaning(asked)


def _has_its_own_hint(asked: Asked) -> bool:
    """Whether `auth` was the token, or was meant as it (`hints.session`)."""
    operation, request = asked.operation, asked.request
    needs_session = operation is not None and operation.needs_session
    return asked.op == "upload" or (needs_session and request is not None and not request.token)


def _unknown(asked: Asked, operation: Operation, name: str) -> Iterator[str]:
    op = asked.op
    if name in FILES and operation.file:
        yield f"'{name}' is a text here; a picture comes as the file of a multipart form"
        return
    names = [*declared(operation), *EVERYWHERE]
    bare = name.partition("[")[0]
    close = [bare] if bare in names else get_close_matches(name.lower(), names, n=1) if is_name(name) else []
    homes = [other for other, it in asked.operations.items() if name in declared(it)]
    yield (
        f"{op} takes no {shown(name)}"
        + (f", which is a field of {listed(homes)}" if homes else "")
        + (f": did you mean '{close[0]}'?" if close else "")
    )


def _counted_as_absent(info: FieldInfo, value: object) -> Iterator[str]:
    name, kind = info.encode_name, getattr(info.type, "__origin__", info.type)
    if value is None:
        yield f"'{name}' is null and counts as absent"
    elif kind is int and isinstance(value, str) and not value.strip():
        yield f"'{name}' is empty and counts as absent"
    elif info.type == Ignored and name != "lang":
        yield f"'{name}' is taken and not looked at"
    elif next(marks(info.type, Preference), None) and not _is_one_of(info, value):
        yield f"'{name}' has a value that is not known here, and counts as absent"


def _is_one_of(info: FieldInfo, value: object) -> bool:
    try:
        msgspec.convert(value.strip() if isinstance(value, str) else value, info.type)
    except msgspec.ValidationError:
        return False
    return True


def _file(request: ApiRequest, operation: Operation) -> Iterator[str]:
    if request.file and not operation.file:
        yield f"{request.op} takes no file; the one sent was not looked at"


def _meaning(asked: Asked) -> Iterator[str]:
    """What is well formed and yet has no effect."""
    for ops, is_so, text in _WITHOUT_EFFECT:
        if asked.op in ops and is_so(asked):
            yield text


def _number(asked: Asked, name: str) -> int:
    """A number that was sent; 0 for none."""
    value = asked.request.fields.get(name) if asked.request else None
    try:
        return int(str(value).strip()[:20])
    except ValueError:
        return 0


_WITHOUT_EFFECT: Sequence[tuple[frozenset[str], Callable[[Asked], bool], str]] = (
    (
        frozenset({"profile"}),
        lambda asked: asked.has("status") and _number(asked, "gid") > 0,
        "with 'gid' the group is meant, which has no status: 'status' was not looked at",
    ),
    (
        frozenset({"upload"}),
        lambda asked: not _number(asked, "profile") and (asked.has("gid") or asked.has("delete")),
        "'gid' and 'delete' count only with 'profile' 1: this file is one for a chat",
    ),
    (
        frozenset({"getcontacts"}),
        lambda asked: _number(asked, "ts") > LATEST,
        "'ts' counts seconds, not milliseconds: nothing changes after it",
    ),
    (
        frozenset({"login", "changenumber"}),
        lambda asked: asked.has("otp") and asked.has("code"),
        "'otp' and 'code' mean the same: 'otp' counts where it can be read",
    ),
)

"""Where two answers to one request differ, and which of that is meant: the improvements over the PHP demo."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

Answer = Mapping[str, object]

ABSENT = "absent"
# Of these the values may be told: they name nobody.
TOLD = frozenset({"result", "error", "code", "cc", "ui", "profile", "answer"})
# What an answer holds for people, or about the configuration.
TEXTS = frozenset({"errtitle", "errmsg", "title", "message", "properties", "retry_after"})
ADDRESSES = frozenset({"fileurl", "downloadurl", "uploadurl", "url"})
MORE = frozenset({"u", "name", "status", "phone", "photo", "tn", "gid", "members", "file"})
NAMED_HERE = frozenset({"photo", "file", "url"})


class _Absent:
    """In the place of a value that is not there."""

    def __bool__(self) -> bool:
        return False


NONE = _Absent()


class Difference(NamedTuple):
    """A member in which two answers differ.

    `field`: its name, `contacts.name` for that of an entry; `contacts` where a whole entry is missing.
    `known`: the improvement that it is, "" for a difference that nobody meant. `php` and `ours` tell what
    stands there, without the values of people.
    """

    field: str
    known: str
    php: str
    ours: str


@dataclass(frozen=True)
class Pair:
    """Two values of one member, and what they belong to. `NONE` stands for one that is not there."""

    op: str
    field: str
    php: object
    ours: object
    mine: bool = False
    """Whether it is the caller's own entry among the contacts."""
    other_photo: bool = False
    """Whether the two sides have different photos of whatever this is about."""

    @property
    def last(self) -> str:
        """The member's own name."""
        return self.field.rpartition(".")[2]


Meant = Callable[[Pair], bool]


def _owner_changed(pair: Pair) -> bool:
    if pair.last != "members" or not (isinstance(pair.php, str) and isinstance(pair.ours, str)):
        return False
    return _owner(pair.php) != _owner(pair.ours)


def _owner(members: str) -> str:
    count, _, people = members.partition(":")
    return people.partition(",")[0] if count != "0" else ""


def _no_younger(pair: Pair) -> bool:
    if pair.last != "ts" or pair.ours is NONE:
        return False
    return pair.field == "ts" or not pair.php or _number(pair.ours) <= _number(pair.php)


def _number(value: object) -> int:
    text = str(value)
    return int(text) if text.isdecimal() else 0


# What is meant, the first that fits. Rows of the contract's table of improvements, in few words.
IMPROVEMENTS: tuple[tuple[str, Meant], ...] = (
    ("texts for people", lambda p: p.field in TEXTS and p.php is NONE),
    ("every answer has its second", lambda p: p.field == "ts"),
    ("a FAIL always says why", lambda p: p.field == "error" and not p.php),
    ("an unknown op is BADOP", lambda p: p.field == "error" and (p.php, p.ours) == ("AUTHFAIL", "BADOP")),
    ("mesibo's own reason", lambda p: p.field == "error" and _number(p.php) > 0),
    ("addresses of this server", lambda p: p.field in ADDRESSES and p.php is NONE),
    ("the own profile comes along", lambda p: p.field in MORE and p.php is NONE),
    ("contacts is always there", lambda p: p.field == "contacts" and p.php is NONE and p.ours == []),
    ("the caller is no contact", lambda p: p.mine and p.ours is NONE),
    ("nothing is null", lambda p: p.php is None and p.ours == ""),
    ("the real country code", lambda p: p.op == "login" and p.field == "cc"),
    ("uploaders read true", lambda p: p.op == "upload" and p.field == "result" and _agree(p.php, p.ours)),
    ("setgroup's status is no time", lambda p: p.last == "status" and _number(p.php) > 0 and p.ours == ""),
    ("a thumbnail with every photo", lambda p: p.last == "tn" and p.php is NONE and bool(p.ours)),
    ("a thumbnail of its own photo", lambda p: p.last == "tn" and p.other_photo),
    ("names of its own for files", lambda p: p.last in NAMED_HERE and bool(p.php) and bool(p.ours)),
    ("no change is lost", _no_younger),
    ("no change is lost", lambda p: p.field == "contacts" and p.php is NONE),
    ("the owner stays the owner", _owner_changed),
    ("a group has a name", lambda p: p.last == "name" and p.php == "" and bool(p.ours)),
    ("what is not sent stays", lambda p: p.last in ("name", "status") and not p.php and bool(p.ours)),
)


def differences(op: str, php: Answer, ours: Answer) -> list[Difference]:
    """Every member in which the answers differ in more than the type of a number."""
    found = []
    for pair in _pairs(op, php, ours):
        if not _same(pair):
            known = next((name for name, meant in IMPROVEMENTS if meant(pair)), "")
            found.append(Difference(pair.field, known, _told(pair, pair.php), _told(pair, pair.ours)))
    return found


def _pairs(op: str, php: Answer, ours: Answer) -> Iterator[Pair]:
    other = php.get("photo") != ours.get("photo")
    for field in dict.fromkeys((*php, *ours)):
        left, right = php.get(field, NONE), ours.get(field, NONE)
        if field == "contacts" and isinstance(left, list) and isinstance(right, list):
            yield from _entries(op, _by_key(left), _by_key(right), _own_number(ours))
        else:
            yield Pair(op, field, left, right, other_photo=other)


def _entries(op: str, php: Mapping[str, Answer], ours: Mapping[str, Answer], own: str) -> Iterator[Pair]:
    for key in dict.fromkeys((*php, *ours)):
        if key not in php or key not in ours:
            yield Pair(op, "contacts", php.get(key, NONE), ours.get(key, NONE), mine=key == own)
            continue
        left, right = php[key], ours[key]
        other = left.get("photo") != right.get("photo")
        for field in dict.fromkeys((*left, *right)):
            values = (left.get(field, NONE), right.get(field, NONE))
            yield Pair(op, f"contacts.{field}", *values, other_photo=other)


def _by_key(entries: list[object]) -> dict[str, Answer]:
    found = (entry for entry in entries if isinstance(entry, dict))
    return {str(entry.get("phone") or entry.get("gid")): entry for entry in found}


def _own_number(ours: Answer) -> str:
    own = ours.get("u")
    return str(own.get("phone", "")) if isinstance(own, dict) else ""


def _same(pair: Pair) -> bool:
    php, ours = pair.php, pair.ours
    if pair.last == "members" and isinstance(php, str) and isinstance(ours, str):
        return _in_order(php) == _in_order(ours)
    if isinstance(php, str | int) and isinstance(ours, str | int) and not isinstance(php, bool):
        return not isinstance(ours, bool) and str(php) == str(ours)
    return php is ours or php == ours


def _in_order(members: str) -> tuple[str, str, list[str]]:
    """The owner, and the others in an order: among equals the demo tells them as its database likes."""
    count, _, people = members.partition(":")
    owner, *others = people.split(",") if count != "0" else ["", *people.split(",")]
    return count, owner, sorted(others)


def _agree(php: object, ours: object) -> bool:
    return (php in ("OK", True)) == (ours in ("OK", True))


def _told(pair: Pair, value: object) -> str:
    if value is NONE:
        return ABSENT
    if pair.field in TOLD or value in ("", None, [], {}):
        return repr(value)
    if isinstance(value, str):
        return "a text"
    return "a number" if isinstance(value, int) else f"a {type(value).__name__}"

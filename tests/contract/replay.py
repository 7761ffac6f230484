"""Replays recorded exchanges and says where today's answers and calls differ from the recorded ones."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image

from tests.contract.recorder import Call, RecordingMesibo
from tests.contract.shapes import nulls, png
from tests.product import Answer, Product, jpeg

TRANSCRIPT = Path(__file__).with_name("php-demo-transcript.json")
# The second in which the recording was made, as every `ts` in it says.
RECORDED_AT = 1795174363
# No entry of `contacts` is reported under a younger second: until then a change may still come to light.
SETTLED_AT = RECORDED_AT - 8
SETTLED = "<settled>"
TN = "<base64 JPEG 100x100>"
ABSENT = "<absent>"

_PHOTO = re.compile(r"[0-9]{10}-[0-9a-f]{16,32}\.[a-z]{3,4}")

Exchange = dict[str, Any]


def exchanges() -> list[Exchange]:
    """The recording, in its order."""
    found: list[Exchange] = json.loads(TRANSCRIPT.read_text("utf-8"))
    return found


def file_like(recorded: Mapping[str, Any]) -> tuple[io.BytesIO, str, str]:
    """A file of the recorded name and type; its bytes were not recorded."""
    text = b"this is no picture."[: recorded["bytes"]]
    data = {"jpg": jpeg, "png": png}[recorded["name"][-3:]]() if recorded["bytes"] > len(text) else text
    return io.BytesIO(data), recorded["name"], recorded["type"]


class Names:
    """What both sides name differently: tokens, gids and photos, ours by the recording's."""

    def __init__(self) -> None:
        self.ours: dict[str, str] = {}

    def learn(self, recorded: object, ours: object) -> None:
        """Pair two names that stand in the same place; a name never changes its partner."""
        pair = str(recorded), str(ours)
        assert self.ours.setdefault(*pair) == pair[1], f"{pair[0]} is named twice"
        assert len(set(self.ours.values())) == len(self.ours), f"{pair[1]} stands for two"

    def recorded(self, ours: object) -> str | None:
        """What the recording calls this."""
        return next((name for name, known in self.ours.items() if known == str(ours)), None)


class Replay:
    """One run of the recording against a product."""

    def __init__(self, product: Product, mesibo: RecordingMesibo) -> None:
        self._product = product
        self._mesibo = mesibo
        self.names = Names()

    def send(self, fields: Mapping[str, str], **request: Any) -> Answer:
        """Make a call with our names in place of the recorded ones, and deliver what follows it."""
        ours = {key: self._ours(key, value) for key, value in fields.items()}
        if request.get("method") == "GET":
            response = self._product.http.get("/api.php", query_string=ours)
        else:
            files = {part: file_like(file) for part, file in request.get("files", {}).items()}
            response = self._product.http.post("/api.php", data={**ours, **files})
        assert response.status_code == 200
        assert response.content_type == "application/json; charset=utf-8"
        self._product.deliver()
        answer: Answer = msgspec.json.decode(response.data)
        return answer

    def set_up(self, fields: Mapping[str, str], **request: Any) -> Answer:
        """A step that the recording does not show; it must succeed, and its calls are not compared."""
        answer = self.send(fields, **request)
        assert answer["result"] == "OK", answer
        self._mesibo.taken()
        return answer

    def differences(self, exchange: Exchange, added: frozenset[str]) -> dict[str, object]:
        """Repeat an exchange; every place where we differ, with what stands there instead.

        Members named in `added` may come on top at the answer's first level.
        """
        request, recorded = exchange["request"], exchange["response"]
        answer = self.send(request["fields"], method=request["method"], files=request.get("files", {}))
        self._learn(recorded, answer)
        more = {key: answer.pop(key) for key in added - recorded.keys() if key in answer}
        assert not nulls(more)
        calls = self._mesibo.taken()
        theirs = {**_sorted(recorded), "mesibo": _by_op(exchange.get("mesibo_calls", []))}
        ours = {**_sorted(self._normal(answer)), "mesibo": _by_op(self._normal(calls))}
        for part in ("contacts", "mesibo"):
            _same_order(theirs.get(part), ours.get(part))
        return dict(_differences(theirs, ours))

    def _ours(self, key: str, value: str) -> str:
        return self.names.ours.get(value, value) if key in ("token", "gid") else value

    def _learn(self, recorded: Answer, answer: Answer) -> None:
        for member in ("token", "gid", "photo"):
            if recorded.get(member) and answer.get(member):
                self.names.learn(recorded[member], answer[member])
        if "/" in recorded.get("file", "") and "photo" not in recorded:
            self.names.learn(*(side["file"].rpartition("/")[2] for side in (recorded, answer)))
        theirs = {_key(entry): entry["photo"] for entry in recorded.get("contacts", []) if entry["photo"]}
        for entry in answer.get("contacts", []):
            if photo := theirs.get(self._normal(_key(entry), "gid" if entry["gid"] != "0" else "")):
                self.names.learn(photo, entry["photo"])

    def _normal(self, value: Any, member: str = "") -> Any:
        """Our side with the recording's names; what has none there is `<photo>`."""
        if isinstance(value, dict):
            return {key: self._normal(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [self._normal(item) for item in value]
        if member == "gid" and (known := self.names.recorded(value)):
            return type(value)(known)
        if member == "token":
            return self.names.recorded(value) or value
        if member == "tn":
            return _thumbnail(value)
        if isinstance(value, str) and (named := _PHOTO.search(value)):
            return value.replace(named[0], self.names.recorded(named[0]) or "<photo>")
        return value


def _key(entry: Mapping[str, str]) -> str:
    return entry["phone"] or entry["gid"]


def _thumbnail(tn: str) -> str:
    image = Image.open(io.BytesIO(base64.b64decode(tn, validate=True)))
    assert (image.format, image.size) == ("JPEG", (100, 100))
    return TN


def _by_op(calls: list[Call]) -> dict[str, Call]:
    """The calls by op, the second of one op as `op 2`."""
    found: dict[str, Call] = {}
    for call in calls:
        earlier = sum(other["op"] == call["op"] for other in found.values())
        found[f"{call['op']} {earlier + 1}" if earlier else call["op"]] = _sorted(call)
    return found


def _sorted(value: Any, member: str = "") -> Any:
    """Lists in an order that both sides share.

    The recorded order of members who are neither owner nor admin is whatever the demo's database gave.
    """
    if isinstance(value, dict):
        return {key: _sorted(item, key) for key, item in value.items()}
    if member == "contacts":
        return {_key(entry): _settled(_sorted(entry)) for entry in value}
    if member == "members":
        count, _, people = value.partition(":")
        people = people.split(",")
        owner, others = people[: int(count) and 1], people[int(count) and 1 :]
        admins, plain = others[: max(int(count) - 1, 0)], others[max(int(count) - 1, 0) :]
        return f"{count}:{','.join([*owner, *sorted(admins), *sorted(plain)])}"
    if member in ("to", "m"):
        return ",".join(sorted(value.split(",")))
    return value


def _settled(entry: dict[str, object]) -> dict[str, object]:
    ts = str(entry["ts"])
    return {**entry, "ts": SETTLED} if len(ts) == 10 and int(ts) <= SETTLED_AT else entry


def _same_order(theirs: Any, ours: Any) -> None:
    if theirs is not None and ours is not None:
        assert [key for key in theirs if key in ours] == [key for key in ours if key in theirs]


def _differences(theirs: Any, ours: Any, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in [*theirs, *(key for key in ours if key not in theirs)]:
            place = f"{path}/{key}" if path else key
            if key not in ours:
                yield place, ABSENT
            elif key not in theirs:
                yield place, ours[key]
            else:
                yield from _differences(theirs[key], ours[key], place)
    elif type(theirs) is not type(ours) or theirs != ours:
        yield path, ours

"""What the stand-in for mesibo was called for, kept where it is asked for."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from messenger_api.sandbox.memory import Memory
from messenger_api.sandbox.records import RecordedCall

# Whoever may see the calls may not yet act as the users that they are about.
_SECRET = "token"  # noqa: S105 - a name


class CallStore(Memory):
    """The last calls, without the tokens in them."""

    def add_call(self, call: RecordedCall) -> None:
        """Keep a call."""
        values = (call.op, call.style, _text(call.fields), _text(call.answer), call.time)
        self.append("calls", "id", "op, style, fields, answer, time", values)

    def calls(self, limit: int = 100, after: int = 0) -> list[tuple[int, RecordedCall]]:
        """Calls with a number over `after`, each with its number, newest first."""
        sql = "SELECT * FROM calls WHERE id > ? ORDER BY id DESC LIMIT ?"
        return [(row["id"], _call(row)) for row in self.rows(sql, after, limit)]


def _call(row: sqlite3.Row) -> RecordedCall:
    fields, answer = json.loads(row["fields"]), json.loads(row["answer"])
    return RecordedCall(row["op"], row["style"], fields, answer, row["time"])


def _text(members: Mapping[str, Any]) -> str:
    return json.dumps(_shown(members), default=str)


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: "***" if _is_secret(key, item) else _shown(item) for key, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list | tuple) else value


def _is_secret(name: str, value: object) -> bool:
    return name == _SECRET and isinstance(value, str)

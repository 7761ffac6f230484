"""One good call of every op: what tests, the benchmark, docs/ops.md and the playground show of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OWN, FRIEND, OTHER, NEW = "14155550101", "14155550102", "14155550103", "14155550177"
"""The caller's number, those of two who have accounts, and one that nobody has."""
APPID = "com.example.messenger"
GID, PHOTO = "{gid}", "{photo}"
"""Stand for what only a running server or a test knows: a group of the caller's, the bytes of a picture."""

EVERY_SESSION = frozenset({"downloadurl", "fileurl", "invite", "share", "uploadurl", "urls"})


@dataclass(frozen=True)
class Example:
    """The parameters of a good call, besides `op` and `token`, and the fields of its answer.

    `answer`: the names of the answer's own fields. `op`, `result` and `ts` are in every answer, and
    `EVERY_SESSION` in those to whoever is logged in.
    """

    fields: Mapping[str, object]
    answer: frozenset[str]

    def filled(self, values: Mapping[str, object]) -> dict[str, object]:
        """The parameters with values for `{gid}` and `{photo}`.

        Raises:
            KeyError: there is no value for one that stands in this example.
        """
        return {
            name: values[field] if field in (GID, PHOTO) else field for name, field in self.fields.items()
        }


def _example(answer: str = "", /, **fields: object) -> Example:
    return Example(fields, frozenset(answer.split()))


EXAMPLES: Mapping[str, Example] = {
    "loginui": _example("ui"),
    "login": _example("retry_after", phone=OTHER, appid=APPID),
    "getcontacts": _example("contacts u", ts=0, phones=FRIEND),
    "delcontacts": _example(phones=FRIEND),
    "profile": _example("gid name phone photo status", name="Ana", status="away"),
    "upload": _example("file gid name phone photo profile status tn url", profile=1, photo=PHOTO),
    "setgroup": _example("gid members name photo status", gid=0, name="Walks", m=FRIEND),
    "getgroup": _example("gid members name photo status", gid=GID),
    "editmembers": _example("gid members", gid=GID, m=OTHER),
    "setadmin": _example("gid members", gid=GID, m=FRIEND, admin=1),
    "delgroup": _example("gid", gid=GID),
    "setnotify": _example(notifytoken="push", dt=1),
    "sessions": _example("sessions"),
    "revoke": _example("ended", others=1),
    "exportaccount": _example("account"),
    "changenumber": _example("retry_after", phone=NEW),
    "block": _example(phones=OTHER),
    "unblock": _example(phones=OTHER),
    "blocked": _example("count phones"),
    "report": _example(phone=FRIEND, reason="spam"),
    "deleteaccount": _example(),
    "logout": _example(),
}
"""In an order in which one caller may make all of them."""

"""Rows of users, groups and members as calls of mesibo, each done once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from messenger_api.cli.rows import BadRow, Done, Row, Skipped, truth
from messenger_api.mesibo import Client, GroupEditMembers, MesiboRefused, MesiboUnreachable, Operation
from messenger_api.mesibo.building import build
from messenger_api.mesibo.specification import Field, operations

# What a row may hold. `gid` of a group names one that exists.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "users": ("address", "name", "active", "flags"),
    "groups": ("gid", "name", "flags", "expiry", "expiryext"),
    "members": ("gid", "address", "send", "recv"),
}
# A call with this many addresses stays short, and a refused one is not long to take apart.
MEMBERS_PER_CALL = 100
MAYBE = "may exist at mesibo: no answer came, and another try could make a second one"
# In the place of a result: the call was about to be made, and is not made again unasked.
BEGUN = "begun"


def operation(
    kind: str, row: Row, *, new: bool = False, gids: Mapping[int, int] | None = None
) -> Operation[Any]:
    """The call for a row.

    Raises:
        BadRow: it has a fault.
    """
    op, values = _op(kind, row.checked(COLUMNS[kind]), new=new)
    fields = operations()[op].fields
    try:
        built = build(op, {name: _value(fields[name], value) for name, value in values.items()})
    except TypeError:
        raise BadRow("a column that is needed is empty: gid or address") from None
    return built if gids is None else _moved(built, gids)


def _op(kind: str, values: dict[str, Any], *, new: bool) -> tuple[str, dict[str, Any]]:
    if kind == "members":
        address = str(values.pop("address", ""))
        return "groupeditmembers", {**values, "members": [address]}
    if kind == "users":
        return "useradd", values
    if new:
        values.pop("gid", None)
    return "groupset" if "gid" in values else "groupadd", values


def _moved(op: Operation[Any], gids: Mapping[int, int]) -> Operation[Any]:
    if not isinstance(op, GroupEditMembers):
        return op
    if op.gid not in gids:
        raise BadRow(f"the group {op.gid} was not imported")
    return replace(op, gid=gids[op.gid])


def _value(field: Field, value: Any) -> Any:
    if field.type in ("boolean", "bit"):
        return truth(field.name, value)
    if field.type == "integer" and not isinstance(value, bool):
        try:
            return int(value)
        except (TypeError, ValueError):
            raise BadRow(f"{field.name}: {value} is no whole number") from None
    return value if isinstance(value, list) else str(value)


class Import:
    """Brings rows to mesibo, in batches; says after each how many are settled."""

    def __init__(self, client: Client, done: Done, skipped: Skipped) -> None:
        self._client = client
        self._done = done
        self._skipped = skipped
        self.sent = 0

    def run(self, calls: Iterable[tuple[Row, Operation[Any]]]) -> Iterator[int]:
        """Make the calls.

        Raises:
            MesiboUnreachable, MesiboRefused: mesibo is away, or refuses us. What was done is remembered.
        """
        for batch in _batches(calls):
            self._settle(batch)
            yield len(batch)

    def _settle(self, batch: list[tuple[Row, Operation[Any]]]) -> None:
        row, op = batch[0]
        if len(batch) > 1:
            members = [address for _, each in batch for address in each.members]  # type: ignore[attr-defined]
            op = replace(op, members=members)  # type: ignore[call-arg]
        once = not operations()[op.OP].repeatable
        if once:
            self._done.add(row, BEGUN)
        try:
            answer = self._client.call(op)
        except (MesiboRefused, ValueError) as refusal:
            self._refused(batch, refusal)
        except MesiboUnreachable as failure:
            if once and failure.maybe_done:
                self._skipped.add(row, MAYBE)
            else:
                self._done.forget(row)
            raise
        else:
            self.sent += len(batch)
            for each, _ in batch:
                self._done.add(each, getattr(answer, "gid", None))

    def _refused(self, batch: list[tuple[Row, Operation[Any]]], refusal: MesiboRefused | ValueError) -> None:
        self._done.forget(batch[0][0])
        if isinstance(refusal, MesiboRefused) and refusal.about_app_token:
            raise refusal
        if len(batch) == 1:
            self._skipped.add(batch[0][0], _reason(refusal))
            return
        for each in batch:  # one of them is at fault: each on its own
            self._settle([each])


def _batches(calls: Iterable[tuple[Row, Operation[Any]]]) -> Iterator[list[tuple[Row, Operation[Any]]]]:
    """Members of one group with the same rights together, all else alone."""
    batch: list[tuple[Row, Operation[Any]]] = []
    for row, op in calls:
        if batch and _fits(batch, op):
            batch.append((row, op))
            continue
        if batch:
            yield batch
        batch = [(row, op)]
    if batch:
        yield batch


def _fits(batch: list[tuple[Row, Operation[Any]]], op: Operation[Any]) -> bool:
    first = batch[0][1]
    if not (isinstance(op, GroupEditMembers) and isinstance(first, GroupEditMembers)):
        return False
    return len(batch) < MEMBERS_PER_CALL and replace(op, members=first.members) == first


def _reason(refusal: Exception) -> str:
    if not isinstance(refusal, MesiboRefused):
        return str(refusal)
    named = f" ({', '.join(refusal.properties)})" if refusal.properties else ""
    return f"{refusal.label}: {refusal.cause}{named}".strip(": ")

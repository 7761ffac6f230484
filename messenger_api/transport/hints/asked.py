"""What hints look at: a request as it was read, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from msgspec.structs import FieldInfo
from msgspec.structs import fields as declared_fields

from messenger_api.ops.call import ApiRequest, Call, JsonObject, Operation

# A name that may be shown: a secret or a phone number in its place has digits or is longer.
_NAME = re.compile(r"[A-Za-z_][A-Za-z_-]{0,23}[0-9]?(?:\[[A-Za-z0-9_]{0,2}\])?")


@dataclass(frozen=True)
class Asked:
    """`request`: None where the body could not be read. `call`: None where no op was reached."""

    operations: Mapping[str, Operation]
    request: ApiRequest | None
    call: Call | None
    answer: JsonObject

    @property
    def op(self) -> str:
        """The op's name; "" where none was read."""
        return self.request.op if self.request else ""

    @property
    def operation(self) -> Operation | None:
        """The op; None where there is none of this name."""
        return self.operations.get(self.op)

    @property
    def error(self) -> str:
        """The answer's error code; "" where there is none."""
        return str(self.answer.get("error", ""))

    def has(self, name: str) -> bool:
        """Whether a field was sent with anything in it."""
        return self.request is not None and self.request.fields.get(name) not in (None, "")


@lru_cache(maxsize=128)
def declared(operation: Operation) -> dict[str, FieldInfo]:
    """The fields that an op takes, by their names on the wire."""
    return {info.encode_name: info for info in declared_fields(operation.parameters)}


def shown(name: str) -> str:
    """A field's name in quotes; dots in its place where it may be anything else."""
    return f"'{name if is_name(name) else '...'}'"


def is_name(text: str) -> bool:
    """Whether it looks like a field's name."""
    return bool(_NAME.fullmatch(text))


def listed(names: list[str], conjunction: str = "and", most: int = 4) -> str:
    """Words in a sentence, so many at most."""
    if len(names) > most:
        return f"{', '.join(names[:most])} {conjunction} {len(names) - most} more"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {conjunction} {names[-1]}"

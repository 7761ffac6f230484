"""`block`, `unblock`, `blocked`, `report`."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from msgspec import Meta, Struct

from messenger_api.domain.errors import MissingPara
from messenger_api.ops.answers import Nothing
from messenger_api.ops.call import Call
from messenger_api.ops.fields import Flag, Gid
from messenger_api.storage.models import REPORT_LENGTH

Reason = Literal["spam", "abuse", "fake", "other"]


class BlockParameters(Struct):
    """Block people: from now on neither finds the other, and neither hears of the other's profile."""

    phones: list[str] = []
    """Their numbers, with an account or without."""


class UnblockParameters(Struct):
    """Take back that people are blocked."""

    phones: list[str] = []
    """Their numbers."""


class BlockedParameters(Struct):
    """List whom one has blocked."""


class ReportParameters(Struct):
    """Complain to the operator about a person, or about a group that one is in."""

    phone: str = ""
    """The person's number."""
    gid: Gid = 0
    """The group; without `phone`, its owner is meant."""
    reason: Reason = "other"
    """spam, abuse, fake or other."""
    text: Annotated[str, Meta(max_length=REPORT_LENGTH)] = ""
    """What happened, in one's own words."""
    block: Flag = 0
    """1 blocks the person as well."""


class BlockList(TypedDict):
    """Whom one has blocked."""

    phones: list[str]
    """The numbers of those who have an account."""
    count: int
    """How many numbers are blocked in all."""


def block(call: Call, given: BlockParameters) -> Nothing:
    """Block people."""
    if not given.phones:
        raise MissingPara(properties=("phones",))
    call.services.blocks.block(call.caller, given.phones)
    return {}


def unblock(call: Call, given: UnblockParameters) -> Nothing:
    """Unblock people."""
    if not given.phones:
        raise MissingPara(properties=("phones",))
    call.services.blocks.unblock(call.caller, given.phones)
    return {}


def blocked(call: Call, _given: BlockedParameters) -> BlockList:
    """The numbers of those who have an account, and how many are blocked in all."""
    found = call.services.blocks.of(call.caller.uid)
    return {"phones": list(found.addresses), "count": found.count}


def report(call: Call, given: ReportParameters) -> Nothing:
    """Keep the complaint for the operator."""
    if not given.phone and not given.gid:
        raise MissingPara(properties=("phone", "gid"))
    call.services.reports.add(
        call.caller, given.phone, given.gid, reason=given.reason, text=given.text, block=bool(given.block)
    )
    return {}

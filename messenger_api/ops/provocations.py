"""How each error of each op is made to happen: for tests, and for the playground's buttons.

A provocation changes the good call of `examples`. It works with the sandbox and the limits' defaults.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from messenger_api.domain.errors import (
    ApiError,
    AuthFail,
    BadAkToken,
    BadCode,
    BadGroup,
    BadImage,
    BadPhone,
    BadUser,
    BadValue,
    MissingAppId,
    MissingFile,
    MissingPara,
    NotMember,
    Refused,
    TooLarge,
    TooMany,
    TryLater,
)
from messenger_api.ops import OPERATIONS
from messenger_api.ops.call import Operation
from messenger_api.ops.examples import GID
from messenger_api.services.account.exports import EXPORTS_A_DAY
from messenger_api.services.people.blocks import REPORTS_A_DAY

CODE = "{code}"
"""Stands for the code that came to the call's `phone`."""
NO_PICTURE = "{no_picture}"
"""Stands for a file that is no picture."""
NOBODY = "x" * 48
"""A token that nobody has."""
NO_GROUP = 10**15
MANY = ",".join(str(14156000000 + n) for n in range(2001))
"""More numbers than one call takes."""
LONG = "x" * 1024 * 1024
"""With anything else in it, a body is longer than one without a file may be."""


@dataclass(frozen=True)
class Provocation:
    """What has an op answer with an error.

    `fields` take the place of the example's; None leaves one out. `before`: what the same op is called with
    before, each in the place of the example's fields. `body` is sent as JSON in the place of all fields, the
    op in the address. `fault` is set in the sandbox meanwhile, as `POST /sandbox/faults` takes it. `away`:
    what does not answer meanwhile; "server": it has more to do than it can. `says`: the code, where it is
    mesibo's.
    """

    fields: Mapping[str, object] = field(default_factory=dict)
    before: Sequence[Mapping[str, object]] = ()
    body: str = ""
    fault: Mapping[str, object] = field(default_factory=dict)
    away: Literal["", "database", "server"] = ""
    says: str = ""


def _with(**fields: object) -> Provocation:
    return Provocation(fields)


def _repeated(times: int = 1) -> Provocation:
    return Provocation(before=[{}] * times)


_REFUSES_USER = Provocation({"otp": CODE}, before=[{}], fault={"op": "useradd", "error": "BADADDRESS"})

OF_EVERY_OP: Mapping[type[ApiError], Provocation] = {
    AuthFail: _with(token=NOBODY),
    BadValue: Provocation(body="{"),
    TooLarge: _with(more=LONG),
    TryLater: Provocation(away="database"),
}

OF_OPS: Mapping[str, Mapping[type[ApiError], Provocation]] = {
    "login": {
        MissingAppId: _with(appid=None),
        BadAkToken: _with(aktoken="test"),
        BadPhone: _with(phone="12345"),
        BadCode: _with(otp="000000"),
        BadUser: _REFUSES_USER,
        TooMany: _repeated(),
    },
    "loginui": {TryLater: Provocation(away="server")},
    "getcontacts": {TooMany: _with(phones=MANY)},
    "delcontacts": {TooMany: _with(phones=MANY)},
    "profile": {BadGroup: _with(gid=NO_GROUP), BadImage: _with(photo=NO_PICTURE)},
    "upload": {
        MissingFile: _with(photo=None),
        BadGroup: _with(gid=NO_GROUP),
        BadImage: _with(photo=NO_PICTURE),
    },
    "setgroup": {
        BadGroup: _with(gid=NO_GROUP),
        BadImage: _with(photo=NO_PICTURE),
        TooMany: _with(m=MANY),
        Refused: Provocation(fault={"op": "groupadd", "error": "EXISTS"}, says="EXISTS"),
    },
    "getgroup": {MissingPara: _with(gid=0), NotMember: _with(gid=NO_GROUP)},
    "editmembers": {
        MissingPara: _with(gid=0),
        BadGroup: _with(gid=NO_GROUP),
        TooMany: _with(m=MANY),
        Refused: Provocation(fault={"op": "groupeditmembers", "error": "EXISTS"}, says="EXISTS"),
    },
    "setadmin": {MissingPara: _with(gid=0), BadGroup: _with(gid=NO_GROUP), TooMany: _with(m=MANY)},
    "delgroup": {MissingPara: _with(gid=0), NotMember: _with(gid=NO_GROUP)},
    "revoke": {MissingPara: _with(others=0)},
    "changenumber": {
        BadPhone: _with(phone="12345"),
        BadCode: _with(otp="000000"),
        BadUser: _REFUSES_USER,
        TooMany: _repeated(),
    },
    "exportaccount": {TooMany: _repeated(EXPORTS_A_DAY)},
    "block": {MissingPara: _with(phones=None), TooMany: _with(phones=MANY)},
    "unblock": {MissingPara: _with(phones=None), TooMany: _with(phones=MANY)},
    "report": {
        MissingPara: _with(phone=None),
        BadPhone: _with(phone="x"),
        BadGroup: _with(phone=None, gid=GID),
        NotMember: _with(gid=NO_GROUP),
        TooMany: _repeated(REPORTS_A_DAY),
    },
}


def provocations(op: str, operation: Operation) -> dict[type[ApiError], Provocation]:
    """How each error of an op is made to happen; of an op that is not ours, those of which that is known."""
    common = {kind: how for kind, how in OF_EVERY_OP.items() if kind in operation.errors}
    if op not in OPERATIONS and not operation.needs_session:
        del common[TryLater]  # it need not ask the database
    return {**common, **OF_OPS.get(op, {})}

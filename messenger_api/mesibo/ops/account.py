"""mesibo's ops: account. Made of specification.json by scripts/make-mesibo-ops."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from messenger_api.mesibo.operation import Operation


@dataclass(frozen=True, kw_only=True)
class AppAddAnswer:
    """What `appadd` answers.

    Attributes:
        token: The app token. Source: documented.
        uid: Of the account, as a text. Source: documented.
        oid: Of the account, as a text. Source: documented.
        msgs: Of the account, as a text. Source: documented.
        users: Of the account, as a text. Source: documented.
        groups: Of the account, as a text. Source: documented.
        conns: Of the account, as a text. Source: documented.
        apps: Of the account, as a text. Source: documented.
        storage: Of the account, as a text. Source: documented.
        pid: Of the account, as a text. Source: documented.
        billday: Of the account, as a text. Source: documented.
        status: Of the account, as a text. Source: documented.
        flag: Of the account, as a text. Source: documented.
        expiry: Of the account, as a text; a date is YYYY-MM-DD hh:mm:ss. Source: documented.
        issuetime: Of the account, as a text; a date is YYYY-MM-DD hh:mm:ss. Source: documented.
    """

    token: str = field(repr=False)
    uid: str | None
    oid: str | None
    msgs: str | None
    users: str | None
    groups: str | None
    conns: str | None
    apps: str | None
    storage: str | None
    pid: str | None
    billday: str | None
    status: str | None
    flag: str | None
    expiry: str | None
    issuetime: str | None


@dataclass(frozen=True, kw_only=True)
class AppAdd(Operation[AppAddAnswer]):
    """`appadd`: make an app, with the account's API key.

    Source: documented. Asked twice, it happens twice.

    Attributes:
        name: The app's name. Sent as name (form, documented).
    """

    OP: ClassVar[str] = "appadd"
    ANSWER: ClassVar[type[AppAddAnswer]] = AppAddAnswer

    name: str


@dataclass(frozen=True, kw_only=True)
class AppDel(Operation[None]):
    """`appdel`: delete the app.

    Source: documented. May be asked again when no answer came.

    Attributes:
        name: The app's name. Sent as name (form, documented).
    """

    OP: ClassVar[str] = "appdel"

    name: str


@dataclass(frozen=True, kw_only=True)
class AppSet(Operation[None]):
    """`appset`: change the app. Beside its name, the fields are arguments of mesibo's console.

    Source: documented. May be asked again when no answer came.

    Attributes:
        name: The app's name. Sent as name (form, documented).
        maxusers: The most users. Sent as maxusers (form, third-party).
        maxgroups: The most groups. Sent as maxgroups (form, third-party).
        maxmsgs: The most messages. Sent as maxmsgs (form, third-party).
        url: Where mesibo reports to. Sent as url (form, third-party).
        notify: What is reported; its values are not documented. Sent as notify (form, third-party).
        secret: With what reports are signed. Sent as secret (form, third-party).
        ninterval: Between reports; no unit is documented. Sent as ninterval (form, third-party).
        fcm_id: Firebase's sender id. Sent as fcm_id (form, third-party).
        fcm_key: Firebase's server key. Sent as fcm_key (form, third-party).
    """

    OP: ClassVar[str] = "appset"

    name: str | None = None
    maxusers: int | None = None
    maxgroups: int | None = None
    maxmsgs: int | None = None
    url: str | None = None
    notify: int | None = None
    secret: str | None = field(default=None, repr=False)
    ninterval: int | None = None
    fcm_id: str | None = None
    fcm_key: str | None = field(default=None, repr=False)

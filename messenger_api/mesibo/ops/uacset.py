"""mesibo's ops: uacset. Made of specification.json by scripts/make-mesibo-ops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from messenger_api.mesibo.operation import Operation
from messenger_api.mesibo.ops.uacset_sections import (
    UacSetApp,
    UacSetCall,
    UacSetConf,
    UacSetFeatures,
    UacSetFile,
    UacSetGroup,
    UacSetLocation,
    UacSetMessage,
    UacSetPresence,
    UacSetProximitySearch,
    UacSetRatelimit,
)


@dataclass(frozen=True, kw_only=True)
class UacSet(Operation[None]):
    """`uacset`: make or change a set of features, which holds at once for all users that have it.

    Source: code. Asked twice, it happens twice.

    Attributes:
        id: The number of this set of features. Sent as uac.id (json, code).
        name: Its name. Sent as uac.name (json, code).
        update: Change a set that exists, and leave what is not named as it is. Sent as uac.update (json,
            code).
        peers: With whom: 0 all, 1 named ones, 2 contacts, 3 favourites. One of 0, 1, 2, 3. Sent as uac.peers
            (json, code).
        platforms: Comma separated; in the place of the six below. Sent as uac.platforms (json, code).
        android: On the platform android; an update names one platform or none. Sent as uac.android (json,
            code).
        ios: On the platform ios; an update names one platform or none. Sent as uac.ios (json, code).
        javascript: On the platform javascript; an update names one platform or none. Sent as uac.javascript
            (json, code).
        cpp: On the platform cpp; an update names one platform or none. Sent as uac.cpp (json, code).
        python: On the platform python; an update names one platform or none. Sent as uac.python (json, code).
        sfu: On the platform sfu; an update names one platform or none. Sent as uac.sfu (json, code).
    """

    OP: ClassVar[str] = "uacset"

    id: int | None = None
    name: str | None = None
    update: bool | None = None
    peers: int | None = None
    platforms: str | None = None
    android: bool | None = None
    ios: bool | None = None
    javascript: bool | None = None
    cpp: bool | None = None
    python: bool | None = None
    sfu: bool | None = None
    app: UacSetApp | None = None
    features: UacSetFeatures | None = None
    message: UacSetMessage | None = None
    presence: UacSetPresence | None = None
    call: UacSetCall | None = None
    conf: UacSetConf | None = None
    group: UacSetGroup | None = None
    file: UacSetFile | None = None
    location: UacSetLocation | None = None
    proximity_search: UacSetProximitySearch | None = None
    ratelimit: UacSetRatelimit | None = None

"""mesibo's ops: uacset_sections. Made of specification.json by scripts/make-mesibo-ops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class UacSetApp:
    """The object `uac.app`.

    Attributes:
        name: Of the app.
        data: Handed to the app.
    """

    name: str | None = None
    data: str | None = None


@dataclass(frozen=True, kw_only=True)
class UacSetFeatures:
    """The object `uac.features`.

    Attributes:
        group: Allowed.
        e2ee: Allowed.
        message: Allowed.
        presence: Allowed.
        call: Allowed.
        sync: Allowed.
        push: Allowed.
        location: Allowed.
        files: Allowed.
    """

    group: bool | None = None
    e2ee: bool | None = None
    message: bool | None = None
    presence: bool | None = None
    call: bool | None = None
    sync: bool | None = None
    push: bool | None = None
    location: bool | None = None
    files: bool | None = None


@dataclass(frozen=True, kw_only=True)
class UacSetMessage:
    """The object `uac.message`.

    Attributes:
        incoming: Allowed.
        outgoing: Allowed.
        rich: Allowed.
        broadcast: Allowed.
        read_receipts: Allowed.
        delivery_receipts: Allowed.
        storage: Allowed.
        url_preview: Allowed.
        webhook: Allowed.
    """

    incoming: bool | None = None
    outgoing: bool | None = None
    rich: bool | None = None
    broadcast: bool | None = None
    read_receipts: bool | None = None
    delivery_receipts: bool | None = None
    storage: bool | None = None
    url_preview: bool | None = None
    webhook: bool | None = None


@dataclass(frozen=True, kw_only=True)
class UacSetPresence:
    """The object `uac.presence`.

    Attributes:
        incoming: Allowed.
        outgoing: Allowed.
        typing: Allowed.
        online: Allowed.
        joined: Allowed.
        lastseen: Allowed.
        lastseen_resolution: How exact the time is at which a user was seen last. In seconds.
        login: Allowed.
        request: Allowed.
        online_audience: Who sees who is online: 0 all, 1 contacts, 2 subscribers, 3 favourites, from 4 on the
            group of this number.
        can_override: Allowed.
    """

    incoming: bool | None = None
    outgoing: bool | None = None
    typing: bool | None = None
    online: bool | None = None
    joined: bool | None = None
    lastseen: bool | None = None
    lastseen_resolution: int | None = None
    login: bool | None = None
    request: bool | None = None
    online_audience: int | None = None
    can_override: bool | None = None


@dataclass(frozen=True, kw_only=True)
class UacSetCall:
    """The object `uac.call`.

    Attributes:
        incoming: Allowed.
        outgoing: Allowed.
        video: Allowed.
        audio: Allowed.
        turn: Allowed.
        hd: Allowed.
        fhd: Allowed.
        log: Allowed.
        maxdur: How long; 0 for ever. In seconds.
        turn_server: A TURN server of one's own.
    """

    incoming: bool | None = None
    outgoing: bool | None = None
    video: bool | None = None
    audio: bool | None = None
    turn: bool | None = None
    hd: bool | None = None
    fhd: bool | None = None
    log: bool | None = None
    maxdur: int | None = None
    turn_server: str | None = None


@dataclass(frozen=True, kw_only=True)
class UacSetConf:
    """The object `uac.conf`.

    Attributes:
        video: Allowed.
        audio: Allowed.
        screen: Allowed.
        hd: Allowed.
        fhd: Allowed.
        maxdur: How long; 0 for ever. In seconds.
    """

    video: bool | None = None
    audio: bool | None = None
    screen: bool | None = None
    hd: bool | None = None
    fhd: bool | None = None
    maxdur: int | None = None


@dataclass(frozen=True, kw_only=True)
class UacSetGroup:
    """The object `uac.group`.

    Attributes:
        create: Allowed.
        member: Allowed.
        message: Allowed.
        presence: Allowed.
        call: Allowed.
        location: Allowed.
        max_groups: The most groups of a user.
    """

    create: bool | None = None
    member: bool | None = None
    message: bool | None = None
    presence: bool | None = None
    call: bool | None = None
    location: bool | None = None
    max_groups: int | None = None


@dataclass(frozen=True, kw_only=True)
class UacSetFile:
    """The object `uac.file`.

    Attributes:
        upload: Allowed.
        signed: Allowed.
        max_size: The largest file; 0 for any. In megabytes.
        upload_url: Where files are uploaded to.
    """

    upload: bool | None = None
    signed: bool | None = None
    max_size: int | None = None
    upload_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class UacSetLocationUser:
    """The object `uac.location.user`.

    Attributes:
        reach: No unit is documented.
        accuracy: No unit is documented.
        fuzziness: No unit is documented.
        maxage: No unit is documented.
    """

    reach: int | None = None
    accuracy: int | None = None
    fuzziness: int | None = None
    maxage: int | None = None


@dataclass(frozen=True, kw_only=True)
class UacSetLocationGroup:
    """The object `uac.location.group`.

    Attributes:
        reach: No unit is documented.
        maxage: No unit is documented.
    """

    reach: int | None = None
    maxage: int | None = None


@dataclass(frozen=True, kw_only=True)
class UacSetLocationSubs:
    """The object `uac.location.subs`.

    Attributes:
        count: No unit is documented.
        duration: No unit is documented.
        sendreal: Allowed.
    """

    count: int | None = None
    duration: int | None = None
    sendreal: bool | None = None


@dataclass(frozen=True, kw_only=True)
class UacSetLocation:
    """The object `uac.location`.

    Attributes:
        emulator: Allowed.
        mock: Allowed.
        send_real: Allowed.
        send_age: No unit is documented.
        can_sub: Allowed.
        anti_triang: Allowed.
    """

    emulator: bool | None = None
    mock: bool | None = None
    send_real: bool | None = None
    send_age: int | None = None
    can_sub: bool | None = None
    anti_triang: bool | None = None
    user: UacSetLocationUser | None = None
    group: UacSetLocationGroup | None = None
    subs: UacSetLocationSubs | None = None


@dataclass(frozen=True, kw_only=True)
class UacSetProximitySearchUser:
    """The object `uac.proximity_search.user`.

    Attributes:
        min_radius: No unit is documented.
        max_radius: No unit is documented.
        maxage: No unit is documented.
        reach: No unit is documented.
        bounds: No unit is documented.
    """

    min_radius: int | None = None
    max_radius: int | None = None
    maxage: int | None = None
    reach: int | None = None
    bounds: int | None = None


@dataclass(frozen=True, kw_only=True)
class UacSetProximitySearchGroup:
    """The object `uac.proximity_search.group`.

    Attributes:
        same: Only in the same group.
    """

    same: bool | None = None


@dataclass(frozen=True, kw_only=True)
class UacSetProximitySearch:
    """The object `uac.proximity_search`."""

    user: UacSetProximitySearchUser | None = None
    group: UacSetProximitySearchGroup | None = None


@dataclass(frozen=True, kw_only=True)
class UacSetRatelimit:
    """The object `uac.ratelimit`.

    Attributes:
        message: Pairs `seconds:most`, comma separated: so many within so long.
        call: Pairs `seconds:most`, comma separated: so many within so long.
        upload: Pairs `seconds:most`, comma separated: so many within so long.
        location: Pairs `seconds:most`, comma separated: so many within so long.
        login: Pairs `seconds:most`, comma separated: so many within so long.
        failure: Pairs `seconds:most`, comma separated: so many within so long.
    """

    message: Sequence[tuple[int, int]] | None = None
    call: Sequence[tuple[int, int]] | None = None
    upload: Sequence[tuple[int, int]] | None = None
    location: Sequence[tuple[int, int]] | None = None
    login: Sequence[tuple[int, int]] | None = None
    failure: Sequence[tuple[int, int]] | None = None

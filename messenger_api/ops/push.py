"""`setnotify`: where to wake the app."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from messenger_api.domain.errors import TryLater
from messenger_api.ops.answers import Nothing
from messenger_api.ops.call import Call
from messenger_api.ops.fields import DeviceType, Flag
from messenger_api.storage.models import PUSH_TOKEN_LENGTH


class SetNotifyParameters(Struct):
    """Store the session's push token."""

    notifytoken: Annotated[str, Meta(max_length=PUSH_TOKEN_LENGTH)] = ""
    """An FCM, APNs or PushKit token; "" removes the one stored."""
    dt: DeviceType = 0
    """The device's type."""
    prod: Flag = 0
    """1 for APNs' production service, 0 for its sandbox."""
    fcm: Flag = 0
    """1 for an FCM token."""


def setnotify(call: Call, given: SetNotifyParameters) -> Nothing:
    """Store or remove the push token."""
    if not _done(call, given):
        # This says why nothing was done, or it notes that the session is in use.
        call.authenticate()
        if not _done(call, given) and given.notifytoken:
            raise TryLater
    return {}


def _done(call: Call, given: SetNotifyParameters) -> bool:
    if not given.notifytoken:
        return call.services.push.remove_token(call.request.token)
    return call.services.push.set_token(
        call.request.token,
        given.notifytoken,
        device_type=given.dt,
        production=bool(given.prod),
        fcm=bool(given.fcm),
    )

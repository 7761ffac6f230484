"""mesibo's backend API: user tokens, groups, and messages in users' names.

`MesiboClient` is what services call; `wire` and `answers` alone know the names on the wire.
"""

from messenger_api.gateways.http import Timeouts
from messenger_api.gateways.mesibo.answers import UserToken
from messenger_api.gateways.mesibo.client import MesiboClient
from messenger_api.gateways.mesibo.errors import MesiboError, MesiboRefused, MesiboUnreachable
from messenger_api.gateways.mesibo.transport import seconds_left
from messenger_api.gateways.mesibo.wire import Message

__all__ = [
    "MesiboClient",
    "MesiboError",
    "MesiboRefused",
    "MesiboUnreachable",
    "Message",
    "Timeouts",
    "UserToken",
    "seconds_left",
]

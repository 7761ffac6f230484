"""What the product asks of mesibo, by the library `messenger_api.mesibo`."""

from messenger_api.gateways.http import Timeouts
from messenger_api.gateways.mesibo.client import MesiboClient, Message, UserToken
from messenger_api.gateways.mesibo.transport import seconds_left
from messenger_api.mesibo.errors import MesiboError, MesiboRefused, MesiboUnreachable

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

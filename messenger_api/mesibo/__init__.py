"""mesibo's backend API from Python, and as data (`specification.json`).

    from messenger_api.mesibo import Client, UserAdd

    with Client("the app token") as mesibo:
        token = mesibo.call(UserAdd(address="4915112345", appid="com.acme.chat")).token

Every op is a record (`ops`), whose fields are documented there with units and sources; `Client.call` returns
what the record's type says, or raises a `MesiboError`. `aio.AsyncClient` is its asynchronous twin, and
`Wire` writes and reads without a network. Stands alone on urllib3: nothing of the product is imported here.
"""

from messenger_api.mesibo import ops
from messenger_api.mesibo.client import Client, Transport
from messenger_api.mesibo.core import CLOUD, Done, Options
from messenger_api.mesibo.errors import MesiboError, MesiboRefused, MesiboUnreachable
from messenger_api.mesibo.http.exchange import NoResponse, Response, Timeouts
from messenger_api.mesibo.operation import File, Operation
from messenger_api.mesibo.ops import *  # noqa: F403 - all that is public there
from messenger_api.mesibo.retry import Breaker, Retries
from messenger_api.mesibo.wire import INFERRED, ITEMS_PER_CALL, ON_PREMISE_BODY, Request, Wire

__all__ = [
    "CLOUD",
    "INFERRED",
    "ITEMS_PER_CALL",
    "ON_PREMISE_BODY",
    "Breaker",
    "Client",
    "Done",
    "File",
    "MesiboError",
    "MesiboRefused",
    "MesiboUnreachable",
    "NoResponse",
    "Operation",
    "Options",
    "Request",
    "Response",
    "Retries",
    "Timeouts",
    "Transport",
    "Wire",
]
__all__ += ops.__all__

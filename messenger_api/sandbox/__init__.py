"""A stand-in for mesibo's backend API and for the SMS network, so that everything runs with no account.

`SandboxStore` keeps what arrives, `SandboxServer` answers over HTTP as mesibo, Twilio and Vonage would, and
`sandbox_pages` shows it in a browser. Not for production: it shows everyone's codes to everyone.
"""

from messenger_api.sandbox.faults import Faults
from messenger_api.sandbox.mesibo import MESIBO_PREFIX, Backend, mesibo_backend
from messenger_api.sandbox.pages import sandbox_pages
from messenger_api.sandbox.records import Fault, Group, Message, RecordedCall, TextMessage, User, UserToken
from messenger_api.sandbox.server import SandboxServer
from messenger_api.sandbox.store import SandboxStore, UnknownAddressError, UnknownGroupError

__all__ = [
    "MESIBO_PREFIX",
    "Backend",
    "Fault",
    "Faults",
    "Group",
    "Message",
    "RecordedCall",
    "SandboxServer",
    "SandboxStore",
    "TextMessage",
    "UnknownAddressError",
    "UnknownGroupError",
    "User",
    "UserToken",
    "mesibo_backend",
    "sandbox_pages",
]

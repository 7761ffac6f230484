"""The types of fields that several ops share, with their ranges."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from msgspec import Meta

from messenger_api.domain.names import cleaned
from messenger_api.ops.binding import AsTyped, Cleaned, Preference
from messenger_api.storage.models import APPID_LENGTH, DEVICE_LENGTH, NAME_LENGTH, STATUS_LENGTH

LARGEST = 2**63 - 1
SECRET_LENGTH = 16 * 1024

# Other people read them: on phones, in the names of groups, on an operator's screen.
Name = Annotated[str, Meta(max_length=NAME_LENGTH), Cleaned(cleaned)]
Status = Annotated[str, Meta(max_length=STATUS_LENGTH), Cleaned(partial(cleaned, lines=True))]
AppId = Annotated[str, Meta(max_length=APPID_LENGTH), Cleaned(cleaned)]
DeviceId = Annotated[str, Meta(max_length=DEVICE_LENGTH), Cleaned(cleaned)]
# May be percent-encoded once more, and is checked when that is undone.
EncodedName = Annotated[str, Cleaned(cleaned)]
Gid = Annotated[int, Meta(ge=0, le=LARGEST)]
Id = Annotated[int, Meta(ge=0, le=LARGEST)]
Seconds = Annotated[int, Meta(ge=0, le=LARGEST)]
Flag = Annotated[int, Meta(ge=0, le=1)]
# Besides codes: passwords, and the tokens of OpenID Connect.
Secret = Annotated[str, Meta(max_length=SECRET_LENGTH), AsTyped()]
Channel = Annotated[Literal["", "sms", "voice"], Preference()]
# Sent by apps and looked at by nobody here, or elsewhere (`ApiRequest.language`).
Ignored = Annotated[str, Preference()]
DeviceType = Annotated[int, Meta(ge=-32768, le=32767)]

"""The types of fields that several ops share, with their ranges."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from messenger_api.storage.models import NAME_LENGTH, STATUS_LENGTH

LARGEST = 2**63 - 1

Name = Annotated[str, Meta(max_length=NAME_LENGTH)]
Status = Annotated[str, Meta(max_length=STATUS_LENGTH)]
Gid = Annotated[int, Meta(ge=0, le=LARGEST)]
Id = Annotated[int, Meta(ge=0, le=LARGEST)]
Seconds = Annotated[int, Meta(ge=0, le=LARGEST)]
Flag = Annotated[int, Meta(ge=0, le=1)]
# Besides codes: passwords, and the tokens of OpenID Connect.
Secret = Annotated[str, Meta(max_length=8192)]
Channel = Literal["", "sms", "voice"]
DeviceType = Annotated[int, Meta(ge=-32768, le=32767)]

"""The types of fields that several ops share, with their ranges."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from messenger_api.storage.models import NAME_LENGTH, STATUS_LENGTH

LARGEST = 2**63 - 1

Name = Annotated[str, Meta(max_length=NAME_LENGTH)]
Status = Annotated[str, Meta(max_length=STATUS_LENGTH)]
Gid = Annotated[int, Meta(ge=0, le=LARGEST)]
Seconds = Annotated[int, Meta(ge=0, le=LARGEST)]
Flag = Annotated[int, Meta(ge=0, le=1)]
DeviceType = Annotated[int, Meta(ge=-32768, le=32767)]

"""An op of one's own: `support` tells the app who answers questions. EXTENSIONS = ["own_op.Support"]."""

from dataclasses import dataclass
from typing import Annotated, TypedDict

from msgspec import Meta, Struct

from messenger_api.extensions import Call, Extension, Operation, errors
from messenger_api.settings import Keys, Settings, key
from messenger_api.settings.conversions import as_text


@dataclass(frozen=True)
class SupportKeys(Keys):
    support_number: str = key("", as_text, "Who answers questions.", "14155550100", needed=True)


class SupportParameters(Struct):
    """Tell who answers questions, and have them call."""

    topic: Annotated[str, Meta(examples=["billing"])] = "other"
    """What the question is about: `billing` or `other`."""


class Answering(TypedDict):
    """Who answers."""

    phone: str
    """The number that calls back: digits of E.164 without +."""
    message: str
    """What the app shows."""


class Support(Extension):
    keys = SupportKeys

    def __init__(self, settings: Settings) -> None:
        self.number = settings.of(SupportKeys).support_number

    def operations(self) -> dict[str, Operation]:
        return {"support": Operation(self.support, SupportParameters)}

    def support(self, call: Call, given: SupportParameters) -> Answering:
        if given.topic not in ("billing", "other"):
            raise errors.BadValue(properties=("topic",), field="topic", wanted="Expected billing or other")
        return {"phone": self.number, "message": f"Hello {call.caller.name}, we call you back."}

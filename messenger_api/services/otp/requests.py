"""Who logs in, and how a code is asked for, as the request tells."""

from __future__ import annotations

from dataclasses import dataclass

from messenger_api.gateways.sms import Channel


@dataclass(frozen=True)
class Device:
    """The app that logs in. `network` is where it calls from (`domain.network`)."""

    appid: str
    name: str = ""
    type: int = 0
    network: str = ""


@dataclass(frozen=True)
class CodeRequest:
    """How a code is asked for: from which network, in which language, by which channel, on iOS?"""

    network: str = ""
    language: str = "en"
    channel: str = Channel.SMS
    ios: bool = False

"""The keys of the login by RADIUS, apart from it: its library may not be installed."""

from __future__ import annotations

from dataclasses import dataclass

from messenger_api.settings.conversions import as_hosts, as_literal, as_text, whole_number
from messenger_api.settings.keys import Keys, key


@dataclass(frozen=True)
class RadiusKeys(Keys):
    """Login by RADIUS

    Only with LOGIN_METHOD = "radius".
    """

    radius_host: str = key(
        "",
        as_hosts,
        "The server. Several, separated by commas, are tried in turn, each with a port of its own if that"
        " is not RADIUS_PORT.",
        "radius1.example.com, radius2.example.com:1645",
        needed=True,
    )
    radius_port: int = key(
        1812,
        whole_number(1, 65535),
        "The port of those servers that name none of their own.",
        1645,
    )
    radius_secret: str = key(
        "",
        as_literal,
        "The secret that it shares with this machine. Make it long and random: passwords travel under it.",
        "output of: openssl rand -hex 32",
        secret=True,
        needed=True,
    )
    radius_nas_id: str = key(
        "messenger-api",
        as_text,
        "The name under which this server asks (NAS-Identifier).",
        "chat.example.com",
    )

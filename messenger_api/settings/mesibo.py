"""The keys of mesibo's backend API, and of the sandbox that plays it."""

from __future__ import annotations

from dataclasses import dataclass

from messenger_api.settings.conversions import (
    Unacceptable,
    as_flag,
    as_text,
    as_url,
    one_of,
    seconds,
    whole_number,
    zero_or,
)
from messenger_api.settings.keys import Keys, key

# The sandbox answers the machine that it runs on, and nobody else.
OWN_MACHINE = "local"


def as_sandbox(value: object) -> bool | str | None:
    """True, False, `OWN_MACHINE`, or None for none of them."""
    if value is None or value == OWN_MACHINE:
        return value
    try:
        return as_flag(value)
    except Unacceptable:
        raise Unacceptable(f'True or False, or "{OWN_MACHINE}" (for this machine alone)') from None


@dataclass(frozen=True)
class MesiboKeys(Keys):
    """mesibo

    Its backend API, or the sandbox in its place.
    """

    mesibo_api_url: str = key(
        "https://api.mesibo.com/backend",
        as_url,
        "mesibo's backend API: the hosted one, or your own server with mesibo on premises.",
        "https://chat.example.com/mesiboapi",
        "https://chat.example.com/api.php",
    )
    mesibo_app_token: str = key(
        "",
        as_text,
        "The app token that the mesibo console shows for your app. Without it a sandbox takes mesibo's"
        " place, which is for trying and developing only.",
        "c7hl...y3s2",
        secret=True,
    )
    mesibo_api_style: str = key(
        "auto",
        one_of("auto", "json", "form"),
        'How requests are written: "json", "form" (the older style, with flat names), or "auto", which'
        ' takes "form" for a URL that ends in api.php and "json" for all others.',
        "form",
    )
    mesibo_connect_timeout: float = key(
        3.0,
        seconds(0.1, 30),
        "Seconds to wait for a connection to mesibo, 0.1 to 30.",
        5,
    )
    mesibo_timeout: float = key(
        10.0,
        seconds(0.1, 60),
        "Seconds that a whole call to mesibo may take, 0.1 to 60. A stopping server waits for it, too.",
        15,
    )
    mesibo_max_calls: int = key(
        16,
        whole_number(1, 1000),
        "Calls to mesibo that each server process makes at once at most. A process serves 32 requests at"
        " a time; the difference keeps contacts and profiles quick while mesibo is slow.",
        8,
    )
    mesibo_max_body: int = key(
        8192,
        whole_number(2048, 16 * 1024 * 1024),
        "The longest request body in bytes that mesibo takes; longer lists are split. On premises it is"
        " the client_max_body_size of its nginx, 8192 on a stock installation.",
        65536,
    )
    group_expiry: int = key(
        315_360_000,
        zero_or(whole_number(3600, 3_153_600_000)),
        "Seconds that a group lives at mesibo; 0: not said, and mesibo ends a group after a year. mesibo"
        " is told once of groups that were made before, a few a minute.",
        63_072_000,
    )
    group_expiry_extension: int = key(
        31_536_000,
        zero_or(whole_number(3600, 3_153_600_000)),
        "Seconds by which activity in a group extends its life there; 0: not said.",
        0,
    )
    sandbox: bool | str | None = key(
        None,
        as_sandbox,
        "Whether the sandbox plays mesibo and the SMS network, and shows everyone's codes at /sandbox."
        ' "local": yes, and it answers programs on this machine alone, as with messenger-api serve'
        " --sandbox: whoever comes through a proxy, under a public name or from another machine is"
        " refused. True: yes, for everybody who can reach this server. False: never. None: only where"
        " serve --sandbox asks for it and there is no MESIBO_APP_TOKEN.",
        "local",
    )

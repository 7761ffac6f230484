"""`messenger-api sms raise`: a limit that allows more until a time."""

from __future__ import annotations

import time

import click

from messenger_api.cli.commands.sms import sms
from messenger_api.cli.common import fail, local_time, looking, printable, say
from messenger_api.services.operator.events import COMMAND
from messenger_api.services.operator.raising import WrongAmount, WrongEnd, told

HOUR = 3600


@sms.command("raise")
@click.argument("key")
@click.argument("most", type=float, required=False)
@click.option("--hours", default=6.0, show_default=True, metavar="N", help="For so long.")
@click.option("--end", is_flag=True, help="End it before its time.")
@click.option("--reason", default=COMMAND, show_default=True, help="What the audit tells of it.")
def raise_limit(key: str, most: float | None, hours: float, end: bool, reason: str) -> None:
    """Let a limit allow MOST for some hours: KEY is one of the configuration, such as SMS_BUDGET_DAY.

    Servers and workers know it within seconds. It is for everybody, and ends by itself.
    """
    if end == (most is not None):
        fail("Say how much is allowed, or --end.")
    with looking() as parts:
        try:
            if most is None:
                ended = parts.raising.end(key, reason=reason)
                say(f"{key.upper()} is as configured.") if ended else fail(f"{key.upper()} is not raised.")
                return
            ends_at = int(time.time() + hours * HOUR)
            limit = parts.raising.raise_until(key, most, ends_at, reason=reason)
        except LookupError:
            names = ", ".join(each.key for each in parts.raising.limits())
            fail(f"{printable(key)} cannot be raised. Those that can: {names}")
        except WrongAmount as wrong:
            fail(f"{key.upper()} = {told(most or 0)}: {wrong}")
        except WrongEnd as wrong:
            fail(f"--hours {hours:g}: {wrong}")
    say(f"{limit.key} is {told(limit.most)} until {local_time(ends_at)}, and then {told(limit.configured)}.")

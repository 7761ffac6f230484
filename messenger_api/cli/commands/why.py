"""`messenger-api why`: why did the code not arrive?"""

from __future__ import annotations

import click

from messenger_api.cli.common import (
    as_json,
    built,
    fail,
    local_time,
    print_details,
    print_json,
    print_table,
    printable,
    ready_product,
)
from messenger_api.cli.root import main
from messenger_api.domain.errors import BadPhone
from messenger_api.domain.why import KnownAccount
from messenger_api.services.operator.why import Explained


@main.command()
@click.argument("number")
@as_json
def why(number: str, as_json: bool) -> None:
    """Say why a code did not arrive at NUMBER: its last 24 hours, what they mean, and what to tell."""
    with ready_product() as parts:
        try:
            found = built(lambda: parts.why).of(number)
        except BadPhone:
            fail(f"Nobody can log in with {printable(number)}: it cannot be read as a number or address.")
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print(found: Explained) -> None:
    noted = f"until {local_time(found.noted_until)}: of what came later ask again"
    print_details([("number", found.number), ("account", _account(found.account)), ("noted", noted)])
    click.echo()
    print_table(("TIME", "WHAT"), [(local_time(moment.at), moment.what) for moment in found.timeline])
    click.echo()
    print_details([("cause", found.cause.code), ("why", found.cause.said), ("tell", found.cause.tell)])


def _account(account: KnownAccount | None) -> str:
    if account is None:
        return "none"
    state = "BLOCKED, " if account.blocked else ""
    last = f", the newest since {local_time(account.logged_in_at)}" if account.logged_in_at else ""
    return f"{state}{account.sessions} sessions{last}"

"""`messenger-api sms`: what texts cost, and countries whose codes nobody enters."""

from __future__ import annotations

import click

from messenger_api.cli.common import as_json, fail, looking, print_json, print_table
from messenger_api.cli.root import main
from messenger_api.services.sms.report import TextReport


@main.group()
def sms() -> None:
    """The providers that send one-time codes."""


@sms.command()
@as_json
def status(as_json: bool) -> None:
    """Show what texts have cost and may cost, the codes of the last hour by country, and the providers."""
    with looking() as parts:
        found = parts.operator.texts.read()
    if as_json:
        print_json(found)
    else:
        _print(found)


@sms.command()
@click.argument("country")
def resume(country: str) -> None:
    """Let texts go to COUNTRY again (two ISO letters) although its codes were not entered."""
    with looking() as parts:
        if not parts.operator.texts.resume(country.upper()):
            fail(f"No codes were sent to {country.upper()} of late: nothing to resume.")
    click.echo(f"Texts go to {country.upper()} again.")


def _print(found: TextReport) -> None:
    print_table(
        ("PERIOD", "SPENT", "MOST", "CURRENCY"),
        [(b.period, f"{b.spent:.2f}", f"{b.most:.2f}", found.currency) for b in found.budgets],
    )
    click.echo("\nCodes of the last hour")
    print_table(
        ("COUNTRY", "SENT", "ENTERED", ""),
        [(c.country, c.sent, c.entered, "PAUSED" if c.paused else "") for c in found.countries],
    )
    click.echo("\nTexts of the last 24 hours")
    print_table(
        ("PROVIDER", "COUNTRY", "OUTCOME", "TEXTS", "COST"),
        [(s.provider, s.country, s.outcome, s.texts, f"{s.cost:.2f}") for s in found.sendings],
    )

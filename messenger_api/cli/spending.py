"""`messenger-api sms status` and `sms resume`: what texts cost, and countries whose codes nobody enters."""

from __future__ import annotations

import click

from messenger_api.cli.common import as_json, fail, prepare_schema, print_json, print_table, product
from messenger_api.services.sms.report import TextReport, text_report
from messenger_api.storage import counters


@click.command()
@as_json
def status(as_json: bool) -> None:
    """Show what texts have cost and may cost, the codes of the last hour by country, and the providers."""
    with product() as parts:
        prepare_schema(parts)
        services = parts.services
        found = text_report(services.settings, services.database, services.text_delivery.spending)
    if as_json:
        print_json(found)
    else:
        _print(found)


@click.command()
@click.argument("country")
def resume(country: str) -> None:
    """Let texts go to COUNTRY again (two ISO letters) although its codes were not entered."""
    with product() as parts:
        prepare_schema(parts)
        watch = parts.services.text_delivery.spending.pauses.country(country.upper())
        counter = watch.networks.counter
        database = parts.services.database
        if not database.run(lambda tx: counters.read(tx, [counter])):
            fail(f"No codes were sent to {country.upper()} of late: nothing to resume.")
        database.run(lambda tx: counters.forget(tx, [counter]))
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

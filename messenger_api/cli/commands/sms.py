"""`messenger-api sms`: what texts cost, and countries whose codes nobody enters."""

from __future__ import annotations

from dataclasses import asdict

import click

from messenger_api.cli.common import as_json, fail, local_time, looking, print_json, print_table, printable
from messenger_api.cli.root import main
from messenger_api.services.operator.events import COMMAND
from messenger_api.services.operator.raising import Limit, told
from messenger_api.services.sms.report import Range, TextReport

SHOWN_OF_A_NAME = 8


@main.group()
def sms() -> None:
    """The providers that send one-time codes."""


@sms.command()
@as_json
def status(as_json: bool) -> None:
    """Show what texts have cost and may cost, the codes of the last hour by country, and the providers."""
    with looking() as parts:
        found, ranges = parts.operator.texts.read(), parts.spending.paused_ranges()
        raised = [limit for limit in parts.raising.limits() if limit.raised]
    if as_json:
        print_json({**asdict(found), "paused_ranges": ranges, "raised_limits": raised})
    else:
        _print(found, ranges, raised)


@sms.command()
@click.argument("country", required=False, default="")
@click.option("--range", "name", default="", metavar="NAME", help="A range of numbers, as status names it.")
@click.option("--reason", default=COMMAND, show_default=True, help="What the audit tells of it.")
def resume(country: str, name: str, reason: str) -> None:
    """Let texts go to COUNTRY again (two ISO letters) although its codes were not entered."""
    if bool(country) == bool(name):
        fail("Name a country, or a range by --range.")
    country = country.upper()
    with looking() as parts:
        if country and not parts.spending.resume_country(country, reason=reason):
            fail(f"Texts to {printable(country)} are not paused: nothing to resume.")
        if name:
            whole = _whole_name(name, parts.spending.paused_ranges())
            parts.spending.resume_range(whole, reason=reason)
    click.echo(f"Texts go to {printable(country) or 'that range'} again.")


def _whole_name(begun: str, ranges: list[Range]) -> str:
    """The name of the one paused range that begins so."""
    found = [each.name for each in ranges if each.name.startswith(begun.lower())]
    if not found:
        fail("No such range is paused: nothing to resume. messenger-api sms status names those that are.")
    if len(found) > 1:
        fail("Several paused ranges begin so: write more of the name.")
    return found[0]


def _print(found: TextReport, ranges: list[Range], raised: list[Limit]) -> None:
    print_table(
        ("PERIOD", "SPENT", "MOST", "CURRENCY"),
        [(b.period, f"{b.spent:.2f}", f"{b.most:.2f}", found.currency) for b in found.budgets],
    )
    if raised:
        click.echo("\nLimits that are raised")
        print_table(
            ("KEY", "CONFIGURED", "MOST", "UNTIL"),
            [
                (r.key, told(r.configured), told(r.most), local_time(r.raised.ends_at))
                for r in raised
                if r.raised
            ],
        )
    click.echo("\nCodes of the last hour")
    print_table(
        ("COUNTRY", "SENT", "ENTERED", ""),
        [(c.country, c.sent, c.entered, "PAUSED" if c.paused else "") for c in found.countries],
    )
    if ranges:
        click.echo("\nRanges of numbers that are paused")
        print_table(
            ("RANGE", "NETWORKS", "ENTERED"),
            [(r.name[:SHOWN_OF_A_NAME], r.networks, r.entered) for r in ranges],
        )
    click.echo("\nTexts of the last 24 hours")
    print_table(
        ("PROVIDER", "COUNTRY", "OUTCOME", "TEXTS", "COST"),
        [(s.provider, s.country, s.outcome, s.texts, f"{s.cost:.2f}") for s in found.sendings],
    )

"""`messenger-api check`: the doctor."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import click
import structlog

from messenger_api import configuration
from messenger_api.cli.common import as_json, print_json, printable
from messenger_api.cli.doctor.checks import examine
from messenger_api.cli.doctor.verdicts import Finding
from messenger_api.cli.root import main
from messenger_api.settings import SettingsError


@main.command()
@click.option(
    "--timeout", default=30.0, show_default=True, type=click.FloatRange(0.1), help="Seconds for each check."
)
@as_json
def check(timeout: float, as_json: bool) -> None:
    """Look at everything that must be right, with real calls; exit with 1 on a fault.

    A line for each check: ok, warning or FAULT, what was found and what to do about it.
    """
    # What goes wrong is a finding here, and stands in one place.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    findings = []
    for finding in _findings(timeout):
        findings.append(finding)
        if not as_json:
            click.echo(_line(finding))
    if as_json:
        print_json(findings)
    sys.exit(any(finding.state == "fault" for finding in findings))


def _findings(timeout: float) -> Iterator[Finding]:
    try:
        settings = configuration.load()
    except SettingsError as error:
        to_do = "put it right; the other checks follow then"
        yield from (Finding("configuration", "fault", fault, to_do) for fault in error.faults)
        return
    for fault in settings.placeholders:
        yield Finding("configuration", "fault", fault, "no server starts before")
    if not settings.placeholders:
        yield Finding("configuration", "ok", "no faults")
    yield from examine(settings, timeout)


def _line(finding: Finding) -> str:
    state = finding.state.upper() if finding.state == "fault" else finding.state
    to_do = f" -> {finding.to_do}" if finding.to_do else ""
    return f"{state:<8} {finding.check:<13} {printable(finding.found)}{to_do}"

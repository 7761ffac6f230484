"""`messenger-api status`: one screen that says whether people can log in."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import closing

import click
import structlog

from messenger_api.cli.common import as_json, fail, is_to_be_made, print_json, say, settings
from messenger_api.cli.root import main
from messenger_api.cli.screen import screen
from messenger_api.domain.health.findings import Login
from messenger_api.domain.health.judgement import Judgement
from messenger_api.operating import OperatorParts
from messenger_api.settings import origin
from messenger_api.settings.record import SHORTEST_KEY

WATCH_SECONDS = 5.0
# Not among the findings, for `/readyz` tells them to strangers.
SHORT_KEY = (
    f"\nSECRET_KEY has fewer than {SHORTEST_KEY} characters: with the database it can be guessed.\n"
    "  -> messenger-api secret rotate makes another"
)


@main.command()
@click.option("--watch", is_flag=True, help="Show it anew every few seconds, until Ctrl-C.")
@as_json
def status(watch: bool, as_json: bool) -> None:
    """Say whether people can log in, what it costs and what waits; exit with 1 when they cannot.

    It is judged from what really happened: nobody is asked for it but the database.
    """
    config = settings()
    # What goes wrong is a finding here, and stands in one place.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    if is_to_be_made(config):
        where = f"The configuration was read from: {origin()}."
        fail(f"There is no database yet: the first start makes it. {where}")
    with closing(OperatorParts.alone(config)) as parts:
        judgement = parts.judge.now()
        _show(judgement, as_json)
        if config.key_is_short and not as_json:
            say(SHORT_KEY)
        try:
            while watch:
                time.sleep(WATCH_SECONDS)
                judgement = parts.judge.now()
                click.clear()
                _show(judgement, as_json)
        except KeyboardInterrupt:
            pass
    sys.exit(judgement.login is Login.NO)


def _show(judgement: Judgement, as_json: bool) -> None:
    if as_json:
        print_json(judgement)
    else:
        click.echo(screen(judgement))
    sys.stdout.flush()

"""`messenger-api`: the operator's commands. Each calls services or storage and prints."""

from __future__ import annotations

import click

from messenger_api.cli.database import db
from messenger_api.cli.serve import serve
from messenger_api.version import VERSION


@click.group()
@click.version_option(VERSION, prog_name="messenger-api")
def main() -> None:
    """The private API for mesibo's messenger apps."""


main.add_command(serve)
main.add_command(db)

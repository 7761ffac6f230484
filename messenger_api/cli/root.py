"""`messenger-api` itself, to which the commands add themselves."""

from __future__ import annotations

import click

from messenger_api.version import VERSION


@click.group()
@click.version_option(VERSION, prog_name="messenger-api")
def main() -> None:
    """The private API for mesibo's messenger apps."""

"""What the commands share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import click

from messenger_api import settings as configuration
from messenger_api.app import Parts, create_app, parts_of
from messenger_api.settings import Settings, SettingsError


def fail(message: str) -> NoReturn:
    """Say what is wrong and what to do, and exit with 1."""
    click.echo(message, err=True)
    sys.exit(1)


def settings() -> Settings:
    """The configuration; its faults end the command, one line each."""
    try:
        return configuration.load()
    except SettingsError as error:
        fail("The configuration has faults:\n" + "\n".join(f"  {fault}" for fault in error.faults))


@contextmanager
def product() -> Iterator[Parts]:
    """The product's parts, for as long as a command runs."""
    parts = parts_of(create_app(settings()))
    try:
        yield parts
    finally:
        parts.close()

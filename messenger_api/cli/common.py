"""What the commands share: the configuration, the product's parts, stopping, and printing."""

from __future__ import annotations

import datetime as dt
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click
import msgspec
from sqlalchemy.exc import SQLAlchemyError

from messenger_api import configuration, logs, telemetry
from messenger_api.domain.errors import TryLater, UpgradeRefused
from messenger_api.domain.health.findings import NEWER_TO_DO
from messenger_api.domain.names import cleaned
from messenger_api.domain.network import is_loopback
from messenger_api.operating import OperatorParts
from messenger_api.settings import Settings, SettingsError, unfit_to_serve

if TYPE_CHECKING:
    from messenger_api.composition import Parts
    from messenger_api.services.record import Services

# How many rows a list has, unless --limit says otherwise.
PAGE = 50
T = TypeVar("T")
P = TypeVar("P", bound=OperatorParts)

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

# What may be invisible: all but the lines and the signs of JSON itself.
_UNSEEN = re.compile(r"[^\n -~]")

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def fail(message: str) -> NoReturn:
    """Say what is wrong and what to do, and exit with 1."""
    say(message, err=True)
    sys.exit(1)


@contextmanager
def plainly() -> Iterator[None]:
    """What an operator can put right ends the command with a sentence instead of a traceback."""
    try:
        yield
    except SettingsError as error:
        fail("The configuration has faults:\n" + "\n".join(f"  {fault}" for fault in error.faults))
    except (TryLater, SQLAlchemyError) as error:
        fail(f"The database cannot do it: {reason(error.__cause__ or error)}")
    except UpgradeRefused as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or 'The system'}: {error.strerror or error}")


def reason(error: BaseException) -> str:
    """An exception in a line; of one that SQLAlchemy wrapped, what the driver said."""
    cause = getattr(error, "orig", None) or error
    text = str(cause).partition("\n")[0]
    return f"{type(cause).__name__}: {text}" if text else type(cause).__name__


def settings() -> Settings:
    """The configuration; its faults end the command, one line each."""
    with plainly():
        return configuration.load()


@contextmanager
def product(config: Settings | None = None, *, quiet: bool = True) -> Iterator[Parts]:
    """All parts for as long as a command runs; `quiet` leaves the log's warnings out."""
    # Loaded by the commands that use it alone: it takes as long as all the rest.
    everything: type[Parts] = import_module("messenger_api.composition").Parts
    with _opened(everything, config or settings(), quiet=quiet) as parts:
        yield parts


@contextmanager
def operating(config: Settings | None = None) -> Iterator[OperatorParts]:
    """The parts that operators look with, for as long as a command runs, without the log's warnings."""
    with _opened(OperatorParts, config or settings(), quiet=True) as parts:
        yield parts


@contextmanager
def _opened(kind: type[P], config: Settings, *, quiet: bool) -> Iterator[P]:
    config = replace(config, log_level="error") if quiet else config
    with plainly():
        logs.configure(config.log_level, config.log_format, *telemetry.processors(config))
        parts = kind.without_flask(config)
        try:
            yield parts
        finally:
            parts.bookkeeper.keep()
            parts.close()


def is_to_be_made(config: Settings) -> bool:
    """Whether there is no database yet, so that connecting would make an empty one."""
    return config.is_sqlite and not Path(config.sqlite_path).exists()


def built(part: Callable[[], T]) -> T:
    """A part that is made of what was configured.

    Raises:
        SettingsError: a key has a fault that only shows in use, such as an SMS provider that does not exist.
    """
    try:
        return part()
    except (ValueError, ImportError) as error:
        raise SettingsError([str(error)]) from error


def prepare_tables(parts: OperatorParts) -> None:
    """Bring SQLite's tables to this version; refuse others in MySQL, which several servers may share."""
    if parts.schema.is_current():
        return
    if parts.settings.is_sqlite:
        parts.schema.upgrade(click.echo)
    elif not parts.schema.is_known():
        fail(f"The database's tables are of a newer version, or of another program: {NEWER_TO_DO}.")
    else:
        fail("The database's tables are not those of this version. Run: messenger-api db upgrade")


def prepare_schema(parts: OperatorParts) -> None:
    """`prepare_tables`; refuse a wrong SECRET_KEY and half of a move too."""
    prepare_tables(parts)
    parts.installation.check()


@contextmanager
def looking() -> Iterator[OperatorParts]:
    """`operating` with its tables at this version: what a command that looks at the data begins with."""
    with operating() as parts:
        _prepare(parts)
        yield parts


@contextmanager
def ready_product() -> Iterator[Parts]:
    """`product` with its tables at this version: for a command that changes something."""
    with product() as parts:
        _prepare(parts)
        yield parts


@contextmanager
def ready_services() -> Iterator[tuple[Parts, Services]]:
    """`ready_product`, and what ops would call."""
    with ready_product() as parts:
        yield parts, built(lambda: parts.services)


def _prepare(parts: OperatorParts) -> None:
    prepare_schema(parts)
    built(lambda: parts.operator)


def limit_of(what: str) -> Callable[[Any], Any]:
    """The option `--limit` of a command that lists `what`."""
    number = click.IntRange(1)
    return click.option("--limit", default=PAGE, show_default=True, type=number, help=f"{what} to list.")


def uid_of(parts: OperatorParts, number: str) -> int:
    """The uid of the account with this number, however it is written; without one the command ends."""
    found = parts.operator.users.find(number)
    return found.uid if found else fail(nobody(number))


def nobody(number: str) -> str:
    """What is said when a number has no account."""
    return f"No user has the number {printable(number)}."


def check_fit(config: Settings) -> None:
    """Refuse to serve when nobody plays mesibo, or with a secret that stands in the documentation."""
    with plainly():
        if faults := unfit_to_serve(config):
            raise SettingsError(faults)


def check_exposure(config: Settings, host: str) -> None:
    """Refuse to show the sandbox, and with it everyone's codes, to other machines unless that is meant."""
    if not config.shows_sandbox and not is_loopback(host):
        fail(
            f"On {host} the sandbox would show everyone's login codes to everyone.\nTo use mesibo, set"
            " MESIBO_APP_TOKEN; to use the sandbox, listen on 127.0.0.1, or set SANDBOX = True to say that"
            " this is meant."
        )


def check_port(host: str, port: int, option: str = "--port") -> None:
    """Refuse an address that cannot be listened on, before anything is done."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            fail(f"Cannot listen on {host}:{port}: {error.strerror}. Choose another with {option}.")


@contextmanager
def stop_signals() -> Iterator[Callable[[], None]]:
    """Yields a function that waits for SIGTERM or SIGINT. To be entered before any thread is started.

    A second signal, after the function returned, has its usual effect and ends a slow stop.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)

    def wait() -> None:
        signal.sigwait(STOP_SIGNALS)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    try:
        yield wait
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def printable(text: object) -> str:
    """A text as one line of visible characters, which neither steers a terminal nor draws rows of its own."""
    return cleaned(" ".join(str(text).split()))


def say(message: str, *, err: bool = False) -> None:
    """Print lines of our own, with their indentation; texts of others in them are to be `printable`."""
    lines = ((line, len(line) - len(line.lstrip(" "))) for line in message.split("\n"))
    click.echo("\n".join(" " * indent + printable(line) for line, indent in lines), err=err)


def print_json(value: Any, *, indent: int = 2) -> None:
    """Print a value as indented JSON, with `indent` 0 in a line; whatever is not visible is escaped, as JSON
    does with controls."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=indent).decode()
    click.echo(_UNSEEN.sub(lambda found: _escaped(found[0]), text))


def _escaped(char: str) -> str:
    if char.isprintable():
        return char
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def print_details(pairs: Sequence[tuple[str, object]]) -> None:
    """Print names and values, a line each."""
    for name, value in pairs:
        click.echo(f"{name:<9} {printable(value)}".rstrip())


def print_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows in columns under their heads."""
    lines = [tuple(heads), *(tuple(map(printable, row)) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def local_time(second: int) -> str:
    """A unix second as people here write it."""
    return dt.datetime.fromtimestamp(second).astimezone().strftime("%Y-%m-%d %H:%M:%S")

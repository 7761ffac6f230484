"""What the commands of `messenger-api mesibo` share: mesibo's client, options made of its specification."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from messenger_api.cli.common import fail, print_details, print_json, print_table, printable, say, settings
from messenger_api.mesibo import (
    Client,
    File,
    MesiboError,
    MesiboRefused,
    MesiboUnreachable,
    Options,
    Timeouts,
)
from messenger_api.mesibo.core import Done
from messenger_api.mesibo.specification import Field

WITHOUT_APP = (
    "Set MESIBO_APP_TOKEN, or to try it, MESSENGER_MESIBO_APP_TOKEN=sandbox and"
    " MESSENGER_MESIBO_API_URL as messenger-api sandbox prints it."
)
KEY_VARIABLE = "MESIBO_ACCOUNT_KEY"


@contextmanager
def mesibo_client(*, key: str = "", as_json: bool = False) -> Iterator[Client]:
    """mesibo's client as the configuration describes it; its failures end the command."""
    config = settings()
    if not config.mesibo_app_token:
        fail(WITHOUT_APP)
    options = Options(
        config.mesibo_api_url,
        config.mesibo_api_style,
        key=key,
        timeouts=Timeouts(config.mesibo_connect_timeout, config.mesibo_timeout),
        most_bytes=config.mesibo_max_body,
        on_call=_silent,
    )
    with Client(config.mesibo_app_token, options) as client:
        try:
            yield client
        except ValueError as error:
            fail(f"Not sent. {error}.")
        except MesiboError as error:
            _end(error, as_json=as_json)


def _silent(_done: Done) -> None:
    """What failed is said once, at the end."""


def told(error: MesiboError) -> Mapping[str, object]:
    """A failure as JSON."""
    found: dict[str, object] = {
        "op": error.op,
        "error": error.error,
        "code": error.code,
        "cause": error.cause,
        "action": error.action,
        "properties": error.properties,
        "id": error.request_id,
        "can_help": error.can_help,
    }
    if isinstance(error, MesiboUnreachable):
        found |= {"reason": error.reason, "detail": error.detail, "maybe_done": error.maybe_done}
    return found


def _end(error: MesiboError, *, as_json: bool) -> None:
    if as_json:
        print_json(told(error))
        raise SystemExit(1)
    lines = [str(error)]
    if isinstance(error, MesiboRefused):
        lines += [
            f"  {name}: {printable(said)}" for name in ("cause", "action") if (said := getattr(error, name))
        ]
        if error.properties:
            lines.append(f"  at fault: {', '.join(error.properties)}")
    elif isinstance(error, MesiboUnreachable) and error.maybe_done:
        lines.append("  It may have been done all the same.")
    if error.can_help:
        lines.append("  Trying again later can help.")
    fail("\n".join(lines))


def option_of(field: Field) -> click.Option:
    """The option for a field of an op."""
    name, variable = f"--{field.name}", field.name.replace(".", "_") + "_"
    shown: dict[str, Any] = {"help": help_of(field), "default": None, "required": field.required}
    if field.type in ("boolean", "bit"):
        return click.Option([f"{name}/--no-{field.name}", variable], **shown)
    if field.values:
        return click.Option([name, variable], type=click.Choice(list(map(str, field.values))), **shown)
    read, metavar = _KINDS[field.type]
    return click.Option([name, variable], type=read, metavar=metavar, **shown)


def help_of(field: Field) -> str:
    """What is said of a field: what it is, its unit and default, and what of it is only inferred."""
    facts = [field.about]
    if field.unit:
        facts.append(f"In {field.unit}.")
    if field.default not in (None, "") and field.type not in ("boolean", "bit"):
        facts.append(f"mesibo's default: {field.default}.")
    if inferred := [style for style, spelt in field.spellings.items() if spelt.source == "inferred"]:
        facts.append(f"(Inferred: {', '.join(inferred)}.)")
    return " ".join(facts)


def value_of(field: Field, given: Any) -> object:
    """What was typed, as the record wants it."""
    if field.values and field.type == "integer":
        return int(given)
    return given


def _addresses(text: str) -> list[str]:
    found = [each.strip() for each in text.split(",")]
    if not all(found):
        raise ValueError(text)
    return found


def _rates(text: str) -> list[tuple[int, int]]:
    pairs = (each.split(":") for each in text.split(","))
    return [(int(seconds), int(most)) for seconds, most in pairs]


def _file(path: str) -> File:
    try:
        return File(Path(path).name, Path(path).read_bytes())
    except OSError as error:
        raise click.BadParameter(f"{path}: {error.strerror}") from None


# How the text of an option is read, and what its help calls it.
_KINDS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "text": (str, "TEXT"),
    "address": (str, "ADDRESS"),
    "addresses": (_addresses, "ADDRESS,..."),
    "integer": (int, "INTEGER"),
    "rates": (_rates, "SECONDS:MOST,..."),
    "file": (_file, "FILE"),
}


def show(answer: object, *, as_json: bool) -> None:
    """Print what a call returned: a record as names and values, a list as a table."""
    if isinstance(answer, tuple):
        _show_list([dataclasses.asdict(item) for item in answer], as_json=as_json)
        return
    found = dataclasses.asdict(answer) if dataclasses.is_dataclass(answer) else {}  # type: ignore[arg-type]
    if as_json:
        print_json(found)
        return
    known = [(name, value) for name, value in found.items() if value is not None]
    print_details(known)
    if not known:
        say("Done.")


def _show_list(rows: list[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        print_json(rows)
    elif rows:
        cells = [["" if value is None else value for value in row.values()] for row in rows]
        print_table([name.upper() for name in rows[0]], cells)

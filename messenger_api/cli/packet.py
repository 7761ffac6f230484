"""What a support packet holds: files about an installation, without its secrets and its people.

Every part is gathered for itself: one that cannot be is a file that says why.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from itertools import chain
from pathlib import Path

import msgspec

from messenger_api.cli.common import reason
from messenger_api.cli.doctor.checks import examine
from messenger_api.domain.redaction import redacted, redacted_value
from messenger_api.operating import OperatorParts
from messenger_api.settings import Settings, origin
from messenger_api.settings.keys import declared
from messenger_api.settings.record import shown
from messenger_api.version import VERSION

# Of the log, from its end.
LOG_BYTES = 512 * 1024
DEAD_ITEMS = 50


@dataclass(frozen=True)
class Part:
    """A file of the packet: its name, what is in it, and the text."""

    name: str
    about: str
    text: str


def packet(config: Settings | None, faults: list[str], log: Path | None, seconds: float) -> Iterator[Part]:
    """The parts, as they are gathered; without a configuration (`config` is None), its `faults`.

    `seconds`: for each of the doctor's checks.
    """
    secrets = _secrets(config) if config else ()

    def part(name: str, about: str, gather: Callable[[], object]) -> Part:
        try:
            value = gather()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it is what it has to say
            value = f"This could not be gathered: {reason(error)}"
        if isinstance(value, str):
            return Part(f"{name}.txt", about, redacted(value, secrets).rstrip() + "\n")
        plain = redacted_value(msgspec.to_builtins(value), secrets)
        return Part(f"{name}.json", about, msgspec.json.format(msgspec.json.encode(plain)).decode() + "\n")

    yield part("versions", "this program, Python, its packages, the system", _versions)
    if config is None:
        yield part("faults", "why the configuration cannot be read", lambda: "\n".join(faults))
    else:
        yield part("settings", "what is not as by default, secrets as ***", lambda: _settings(config))
        yield part("check", "what the doctor finds", lambda: list(examine(config, seconds)))
        parts = OperatorParts.alone(config)
        yield part("status", "whether people can log in, and from what that follows", parts.judge.now)
        yield part("database", "its server, the tables' version, how many rows", lambda: _database(parts))
        yield part("outbox", "what waits, and what was given up", lambda: _outbox(parts))
        parts.close()
    if log:
        yield part("log", f"the last lines of {log.name}", lambda: _end_of(log))


def _versions() -> dict[str, object]:
    packages = {each.name: each.version for each in metadata.distributions()}
    return {
        "messenger-api": VERSION,
        "python": sys.version,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processors": os.cpu_count(),
        "packages": dict(sorted(packages.items())),
    }


def _settings(config: Settings) -> str:
    lines = [f"Read from {origin()}", ""]
    for record in (config, *config.chosen):
        for name, key in declared(type(record)).items():
            value = getattr(record, name)
            if value != key.default:
                lines.append(f"{name.upper()} = {shown(value, key.secret)}")
    return "\n".join(lines)


def _secrets(config: Settings) -> set[str]:
    """The texts of all keys that are secret, by whichever way they could come into a message."""
    found = (
        getattr(record, name)
        for record in (config, *config.chosen)
        for name, key in declared(type(record)).items()
        if key.secret
    )
    return set(chain.from_iterable(map(_texts, found)))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _texts(each)


def _outbox(parts: OperatorParts) -> dict[str, object]:
    """Of groups that nobody here knows their number alone: names and members are of people."""
    status = parts.outbox.status(DEAD_ITEMS)
    return {**msgspec.structs.asdict(status), "unknown_groups": len(status.unknown_groups)}


def _database(parts: OperatorParts) -> dict[str, object]:
    return {
        "kind": parts.health.database,
        "server": parts.health.database_version(),
        "tables": parts.schema.current(),
        "tables of this version": parts.schema.newest,
        "rows": parts.health.rows(),
    }


def _end_of(log: Path) -> str:
    """The end of the log, from the first line that is whole."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_BYTES))
        cut = file.tell() > 0
        text = file.read(LOG_BYTES).decode(errors="replace")
    return text.partition("\n")[2] if cut else text

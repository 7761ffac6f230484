"""Where the configuration is written: `config.py` and the environment.

The file is the one that `MESSENGER_CONFIG` names (default `config.py` in the working folder, which may be
absent). Every environment variable `MESSENGER_<KEY>` replaces the key of that name; a value that parses as
JSON is taken as JSON, unless the key's converter is `Verbatim`.
"""

from __future__ import annotations

import json
import os
import runpy
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from messenger_api.settings.conversions import Verbatim
from messenger_api.settings.keys import Key

ENV_PREFIX = "MESSENGER_"
CONFIG_VARIABLE = "MESSENGER_CONFIG"


@dataclass(frozen=True)
class Given:
    """What the operator wrote."""

    values: Mapping[str, object] = field(default_factory=dict)
    """By key, in capitals."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """What the environment has in the place of such values."""
    others: Mapping[str, object] = field(default_factory=dict)
    """What stands in the file under names that are not written in capitals."""

    def names(self) -> list[str]:
        """The keys that were given, whether there are such or not."""
        return list({**self.values, **self.variables})

    def value(self, name: str, key: Key[object]) -> object:
        """The value of a key that was given.

        Raises:
            Unacceptable: it is not one.
        """
        return key.convert(self.written(name, key))

    def written(self, name: str, key: Key[object]) -> object:
        """What the operator wrote for the key."""
        if name not in self.variables:
            return self.values[name]
        text = self.variables[name]
        return text if isinstance(key.convert, Verbatim) else _json_or_text(text)


def read(environ: Mapping[str, str], faults: list[str]) -> Given:
    """What the file and the environment hold; a line is added to `faults` when the file cannot be read."""
    found = _run(environ, faults)
    return Given(
        values={name: value for name, value in found.items() if name.isupper()},
        variables={
            name.removeprefix(ENV_PREFIX): text
            for name, text in environ.items()
            if name.startswith(ENV_PREFIX) and name != CONFIG_VARIABLE
        },
        others={name: value for name, value in found.items() if not name.isupper()},
    )


def path_in(environ: Mapping[str, str]) -> Path:
    """The configuration file, which may be absent."""
    return Path(environ.get(CONFIG_VARIABLE) or "config.py")


def origin(environ: Mapping[str, str] | None = None) -> str:
    """Where the configuration is read from: the file and the names of variables, none of their values."""
    environ = os.environ if environ is None else environ
    path = path_in(environ).absolute()
    names = ", ".join(sorted(name for name in environ if name.startswith(ENV_PREFIX)))
    found = str(path) if path.exists() else f"no file (there is no {path})"
    return f"{found}, and the environment's {names}" if names else found


def file_in_use(environ: Mapping[str, str] | None = None) -> Path | None:
    """The configuration file that is read; None when there is none."""
    path = path_in(os.environ if environ is None else environ).absolute()
    return path if path.exists() else None


def _run(environ: Mapping[str, str], faults: list[str]) -> dict[str, object]:
    """What the file leaves behind, without the names that begin with an underscore."""
    path = path_in(environ)
    if not path.exists():
        if environ.get(CONFIG_VARIABLE):
            faults.append(f"{CONFIG_VARIABLE} = {str(path)!r}: there is no such file")
        return {}
    try:
        found = runpy.run_path(str(path))
    except Exception as error:  # noqa: BLE001 - whatever the operator's file raises is a fault of the file
        faults.append(f"{path}{_line(error, path)}: cannot be read: {_why(error)}")
        return {}
    return {name: value for name, value in found.items() if not name.startswith("_")}


def _line(error: Exception, path: Path) -> str:
    """Where in the file it happened."""
    frames = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) else next(reversed(frames), None)
    return f", line {line}" if line else ""


def _why(error: Exception) -> str:
    """What Python says of the file, unless it may quote the file: a secret that lacks its quotes."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"{type(error).__name__}: there is no module {error.name!r}"
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return (
        f"{type(error).__name__}; texts are written in quotes"
        if isinstance(error, NameError)
        else type(error).__name__
    )


def _json_or_text(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text

"""From `config.py` and the environment to the record, or to a line for every fault.

`load()` reads the file that `MESSENGER_CONFIG` names (default `config.py` in the working folder, which
may be absent), then lets every environment variable `MESSENGER_<KEY>` replace the key of that name; a
value that parses as JSON is taken as JSON. A start with a fault is refused with *every* fault named:
one line each with the key, the value (never of a secret) and what is accepted.
"""

from __future__ import annotations

import json
import os
import runpy
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from messenger_api.settings import former
from messenger_api.settings.contradictions import contradictions
from messenger_api.settings.conversions import Unacceptable, Verbatim
from messenger_api.settings.keys import declared
from messenger_api.settings.mesibo import OWN_MACHINE
from messenger_api.settings.record import Settings, shown

ENV_PREFIX = "MESSENGER_"
_KEYS = {name.upper(): key for name, key in declared(Settings).items()}
CONFIG_VARIABLE = "MESSENGER_CONFIG"


class SettingsError(Exception):
    """The configuration has faults; `faults` holds one line for each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the configuration file and the environment.

    Raises:
        SettingsError: with one line for every fault found.
    """
    environ = os.environ if environ is None else environ
    faults: list[str] = []
    values = {**_from_file(environ, faults), **_from_environment(environ)}
    settings = _checked(values, faults)
    if faults:
        raise SettingsError(faults)
    return settings


def origin(environ: Mapping[str, str] | None = None) -> str:
    """Where `load` reads from, in words: the file and the names of variables, none of their values."""
    environ = os.environ if environ is None else environ
    path = _path(environ).absolute()
    names = ", ".join(sorted(name for name in environ if name.startswith(ENV_PREFIX)))
    found = str(path) if path.exists() else f"no file (there is no {path})"
    return f"{found}, and the environment's {names}" if names else found


def file_in_use(environ: Mapping[str, str] | None = None) -> Path | None:
    """The configuration file that `load` reads; None when there is none."""
    path = _path(os.environ if environ is None else environ).absolute()
    return path if path.exists() else None


def without_mesibo(settings: Settings, environ: Mapping[str, str] | None = None) -> list[str]:
    """What stops every way of serving: nobody plays mesibo, and the sandbox was not asked for."""
    if settings.mesibo_app_token or settings.uses_sandbox:
        return []
    return [
        "MESIBO_APP_TOKEN: required; the mesibo console shows it. The configuration was read from:"
        f" {origin(environ)}. To try everything without an account, ask for the sandbox:"
        f' messenger-api serve --sandbox, or SANDBOX = "{OWN_MACHINE}", answers this machine alone;'
        " SANDBOX = True shows everyone's codes to others, too"
    ]


def build(**values: object) -> Settings:
    """Settings from keyword arguments (lower-case keys), checked as `load` checks them."""
    faults: list[str] = []
    settings = _checked({key.upper(): value for key, value in values.items()}, faults)
    if faults:
        raise SettingsError(faults)
    return settings


def _from_file(environ: Mapping[str, str], faults: list[str]) -> dict[str, object]:
    path = _path(environ)
    if not path.exists():
        if environ.get(CONFIG_VARIABLE):
            faults.append(f"{CONFIG_VARIABLE} = {str(path)!r}: there is no such file")
        return {}
    try:
        found = runpy.run_path(str(path))
    except Exception as error:  # noqa: BLE001 - whatever the operator's file raises is a fault of the file
        faults.append(f"{path}{_line(error, path)}: cannot be read: {_why(error)}")
        return {}
    given = {key: value for key, value in found.items() if not key.startswith("_")}
    keys = {key: value for key, value in given.items() if key.isupper()}
    others = {key: value for key, value in given.items() if key not in keys}
    faults.extend(former.faults(path, others, _KEYS))
    return keys


def _path(environ: Mapping[str, str]) -> Path:
    return Path(environ.get(CONFIG_VARIABLE) or "config.py")


def _line(error: Exception, path: Path) -> str:
    """Where in the file it happened."""
    frames = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) else next(reversed(frames), None)
    return f", line {line}" if line else ""


def _why(error: Exception) -> str:
    """What Python says of the file, unless it may quote the file: a secret that lacks its quotes."""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return (
        f"{type(error).__name__}; texts are written in quotes"
        if isinstance(error, NameError)
        else type(error).__name__
    )


def _from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, text in environ.items():
        if name.startswith(ENV_PREFIX) and name != CONFIG_VARIABLE:
            key = name.removeprefix(ENV_PREFIX)
            verbatim = key in _KEYS and isinstance(_KEYS[key].convert, Verbatim)
            values[key] = text if verbatim else _json_or_text(text)
    return values


def _json_or_text(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _checked(values: Mapping[str, object], faults: list[str]) -> Settings:
    accepted: dict[str, Any] = {}
    for name, value in values.items():
        if name not in _KEYS:
            faults.append(f"{name}: {former.instead(name, _KEYS)}")
            continue
        key = _KEYS[name]
        try:
            accepted[name.lower()] = key.convert(value)
        except Unacceptable as wanted:
            faults.append(f"{name} = {shown(value, key.secret)}: accepted is {wanted}")
    settings = Settings(**accepted)
    named = {fault.partition(" ")[0] for fault in faults}
    # A key with a fault of its own has its default here, which contradicts nothing the operator wrote.
    faults.extend(f for f in contradictions(settings) if f.partition(":")[0].partition(" ")[0] not in named)
    return settings

"""From what the operator wrote to the record, or to a line for every fault.

A start with a fault is refused with *every* fault named: one line each with the key, the value (never of a
secret) and what is accepted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

from messenger_api.settings import former, sources
from messenger_api.settings.contradictions import contradictions
from messenger_api.settings.conversions import Unacceptable
from messenger_api.settings.files import is_bucket
from messenger_api.settings.keys import Key, Keys, declared
from messenger_api.settings.mesibo import OWN_MACHINE
from messenger_api.settings.record import Settings, shown
from messenger_api.settings.sources import Given, origin

# By their names in the configuration.
_KEYS = {name.upper(): key for name, key in declared(Settings).items()}


# What documentation has in the place of a value: "...", "AC...", in a header "Bearer ...", and in
# config.example.py "output of: openssl rand" or digits that go on.
_PLACEHOLDER = re.compile(r"\w{0,4}\.\.\.|\w*…|output of: .*")
_ELSE = {"SECRET_KEY": ". If the data were made with it: messenger-api secret rotate"}


class SettingsError(Exception):
    """The configuration has faults; `faults` holds one line for each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Choice(Protocol):
    """A key whose value names what is used, each with keys of its own: SMS providers, or a login method."""

    @property
    def key(self) -> str:
        """The key, in capitals."""

    @property
    def what(self) -> str:
        """What it names, for example "SMS provider"."""

    def known(self) -> Collection[type[Keys]]:
        """The keys that may be given whatever is chosen."""

    def refuse(self, name: str) -> None:
        """Raise Unacceptable for a name that is not accepted at a start, whatever is used of it."""

    def keys_of(self, name: str) -> type[Keys]:
        """The keys of what has this name, or this dotted path.

        Raises:
            ValueError: there is no such thing, or it cannot be loaded.
        """


@dataclass(frozen=True)
class _Chosen:
    """One name in the value of a choice."""

    what: str
    name: str
    keys: type[Keys] = Keys
    fault: str = ""
    """Why it cannot be loaded, so that nobody knows its keys."""


def load(choices: Sequence[Choice], environ: Mapping[str, str] | None = None) -> Settings:
    """Read the configuration file and the environment (`os.environ` when None).

    Raises:
        SettingsError: with one line for every fault found.
    """
    faults: list[str] = []
    environ = os.environ if environ is None else environ
    given = sources.read(environ, faults)
    return _settings(choices, given, faults, str(sources.path_in(environ)))


def build(choices: Sequence[Choice], values: Mapping[str, object]) -> Settings:
    """Settings from values by lower-case keys, checked as `load` checks them."""
    return _settings(choices, Given({name.upper(): value for name, value in values.items()}), [], "")


def unfit_to_serve(settings: Settings) -> list[str]:
    """What stops every way of serving, and no command for what is there: a line for each fault."""
    return [*settings.placeholders, *without_mesibo(settings)]


def without_mesibo(settings: Settings, environ: Mapping[str, str] | None = None) -> list[str]:
    """Whether nobody plays mesibo, and the sandbox was not asked for."""
    if settings.mesibo_app_token or settings.uses_sandbox:
        return []
    return [
        "MESIBO_APP_TOKEN: required; the mesibo console shows it. The configuration was read from:"
        f" {origin(environ)}. To try everything without an account, ask for the sandbox:"
        f' messenger-api serve --sandbox, or SANDBOX = "{OWN_MACHINE}", answers this machine alone;'
        " SANDBOX = True shows everyone's codes to others, too"
    ]


def _settings(choices: Sequence[Choice], given: Given, faults: list[str], path: str) -> Settings:
    chosen = [one for choice in choices for one in _chosen(choice, given)]
    known = chain.from_iterable(choice.known() for choice in choices)
    kinds = list(dict.fromkeys([*known, *(one.keys for one in chosen)]))
    keys = _together(kinds, faults)
    faults.extend(former.faults(path, given.others, keys))
    accepted = _accepted(given, keys, chosen, faults)
    faults.extend(_refused(choices, accepted))
    records = {kind: kind(**_of(kind, accepted)) for kind in kinds}
    used = tuple(record for kind, record in records.items() if record != kind())
    settings = Settings(
        **_of(Settings, accepted), chosen=used, placeholders=tuple(_placeholders(accepted, chosen))
    )
    wrong = [*contradictions(settings), *_needs(chosen, records)]
    # A key with a fault of its own has its default here, which contradicts nothing the operator wrote.
    named = set(map(_key_of, faults))
    faults.extend(fault for fault in wrong if _key_of(fault) not in named)
    if faults:
        raise SettingsError(faults)
    return settings


def _key_of(fault: str) -> str:
    """The key that a fault begins with: "KEY = value: ..." or "KEY: ..."."""
    return re.split("[ :]", fault, maxsplit=1)[0]


def _chosen(choice: Choice, given: Given) -> Iterator[_Chosen]:
    key = _KEYS[choice.key]
    try:
        value = given.value(choice.key, key) if choice.key in given.names() else key.default
    except Unacceptable:
        return
    for name in _names(value):
        try:
            yield _Chosen(choice.what, name, choice.keys_of(name))
        except ValueError as error:
            yield _Chosen(choice.what, name, fault=str(error))


def _together(kinds: Sequence[type[Keys]], faults: list[str]) -> dict[str, Key[object]]:
    """All keys that there are. No two have one name, unless a record has it from another."""
    keys = dict(_KEYS)
    for kind in kinds:
        for name, key in declared(kind).items():
            if keys.setdefault(name.upper(), key) is not key:
                place = f"{kind.__module__}.{kind.__qualname__}"
                faults.append(f"{name.upper()}: declared by {place}, and there is such a key already")
    return keys


def _accepted(
    given: Given, keys: Mapping[str, Key[object]], chosen: Sequence[_Chosen], faults: list[str]
) -> dict[str, Any]:
    """The values of the keys that were given, by their names in lower case."""
    accepted: dict[str, Any] = {}
    if any(name not in keys for name in given.names()):
        # They may be keys of what could not be loaded.
        faults.extend(one.fault for one in chosen if one.fault)
    for name in given.names():
        if not (key := keys.get(name)):
            faults.append(f"{name}: {former.instead(name, keys)}")
            continue
        try:
            accepted[name.lower()] = given.value(name, key)
        except Unacceptable as wanted:
            faults.append(f"{name} = {shown(given.written(name, key), key.secret)}: accepted is {wanted}")
    return accepted


def _declared(kinds: Iterable[type[Keys]]) -> dict[str, Key[object]]:
    return {name.upper(): key for kind in kinds for name, key in declared(kind).items()}


def _placeholders(accepted: Mapping[str, Any], chosen: Sequence[_Chosen]) -> Iterator[str]:
    """Secrets in use, and keys without which nothing works, copied from documentation as they stand."""
    keys = {**_KEYS, **_declared(one.keys for one in chosen)}
    if not any(is_bucket(str(accepted.get(place, ""))) for place in ("files_path", "files_tn_path")):
        keys = {name: key for name, key in keys.items() if not name.startswith("S3_")}
    for name, value in accepted.items():
        key = keys.get(name.upper())
        if key and (key.secret or key.needed) and any(map(_PLACEHOLDER.fullmatch, _texts(value))):
            told = key.help.partition(". ")[0].rstrip(".") + _ELSE.get(name.upper(), "")
            yield f"{name.upper()}: what stands there is from the documentation, and no value. {told}"


def _texts(value: object) -> list[str]:
    """A text; of names and values the last words of the values."""
    if isinstance(value, tuple):
        return [str(pair[-1]).rpartition(" ")[2] for pair in value if pair]
    return [str(value)]


def _refused(choices: Sequence[Choice], accepted: Mapping[str, object]) -> Iterator[str]:
    """The names in the values of choices that are no names."""
    for choice in choices:
        for name in _names(accepted.get(choice.key.lower(), ())):
            try:
                choice.refuse(name)
            except Unacceptable as wanted:
                yield f"{choice.key} = {name!r}: accepted is {wanted}"


def _names(value: object) -> list[str]:
    """The names in the value of a choice, each once."""
    return list(dict.fromkeys(map(str, value if isinstance(value, tuple) else (value,))))


def _of(kind: type[Keys], accepted: Mapping[str, Any]) -> dict[str, Any]:
    return {name: accepted[name] for name in declared(kind) if name in accepted}


def _needs(chosen: Sequence[_Chosen], records: Mapping[type[Keys], Keys]) -> list[str]:
    """What is chosen and lacks a key, and what is wrong with its keys together."""
    missing: dict[str, str] = {}
    for one in chosen:
        for name in records[one.keys].missing():
            missing.setdefault(name, f"{name}: required with the {one.what} {one.name}")
    return [*missing.values(), *(fault for one in chosen for fault in records[one.keys].faults())]

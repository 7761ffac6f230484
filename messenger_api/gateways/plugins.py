"""Classes that a setting names: one of ours by a short name, or anybody's by its dotted path."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import Field, dataclass
from importlib import import_module

from messenger_api.settings.conversions import Unacceptable
from messenger_api.settings.keys import Keys


@dataclass(frozen=True)
class Plugin:
    """A class of ours, which is imported when it is used, and not before."""

    path: str
    """Its dotted path."""
    keys: type[Keys]
    """The keys that it has in the configuration."""
    extra: str = ""
    """What `pip install '.[EXTRA]'` brings, where it needs an optional library."""


@dataclass(frozen=True)
class Plugins:
    """The classes that one setting may name: ours by a short name, and anybody's, which may declare
    `keys: type[Keys]`.
    """

    key: str
    """The setting, for example "SMS_PROVIDERS"."""
    what: str
    """What it names, for example "SMS provider"."""
    ours: Mapping[str, Plugin]
    """By short name."""
    accepted: Collection[str]
    """Every short name that the setting may have, also those that name no class."""
    example: str
    """A dotted path as somebody may write one."""
    at_start: bool = False
    """Whether another short name is refused at every start, and not by what uses it."""

    def load(self, name: str) -> object:
        """What has this name or dotted path. Whether it is a class of the right kind is the caller's to see.

        Raises:
            ValueError: nothing has it, or it cannot be imported. The text names the setting and what to do.
        """
        ours = self.ours.get(name)
        module_name, dot, class_name = (ours.path if ours else name).rpartition(".")
        if not dot:
            named = [", ".join(self.accepted)] if self.accepted else []
            accepted = " and ".join([*named, f'a dotted path such as "{self.example}"'])
            raise self.fault(name, f"accepted are {accepted}")
        try:
            found: object = getattr(import_module(module_name), class_name)
        except (
            Exception,
            SystemExit,
        ) as error:  # whatever the operator's module raises, the key is what they must hear of
            reason = f"cannot be imported: {type(error).__name__}: {error}"
            if ours and ours.extra:
                reason = f"needs: pip install '.[{ours.extra}]' ({error})"
            raise self.fault(name, reason) from error
        return found

    def refuse(self, name: str) -> None:
        """Raise Unacceptable for a short name that is none, where that is not left to what uses it."""
        if self.at_start and name not in self.accepted and "." not in name:
            raise Unacceptable(f"one of {', '.join(self.accepted)}, or a dotted path such as {self.example}")

    def known(self) -> list[type[Keys]]:
        """The keys of ours, which may be given whatever is used."""
        return [ours.keys for ours in self.ours.values()]

    def keys_of(self, name: str) -> type[Keys]:
        """The keys that the class with this name or dotted path declares.

        Raises:
            ValueError: as `load` does; or its `keys` are none.
        """
        if name in self.accepted:
            return self.ours[name].keys if name in self.ours else Keys
        keys: object = getattr(self.load(name), "keys", Keys)
        if not (isinstance(keys, type) and issubclass(keys, Keys)):
            raise self.fault(name, "its `keys` is no subclass of messenger_api.settings.Keys")
        if any(isinstance(value, Field) for value in vars(keys).values()):
            raise self.fault(name, f"{keys.__name__} lacks @dataclass(frozen=True)")
        return keys

    def fault(self, name: str, reason: str) -> ValueError:
        """What to raise when the setting's value `name` cannot be used."""
        return ValueError(f"{self.key} = {name!r}: {reason}")

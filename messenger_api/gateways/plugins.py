"""Classes that a setting names: one of ours by a short name, or anybody's by its dotted path."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib import import_module


@dataclass(frozen=True)
class Plugins:
    """The classes that one setting may name. They are imported when they are loaded, and not before."""

    key: str
    """The setting, for example "SMS_PROVIDERS"."""
    ours: Mapping[str, str]
    """Dotted paths by short name."""
    accepted: Collection[str]
    """Every short name that the setting may have, also those that name no class."""
    example: str
    """A dotted path as somebody may write one."""
    extras: Collection[str] = field(default=())
    """Short names that need the optional libraries which `pip install '.[NAME]'` brings."""

    def load(self, name: str) -> object:
        """What has this name or dotted path. Whether it is a class of the right kind is the caller's to see.

        Raises:
            ValueError: nothing has it, or it cannot be imported. The text names the setting and what to do.
        """
        module_name, dot, class_name = self.ours.get(name, name).rpartition(".")
        if not dot:
            accepted = f'{", ".join(self.accepted)} and a dotted path such as "{self.example}"'
            raise self.fault(name, f"accepted are {accepted}")
        try:
            found: object = getattr(import_module(module_name), class_name)
        except Exception as error:  # whatever the operator's module raises, the key is what they must hear of
            reason = f"cannot be imported: {type(error).__name__}: {error}"
            if name in self.extras:
                reason = f"needs: pip install '.[{name}]' ({error})"
            raise self.fault(name, reason) from error
        return found

    def fault(self, name: str, reason: str) -> ValueError:
        """What to raise when the setting's value `name` cannot be used."""
        return ValueError(f"{self.key} = {name!r}: {reason}")

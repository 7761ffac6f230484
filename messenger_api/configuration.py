"""Reads the configuration: what the settings say of it, and whatever can be chosen in them."""

from __future__ import annotations

from collections.abc import Mapping

from messenger_api.settings import Settings, loading


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the configuration file and the environment (`os.environ` when None).

    Raises:
        SettingsError: with one line for every fault found.
    """
    return loading.load(environ)


def build(**values: object) -> Settings:
    """Settings from keyword arguments (lower-case keys), checked as `load` checks them.

    Raises:
        SettingsError: with one line for every fault found.
    """
    return loading.build(**values)

"""Reads the configuration: the settings, and the keys of whatever can be chosen in them."""

from __future__ import annotations

from collections.abc import Mapping

from messenger_api.gateways.keys.extensions import EXTENSIONS
from messenger_api.gateways.keys.login_methods import METHODS
from messenger_api.gateways.keys.sms_providers import PROVIDERS
from messenger_api.settings import Settings, loading

CHOICES: tuple[loading.Choice, ...] = (PROVIDERS, METHODS, EXTENSIONS)


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the configuration file and the environment (`os.environ` when None).

    Raises:
        SettingsError: with one line for every fault found.
    """
    return loading.load(CHOICES, environ)


def build(**values: object) -> Settings:
    """Settings from keyword arguments (lower-case keys), checked as `load` checks them.

    Raises:
        SettingsError: with one line for every fault found.
    """
    return loading.build(CHOICES, values)

"""Settings: read from `config.py` and the environment, checked, and from then on one frozen record.

`messenger_api.configuration` reads them.
"""

from messenger_api.settings.contradictions import country_faults
from messenger_api.settings.countries import EVERYWHERE
from messenger_api.settings.limits import LIMITS
from messenger_api.settings.loading import (
    CONFIG_VARIABLE,
    ENV_PREFIX,
    SettingsError,
    file_in_use,
    origin,
    without_mesibo,
)
from messenger_api.settings.login import LOGIN_METHODS
from messenger_api.settings.mesibo import OWN_MACHINE
from messenger_api.settings.record import Settings

__all__ = [
    "CONFIG_VARIABLE",
    "ENV_PREFIX",
    "EVERYWHERE",
    "LIMITS",
    "LOGIN_METHODS",
    "OWN_MACHINE",
    "Settings",
    "SettingsError",
    "country_faults",
    "file_in_use",
    "origin",
    "without_mesibo",
]

"""Settings: read from `config.py` and the environment, checked, and from then on one frozen record.

`messenger_api.configuration` reads them.
"""

from messenger_api.settings.contradictions import country_faults
from messenger_api.settings.countries import EVERYWHERE
from messenger_api.settings.keys import Keys, declared, key
from messenger_api.settings.limits import LIMITS
from messenger_api.settings.loading import SettingsError, unfit_to_serve, without_mesibo
from messenger_api.settings.mesibo import OWN_MACHINE
from messenger_api.settings.record import Settings, shown
from messenger_api.settings.sources import CONFIG_VARIABLE, ENV_PREFIX, file_in_use, origin

__all__ = [
    "CONFIG_VARIABLE",
    "ENV_PREFIX",
    "EVERYWHERE",
    "LIMITS",
    "OWN_MACHINE",
    "Keys",
    "Settings",
    "SettingsError",
    "country_faults",
    "declared",
    "file_in_use",
    "key",
    "origin",
    "shown",
    "unfit_to_serve",
    "without_mesibo",
]

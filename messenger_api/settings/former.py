"""Names in a `config.py` that are no keys: those of mesibo's PHP demo, and keys not written in capitals."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import FunctionType, ModuleType

NO_SUCH_KEY = "there is no such key; config.example.py lists them all"

_PUSH = "no longer needed: mesibo wakes the apps; its console takes the credentials for push"
_KIT = "no longer needed: AccountKit ended in 2020"
# The names of the PHP demo's config.php, and what takes their place here.
_PHP_DEMO = {
    "google_map_key": "GOOGLE_MAP_KEY",
    "mesibo_apptoken": "MESIBO_APP_TOKEN",
    "mesibo_app_token": "MESIBO_APP_TOKEN",
    "mesibo_apiurl": "MESIBO_API_URL",
    "mesibo_api_url": "MESIBO_API_URL",
    "downloadurl": "DOWNLOAD_URL",
    "uploadurl": "UPLOAD_URL",
    "db_pwd": "DB_PASS",
    "db_password": "DB_PASS",
}
_NOT_NEEDED = {
    "mesibo_apikey": "no longer needed: mesibo asks for MESIBO_APP_TOKEN alone; its console shows it",
    "gcm_key": _PUSH,
    "fcm_key": _PUSH,
    "apn_passphrase": _PUSH,
    "apn_pem": _PUSH,
}
_KIT_NAMES = ("accountkit", "account_kit", "ak_", "aktoken", "fb_", "facebook")
_NEITHER = (ModuleType, FunctionType, type)


def instead(name: str, keys: Collection[str]) -> str:
    """What to do about a name that is no key."""
    lower = name.lower()
    if lower in _NOT_NEEDED:
        return _NOT_NEEDED[lower]
    if lower.startswith(_KIT_NAMES):
        return _KIT
    wanted = _PHP_DEMO.get(lower) or (name.upper() if name.upper() in keys else "")
    return f"is called {wanted} here" if wanted else NO_SUCH_KEY


def faults(path: str, names: Mapping[str, object], keys: Collection[str]) -> list[str]:
    """A line for every value under a name that is not written in capitals: it would not be read."""
    return [
        f"{name}, in {path}: {_what(name, keys)}"
        for name, value in names.items()
        if not isinstance(value, _NEITHER) and not callable(value)
    ]


def _what(name: str, keys: Collection[str]) -> str:
    found = instead(name, keys)
    own = "keys are written in capitals; a name of your own begins with an underscore"
    return own if found == NO_SUCH_KEY else found

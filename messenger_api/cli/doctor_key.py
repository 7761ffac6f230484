"""What the doctor says of the SECRET_KEY, by the rules of the start."""

from __future__ import annotations

import stat
from collections.abc import Callable

from messenger_api.app import login_method
from messenger_api.cli.doctor_proxy import Verdict
from messenger_api.domain.errors import TryLater
from messenger_api.domain.secrets import Keys
from messenger_api.keyfile import key_faults, with_secret_key
from messenger_api.services.identities import Identities, names_of
from messenger_api.services.installation import WRONG_KEY, Installation
from messenger_api.settings import Settings
from messenger_api.storage.db import Database

# `openssl rand -hex 32` makes 64 characters; half of that is still beyond guessing.
SHORTEST_SECRET = 32


def key_verdict(settings: Settings, look: Callable[[Callable[[Database], bool]], bool]) -> Verdict:
    """The state of the key.

    Args:
        settings: the configuration.
        look: asks the database when there is one; else True. Raises TryLater.
    """
    if not settings.secret_key and (faults := key_faults(settings)):
        return "fault", faults[0], "put the old key back"
    try:
        if not look(lambda database: _fits(settings, database)):
            return "fault", WRONG_KEY, "put the old key back"
    except TryLater:
        pass  # it does not answer, or has older tables: both are findings of their own
    return _kept(settings)


def _fits(settings: Settings, database: Database) -> bool:
    keys = Keys.derive(with_secret_key(settings).secret_key)
    return Installation(
        database, keys, Identities(settings, keys, names_of(login_method(settings, database)))
    ).key_fits()


def _kept(settings: Settings) -> Verdict:
    if settings.secret_key:
        if len(settings.secret_key) < SHORTEST_SECRET:
            found = f"shorter than {SHORTEST_SECRET} characters"
            # Whoever changes the key of a live installation loses the matching of phone books.
            return "warning", found, "before anyone logs in, set one made by openssl rand -hex 32"
        return "ok", "configured", ""
    path = settings.instance / "secret_key"
    if not path.exists():
        return "ok", f"will be made at the first start, in {path}", ""
    if stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        return "warning", f"others on this machine may read {path}", f"chmod 600 {path}"
    return "ok", f"kept in {path}; keep a backup of it too", ""

"""What the doctor says of this machine: the files that are kept on it, and the SECRET_KEY among them."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator

from messenger_api.cli.common import is_to_be_made
from messenger_api.cli.doctor.judged import of_area
from messenger_api.cli.doctor.verdicts import Verdict
from messenger_api.composition import Parts
from messenger_api.domain.errors import TryLater, Unusable
from messenger_api.keyfile import key_faults, key_path
from messenger_api.services.installation import WRONG_KEY
from messenger_api.settings import Settings

# `openssl rand -hex 32` makes 64 characters; half of that is still beyond guessing.
SHORTEST_SECRET = 32


def files(settings: Settings, parts: Parts) -> Iterator[Verdict]:
    """Whether pictures and attachments can be kept."""
    places = f"{settings.files_path}, {settings.files_tn_path}"
    try:
        parts.files.check()
    except OSError as error:
        found = f"cannot write to {error.filename or places}: {error.strerror}"
        to_do = "let the server's user write to FILES_PATH and FILES_TN_PATH"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            to_do = "make room on its disk"
        yield "fault", found, error.to_do if isinstance(error, Unusable) else to_do
        return
    full = list(of_area("files", settings, parts))
    yield from full or [("ok", f"writable: {places}", "")]


def secret_key(settings: Settings, parts: Parts) -> Iterator[Verdict]:
    """Whether it is the one that the data were made with, by the rules of the start, and well kept."""
    if not settings.secret_key and (faults := key_faults(settings)):
        yield "fault", faults[0], "put the old key back"
    elif not is_to_be_made(settings) and _is_another(parts):
        yield "fault", WRONG_KEY, "put the old key back"
    else:
        yield _configured(settings) if settings.secret_key else _kept(settings)


def _is_another(parts: Parts) -> bool:
    try:
        return not parts.installation.key_fits()
    except TryLater:
        return False  # it does not answer, or has older tables: both are findings of their own


def _configured(settings: Settings) -> Verdict:
    if len(settings.secret_key) < SHORTEST_SECRET:
        found = f"shorter than {SHORTEST_SECRET} characters"
        # Whoever changes the key of a live installation loses the matching of phone books.
        return "warning", found, "before anyone logs in, set one made by openssl rand -hex 32"
    return "ok", "configured", ""


def _kept(settings: Settings) -> Verdict:
    path = key_path(settings)
    if not path.exists():
        return "ok", f"will be made at the first start, in {path}", ""
    if stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        return "warning", f"others on this machine may read {path}", f"chmod 600 {path}"
    return "ok", f"kept in {path}; keep a backup of it too", ""

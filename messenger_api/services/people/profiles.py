"""A user's own profile: name, status and photo."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from sqlalchemy import Connection

from messenger_api.domain.errors import AuthFail
from messenger_api.services.people.media import Media
from messenger_api.services.updates import file_gone, user_changed
from messenger_api.storage import outbox, users
from messenger_api.storage.db import Database, Uncertain
from messenger_api.storage.sessions import Caller
from messenger_api.storage.users import Profile


class Profiles:
    """Reads and changes profiles; followers hear of every change after the answer."""

    def __init__(self, database: Database, media: Media) -> None:
        self._database = database
        self._media = media

    def change(
        self,
        caller: Caller,
        *,
        name: str | None = None,
        status: str | None = None,
        photo: bytes | None = None,
        remove_photo: bool = False,
    ) -> Profile:
        """Change what is given; None leaves it as it is, "" clears it.

        Raises:
            AuthFail: the account was closed meanwhile.
            BadImage, TooLarge: the photo cannot be used; nothing was changed.
        """
        stored, tn = self._keep(photo)
        wanted = {"name": name, "status": status, "photo": stored or ("" if remove_photo else None)}
        try:
            return self._database.write(partial(_changed, uid=caller.uid, wanted=wanted, tn=tn))
        except Uncertain:
            raise
        except BaseException:
            if stored:
                self._media.discard(stored)
            raise

    def _keep(self, photo: bytes | None) -> tuple[str, str]:
        """The name under which a photo was stored, and its thumbnail; "" without one."""
        if photo is None:
            return "", ""
        picture = self._media.photo(photo)
        return self._media.keep_photo(picture), picture.thumbnail


def _changed(tx: Connection, now: int, *, uid: int, wanted: Mapping[str, str | None], tn: str) -> Profile:
    """The profile, with what is wanted and not so yet. `tn` belongs to a new photo."""
    before = users.locked(tx, uid)
    if before is None:
        raise AuthFail
    if tn and wanted["photo"]:
        users.add_thumbnail(tx, wanted["photo"], tn)
    texts = {"name": before.name, "status": before.status, "photo": before.photo}
    changes = {key: value for key, value in wanted.items() if value is not None and value != texts[key]}
    if not changes:
        return before
    users.change(tx, now, uid, **changes)
    return _announced(tx, now, before, changes, tn)


def _announced(tx: Connection, now: int, before: Profile, changes: dict[str, str], tn: str) -> Profile:
    """Queue what follows a change; the profile as it is now. `tn` belongs to a new photo."""
    gone = file_gone(before.photo) if "photo" in changes else []
    outbox.add(tx, now, [user_changed(before.uid), *gone])
    shown = {**changes, "tn": tn} if "photo" in changes else changes
    return before._replace(**shown, changed_at=now)  # type: ignore[arg-type]

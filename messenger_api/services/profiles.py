"""A user's own profile: name, status and photo."""

from __future__ import annotations

from sqlalchemy import Connection

from messenger_api.services.media import Media
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
            BadImage, TooLarge: the photo cannot be used; nothing was changed.
        """
        picture = None if photo is None else self._media.photo(photo)
        stored = "" if picture is None else self._media.keep_photo(picture)
        wanted: dict[str, str | None] = {"name": name, "status": status}
        wanted["photo"] = stored or ("" if remove_photo else None)
        tn = picture.thumbnail if picture else ""

        def work(tx: Connection, now: int) -> Profile:
            if tn:
                users.add_thumbnail(tx, stored, tn)
            before = users.locked(tx, caller.uid)
            texts = {"name": before.name, "status": before.status, "photo": before.photo}
            changes = {key: value for key, value in wanted.items() if value not in (None, texts[key])}
            if not changes:
                return before
            users.change(tx, now, caller.uid, **changes)
            return _announced(tx, now, before, changes, tn)

        try:
            return self._database.write(work)
        except Uncertain:
            raise
        except BaseException:
            if stored:
                self._media.discard(stored)
            raise


def _announced(tx: Connection, now: int, before: Profile, changes: dict[str, str], tn: str) -> Profile:
    """Queue what follows a change; the profile as it is now. `tn` belongs to a new photo."""
    outbox.add(tx, now, [user_changed(before.uid), *(file_gone(before.photo) if "photo" in changes else [])])
    after = before._replace(
        name=changes.get("name", before.name), status=changes.get("status", before.status)
    )
    if "photo" in changes:
        after = after._replace(photo=changes["photo"], tn=tn)
    return after._replace(changed_at=now)

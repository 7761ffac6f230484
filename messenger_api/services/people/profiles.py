"""A user's own profile: name, status and photo."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace
from sqlalchemy import Connection

from messenger_api.domain.errors import AuthFail
from messenger_api.services.people.media import Media
from messenger_api.services.people.tasks import UserChanged, file_gone
from messenger_api.storage import outbox, users
from messenger_api.storage.db import Database, Uncertain
from messenger_api.storage.sessions import Caller
from messenger_api.storage.users import Changes, Listed, Profile


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
        wanted = Wanted(name, status, stored or ("" if remove_photo else None), tn)
        try:
            return self._database.write(partial(change, uid=caller.uid, wanted=wanted))
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


@dataclass(frozen=True)
class Wanted:
    """What a profile shall be; None leaves it as it is. `tn` belongs to a new photo."""

    name: str | None = None
    status: str | None = None
    photo: str | None = None
    tn: str = ""

    def beside(self, profile: Profile | Listed) -> Changes:
        """What is wanted and not so yet."""
        changes: Changes = {}
        if self.name is not None and self.name != profile.name:
            changes["name"] = self.name
        if self.status is not None and self.status != profile.status:
            changes["status"] = self.status
        if self.photo is not None and self.photo != profile.photo:
            changes["photo"] = self.photo
        return changes


def change(tx: Connection, now: int, *, uid: int, wanted: Wanted) -> Profile:
    """The profile as it is now, with what follows its change queued, inside a transaction.

    Raises:
        AuthFail: the account is closed, or gone.
    """
    before = users.locked(tx, uid)
    if before is None:
        raise AuthFail
    if wanted.tn and wanted.photo:
        users.add_thumbnail(tx, wanted.photo, wanted.tn)
    changes = wanted.beside(before)
    if not changes:
        return before
    users.change(tx, now, uid, **changes)
    has_new_photo = "photo" in changes
    gone = file_gone(before.photo) if has_new_photo else []
    outbox.add(tx, now, [UserChanged(uid).draft(), *gone])
    return replace(before, **changes, tn=wanted.tn if has_new_photo else before.tn, changed_at=now)

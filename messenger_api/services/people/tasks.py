"""What follows a change of a profile, or a photo that nobody shows any more."""

from __future__ import annotations

from typing import ClassVar

from messenger_api.outbox.run import Run
from messenger_api.outbox.tasks import Task
from messenger_api.services.update_messages import RECIPIENTS, UpdateMessages, user_text
from messenger_api.storage import contacts, lanes, users
from messenger_api.storage.db import Database
from messenger_api.storage.files import FileStore
from messenger_api.storage.outbox import Draft


class UserChanged(Task):
    """Tell everyone who has `uid` in the phone book, beyond the uid `after`, how the profile is now."""

    kind: ClassVar[str] = "user_changed"

    uid: int
    subject: str = ""
    msg: str = ""
    after: int = 0

    def draft(self) -> Draft:
        """Behind what else follows from the account."""
        return self.in_lane(lanes.user(self.uid))


class FileGone(Task):
    """Delete a file that no profile or group shows any more, and its thumbnail."""

    kind: ClassVar[str] = "file_gone"
    needs_mesibo: ClassVar[bool] = False

    name: str

    def draft(self) -> Draft:
        """Beside everything else."""
        return self.in_lane(lanes.file(self.name))


def file_gone(name: str) -> list[Draft]:
    """Delete a replaced photo; nothing when there was none."""
    return [FileGone(name).draft()] if name else []


class PeopleTasks:
    """Does these tasks."""

    def __init__(self, database: Database, files: FileStore, messages: UpdateMessages) -> None:
        self._database = database
        self._files = files
        self._messages = messages

    def user_changed(self, task: UserChanged, run: Run) -> None:
        """Tell them part by part, each part with the profile as it is by then.

        A newer change tells all of them everything again, but for a notice: this one then tells nobody.
        """
        while task.subject or not run.is_outdated():
            profile, followers = self._database.run(
                lambda tx: (
                    users.find_profile(tx, task.uid),
                    contacts.followers(tx, task.uid, after=task.after, most=RECIPIENTS),
                )
            )
            if profile is None or not followers:
                return
            text = user_text(profile, subject=task.subject, msg=task.msg)
            told = self._messages.send(profile.address, [address for _uid, address in followers], text)
            if told == len(followers) < RECIPIENTS:
                return
            task.after = followers[told - 1][0]
            run.note_progress(task)

    def file_gone(self, task: FileGone, _run: Run) -> None:
        """Remove the file first: whoever is cut short here meets a file that is gone."""
        self._files.remove(task.name)
        self._database.run(lambda tx: users.remove_thumbnail(tx, task.name))

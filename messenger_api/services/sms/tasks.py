"""What follows a text message: somebody looks whether it arrived."""

from __future__ import annotations

from typing import ClassVar

from messenger_api.outbox.tasks import Task
from messenger_api.storage import lanes
from messenger_api.storage.outbox import Draft


class WatchText(Task):
    """Look whether a text arrived, and send it once more when it did not; what it held is sealed."""

    kind: ClassVar[str] = "watch_text"
    needs_mesibo: ClassVar[bool] = False

    text_id: int
    sealed: str
    code_hash: str

    def draft(self, seconds: int) -> Draft:
        """In so many seconds."""
        return self.in_lane(lanes.text(self.text_id), delay=seconds)

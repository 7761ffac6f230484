"""Pictures and attachments: checked, cleaned, stored."""

from __future__ import annotations

from messenger_api.domain import images
from messenger_api.domain.cleaning import cleaned
from messenger_api.domain.errors import TooLarge
from messenger_api.domain.filetypes import true_type
from messenger_api.domain.images import MOST_MEMORY, Picture
from messenger_api.services.people.turns import Turns
from messenger_api.settings import Settings
from messenger_api.storage.db import Database
from messenger_api.storage.files import FileStore, safe_extension

MEBIBYTE = 1024 * 1024

# Pictures decoded, and files cleaned, at a time in a process.
AT_ONCE = 2
# Seconds that an upload waits for its turn. A picture takes less than another two.
LONGEST_WAIT = 2.5


class Media:
    """Takes in what people upload."""

    def __init__(self, settings: Settings, database: Database, files: FileStore) -> None:
        self._settings = settings
        self._database = database
        self._files = files
        self._decodings = Turns(AT_ONCE, MOST_MEMORY, LONGEST_WAIT)
        self._cleanings = Turns(AT_ONCE, MOST_MEMORY, LONGEST_WAIT)

    def photo(self, data: bytes) -> Picture:
        """Read a profile photo: one frame, upright, without metadata, with its thumbnail.

        Raises:
            BadImage: it is no picture that we read.
            TooLarge: more bytes or pixels than allowed.
            TryLater: others' photos are at work, and take long.
        """
        self._check_size(data, self._settings.max_photo_bytes)
        undecoded = images.undecoded(data, max_pixels=self._settings.max_photo_pixels)
        with self._decodings.turn(undecoded.memory):
            return undecoded.picture()

    def keep_photo(self, picture: Picture) -> str:
        """Store a photo and its thumbnail image; returns its name."""
        return self._files.save_picture(picture, self._database.now())

    def keep_attachment(self, data: bytes, filename: str) -> str:
        """Store what is sent in a chat; returns its name, whose ending says what the content is.

        Pictures and films lose what they tell of their maker and place, and nothing of what they show;
        everything else is kept as it came. Nothing is decoded.

        Raises:
            TooLarge: more bytes than `MAX_UPLOAD_BYTES`.
            BadImage: it begins like a picture or film and cannot be read as one.
            TryLater: many large files came at once.
        """
        self._check_size(data, self._settings.max_upload_bytes)
        named = safe_extension(filename)
        kind = true_type(data, named)
        with self._cleanings.turn(2 * len(data)):
            data = cleaned(data, kind)
        return self._files.save(data, kind or named, self._database.now())

    def discard(self, name: str) -> None:
        """Remove a stored file whose owner was not saved."""
        self._files.remove(name)

    def _check_size(self, data: bytes, limit: int) -> None:
        if len(data) > limit:
            raise TooLarge(limit=f"{limit / MEBIBYTE:g} MiB")

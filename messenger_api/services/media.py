"""Pictures and attachments: checked, cleaned, stored."""

from __future__ import annotations

from messenger_api.domain import images
from messenger_api.domain.errors import TooLarge
from messenger_api.domain.images import Picture
from messenger_api.settings import Settings
from messenger_api.storage.db import Database
from messenger_api.storage.files import FileStore, safe_extension

MEBIBYTE = 1024 * 1024


class Media:
    """Takes in what people upload."""

    def __init__(self, settings: Settings, database: Database, files: FileStore) -> None:
        self._settings = settings
        self._database = database
        self._files = files

    def photo(self, data: bytes) -> Picture:
        """Read a profile photo: one frame, upright, without metadata, with its thumbnail.

        Raises:
            BadImage: it is no picture that we read.
            TooLarge: more bytes or pixels than allowed.
        """
        self._check_size(data, self._settings.max_photo_bytes)
        return images.profile_photo(data, max_pixels=self._settings.max_photo_pixels)

    def keep_photo(self, picture: Picture) -> str:
        """Store a photo and its thumbnail image; returns its name."""
        return self._files.save_picture(picture, self._database.now())

    def keep_attachment(self, data: bytes, filename: str) -> str:
        """Store what is sent in a chat; returns its name.

        A picture loses its metadata; everything else is kept as it came and only ever served as a download.

        Raises:
            TooLarge: more bytes than `MAX_UPLOAD_BYTES`.
        """
        self._check_size(data, self._settings.max_upload_bytes)
        picture = images.shared_picture(data, max_pixels=self._settings.max_photo_pixels)
        if picture is not None:
            cleaned, extension = picture
            return self._files.save(cleaned, extension, self._database.now())
        return self._files.save(data, safe_extension(filename), self._database.now())

    def discard(self, name: str) -> None:
        """Remove a stored file whose owner was not saved."""
        self._files.remove(name)

    def _check_size(self, data: bytes, limit: int) -> None:
        if len(data) > limit:
            raise TooLarge(limit=f"{limit / MEBIBYTE:g} MiB")

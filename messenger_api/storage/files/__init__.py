"""The store of pictures and attachments: a folder or a bucket, with a second one for the thumbnails.

Names are made here and cannot be guessed: whoever knows the name of a file may read it.
"""

from messenger_api.storage.files.base import CHUNK_BYTES, Body, Found, Opened, Part, Place
from messenger_api.storage.files.folder import Folder
from messenger_api.storage.files.names import (
    Presentation,
    is_name,
    presentation,
    safe_extension,
    thumbnail_of,
)
from messenger_api.storage.files.store import Entry, FileStore

__all__ = [
    "CHUNK_BYTES",
    "Body",
    "Entry",
    "FileStore",
    "Folder",
    "Found",
    "Opened",
    "Part",
    "Place",
    "Presentation",
    "is_name",
    "presentation",
    "safe_extension",
    "thumbnail_of",
]

"""The names of stored files, and what a name alone says of how the file is served."""

from __future__ import annotations

import re
import secrets
from typing import NamedTuple

# `<unix seconds>-<32 hex digits>.<extension>`; the PHP demo wrote 16 digits and the extension as the client
# had it, and an installation that began with it goes on serving its files.
_NAME = re.compile(r"[0-9]{1,12}-(?:[0-9a-f]{32}\.[a-z0-9]{1,8}|[0-9a-f]{16}\.[A-Za-z0-9]{1,16})")

# What an attachment may be called. None of these runs, or shows as a page in a browser.
_SOUND = ("aac", "amr", "flac", "m4a", "mp3", "oga", "ogg", "opus", "wav")
_FILM = ("3gp", "m4v", "mkv", "mov", "mp4", "ogv", "webm")
_DOCUMENTS = ("csv", "docx", "ics", "odp", "ods", "odt", "pdf", "pptx", "txt", "vcf", "xlsx")
_OTHER = ("7z", "gz", "rar", "tar", "zip")
HARMLESS = frozenset(_SOUND + _FILM + _DOCUMENTS + _OTHER)
# Anything else: the word says no more than that these are bytes.
OPAQUE = "bin"

SHOWN = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "avif": "image/avif",
}
# Downloads whose type a viewer or a player needs. Anything else is bytes.
PLAYED = {
    "bmp": "image/bmp",
    "heic": "image/heic",
    "tif": "image/tiff",
    "3gp": "video/3gpp",
    "aac": "audio/aac",
    "amr": "audio/amr",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "m4v": "video/mp4",
    "mkv": "video/x-matroska",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "ogv": "video/ogg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "webm": "video/webm",
}
OPAQUE_TYPE = "application/octet-stream"
# A picture is called so by its content alone, never by the name that it came with.
PICTURES = frozenset(SHOWN) | {"bmp", "heic", "tif"}

YEAR_SECONDS = 365 * 24 * 3600
# A name never gets other content, so nobody need ask twice.
CACHE_CONTROL = f"public, max-age={YEAR_SECONDS}, immutable"

# 16 bytes are the 32 hex digits of a name.
NAME_BYTES = 16


class Presentation(NamedTuple):
    """The headers that belong to a file wherever it is served."""

    content_type: str
    disposition: str
    cache_control: str = CACHE_CONTROL


def presentation(key: str) -> Presentation:
    """How the file `key` is served: pictures that browsers know are shown, the rest is a download."""
    extension = key.rpartition(".")[2].lower()
    extension = "jpg" if extension == "jpeg" else extension
    if shown := SHOWN.get(extension):
        return Presentation(shown, f"inline; filename={key}")
    return Presentation(PLAYED.get(extension, OPAQUE_TYPE), f"attachment; filename={key}")


def safe_extension(filename: str) -> str:
    """The ending of an attachment's name in lower case if it is a harmless one, else "bin"."""
    _stem, dot, ending = filename.lower().rpartition(".")
    return ending if dot and ending in HARMLESS else OPAQUE


def is_name(text: str) -> bool:
    """Whether a file of ours may be called so. Such a name is safe as a file name, in a URL and a header."""
    return bool(_NAME.fullmatch(text))


def new_name(extension: str, now: int) -> str:
    """A name that nobody can guess; an extension that is neither a picture's nor harmless becomes "bin"."""
    known = extension in HARMLESS or extension in PICTURES
    return f"{now}-{secrets.token_hex(NAME_BYTES)}.{extension if known else OPAQUE}"


def thumbnail_of(name: str) -> str:
    """What the thumbnail of the photo `name` is called."""
    return f"{name.partition('.')[0]}.jpg"


def probe_name() -> str:
    """A name for trying whether a place can be written to; none of ours."""
    return f".check-{secrets.token_hex(NAME_BYTES)}"

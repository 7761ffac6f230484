"""What people send in chats, without what their phones wrote into it: position, camera, owner, times.

Nothing is decoded: the coded pixels and sounds stay bit for bit, and so do orientation and colour profile.
There is a small cleaner for each container; each keeps what it knows and lets go of the rest.
"""

from __future__ import annotations

from collections.abc import Callable

from messenger_api.domain.cleaning import film, gif, heif, jpeg, png, tiff, webp
from messenger_api.domain.cleaning.parts import Unreadable
from messenger_api.domain.errors import BadImage

_CLEANERS: dict[str, Callable[[bytes], bytes]] = {
    "jpg": jpeg.cleaned,
    "png": png.cleaned,
    "webp": webp.cleaned,
    "gif": gif.cleaned,
    "tif": tiff.cleaned,
    "heic": heif.cleaned,
    "avif": heif.cleaned,
    **dict.fromkeys(("mp4", "mov", "m4a", "m4v", "3gp"), film.cleaned),
}


def cleaned(data: bytes, kind: str) -> bytes:
    """A file of the type `kind`, as `filetypes.true_type` names it, without metadata.

    Types that hold no metadata, or that nobody here can clean, stay as they are.

    Raises:
        BadImage: it begins like the type and cannot be read as one: what is in it, and where, is unknown.
    """
    clean = _CLEANERS.get(kind)
    if clean is None:
        return data
    try:
        return clean(data)
    except Unreadable as error:
        raise BadImage from error

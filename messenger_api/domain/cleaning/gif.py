"""GIF89a: images, their timing, the number of loops and the colour profile are kept."""

from __future__ import annotations

from messenger_api.domain.cleaning.parts import Parts, Unreadable

HEADERS = (b"GIF87a", b"GIF89a")

_SCREEN_BYTES = 13
_IMAGE_BYTES = 10
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_CONTROL, _APPLICATION = 0xF9, 0xFF
_APPLICATIONS = (b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012")
_HAS_COLOURS = 0x80


def cleaned(data: bytes) -> bytes:
    """The same frames without comments and applications' blocks, such as XMP.

    Raises:
        Unreadable: there is no image.
    """
    parts = Parts(data)
    position = _after_colours(data, _SCREEN_BYTES, data[10] if len(data) >= _SCREEN_BYTES else 0)
    kept, images = [data[:position]], 0
    while position < len(data) and data[position] != _TRAILER:
        start, kind = position, data[position]
        if kind == _IMAGE and start + _IMAGE_BYTES < len(data):
            # The colours of the image, and the size of its first code, come before its blocks.
            position = _after_colours(data, start + _IMAGE_BYTES, data[start + 9]) + 1
            keep = True
            images += 1
        elif kind == _EXTENSION:
            position = start + 2
            keep = _is_kept(data[start + 1 : start + 14])
        else:
            break
        position = _after_blocks(data, position, parts)
        if keep:
            kept.append(data[start:position])
    if not images:
        raise Unreadable("no image")
    return b"".join([*kept, bytes((_TRAILER,))])


def _is_kept(head: bytes) -> bool:
    """Whether an extension stays, by its label, the length of its first block, and that block."""
    if head[:1] == bytes((_CONTROL,)):
        return True
    return head[:1] == bytes((_APPLICATION,)) and head[2:] in _APPLICATIONS


def _after_colours(data: bytes, position: int, flags: int) -> int:
    colours = 3 * 2 ** ((flags & 7) + 1) if flags & _HAS_COLOURS else 0
    return min(position + colours, len(data))


def _after_blocks(data: bytes, position: int, parts: Parts) -> int:
    """Where the blocks that begin here end: each has its length before it, and the last has none."""
    while position < len(data):
        parts.take()
        length = data[position]
        position += 1 + length
        if not length:
            break
    return min(position, len(data))

"""How much room a text takes in a short message (3GPP TS 23.038, formerly GSM 03.38)."""

from __future__ import annotations

ONE_MESSAGE = 140
"""Octets that one short message holds (3GPP TS 23.040, 9.2.3.24); a longer text travels, and is paid for, in
parts."""

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet, 6.2.1: seven bits each. The 128th place is the escape to the extension."""

EXTENSION = frozenset("\f^{}\\[~]|€")
"""The extension table, 6.2.1.1: an escape and a place, so twice seven bits."""


def octets(text: str) -> int:
    """Octets that `text` takes, without the headers of a text in parts.

    Seven bits a character when the default alphabet and its extension hold them all, else two octets a
    UTF-16 unit (named UCS-2 there; phones read pairs for what lies beyond, as emoji do).
    """
    if BASIC.union(EXTENSION).issuperset(text):
        bits = 7 * (len(text) + sum(character in EXTENSION for character in text))
        return (bits + 7) // 8
    return len(text.encode("utf-16-be", "surrogatepass"))

"""How many messages of the SMS network a text takes (GSM 03.38)."""

from __future__ import annotations

# GSM 03.38: the letters that fit seven bits; one outside makes the whole text UCS-2.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = frozenset("^{}\\[~]|€\f")


def is_gsm(text: str) -> bool:
    """Whether the seven bits hold every letter."""
    return set(text) <= _GSM | _GSM_EXTENDED


def segments(text: str) -> int:
    """How many text messages carry this text (GSM 03.38: 160 or 153 each; UCS-2: 70 or 67 each)."""
    if is_gsm(text):
        length, alone, joined = sum(1 + (letter in _GSM_EXTENDED) for letter in text), 160, 153
    else:
        length, alone, joined = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if length <= alone else -(-length // joined)

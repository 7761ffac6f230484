"""The text message with the code: what it says, the line that phones read, and the room that it takes."""

from __future__ import annotations

from messenger_api.domain.texts import LANGUAGES, say

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
    """Octets that `text` takes (3GPP TS 23.038, formerly GSM 03.38), without the headers of a text in parts.

    Seven bits a character when the default alphabet and its extension hold them all, else two octets a
    UTF-16 unit (named UCS-2 there; phones read pairs for what lies beyond, as emoji do).
    """
    if BASIC.union(EXTENSION).issuperset(text):
        bits = 7 * (len(text) + sum(character in EXTENSION for character in text))
        return (bits + 7) // 8
    return len(text.encode("utf-16-be", "surrogatepass"))


def code_text(
    code: str,
    app: str,
    language: str,
    *,
    template: str = "",
    android_hash: str = "",
    ios_domain: str = "",
    ios: bool = False,
) -> str:
    """The text message with a one-time code, never longer than `ONE_MESSAGE`.

    The sentence of the language, or the operator's `template`, and below it the line by which the phone
    hands the code to the app. The phone needs that line more than the person the sentence: where both do not
    fit, the short form of the language is taken, and then the code alone.
    """
    line = app_line(code, android_hash=android_hash, ios_domain=ios_domain, ios=ios)
    own = template.format(code=code, app=app)
    full, short = (say(key, language, code=code, app=app) for key in ("sms_code", "sms_code_short"))
    texts = [with_line(form, line) for form in (own or full, short, code)]
    return next((text for text in texts if octets(text) <= ONE_MESSAGE), texts[-1])


def app_line(code: str, *, android_hash: str = "", ios_domain: str = "", ios: bool = False) -> str:
    """The line that the phone reads, or "" where nothing is configured for it.

    Android: the 11 characters that stand for the app, in a text of at most 140 bytes with the code in it
    (developers.google.com/identity/sms-retriever/verify). They may stand anywhere today; the end is where
    that page once wanted them, and where its example has them.
    iOS: "@", the domain, one space, "#" and the code, nothing before them on the last line
    (developer.apple.com/news/?id=z0i801mg; wicg.github.io/sms-one-time-codes, 3, "Message format"). The code
    is offered in that domain's apps alone.
    """
    if ios:
        return f"@{ios_domain} #{code}" if ios_domain else ""
    return android_hash


def with_line(text: str, line: str) -> str:
    """`text`, and `line` as the last one."""
    return f"{text.strip()}\n{line}" if line else text.strip()


def is_template(text: str, length: int) -> bool:
    """Whether `text` can be filled in, and then holds a code of `length` digits whole."""
    code = "1234567890"[:length]
    try:
        return code in text.format(code=code, app="")
    except (LookupError, ValueError, AttributeError, TypeError):
        return False


def template_octets(template: str, app: str, length: int, *, android_hash: str, ios_domain: str) -> int:
    """Octets of the operator's own text with a code of `length` digits and the longer one of the lines."""
    code = "0" * length
    text = template.format(code=code, app=app)
    lines = [
        app_line(code, android_hash=android_hash, ios_domain=ios_domain, ios=ios) for ios in (True, False)
    ]
    return max(octets(with_line(text, line)) for line in lines)


def name_octets(app: str, length: int, *, android_hash: str) -> tuple[int, str]:
    """Octets of the shortest text that still names the app, and the language in which it is longest.

    Without the line for iOS, since a domain names the app too.
    """
    code = "0" * length
    return max(
        (octets(with_line(say("sms_code_short", language, code=code, app=app), android_hash)), language)
        for language in LANGUAGES
    )

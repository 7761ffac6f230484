"""Reads the string literals of Kotlin and of Swift, by their language references."""

from __future__ import annotations

import re

_BASIC = {"t": "\t", "n": "\n", "r": "\r", '"': '"', "'": "'", "\\": "\\"}
_ESCAPES = {"kotlin": {**_BASIC, "b": "\b", "$": "$"}, "swift": {**_BASIC, "0": "\0"}}
_CODES = {"kotlin": re.compile(r"u([0-9a-fA-F]{4})"), "swift": re.compile(r"u\{([0-9a-fA-F]{1,8})\}")}
_INTERPOLATED = re.compile(r"\((\w+)\)")
CLOSING = {")": "(", "]": "[", "}": "{"}


def literals(source: str, language: str) -> list[str]:
    """The texts of a program, in their order; what Swift interpolates stays as it is written.

    Raises:
        ValueError: a literal does not end, has an escape that the language has not, or brackets do not match.
    """
    found, at, open_brackets = [], 0, ""
    while at < len(source):
        char = source[at]
        at += 1
        if char == '"':
            text, at = _literal(source, at, language)
            found.append(text)
        elif char in "([{":
            open_brackets += char
        elif char in CLOSING:
            if not open_brackets.endswith(CLOSING[char]):
                raise ValueError(f"{char} closes nothing at {at}")
            open_brackets = open_brackets[:-1]
        elif char != "\n" and not char.isprintable():
            raise ValueError(f"{char!r} outside of a text")
    if open_brackets:
        raise ValueError(f"{open_brackets} is not closed")
    return found


def _literal(source: str, at: int, language: str) -> tuple[str, int]:
    """The literal that begins here, behind its quote, and where it ends."""
    units: list[str] = []
    while source[at] != '"':
        if source[at] in "\n\r" or (language == "kotlin" and source[at] == "$"):
            raise ValueError(f"{source[at]!r} in a text")
        if source[at] != "\\":
            units.append(source[at])
            at += 1
            continue
        text, at = _escape(source, at + 1, language)
        units.append(text)
    # Kotlin's escapes are units of UTF-16.
    joined = "".join(units).encode("utf-16", "surrogatepass").decode("utf-16")
    return joined, at + 1


def _escape(source: str, at: int, language: str) -> tuple[str, int]:
    if code := _CODES[language].match(source, at):
        return chr(int(code[1], 16)), code.end()
    if language == "swift" and (name := _INTERPOLATED.match(source, at)):
        return f"\\{name[0]}", name.end()
    if source[at] not in _ESCAPES[language]:
        raise ValueError(f"\\{source[at]} is no escape of {language}")
    return _ESCAPES[language][source[at]], at + 1

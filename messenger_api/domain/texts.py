"""The sentences that a person reads, by language.

Each language is a file of `languages/`, read once, when it is first asked for. English is the reference:
every file has its keys, in its order, with its placeholders. A new language is a new file and its code in
`LANGUAGES`; `tests/test_texts.py` says what is missing.

Sentences that hold a number avoid what has to agree with it in Slavic languages and Arabic. Arabic and
Persian wrap values in U+2068 and U+2069, which keep Latin words from pulling the marks around them to the
wrong side (Unicode Standard Annex 9, isolates). Invisible characters of that kind are written as escapes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

REFERENCE = "en"

LANGUAGES = frozenset(
    {
        "ar", "bn", "de", "en", "es", "fa", "fr", "hi", "id", "it", "ja", "ko",
        "nl", "pl", "pt", "ru", "th", "tr", "uk", "vi", "zh",
    }
)  # fmt: skip

# Java up to 16, and Android with it, still says "in" for Indonesian (documented in java.util.Locale).
FORMER: Mapping[str, str] = {"in": "id"}

_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_]|\Z)", re.ASCII | re.IGNORECASE)


def say(key: str, lang: str = REFERENCE, **values: str | int) -> str:
    """The sentence `key` in the language of the tag `lang`, else in English, its placeholders filled.

    Raises:
        KeyError: there is no such sentence, or a value for one of its placeholders is missing.
    """
    return _sentences(known(lang) or REFERENCE)[key].format(**values)


def known(tag: str) -> str:
    """The code of the language that a tag asks for ("pt-BR" -> "pt"), or "" when there is no such file.

    A tag comes from a stranger: only its first characters are looked at, and the answer is one of
    `LANGUAGES`, never a part of the tag.
    """
    language = _LANGUAGE.match(tag)
    code = language[1].lower() if language else ""
    code = FORMER.get(code, code)
    return code if code in LANGUAGES else ""


@cache
def _sentences(code: str) -> Mapping[str, str]:
    sentences: dict[str, str] = json.loads(
        files("messenger_api.domain").joinpath("languages", f"{code}.json").read_text(encoding="utf-8")
    )
    return sentences

"""Names, statuses and the like: what nobody sees is taken out, what belongs to a visible sign stays."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger_api.domain.names import cleaned

KEPT = [
    "Ana", "José García", "O'Neil \"x\" \\ y", "50% <b>&amp; %NAME%", "山田 太郎", "葛\U000e0100城", "ᠮᠣᠩᠭᠣᠯ᠋",
    "می\u200cخواهم", "ه\u200d", "क्\u200dष", "ශ්\u200dරී", "നന്\u200d", "김철수", "กำ", "é", "e\u0301",
    "❤️", "👨‍👩‍👧‍👦", "👩🏽‍💻", "🏳️‍🌈", "🏳️‍⚧️", "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "1️⃣", "#⃣", "🇩🇪", "☎︎", "Ann 🧑‍🚀!", "\u0600١٢", "\ue000", "\ufffd", "𝒜𝓃𝓃",
]  # fmt: skip
CLEANED = {
    "A\x1b[31mB\x07": "A[31mB",
    "A\x00B": "AB",
    "Ann\r\nLee\t": "AnnLee",
    "a\x7f\x85\x9bb": "ab",
    "a\u2028b\u2029c": "abc",
    "\u202egro.live\u202c": "gro.live",
    "\u2066a\u2069\u200e\u200f\u061cb": "ab",
    "A\u200bn\u2060n\ufeff\u00ad": "Ann",
    "An\u200dn": "Ann",
    "An\u200cn\u200c": "Ann",
    "A\ufe0f\u200d": "A",
    "م\u200c\u200c\u200cن": "م\u200cن",
    "😀\u200d": "😀",
    "😀\u200d\u200d😀": "😀😀",
    "🏴\U000e0067\U000e0062": "🏴",
    "x\U000e0041\U000e007f": "x",
    "Ann\u3164\u115f\uffa0\u034f": "Ann",
    "\ud800Ann\udfff": "Ann",
    "Ann\ufffe\U0001d173\U000e0fff\ufffc": "Ann",
    "\u3000 Ann \u00a0": "Ann",
}
NOTHING = [
    "", " ", "\n\t", "\u200b", "\u200d\u200c", "\u202e\u202c", "\u3164", "\u2800\u2800", "\ufeff", "\u00ad",
    "\u3000\u00a0\u2003", "\U000e0041\U000e0042", "\ufe0f", "\u180e\u17b4", "\x1b\x07", "\u0301", "\u2062",
]  # fmt: skip
INVISIBLE = (
    "\x00\x1b\x07\r\n\t\x85\u00ad\u034f\u061c\u115f\u180e\u200b\u200e\u200f\u2028\u2029"
    "\u202a\u202e\u2060\u2066\u2069\u206f\u3164\ufeff\uffa0"
)


@pytest.mark.parametrize("name", KEPT)
def test_what_is_seen_stays_character_by_character(name: str) -> None:
    assert cleaned(name) == name
    assert cleaned(f"A{name}B") == f"A{name}B"


@pytest.mark.parametrize("name", CLEANED)
def test_what_is_not_seen_is_taken_out(name: str) -> None:
    assert cleaned(name) == CLEANED[name]


@pytest.mark.parametrize("name", NOTHING)
def test_a_name_that_shows_nothing_is_empty(name: str) -> None:
    assert cleaned(name) == cleaned(name * 3) == cleaned(name, lines=True) == ""


def test_a_status_keeps_its_line_ends_and_nothing_else_that_is_not_seen() -> None:
    assert cleaned("a\nb\r\nc", lines=True) == "a\nb\r\nc"
    assert cleaned("a\x1b\u202e\nb\u2028\u200b\x00", lines=True) == "a\nb"


@given(
    st.text() | st.text(st.sampled_from([*INVISIBLE, *"aم葛😀❤🏴\u200c\u200d\ufe0f\U000e0067\U000e007f "]))
)
def test_any_text_is_clean_after_once(text: str) -> None:
    name = cleaned(text)
    assert cleaned(name) == name == name.strip()
    assert not set(INVISIBLE) & set(name)
    assert not any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in name)
    assert set(cleaned(text, lines=True)) - set(text) == set()


@given(
    st.text(
        st.characters(
            categories=["L", "N", "P", "S"],
            exclude_characters="\u115f\u1160\u3164\uffa0\u2800\ufffc\U0001d159",
        ),
        min_size=1,
    )
)
def test_letters_digits_and_signs_are_left_alone(text: str) -> None:
    assert cleaned(text) == text

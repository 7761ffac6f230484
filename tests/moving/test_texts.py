"""Names of the PHP demo's database come out as people wrote them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger_api.moving.texts import decoded, readable, unescaped

ESCAPES = {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r"}


def escaped(text: str) -> str:
    """A text as mysql_real_escape_string writes it."""
    return "".join(ESCAPES.get(char, char) for char in text)


@given(st.text(st.characters(codec="utf-8")))
def test_utf8_is_read_as_it_is(text: str) -> None:
    assert decoded(text.encode()) == text


@given(st.binary())
def test_any_bytes_become_a_text_that_every_database_takes(raw: bytes) -> None:
    text = readable(raw, 128)
    assert len(text) <= 128
    assert text.encode().decode() == text
    assert "\0" not in text


@given(st.text(st.characters(codec="utf-8")), st.sampled_from("'\""), st.text("\\'\"nr0Z\n\r", max_size=9))
def test_what_was_escaped_once_too_often_is_as_it_was_written(text: str, quote: str, more: str) -> None:
    assert unescaped(escaped(text + quote + more)) == text + quote + more


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"O\\'Neil", "O'Neil"),
        (b"C:\\new", "C:\\new"),
        (b"\\o/", "\\o/"),
        ("Grüße".encode("latin-1"), "Grüße"),
        ("“Zoë” €".encode("cp1252"), "“Zoë” €"),
        ("Bob 😀".encode(), "Bob 😀"),
        (b"", ""),
        (b"a\x00\x07b", "ab"),
        (b"x" * 200, "x" * 128),
    ],
)
def test_names_as_old_installations_hold_them(raw: bytes, name: str) -> None:
    assert readable(raw, 128) == name

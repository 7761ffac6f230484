import json
import re
import unicodedata
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from string import Formatter

import pytest

from messenger_api.domain.images import DECODERS
from messenger_api.domain.sms import BASIC, ONE_MESSAGE, octets
from messenger_api.domain.texts import LANGUAGES, known, say

FOLDER = Path(str(files("messenger_api.domain"))) / "languages"
RIGHT_TO_LEFT = ("ar", "fa")
VALUES: dict[str, str | int] = {
    "app": "Messenger11",
    "code": "482913",
    "field": "phones",
    "hours": 24,
    "limit": "2 MiB",
    "minutes": 15,
    "seconds": 30,
    "wanted": "Expected `int`",
}
# What a letter's Unicode name begins with. Languages that are not here write Latin letters.
SCRIPTS = {
    "ar": "ARABIC", "bn": "BENGALI", "fa": "ARABIC", "hi": "DEVANAGARI", "ja": "(CJK|HIRAGANA|KATAKANA)",
    "ko": "HANGUL", "ru": "CYRILLIC", "th": "THAI", "uk": "CYRILLIC", "zh": "CJK",
}  # fmt: skip
# Letters of the neighbour that shares the script: a file swapped, or typed on the wrong keyboard.
FOREIGN_LETTERS = {"ar": "پچگکی", "fa": "يكةى", "ru": "іїєґ", "uk": "ыъэё", "es": "ãõç", "pt": "ñ¿¡"}
FULL_STOPS = {"bn": "।", "hi": "।", "ja": "。", "zh": "。", "th": ""}


def read(language: str) -> dict[str, str]:
    def members(pairs: list[tuple[str, str]]) -> dict[str, str]:
        assert len(dict(pairs)) == len(pairs), f"{language} names a key twice"
        return dict(pairs)

    raw = (FOLDER / f"{language}.json").read_bytes().decode("utf-8")
    sentences: dict[str, str] = json.loads(raw, object_pairs_hook=members)
    return sentences


FILES = {path.stem: read(path.stem) for path in sorted(FOLDER.glob("*.json"))}
ENGLISH = FILES["en"]

every_language = pytest.mark.parametrize("language", sorted(FILES))
right_to_left = pytest.mark.parametrize("language", RIGHT_TO_LEFT)


@every_language
def test_the_text_about_a_picture_names_every_format_that_is_read(language: str) -> None:
    formats = {"HEIC", *(name.replace("WEBP", "WebP") for name in DECODERS.values())}
    assert formats == set(re.findall(r"[A-Z][A-Za-z]*[A-Z](?![A-Za-z])", FILES[language]["photo_bad"]))
    page = (Path(__file__).parent.parent / "docs" / "files.md").read_text()
    [read_from] = re.findall(r"Profile photos\*\* are read from ([^\n]*), made at most", page)
    assert formats == set(re.findall(r"\w{3,}", read_from)) - {"and"}


def placeholders(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def wording(text: str) -> str:
    """The text without its placeholders."""
    return "".join(literal for literal, _, _, _ in Formatter().parse(text))


def sentences(language: str) -> Iterator[tuple[str, str]]:
    """Keys and texts that are whole sentences in English."""
    return ((key, text) for key, text in FILES[language].items() if ENGLISH[key].endswith("."))


def test_the_files_are_the_languages_that_can_be_chosen() -> None:
    assert set(FILES) == set(LANGUAGES)
    assert len(FILES) >= 21


@every_language
def test_a_language_has_the_keys_of_english_in_their_order(language: str) -> None:
    assert list(FILES[language]) == list(ENGLISH)


@every_language
def test_a_language_keeps_every_placeholder(language: str) -> None:
    assert {key: placeholders(text) for key, text in FILES[language].items()} == {
        key: placeholders(text) for key, text in ENGLISH.items()
    }


@every_language
def test_a_text_is_clean(language: str) -> None:
    for key, text in FILES[language].items():
        assert text, key
        assert text == text.strip(), key
        assert "  " not in text, key
        assert unicodedata.is_normalized("NFC", text), key
        assert not any(unicodedata.category(character) == "Cc" for character in text), key


@every_language
def test_a_sentence_ends_where_english_ends_one_and_a_title_does_not(language: str) -> None:
    stop = FULL_STOPS.get(language, ".")
    for key, text in FILES[language].items():
        ends_in = text[-1] if unicodedata.category(text[-1]) == "Po" else ""
        assert ends_in == (stop if ENGLISH[key].endswith(".") else ""), key


@pytest.mark.parametrize("language", sorted(set(FILES) - {"en"}))
def test_no_sentence_is_left_in_english(language: str) -> None:
    assert [key for key, text in sentences(language) if text == ENGLISH[key]] == []


@pytest.mark.parametrize("language", sorted(SCRIPTS))
def test_a_text_is_in_the_script_of_its_language(language: str) -> None:
    for key, text in FILES[language].items():
        letters = [unicodedata.name(character) for character in wording(text) if character.isalpha()]
        own = [name for name in letters if re.match(SCRIPTS[language], name)]
        # What is left over is a handful of Latin names: SMS, JPEG, WebP.
        others = [name for name in letters if name not in own and not name.startswith("LATIN")]
        assert own, key
        assert others == [], key


@pytest.mark.parametrize("language", sorted(set(FILES) - set(SCRIPTS)))
def test_a_text_in_latin_letters_has_no_look_alikes_of_other_scripts(language: str) -> None:
    for key, text in FILES[language].items():
        letters = [character for character in wording(text) if character.isalpha()]
        assert all(unicodedata.name(letter).startswith("LATIN") for letter in letters), key


@pytest.mark.parametrize("language", ["ru", "uk"])
def test_a_cyrillic_word_hides_no_latin_letter(language: str) -> None:
    for key, text in FILES[language].items():
        for word in re.findall(r"\w+", wording(text)):
            assert len({unicodedata.name(letter).split()[0] for letter in word}) == 1, (key, word)


@pytest.mark.parametrize("language", sorted(FOREIGN_LETTERS))
def test_a_text_has_no_letter_of_the_neighbouring_language(language: str) -> None:
    for key, text in FILES[language].items():
        assert not set(FOREIGN_LETTERS[language]) & set(text), key


@right_to_left
def test_right_to_left_text_uses_its_own_marks(language: str) -> None:
    for key, text in FILES[language].items():
        assert set("!\"'()*+,/;<=>?[]_`") & set(wording(text)) == set(), key


@right_to_left
def test_right_to_left_text_begins_with_its_own_letters_so_that_phones_guess_the_direction(
    language: str,
) -> None:
    for key in FILES[language]:
        directions = map(unicodedata.bidirectional, say(key, language, **VALUES))
        assert next(direction for direction in directions if direction in {"L", "R", "AL"}) == "AL", key


@right_to_left
def test_latin_values_stand_isolated_in_right_to_left_text(language: str) -> None:
    for key, text in FILES[language].items():
        if key in {"sms_code", "sms_code_short", "voice_code"}:
            continue  # old phones show a box for the isolates, and a voice has no sides
        values = re.findall(r"\{(?:app|field|wanted|limit)\}", text)
        assert re.findall("\u2068(\\{(?:app|field|wanted|limit)\\})\u2069", text) == values, key
        assert text.count("\u2068") == text.count("\u2069") == len(values), key


@pytest.mark.parametrize("language", ["ja", "zh"])
def test_chinese_and_japanese_use_full_width_marks(language: str) -> None:
    for key, text in FILES[language].items():
        assert set("!,.:;?") & set(wording(text)) == set(), key


@every_language
def test_every_text_is_said_with_its_values_in_place(language: str) -> None:
    for key, text in FILES[language].items():
        said = say(key, language, **VALUES)
        assert said.count("{") == said.count("}") == 0, key
        assert all(str(VALUES[name]) in said for name in placeholders(text)), key
        assert all(literal in said for literal, _, _, _ in Formatter().parse(text)), key


def test_testers_of_the_older_backend_find_its_words() -> None:
    assert say("code_wrong") == "Invalid OTP"


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("de", "de"), ("DE", "de"), ("pt-BR", "pt"), ("pt_PT", "pt"), ("zh-Hant-TW", "zh"), ("zh_CN", "zh"),
        ("zh-Hans", "zh"), ("en-GB", "en"), ("Ar-eg", "ar"), ("fa_IR", "fa"), ("de-", "de"),
    ],
)  # fmt: skip
def test_a_language_tag_finds_its_language_whatever_its_region_and_writing(tag: str, language: str) -> None:
    assert known(tag) == language
    assert say("phone_bad", tag) == FILES[language]["phone_bad"]


@pytest.mark.parametrize("tag", ["in", "in_ID", "IN-id", "id", "id-ID"])
def test_indonesian_is_found_by_the_code_that_android_sends(tag: str) -> None:
    assert known(tag) == "id"
    assert say("phone_title", tag) == "Nomor telepon"


@pytest.mark.parametrize(
    "tag",
    [
        "", "-", "_", "x", "xx", "eng", "deu", "germany", "dede", "*", "../en", "en/../de", "de.json", "de\n",
        "de\x00", "/etc/passwd", "%64%65", "{key}", "-de", "ｄｅ", "d\u0345e", "\ud800", "\u212ao", "de😀",
        "../../../messenger_api/domain/languages/de",
        pytest.param("de" * 100_000, id="endless letters"), pytest.param("-" * 200_000, id="endless hyphens"),
    ],
)  # fmt: skip
def test_an_unknown_or_hostile_tag_gives_english(tag: str) -> None:
    assert known(tag) == ""
    assert say("phone_bad", tag) == ENGLISH["phone_bad"]


def test_a_long_tag_is_read_no_further_than_its_language() -> None:
    assert known("de-" + "x" * 1_000_000) == "de"


def test_a_value_is_never_read_as_a_template() -> None:
    said = say("value_bad", "de", field="{wanted}", wanted="{0.__class__}")
    assert said == "Das Feld {wanted} ist ungültig: {0.__class__}."


@every_language
def test_a_code_travels_in_one_short_message(language: str) -> None:
    assert octets(say("sms_code", language, code="482913", app="Messenger11")) <= ONE_MESSAGE


@every_language
def test_a_code_travels_in_one_short_message_even_with_an_app_named_in_another_script(language: str) -> None:
    assert octets(say("sms_code", language, code="482913", app="Мессенджеры")) <= ONE_MESSAGE


@every_language
def test_a_code_stands_alone_so_that_phones_can_offer_it(language: str) -> None:
    """Autofill looks for digits between word boundaries; Japanese and Korean letters are no boundary."""
    text = say("sms_code", language, code="482913", app="Messenger11")
    assert re.findall(r"\b[0-9]{4,10}\b", text) == ["482913"]
    assert "\u2068" not in text


def test_the_default_alphabet_has_its_127_characters() -> None:
    assert len(BASIC) == 127


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", 0), ("a", 1), ("hellohello", 9), ("a" * 8, 7), ("a" * 160, 140), ("a" * 161, 141),
        ("@£$¥èéùìòÇØøÅåΔ_", 14), ("€", 2), ("[a]", 5), ("€" * 80, 140), ("€" * 80 + "a", 141),
        ("ç", 2), ("aaaaaaaç", 16), ("я" * 70, 140), ("я" * 71, 142), ("🙂", 4), ("`", 2),
    ],
)  # fmt: skip
def test_octets_of_a_short_message(text: str, size: int) -> None:
    assert octets(text) == size

"""The text message with a code: one message in every language, with the line that the phone reads."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from messenger_api.configuration import build, load
from messenger_api.domain.sms import ONE_MESSAGE, code_text, octets
from messenger_api.domain.texts import LANGUAGES, say
from messenger_api.settings import SettingsError

CODES = ["482913", "4829130", "48291305", "482913057", "4829130576"]
NAMES = [
    "M", "Messenger11", "Example Messenger 20",
    "Ж", "Мессенджеры", "Корпоративный чат 20",
    "म", "संदेश ऐप दल", "हमारा संदेश ऐप दल २०",
]  # fmt: skip
HASH = "FA+9qCX9VSu"
DOMAINS = ["chat20.example.co.in", "messenger.a-long-name-of-a-company.subsidiary.example.co.in1"]

# What a person is sent in each language, with a name of nine letters and a code of six digits. A sentence
# that grows leaves less room for the name of the app and for the line that the phone reads.
OCTETS = {
    "ar": 104, "bn": 124, "de": 56, "en": 44, "es": 114, "fa": 112, "fr": 53, "hi": 122, "id": 56, "it": 52,
    "ja": 78, "ko": 90, "nl": 49, "pl": 53, "pt": 116, "ru": 112, "th": 116, "tr": 102, "uk": 120, "vi": 118,
    "zh": 64,
}  # fmt: skip

every_language = pytest.mark.parametrize("language", sorted(LANGUAGES))


def sentence(key: str, code: str, app: str, language: str) -> str:
    return say(key, language, code=code, app=app)


def test_the_names_and_domains_have_the_lengths_that_are_tried() -> None:
    assert [len(name) for name in NAMES] == [1, 11, 20] * 3
    assert [len(domain) for domain in DOMAINS] == [20, 60]


@every_language
def test_the_default_text_takes_the_octets_that_a_translator_counted(language: str) -> None:
    text = code_text("482913", "Messenger", language)
    assert text == sentence("sms_code", "482913", "Messenger", language)
    assert octets(text) == OCTETS[language]


@every_language
def test_a_text_is_one_message_with_the_code_once(language: str) -> None:
    for code, app in product(CODES, NAMES):
        text = code_text(code, app, language)
        assert octets(text) <= ONE_MESSAGE, text
        assert text.count(code) == 1, text
        assert app in text, text


@every_language
def test_a_text_for_android_ends_with_the_hash_on_its_own_line(language: str) -> None:
    for code, app in product(CODES, NAMES):
        text = code_text(code, app, language, android_hash=HASH, ios_domain=DOMAINS[0])
        words, _, line = text.rpartition("\n")
        assert octets(text) <= ONE_MESSAGE, text
        assert line == HASH, text
        assert words.count(code) == 1, text
        assert app in words, text


@every_language
@pytest.mark.parametrize("domain", DOMAINS)
def test_a_text_for_ios_ends_with_the_domain_and_the_code(language: str, domain: str) -> None:
    for code, app in product(CODES, NAMES):
        text = code_text(code, app, language, android_hash=HASH, ios_domain=domain, ios=True)
        words, _, line = text.rpartition("\n")
        assert octets(text) <= ONE_MESSAGE, text
        assert line == f"@{domain} #{code}", text
        assert re.findall(r"\b[0-9]{6,10}\b", words) == [code], text
        assert HASH not in text, text


@every_language
def test_the_line_of_the_other_platform_is_never_written(language: str) -> None:
    plain = sentence("sms_code", "482913", "Messenger", language)
    assert code_text("482913", "Messenger", language, android_hash=HASH, ios=True) == plain
    assert code_text("482913", "Messenger", language, ios_domain=DOMAINS[0]) == plain


@every_language
def test_the_usual_name_and_domain_leave_room_for_the_whole_sentence_or_the_short_one(language: str) -> None:
    text = code_text("482913", "Messenger", language, ios_domain="chat.example.com", ios=True)
    words = text.rpartition("\n")[0]
    assert words in {sentence(key, "482913", "Messenger", language) for key in ("sms_code", "sms_code_short")}


@pytest.mark.parametrize(
    ("app", "domain", "words"),
    [
        ("Messenger", "chat.example.com", "482913 is your code for Messenger. Never share it."),
        ("Корпоративный чат 20", "chat.example.com", "482913 Корпоративный чат 20"),
        ("Корпоративный чат 20", DOMAINS[1], "482913"),
    ],
)
def test_what_does_not_fit_gives_way_to_the_short_form_and_then_to_the_code(
    app: str, domain: str, words: str
) -> None:
    text = code_text("482913", app, "en", ios_domain=domain, ios=True)
    assert text == f"{words}\n@{domain} #482913"


@every_language
def test_the_operators_own_text_stands_in_the_place_of_the_sentence(language: str) -> None:
    text = code_text("482913", "Chat", language, template="{app} PIN {code}", android_hash=HASH)
    assert text == f"Chat PIN 482913\n{HASH}"


def test_an_own_text_that_is_too_long_gives_way_too() -> None:
    template = "{code} " + "x" * 150
    assert code_text("482913", "Chat", "de", template=template, android_hash=HASH) == f"482913 Chat\n{HASH}"


def test_the_last_octet_of_a_message_is_used() -> None:
    fits, exceeds = ("{code} " + "x" * count for count in (141, 142))
    text = code_text("482913", "Chat", "de", template=fits, android_hash=HASH)
    assert (text, octets(text)) == ("482913 " + "x" * 141 + f"\n{HASH}", 140)
    assert code_text("482913", "Chat", "de", template=exceeds, android_hash=HASH) == f"482913 Chat\n{HASH}"


def test_a_name_is_never_read_as_a_template() -> None:
    assert code_text("482913", "{code}", "en", template="{app}: {code}") == "{code}: 482913"


@given(
    app=st.text(max_size=60),
    language=st.sampled_from(sorted(LANGUAGES)),
    code=st.sampled_from(CODES),
    ios=st.booleans(),
    android_hash=st.sampled_from(["", HASH]),
    ios_domain=st.sampled_from(["", *DOMAINS]),
)
@example(app="x" * 60, language="ko", code="4829130576", ios=True, android_hash=HASH, ios_domain=DOMAINS[1])
def test_every_name_that_settings_accept_gives_one_message(
    app: str, language: str, code: str, ios: bool, android_hash: str, ios_domain: str
) -> None:
    try:
        settings = build(
            sms_app_name=app,
            otp_length=len(code),
            sms_android_hash=android_hash,
            sms_ios_domain=ios_domain,
        )
    except SettingsError:
        assume(False)
    name = settings.sms_app_name
    assume(code not in name)

    text = code_text(
        code,
        name,
        language,
        android_hash=settings.sms_android_hash,
        ios_domain=settings.sms_ios_domain,
        ios=ios,
    )

    line = (f"@{ios_domain} #{code}" if ios_domain else "") if ios else android_hash
    assert octets(text) <= ONE_MESSAGE
    assert text.endswith(line)
    words = text.removesuffix(line)
    assert words.count(code) == 1
    assert (ios and ios_domain) or name in words, "where no domain names the app, its name does"


@given(template=st.text(max_size=160), app=st.text(max_size=20), ios=st.booleans())
@example(template="x" * 120, app="Chat", ios=True)
def test_an_own_text_that_settings_accept_is_sent_as_it_is_written(
    template: str, app: str, ios: bool
) -> None:
    own = template.replace("{", "").replace("}", "") + " {code}"
    lines: dict[str, str] = {"sms_android_hash": HASH, "sms_ios_domain": DOMAINS[0]}
    try:
        settings = build(sms_text=own, sms_app_name=app, **lines)
    except SettingsError:
        assume(False)

    text = code_text(
        "482913", app, "de", template=settings.sms_text, android_hash=HASH, ios_domain=DOMAINS[0], ios=ios
    )

    assert text.rpartition("\n")[0] == own.strip().replace("{code}", "482913")
    assert octets(text) <= ONE_MESSAGE


# What stops the start


def faults_in(**values: object) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        build(**values)
    return refused.value.faults


def test_a_name_that_no_text_has_room_for_stops_the_start_with_the_language_and_the_octets() -> None:
    long = "Ж" * 58
    (fault,) = faults_in(sms_app_name=long)
    assert fault.startswith(f"SMS_APP_NAME = '{long}': accepted is a name with which a text message takes")
    assert fault.endswith("at most 140 octets; in 'th' it takes 142")
    assert build(sms_app_name="Ж" * 57).sms_app_name == "Ж" * 57


def test_the_hash_and_a_longer_code_take_room_from_the_name() -> None:
    assert build(sms_app_name="Ж" * 41, otp_length=10, sms_android_hash=HASH)
    (fault,) = faults_in(sms_app_name="Ж" * 42, otp_length=10, sms_android_hash=HASH)
    assert fault.startswith("SMS_APP_NAME = ")
    assert fault.endswith("in 'th' it takes 142")


@pytest.mark.parametrize(
    ("values", "room"),
    [
        ({}, 153),
        ({"otp_length": 10}, 149),
        ({"sms_android_hash": HASH}, 141),
        ({"sms_ios_domain": DOMAINS[0]}, 123),
        ({"sms_android_hash": HASH, "sms_ios_domain": DOMAINS[1]}, 83),
    ],
)
def test_an_own_text_that_does_not_fit_stops_the_start_with_its_octets(
    values: dict[str, object], room: int
) -> None:
    assert build(sms_text="{code} " + "x" * room, **values).sms_text
    (fault,) = faults_in(sms_text="{code} " + "x" * (room + 1), **values)
    assert fault.startswith("SMS_TEXT = '{code} xxx")
    assert fault.endswith("the line for the app; this one takes 141")


def test_an_own_text_that_cuts_the_code_stops_the_start() -> None:
    assert build(sms_text="{code:.6}", otp_length=6).sms_text
    (fault,) = faults_in(sms_text="{code:.6}", otp_length=8)
    assert fault == "SMS_TEXT = '{code:.6}': accepted is a text with {code} and, if wanted, {app}"


def test_a_long_name_is_a_fault_of_the_own_text_that_holds_it() -> None:
    (fault,) = faults_in(sms_text="{code} is your code for {app}.", sms_app_name="Ж" * 60)
    assert fault.startswith("SMS_TEXT = ")
    assert build(sms_text="{code} is your code.", sms_app_name="Ж" * 60).sms_text


@pytest.mark.parametrize(
    "value", ["FA+9qCX9VS", "FA+9qCX9VSuu", "FA-9qCX9VSu", "FA+9qCX9VS=", "ＦA+9qCX9VSu", 1]
)
def test_a_hash_that_is_none_is_refused(value: object) -> None:
    (fault,) = faults_in(sms_android_hash=value)
    assert fault.startswith(f"SMS_ANDROID_HASH = {value!r}: accepted is 11 letters, digits")


def test_a_hash_that_looks_like_a_number_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load({"MESSENGER_SMS_ANDROID_HASH": "1234567e123"}).sms_android_hash == "1234567e123"


@pytest.mark.parametrize(
    "value",
    [
        "https://chat.example.com", "chat.example.com/", "@chat.example.com", "chat", "chat..com", "-a.com",
        "a-.com", "chat.example.com:443", "chat example.com", "chät.example.com", "chat.example.com.",
        "a" * 57 + ".com",
    ],
)  # fmt: skip
def test_a_domain_that_is_none_is_refused(value: str) -> None:
    (fault,) = faults_in(sms_ios_domain=value)
    assert fault.startswith(f"SMS_IOS_DOMAIN = {value!r}: accepted is a domain of at most 60 characters")


def test_a_domain_is_kept_in_lower_case() -> None:
    assert build(sms_ios_domain=" Chat.Example.COM ").sms_ios_domain == "chat.example.com"
    assert build(sms_ios_domain="a" * 56 + ".com").sms_ios_domain == "a" * 56 + ".com"

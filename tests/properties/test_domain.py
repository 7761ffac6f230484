"""The pure rules: phone numbers, rosters, names that were encoded twice, and what a log may show."""

from __future__ import annotations

import functools
import hmac
from collections.abc import Callable
from itertools import chain
from urllib.parse import quote, quote_plus

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from messenger_api.domain import phone as phones
from messenger_api.domain.identity import LoginName
from messenger_api.domain.members import Member, Role, Roster
from messenger_api.domain.phone import Phone, masked, match_key, read
from messenger_api.domain.renumbered import RENUMBERINGS, todays
from messenger_api.domain.secrets import Keys
from messenger_api.ops.groups import decoded
from messenger_api.storage.models import User
from tests.matrix import some_when_quick

# How people, phone books and older apps write numbers: entry, the caller's country, the normal form.
SPELLINGS = [
    ("919876543210", "", "919876543210"),
    # Read without its zero it would be a valid number in Texas.
    ("0151 23456789", "DE", "4915123456789"),
    ("015123456789", "US", "15123456789"),
    ("+91 98765 43210", "", "919876543210"),
    ("00919876543210", "", "919876543210"),
    ("0091-98765-43210", "US", "919876543210"),
    ("000919876543210", "", "919876543210"),
    ("098765 43210", "IN", "919876543210"),
    ("98765-43210", "IN", "919876543210"),
    ("null9876543210", "IN", "919876543210"),
    ("null098765 43210", "IN", "919876543210"),
    ("null+91 98765 43210", "US", "919876543210"),
    ("null+919876543210", "", "919876543210"),
    ("+91\u00a098765\u00a043210", "", "919876543210"),
    ("\u202a+91 98765 43210\u202c", "", "919876543210"),
    ("+91\u201198765\u201143210", "", "919876543210"),
    ("९१९८७६५४३२१०", "", "919876543210"),
    ("(415) 555-0132", "US", "14155550132"),
    ("1 415 555 0132", "", "14155550132"),
    ("+1.415.555.0132", "DE", "14155550132"),
    ("001 415 555 0132", "DE", "14155550132"),
    ("07911 123456", "GB", "447911123456"),
    ("+44 (0)7911 123456", "", "447911123456"),
    ("0171/2345678", "DE", "491712345678"),
    ("0171\t2345678", "DE", "491712345678"),
    ("+49*171*2345678", "", "491712345678"),
    ("0049 151 23456789", "FR", "4915123456789"),
    ("06 12 34 56 78", "FR", "33612345678"),
    ("06 698 12345", "IT", "390669812345"),
    ("+39 06 698 12345", "", "390669812345"),
    ("0039 06 69812345", "DE", "390669812345"),
    ("8 (912) 345-67-89", "RU", "79123456789"),
    ("+7 912 345-67-89", "", "79123456789"),
    ("090-1234-5678", "JP", "819012345678"),
    ("+225 07 07 12 34 56", "", "2250707123456"),
    ("011 15 2345-6789", "AR", "5491123456789"),
    ("+54 9 11 2345-6789", "", "5491123456789"),
    ("55 1234 5678", "MX", "525512345678"),
    ("(11) 98765-4321", "BR", "5511987654321"),
    ("٠٥٠١٢٣٤٥٦٧", "SA", "966501234567"),
    ("+٩٦٦٥٠١٢٣٤٥٦٧", "", "966501234567"),
    ("۰۹۱۲۳۴۵۶۷۸۹", "IR", "989123456789"),
    ("+1 555 000 1111", "", "15550001111"),
    # What a person wrote at home is read at home, though it would be valid abroad.
    ("150-1234-5678", "CN", "8615012345678"),
    ("(150) 1234.5678", "CN", "8615012345678"),
    ("[150] 1234 5678", "CN", "8615012345678"),
    ("150\u30fb1234\u30fb5678", "CN", "8615012345678"),
    ("338 123 4567", "IT", "393381234567"),
    ("202-555-0123", "US", "12025550123"),
    ("+1 501-234-5678", "CN", "15012345678"),
    ("001 501-234-5678", "CN", "15012345678"),
    ("1 415 555 0132", "CN", "14155550132"),
    ("49 151 23456789", "DE", "4915123456789"),
    ("91 98765 43210", "US", "919876543210"),
    # Digits alone come from apps.
    ("15012345678", "CN", "15012345678"),
    ("\u202a15012345678\u202c", "CN", "15012345678"),
    # What the numbering library reads.
    ("\uff0b\uff18\uff11\uff19\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18", "", "819012345678"),
    ("\uff08\uff10\uff13\uff09 1234-5678", "JP", "81312345678"),
    ("[030] 1234567", "DE", "49301234567"),
    ("0151\u221223456789", "DE", "4915123456789"),
    ("\u061c+49 151 23456789", "", "4915123456789"),
    ("tel:+49-151-23456789", "", "4915123456789"),
    ("TEL:+4915123456789;ext=5", "", "4915123456789"),
    ("tel:+12015550123;ext=5;isub=2", "", "12015550123"),
    ("+12015550123;isub=12", "", "12015550123"),
    ("TEL:201-555-0123;Phone-Context=+1;x=y", "DE", "12015550123"),
    ("0xx11 98765-4321", "BR", "5511987654321"),
    ("(0XX11) 98765-4321", "BR", "5511987654321"),
    ("+55 (0xx11) 98765-4321", "DE", "5511987654321"),
    ("tel:7042;phone-context=+1-201-555", "", "12015557042"),
    ("+49 30 1234567;ext=5", "", "49301234567"),
    ("030 1234567 ext. 5", "DE", "49301234567"),
    ("030 1234567 x5", "DE", "49301234567"),
    ("030 1234567 #5", "DE", "49301234567"),
    ("030 1234567 anexo 55", "DE", "49301234567"),
    ("8 (495) 123-45-67 \u0434\u043e\u0431. 5", "RU", "74951234567"),
    ("Tel. +49 151 23456789", "", "4915123456789"),
    ("011 44 20 7946 0000", "US", "442079460000"),
    ("++919876543210", "", "919876543210"),
    ("919876543210;919876543211", "", "919876543210"),
    # Forms that a country has left.
    ("+52 1 55 1234 5678", "", "525512345678"),
    ("5215512345678", "IN", "525512345678"),
    ("52 1 55 1234 5678", "IN", "525512345678"),
    ("044 55 1234 5678", "MX", "525512345678"),
    ("045 55 1234 5678", "MX", "525512345678"),
    ("01 55 1234 5678", "MX", "525512345678"),
    ("1 55 1234 5678", "MX", "525512345678"),
    ("+229 97 12 34 56", "", "2290197123456"),
    ("97123456", "BJ", "2290197123456"),
    ("null97123456", "BJ", "2290197123456"),
    ("+225 07 12 34 56", "", "2250707123456"),
    ("+225 45 12 34 56", "", "2250545123456"),
    ("01 12 34 56", "CI", "2250101123456"),
    ("+84 162 612 3456", "", "84326123456"),
    ("0120 612 3456", "VN", "84706123456"),
    ("+237 77 12 34 56", "", "237677123456"),
    ("22 14 64 69", "CM", "237222146469"),
    ("+241 06 12 34 56", "", "24166123456"),
    ("2417123456", "", "24177123456"),
    ("+57 1 234 5678", "", "576012345678"),
    ("(2) 345 6789", "CO", "576023456789"),
    ("+57 300 123 4567", "", "573001234567"),
    ("+230 712 3456", "", "23057123456"),
    ("+230 212 3456", "", "2302123456"),
]
UNREADABLE = [
    *("", " ", "+", "null", "nullnull9876543210", "hello", "112", "1234567"),
    *(
        "9" * 41,
        "Mama",
        "tel:",
        ";ext=5",
        "+49 x5",
        "x 919876543210x",
        "+91 98765 4321O",
        "½",
        "①②③④⑤⑥⑦⑧⑨",
        "\x00919876543210",
    ),
]
# Two spellings of one subscriber's number, and landlines that are another subscriber's.
SAME = [
    ("5491123456789", "541123456789"),
    ("551187654321", "5511987654321"),
]
DIFFERENT = [("551132345678", "5511932345678"), ("919876543210", "19876543210")]

COUNTRIES = st.sampled_from(["", *sorted(phonenumbers.SUPPORTED_REGIONS)])
DIALLED = st.text("0123456789+-() .null٠١٢٣۴", max_size=45)
# What may stand around the digits of a number, for the library too.
DRESSED = st.text("0123456789+-()[] ./~\u2212\uff0b\uff08\uff09٠١٢٣۴", min_size=5, max_size=24)
EXTENSIONS = st.sampled_from(["", ";ext=5", " ext. 12", " x7", " #345", " anexo 8", " \u0434\u043e\u0431. 3"])


@pytest.mark.parametrize(("entry", "country", "digits"), SPELLINGS)
def test_a_number_is_read_as_people_write_it(entry: str, country: str, digits: str) -> None:
    assert read(entry, country) == Phone(digits)


@pytest.mark.parametrize("entry", UNREADABLE)
def test_what_is_no_number_is_none(entry: str) -> None:
    assert read(entry, "IN") is None


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_spellings_of_one_subscriber_match(one: str, other: str) -> None:
    assert match_key(Phone(one)) == match_key(Phone(other))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_subscribers_never_match(one: str, other: str) -> None:
    assert match_key(Phone(one)) != match_key(Phone(other))


@given(entry=st.text() | DIALLED, country=COUNTRIES | st.text(max_size=3))
def test_any_text_gives_a_number_or_none_and_never_raises(entry: str, country: str) -> None:
    phone = read(entry, country)
    if phone is not None:
        assert phone.digits.isascii()
        assert phone.digits.isdecimal()
        assert not phone.digits.startswith("0")


@given(entry=DIALLED | st.integers(1, 10**15).map(str), country=COUNTRIES)
def test_reading_a_normal_form_gives_itself(entry: str, country: str) -> None:
    phone = read(entry, country)
    if phone is not None:
        assert read(phone.digits) == phone
        assert read("+" + phone.digits, country) == phone
        assert read("00" + phone.digits) == phone


# The same text is read for one country after another, most of the time with no country at all.
parsed_once = functools.lru_cache(maxsize=256)(phones._parse)


def read_both_ways(entry: str, country: str) -> Phone | None:
    """The rule without haste: every reading is made; the first valid one counts, or else a possible one."""
    if len(entry) > phones.LONGEST_ENTRY:
        return None
    entry = phones._INVISIBLE.sub("", entry).strip()
    named_null = entry.startswith("null")
    entry = entry.removeprefix("null")
    dialled = phones._dialled(entry)
    if dialled is None:
        return None
    text, parse = dialled.digits, parsed_once
    local_only = named_null and not text.startswith("+")

    valid = phonenumbers.is_valid_number
    international = None if local_only else parse("+" + text.lstrip("+0"), None)
    local = None
    if country and not text.startswith("+"):
        local = parse(text, country)
        if local is None or not valid(local):
            bare = parse(text.lstrip("0"), country)
            local = bare if bare is not None and (local is None or valid(bare)) else local
        own = str(phonenumbers.country_code_for_region(country))
        if text.startswith(own) and len(text) > phones.LONGEST_MOBILE:
            whole = parse("+" + text, None)
            local = whole if whole is not None and valid(whole) and local is not None else local
    by_hand = bool(set(entry) - set("+0123456789٠١٢٣۴"))
    at_home = not text.startswith(("00", "+")) and (by_hand or text.startswith("0"))
    for test in (valid, phones._possible):
        for number in (local, international) if at_home else (international, local):
            if number is not None and test(number):
                return Phone(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:])
    return None


def spellings(number: phonenumbers.PhoneNumber) -> list[str]:
    """How one number may stand in phone books."""
    own = phonenumbers.national_significant_number(number)
    forms = phonenumbers.PhoneNumberFormat
    written = [phonenumbers.format_number(number, form) for form in (forms.NATIONAL, forms.INTERNATIONAL)]
    full = f"{number.country_code}{own}"
    return [*written, own, full, *(zeros + own for zeros in ("0", "00", "+", "null", "null0")), f"00{full}"]


@given(entry=DIALLED | st.integers(1, 10**15).map(str), zeros=st.sampled_from(["", "0", "00", "null"]))
@example(entry="15123456789", zeros="0")
@example(entry="+10000000000", zeros="null")
def test_a_number_is_read_as_if_every_reading_were_made(entry: str, zeros: str) -> None:
    for country in ("", "DE", "IN", "US", "IT", "RU", "BR", "KE"):
        assert read(zeros + entry, country) == read_both_ways(zeros + entry, country)


REGIONS = st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS))
SEPARATORS = st.sampled_from([" ", "-", ".", "/", " - ", "\u2212", "\u2011", "\u00a0", ") ", "~"])
FORMS = st.sampled_from(sorted(set(vars(phonenumbers.PhoneNumberFormat).values()) & {1, 2, 3}))


@st.composite
def written_numbers(draw: st.DrawFn) -> tuple[str, str]:
    """A valid number of a region, as people write it."""
    region = draw(REGIONS)
    kind = draw(st.sampled_from(sorted(phonenumbers.PhoneNumberType.values())))
    number = phonenumbers.example_number_for_type(region, kind) or phonenumbers.example_number(region)
    assert number
    text = phonenumbers.format_number(number, draw(FORMS))
    for separator in " -":
        text = text.replace(separator, draw(SEPARATORS))
    if draw(st.booleans()):
        text = "".join(chr(ord(char) + 0xFEE0) if char in "0123456789+()" else char for char in text)
    return region, text


@given(written=st.tuples(REGIONS, DRESSED) | written_numbers(), extension=EXTENSIONS)
@example(written=("DE", "+49 (0) 151-23456789"), extension="")
def test_what_the_numbering_library_reads_as_valid_is_read_the_same(
    written: tuple[str, str], extension: str
) -> None:
    """Written by a person, with a country code or at home; extensions are dropped.

    But two zeros in front are an international prefix in every country.
    """
    region, text = written
    entry = f"{text}{extension}"
    try:
        number = phonenumbers.parse(entry, region)
    except phonenumbers.NumberParseException:
        return
    dialled = phones._dialled(entry.strip())
    if number.country_code in RENUMBERINGS or not phonenumbers.is_valid_number(number):
        return
    assert dialled is not None
    if dialled.digits.startswith("00") or not (dialled.by_hand or dialled.digits.startswith("+")):
        return
    own_code = str(phonenumbers.country_code_for_region(region))
    if dialled.digits.startswith(own_code) and len(dialled.digits) > phones.LONGEST_MOBILE:
        return
    assert read(entry, region) == Phone(
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
    )


@pytest.mark.parametrize(
    ("code", "old"),
    [
        *((52, f"1{number}") for number in ("5512345678", "3312345678", "6561234567")),
        *((57, number) for number in ("12345678", "22345678", "42345678", "57345678", "84026666")),
        *((230, number) for number in ("7123456", "7512345", "9112345")),
        *((84, f"{prefix}1234567") for prefix in ("120", "123", "162", "165", "169", "186", "188", "199")),
        *((225, f"{a}{b}123456") for a in "0456789" for b in "123456789"),
        *((229, number) for number in ("97123456", "61234567", "21304050")),
        *((237, number) for number in ("77123456", "96123456", "67123456", "22212345")),
        *((241, number) for number in ("06123456", "2123456", "7123456", "04123456", "01701234")),
    ],
)
def test_an_old_form_is_todays_number_in_every_spelling(code: int, old: str) -> None:
    region = phonenumbers.region_code_for_country_code(code)
    phone = read(f"+{code} {old}")
    assert phone is not None
    assert phone.digits.startswith(str(code))
    assert phone.digits != f"{code}{old}"
    assert phonenumbers.is_valid_number(phonenumbers.parse(f"+{phone.digits}"))
    for entry in (f"+{code}{old}", f"{code}{old}", f"00{code}{old}", f"null{old}", f"{old[:2]} {old[2:]}"):
        assert read(entry, region) == phone, entry
    assert read(phone.digits, region) == phone


@pytest.mark.parametrize("region", some_when_quick(sorted(phonenumbers.SUPPORTED_REGIONS), 50))
def test_the_numbers_of_every_country_are_read_as_if_every_reading_were_made(region: str) -> None:
    kinds = phonenumbers.PhoneNumberType
    examples = [phonenumbers.example_number_for_type(region, kind) for kind in kinds.values()]
    numbers = filter(None, [*examples, phonenumbers.invalid_example_number(region)])
    # Kinds share examples, numbers share spellings.
    for entry in dict.fromkeys(chain.from_iterable(map(spellings, numbers))):
        for country in dict.fromkeys((region, "", "US", "DE", "IT")):
            assert read(entry, country) == read_both_ways(entry, country), (entry, country)


@given(region=st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)), country=COUNTRIES)
def test_a_valid_normal_form_gives_itself_in_every_country(region: str, country: str) -> None:
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if example is None:
        return
    digits = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)[1:]
    local = phonenumbers.national_significant_number(example)
    if todays(example.country_code or 0, local):  # the library's example of Gabon is one of its old numbers
        return
    assert read(digits, country) == Phone(digits)
    assert read(f"null{local}", region) == Phone(digits)


@given(digits=st.integers(1, 10**15).map(str))
@example("80012345678")
@example("881612345678")
@example("14155550132")
def test_country_and_calling_code_of_any_number_fit_their_places(digits: str) -> None:
    phone = read(digits)
    if phone is not None:
        assert len(phone.region) in (0, 2)
        assert len(phone.region) <= User.__table__.c.country.type.length  # type: ignore[attr-defined]
        assert phone.digits.startswith(phone.country_code)


@given(digits=st.integers(1, 10**15).map(str))
def test_the_match_key_of_a_match_key_is_itself(digits: str) -> None:
    phone = read(digits)
    if phone is not None:
        assert match_key(Phone(match_key(phone))) == match_key(phone)


# Logs


@given(text=st.text(st.characters(categories=["Nd"])) | st.text("0123456789", max_size=40))
def test_a_masked_number_shows_six_digits_at_most_and_never_the_middle(text: str) -> None:
    shown = masked(text)
    assert len(shown) == len(text)
    assert sum(char.isdecimal() for char in shown) <= 6
    assert set(shown[4:-2]) <= {"*"}


def test_a_number_and_whatever_holds_it_print_masked() -> None:
    assert repr(Phone("919876543210")) == "Phone(9198******10)"
    assert str([Phone("4915123456")]) == "[Phone(4915****56)]"


# Rosters

PEOPLE = [Member(uid, f"9198765{uid:05}") for uid in range(1, 9)]
UIDS = st.lists(st.integers(1, 10), max_size=6)
NAMED = st.lists(st.sampled_from(PEOPLE), max_size=8)
CHANGES = st.one_of(
    NAMED.map(lambda people: lambda roster: roster.with_members(people)),
    UIDS.map(lambda uids: lambda roster: roster.without(uids)),
    st.tuples(UIDS, st.sampled_from([Role.MEMBER, Role.ADMIN])).map(
        lambda given: lambda roster: roster.with_role(*given)
    ),
    st.tuples(NAMED, st.integers(1, 10)).map(
        lambda given: lambda roster: roster.replaced(given[0], keep=given[1])
    ),
)
Change = Callable[[Roster], Roster]


def started(owner: Member = PEOPLE[0]) -> Roster:
    return Roster((Member(owner.uid, owner.address, Role.OWNER),))


@given(owner=st.sampled_from(PEOPLE), changes=st.lists(CHANGES, max_size=12))
def test_a_group_keeps_its_one_owner_and_its_order_whatever_is_asked(
    owner: Member, changes: list[Change]
) -> None:
    roster = started(owner)
    for change in changes:
        roster = change(roster)
        assert [m.uid for m in roster.members if m.role == Role.OWNER] == [owner.uid]
        assert roster.members[0].uid == owner.uid
        roles = [member.role for member in roster.members]
        assert roles == sorted(roles, reverse=True)
        assert len({member.uid for member in roster.members}) == len(roster.members)


@given(changes=st.lists(CHANGES, max_size=12))
def test_the_wire_form_splits_back_into_admins_and_members(changes: list[Change]) -> None:
    roster = started()
    for change in changes:
        roster = change(roster)
    number, colon, people = roster.wire().partition(":")
    addresses = people.split(",")
    assert colon
    assert addresses == [member.address for member in roster.members]
    assert set(addresses[: int(number)]) == {m.address for m in roster.members if m.role >= Role.ADMIN}


@given(changes=st.lists(CHANGES, max_size=8), added=NAMED)
def test_whoever_is_in_already_keeps_role_and_place_when_more_come(
    changes: list[Change], added: list[Member]
) -> None:
    before = started()
    for change in changes:
        before = change(before)
    after = before.with_members(added)
    assert {m.uid for m in after.members} == {m.uid for m in before.members} | {m.uid for m in added}
    assert [m for m in after.members if before.get(m.uid)] == list(before.members)


@given(changes=st.lists(CHANGES, max_size=8), uids=UIDS)
def test_whoever_is_removed_is_gone_and_nobody_else(changes: list[Change], uids: list[int]) -> None:
    before = started()
    for change in changes:
        before = change(before)
    after = before.without(uids)
    assert list(after.members) == [m for m in before.members if m.uid not in uids or m.role == Role.OWNER]


@given(changes=st.lists(CHANGES, max_size=8), leaving=st.permutations(PEOPLE))
def test_people_who_leave_one_after_the_other_hand_the_group_to_the_next_in_order(
    changes: list[Change], leaving: list[Member]
) -> None:
    roster = started()
    for change in changes:
        roster = change(roster)
    for person in leaving:
        staying = [m for m in roster.members if m.uid != person.uid]
        roster = roster.left_by(person.uid)
        assert [m.uid for m in roster.members] == [m.uid for m in staying]
        assert [m.role for m in roster.members[1:]] == [m.role for m in staying[1:]]
        assert all(m.role == Role.OWNER for m in roster.members[:1])
    assert roster.members == ()


@given(changes=st.lists(CHANGES, max_size=8), uids=UIDS, role=st.sampled_from([Role.MEMBER, Role.ADMIN]))
def test_a_role_reaches_those_named_and_makes_nobody_a_member(
    changes: list[Change], uids: list[int], role: Role
) -> None:
    before = started()
    for change in changes:
        before = change(before)
    after = before.with_role(uids, role)
    for member in before.members:
        expected = role if member.uid in uids and member.role != Role.OWNER else member.role
        assert after.role(member.uid) == expected
    assert len(after.members) == len(before.members)


# Names and members that were encoded once more

# What an encoder writes as itself: encodeURIComponent's, the most generous of those that apps use.
UNRESERVED = "-_.!~*'()"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(text=TEXTS)
@example("100% sure")
@example("%41")
@example("Café x")
@example("a+b c")
def test_a_text_that_was_encoded_once_more_comes_out_as_it_was(text: str) -> None:
    assert decoded(quote(text, safe="")) == text
    assert decoded(quote(text, safe=UNRESERVED)) == text
    encoded = quote_plus(text)
    assert "%" not in encoded or decoded(encoded) == text


@given(text=TEXTS, unencoded=st.sampled_from(' "#&/:;<=>?@[]{|}é😀'))
@example("50%20off today", " ")
def test_a_text_with_what_an_encoder_would_not_leave_is_taken_as_it_is(text: str, unencoded: str) -> None:
    assert decoded(text + unencoded) == text + unencoded
    assert decoded(unencoded + text) == unencoded + text


@pytest.mark.parametrize(
    "text", ["", "100%", "%", "%zz", "50%off", "%ff%fe", "plain", "a+b", "+919876543210"]
)
def test_a_text_without_a_readable_sequence_is_taken_as_it_is(text: str) -> None:
    assert decoded(text) == text


# Blind keys


@given(st.text(min_size=1, max_size=200), st.text(max_size=40))
def test_what_is_stored_is_hmac_sha256_under_a_key_for_its_purpose(secret: str, name: str) -> None:
    def hashed(purpose: str, message: bytes) -> bytes:
        key = hmac.digest(secret.encode(), f"messenger-api/{purpose}".encode(), "sha256")
        return hmac.digest(key, message, "sha256")

    keys, who, text = Keys.derive(secret), LoginName(name), name.encode()
    assert [keys.contact_key(who) for _ in range(2)] == [hashed("contacts", b"@" + text)[:16]] * 2
    assert keys.code_hash(b"number", "123456") == hashed("codes", b"number123456")
    assert keys.push_token_key(name) == hashed("push", text)[:16]
    assert keys.subject("codes", text) == hashed("limits", b"codes\0" + text)[:16].hex()
    assert keys.for_console("form", text) == hashed("console", b"form\0" + text)

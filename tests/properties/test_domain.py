"""The pure rules: phone numbers, rosters, names that were encoded twice, and what a log may show."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, quote_plus

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from messenger_api.domain import phone as phones
from messenger_api.domain.members import Member, Role, Roster
from messenger_api.domain.phone import Phone, masked, match_key, read
from messenger_api.ops.groups import decoded
from messenger_api.storage.models import User

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
]
UNREADABLE = [
    *("", " ", "+", "++919876543210", "null", "nullnull9876543210", "hello", "112", "1234567"),
    *("919876543210;919876543211", "9" * 41, "+91 98765 4321O", "½", "①②③④⑤⑥⑦⑧⑨", "\x00919876543210"),
]
# Two spellings of one subscriber's number, and landlines that are another subscriber's.
SAME = [
    ("5491123456789", "541123456789"),
    ("5215512345678", "525512345678"),
    ("551187654321", "5511987654321"),
]
DIFFERENT = [("551132345678", "5511932345678"), ("919876543210", "19876543210")]

COUNTRIES = st.sampled_from(["", *sorted(phonenumbers.SUPPORTED_REGIONS)])
DIALLED = st.text("0123456789+-() .null٠١٢٣۴", max_size=45)


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


def read_both_ways(entry: str, country: str) -> Phone | None:
    """The rule without haste: every reading is made; the first valid one counts, or else a possible one."""
    if len(entry) > phones.LONGEST_ENTRY:
        return None
    text = phones._PUNCTUATION.sub("", entry)
    local_only = text.startswith("null")
    text = "".join(str(int(c)) if c.isdecimal() else c for c in text.removeprefix("null"))
    if not phones._DIGITS.fullmatch(text):
        return None

    def parse(digits: str, region: str | None) -> phonenumbers.PhoneNumber | None:
        try:
            return phonenumbers.parse(digits, region)
        except phonenumbers.NumberParseException:
            return None

    valid = phonenumbers.is_valid_number
    international = None if local_only else parse("+" + text.lstrip("+0"), None)
    local = None
    if country and not text.startswith("+"):
        local = parse(text, country)
        if local is None or not valid(local):
            bare = parse(text.lstrip("0"), country)
            local = bare if bare is not None and (local is None or valid(bare)) else local
    at_home = text.startswith("0") and not text.startswith("00")
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
def test_a_number_is_read_as_if_every_reading_were_made(entry: str, zeros: str) -> None:
    for country in ("", "DE", "IN", "US", "IT", "RU", "BR", "KE"):
        assert read(zeros + entry, country) == read_both_ways(zeros + entry, country)


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_numbers_of_every_country_are_read_as_if_every_reading_were_made(region: str) -> None:
    kinds = phonenumbers.PhoneNumberType
    examples = [phonenumbers.example_number_for_type(region, kind) for kind in kinds.values()]
    for number in filter(None, [*examples, phonenumbers.invalid_example_number(region)]):
        for entry in spellings(number):
            for country in (region, "", "US", "DE", "IT"):
                assert read(entry, country) == read_both_ways(entry, country), (entry, country)


@given(region=st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)), country=COUNTRIES)
def test_a_valid_normal_form_gives_itself_in_every_country(region: str, country: str) -> None:
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if example is None:
        return
    digits = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)[1:]
    local = phonenumbers.national_significant_number(example)
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

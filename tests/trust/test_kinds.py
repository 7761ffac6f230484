"""Which numbers are texted, which called, and which neither: by the kind that the numbering plan shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from messenger_api.domain.phone import Kind, Phone
from tests.product import Product
from tests.trust.network import Network
from tests.trust.providers import Connect, connected, field, request_code

Make = Callable[..., Product]


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(
            connected(tmp_path, **{"sms_countries": "*", "limits": "track", **settings})
        )


def digits(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:]


# --- Texted or called

# Mobiles of Buenos Aires, Cordoba, Rosario, Mendoza and Rio Gallegos, without the 9 after 54.
ARGENTINE = ["541123456789", "543515123456", "543415123456", "542614123456", "542966412345"]


@pytest.mark.parametrize("fields", [{}, {"channel": "sms"}, {"channel": "voice"}])
def test_an_argentine_number_without_its_9_may_be_a_mobile(connect: Connect, fields: dict[str, str]) -> None:
    product, providers = connect()
    marked = [f"549{number[2:-1]}0" for number in ARGENTINE]
    for number in [*ARGENTINE, *marked]:
        assert request_code(product, number, **fields)["result"] == "OK"
    wanted = "Calls.json" if fields.get("channel") == "voice" else "Messages.json"
    assert [call.target.rpartition("/")[2] for call in providers.twilio.calls] == [wanted] * 10
    assert [field(call, "To") for call in providers.twilio.calls] == [f"+{n}" for n in [*ARGENTINE, *marked]]


@pytest.mark.parametrize(
    ("number", "kind"),
    [("14155550101", Kind.MOBILE), ("525512345678", Kind.MOBILE), ("493012345678", Kind.LANDLINE)],
)
def test_where_the_plan_tells_landlines_and_mobiles_apart_it_is_believed(number: str, kind: Kind) -> None:
    assert Phone(number).kind is kind


def test_a_number_that_may_be_either_is_texted_in_every_country() -> None:
    found: dict[Kind, int] = {}
    for region in phonenumbers.SUPPORTED_REGIONS:
        number = phonenumbers.example_number_for_type(region, PhoneNumberType.FIXED_LINE_OR_MOBILE)
        if number and phonenumbers.number_type(number) == PhoneNumberType.FIXED_LINE_OR_MOBILE:
            assert Phone(digits(number)).kind is Kind.MOBILE, region
        number = phonenumbers.example_number_for_type(region, PhoneNumberType.FIXED_LINE)
        if number and phonenumbers.number_type(number) == PhoneNumberType.FIXED_LINE:
            kind = Phone(digits(number)).kind
            assert kind is (Kind.MOBILE if region == "AR" else Kind.LANDLINE), region
            found[kind] = found.get(kind, 0) + 1
    assert found[Kind.LANDLINE] > 150


# --- Satellites


def satellites() -> list[str]:
    """Numbers of every type that the codes without a country have, and some of no type."""
    found = {"8816012345678", "881312345678", "870773123456", "870301234567", "88216123456", "8835100123456"}
    for code in (870, 881, 882, 883):
        meta = phonenumbers.PhoneMetadata.metadata_for_nongeo_region(code)
        for name in ("mobile", "fixed_line", "voip", "uan", "personal_number"):
            example = getattr(getattr(meta, name), "example_number", None)
            if example:
                found.add(f"{code}{example}")
    return sorted(found)


@pytest.mark.parametrize("channel", ["sms", "voice"])
@pytest.mark.parametrize("countries", ["*", ["IN"]])
def test_satellites_are_neither_texted_nor_called(connect: Connect, countries: object, channel: str) -> None:
    product, providers = connect(sms_countries=countries, sms_to_voip=True)
    for number in satellites():
        answer = request_code(product, number, channel=channel)
        assert (answer["error"], answer["properties"], bool(answer["errmsg"])) == (
            "BADPHONE",
            ["phone"],
            True,
        )
    assert providers.twilio.calls == providers.vonage.calls == []
    assert product.rows("SELECT * FROM limit_counters") == []
    print(f"\n{len(satellites())} numbers")


@pytest.mark.parametrize("countries", ["*", ["IN"]])
def test_unless_the_operator_says_so(paying: Make, countries: object) -> None:
    product = paying(sms_countries=countries, sms_to_satellite=True, limits="track")
    for number in satellites():
        assert request_code(product, number)["result"] == "OK", number
    assert len(Network.texts) == len(satellites())


@pytest.mark.parametrize("kind", [PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST])
def test_dear_numbers_are_not_called_either(connect: Connect, kind: int) -> None:
    product, providers = connect(sms_to_satellite=True)
    for region in phonenumbers.SUPPORTED_REGIONS:
        number = phonenumbers.example_number_for_type(region, kind)
        if number and phonenumbers.number_type(number) == kind and len(digits(number)) > 9:
            assert request_code(product, digits(number), channel="voice")["error"] == "BADPHONE"
    assert providers.twilio.calls == []

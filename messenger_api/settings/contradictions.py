"""Keys that are right by themselves and wrong together: a small rule for each, all of them in `RULES`."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from messenger_api.domain import sms
from messenger_api.settings.conversions import is_local
from messenger_api.settings.files import is_bucket, place
from messenger_api.settings.record import Settings, has_mysqlclient, shown

# An update message about a group lists its members: a number of twelve digits and a comma each, which a form
# writes in three bytes; the rest of the request, without the thumbnail, in less than this.
MEMBER_BYTES = 15
MESSAGE_BYTES = 600

# The line about what is wrong; None when nothing is.
Rule = Callable[[Settings], str | None]


def contradictions(settings: Settings) -> list[str]:
    """A line for every rule that the settings break."""
    return [fault for rule in RULES if (fault := rule(settings))]


def country_faults(s: Settings, *, costs: bool) -> list[str]:
    """What stops codes from being texted where a text costs money: no country is named."""
    if not costs or not s.texts_codes or s.texted_countries:
        return []
    return [
        "SMS_COUNTRIES: required when texts cost money; accepted are the countries of your users such as"
        ' ["IN", "DE"], or "*" for all'
    ]


def _test_numbers_end(s: Settings) -> str | None:
    if not s.otp_test_numbers or s.otp_test_numbers_until:
        return None
    return "OTP_TEST_NUMBERS_UNTIL: required with OTP_TEST_NUMBERS; accepted is a date such as 2027-01-31"


def _test_codes_have_the_length_of_others(s: Settings) -> str | None:
    if not s.texts_codes or all(len(code) == s.otp_length for _, code in s.otp_test_numbers):
        return None
    return f"OTP_TEST_NUMBERS: accepted are codes of OTP_LENGTH = {s.otp_length} digits"


def _mysql_has_a_key(s: Settings) -> str | None:
    if s.is_sqlite or s.secret_key:
        return None
    return (
        "SECRET_KEY: required with MySQL; make one for a new database with: openssl rand -hex 32. One that"
        " has accounts needs the key that it had: docs/operations/secrets.md, Lost"
    )


def _driver_is_installed(s: Settings) -> str | None:
    if s.database_driver != "mysqldb" or has_mysqlclient():
        return None
    return "SQLALCHEMY_DATABASE_URI: needs: pip install '.[mysql-fast]'"


def _redis_is_installed(s: Settings) -> str | None:
    return "REDIS_URL: needs: pip install '.[redis]'" if s.redis_url and find_spec("redis") is None else None


def _somebody_plays_mesibo(s: Settings) -> str | None:
    if s.sandbox is not False or s.mesibo_app_token:
        return None
    return "MESIBO_APP_TOKEN: required when SANDBOX = False; the mesibo console shows it"


def _token_travels_hidden(s: Settings) -> str | None:
    if not s.mesibo_api_url.startswith("http:") or is_local(s.mesibo_api_url):
        return None
    return (
        f"MESIBO_API_URL = {shown(s.mesibo_api_url, secret=False)}: accepted is an https URL, for the app"
        " token goes along, unless mesibo is on this machine"
    )


def _full_group_fits_into_a_message(s: Settings) -> str | None:
    fitting = (s.mesibo_max_body - MESSAGE_BYTES) // MEMBER_BYTES
    if s.max_group_members <= fitting:
        return None
    return (
        f"MAX_GROUP_MEMBERS = {s.max_group_members}: accepted is at most {fitting}, so that a message"
        f" about a full group fits into MESIBO_MAX_BODY = {s.mesibo_max_body}"
    )


def _full_request_can_be_answered(s: Settings) -> str | None:
    if s.new_numbers >= s.max_phones_per_call:
        return None
    return (
        f"NEW_NUMBERS = {s.new_numbers}: accepted is at least MAX_PHONES_PER_CALL ="
        f" {s.max_phones_per_call}, or a full request could never be answered"
    )


def _name_fits_into_a_text(s: Settings) -> str | None:
    if not s.texts_codes or s.sms_text:
        return None
    taken, language = sms.name_octets(s.sms_app_name, s.otp_length, android_hash=s.sms_android_hash)
    if taken <= sms.ONE_MESSAGE:
        return None
    wanted = f"a name with which a text message takes at most {sms.ONE_MESSAGE} octets"
    return f"SMS_APP_NAME = {s.sms_app_name!r}: accepted is {wanted}; in {language!r} it takes {taken}"


def _own_text_fits_into_one(s: Settings) -> str | None:
    if not s.texts_codes or not s.sms_text:
        return None
    if not sms.is_template(s.sms_text, s.otp_length):
        return f"SMS_TEXT = {s.sms_text!r}: accepted is a text with {{code}} and, if wanted, {{app}}"
    taken = sms.template_octets(
        s.sms_text,
        s.sms_app_name,
        s.otp_length,
        android_hash=s.sms_android_hash,
        ios_domain=s.sms_ios_domain,
    )
    if taken <= sms.ONE_MESSAGE:
        return None
    wanted = f"a text of at most {sms.ONE_MESSAGE} octets with code, name and the line for the app"
    return f"SMS_TEXT = {s.sms_text!r}: accepted is {wanted}; this one takes {taken}"


def _keys_of_a_bucket_are_a_pair(s: Settings) -> str | None:
    if bool(s.s3_access_key) == bool(s.s3_secret_key):
        return None
    absent = "S3_SECRET_KEY" if s.s3_access_key else "S3_ACCESS_KEY"
    return f"{absent}: required with the other of the pair; with neither, boto3 looks for its own"


def _thumbnails_rest_elsewhere(s: Settings) -> str | None:
    # A photo in JPEG and its thumbnail have one name.
    if place(s.files_path) != place(s.files_tn_path):
        return None
    return f"FILES_TN_PATH = {s.files_tn_path!r}: accepted is another place than FILES_PATH"


def _boto3_is_installed(s: Settings) -> str | None:
    if not s.uses_buckets or find_spec("boto3"):
        return None
    name = "FILES_PATH" if is_bucket(s.files_path) else "FILES_TN_PATH"
    return f"{name}: a bucket needs the library boto3; install it with: pip install '.[s3]'"


RULES: tuple[Rule, ...] = (
    _test_numbers_end,
    _test_codes_have_the_length_of_others,
    _mysql_has_a_key,
    _driver_is_installed,
    _redis_is_installed,
    _somebody_plays_mesibo,
    _token_travels_hidden,
    _full_group_fits_into_a_message,
    _full_request_can_be_answered,
    _name_fits_into_a_text,
    _own_text_fits_into_one,
    _keys_of_a_bucket_are_a_pair,
    _thumbnails_rest_elsewhere,
    _boto3_is_installed,
)

"""Keys that are right by themselves and wrong together."""

from __future__ import annotations

from importlib.util import find_spec

from messenger_api.domain import sms
from messenger_api.settings.conversions import is_local
from messenger_api.settings.record import Settings, has_mysqlclient, shown

# An update message about a group lists its members: a number of twelve digits and a comma each, which a form
# writes in three bytes; the rest of the request, without the thumbnail, in less than this.
MEMBER_BYTES = 15
MESSAGE_BYTES = 600


def contradictions(s: Settings) -> list[str]:
    """Keys that are right by themselves and wrong together."""
    faults = []
    if s.otp_test_numbers and s.otp_test_numbers_until is None:
        faults.append(
            "OTP_TEST_NUMBERS_UNTIL: required with OTP_TEST_NUMBERS; accepted is a date such as 2027-01-31"
        )
    if not s.is_sqlite and not s.secret_key:
        faults.append("SECRET_KEY: required with MySQL; make one with: openssl rand -hex 32")
    if s.database_driver == "mysqldb" and not has_mysqlclient():
        faults.append("SQLALCHEMY_DATABASE_URI: needs: pip install '.[mysql-fast]'")
    if s.sandbox is False and not s.mesibo_app_token:
        faults.append("MESIBO_APP_TOKEN: required when SANDBOX = False; the mesibo console shows it")
    if s.mesibo_api_url.startswith("http:") and not is_local(s.mesibo_api_url):
        faults.append(
            f"MESIBO_API_URL = {shown(s.mesibo_api_url, secret=False)}: accepted is an https URL, for the app"
            " token goes along, unless mesibo is on this machine"
        )
    if s.redis_url and find_spec("redis") is None:
        faults.append("REDIS_URL: needs: pip install '.[redis]'")
    if s.login_method == "otp" and any(len(code) != s.otp_length for _, code in s.otp_test_numbers):
        faults.append(f"OTP_TEST_NUMBERS: accepted are codes of OTP_LENGTH = {s.otp_length} digits")
    faults.extend(s.sms_faults())
    fitting = (s.mesibo_max_body - MESSAGE_BYTES) // MEMBER_BYTES
    if s.max_group_members > fitting:
        faults.append(
            f"MAX_GROUP_MEMBERS = {s.max_group_members}: accepted is at most {fitting}, so that a message"
            f" about a full group fits into MESIBO_MAX_BODY = {s.mesibo_max_body}"
        )
    if s.new_numbers < s.max_phones_per_call:
        faults.append(
            f"NEW_NUMBERS = {s.new_numbers}: accepted is at least MAX_PHONES_PER_CALL ="
            f" {s.max_phones_per_call}, or a full request could never be answered"
        )
    return faults + _text_faults(s) + s.login_contradictions() + s.file_contradictions()


def country_faults(s: Settings, *, costs: bool) -> list[str]:
    """What stops codes from being texted where a text costs money: no country is named."""
    if not costs or s.login_method != "otp" or s.texted_countries:
        return []
    return [
        "SMS_COUNTRIES: required when texts cost money; accepted are the countries of your users such as"
        ' ["IN", "DE"], or "*" for all'
    ]


def _text_faults(s: Settings) -> list[str]:
    """Words that no text message has room for, so that people would never get them."""
    if s.login_method != "otp":
        return []
    room, line = sms.ONE_MESSAGE, {"android_hash": s.sms_android_hash}
    if not s.sms_text:
        taken, language = sms.name_octets(s.sms_app_name, s.otp_length, **line)
        wanted = f"a name with which a text message takes at most {room} octets; in {language!r} it takes"
        return [f"SMS_APP_NAME = {s.sms_app_name!r}: accepted is {wanted} {taken}"] if taken > room else []
    if not sms.is_template(s.sms_text, s.otp_length):
        return [f"SMS_TEXT = {s.sms_text!r}: accepted is a text with {{code}} and, if wanted, {{app}}"]
    line["ios_domain"] = s.sms_ios_domain
    taken = sms.template_octets(s.sms_text, s.sms_app_name, s.otp_length, **line)
    wanted = f"a text of at most {room} octets with code, name and the line for the app; this one takes"
    return [f"SMS_TEXT = {s.sms_text!r}: accepted is {wanted} {taken}"] if taken > room else []

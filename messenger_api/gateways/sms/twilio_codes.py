"""Twilio's error codes, sorted by what follows from them.

The meanings are the titles and causes of https://www.twilio.com/docs/api/errors/<code>. Twilio adds codes
over the years; one that is not here counts as the provider's fault, which costs at most a try with the next.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from messenger_api.gateways.sms.answers import is_refusal
from messenger_api.gateways.sms.base import SmsError, SmsFraud, SmsRefused, SmsUnavailable, SmsWrongChannel

# Twilio takes the request for a swindler's; another provider would only be the next one to be paid.
FRAUD: Mapping[int, str] = {
    30450: "blocked by SMS pumping protection",
    30453: "blocked by SMS pumping protection",
    60410: "the number's prefix is blocked by Fraud Guard",
    60605: "the destination is blocked by Verify's geo permissions",
}

# About the number itself; no other provider would do better.
BAD_NUMBER: Mapping[int, str] = {
    21211: "invalid 'To' phone number",
    21214: "'To' phone number cannot be reached",  # of calls
    21217: "phone number does not appear to be valid",  # of calls
    21265: "'To' number cannot be a short code",
    21610: "the recipient has opted out",  # by answering STOP; going round it would break that promise
    30005: "unknown destination handset",
    60033: "phone number is invalid",  # of Verify's first version
    60200: "invalid parameter",  # of those that we send, the number alone can be wrong
    60436: "recipient invalid or not provided",
}

# The number takes no text messages. A call may reach it.
WRONG_CHANNEL: Mapping[int, str] = {
    21614: "'To' number is not a valid mobile number",
    21635: "'To' number cannot be a landline",
    30006: "landline or unreachable carrier",
    60205: "SMS is not supported by this landline",
}

# Another provider may do it, and Twilio itself is well: it cannot do it for this number.
THIS_NUMBER: Mapping[int, str] = {
    21215: "calls to this country are not switched on in the account",
    21216: "the account may not call this number",
    21408: "sending to this country is not switched on in the account",
    21608: "a trial account sends to verified numbers only",
    21612: "TWILIO_FROM cannot send to this number",
    30003: "the handset is switched off or unreachable",
    30007: "filtered by the carrier",
    60203: "the most verifications of this number were started",
}

# Faults that an operator can put right, in words; the rest are told by their number.
FAULTS: Mapping[int, str] = {
    20003: "the credentials were not accepted",
    20404: "there is no such resource: check TWILIO_VERIFY_SID",
    20429: "too many requests",
    21210: "TWILIO_VOICE_FROM is not a number of the account",
    21212: "TWILIO_FROM is not a valid sender",
    21606: "TWILIO_FROM cannot send messages here",
    21659: "TWILIO_FROM is not a Twilio number",
}

SERVER_ERROR = 500

_CODE = re.compile(r"[1-9][0-9]{0,5}")

_REFUSALS: tuple[tuple[type[SmsRefused], Mapping[int, str]], ...] = (
    (SmsFraud, FRAUD),
    (SmsRefused, BAD_NUMBER),
    (SmsWrongChannel, WRONG_CHANNEL),
)


def failure(provider: str, code: object, status: object = None) -> SmsError:
    """Sort an error by Twilio's code and the HTTP status of the answer."""
    number = code if isinstance(code, int) else 0
    broken = isinstance(status, int) and status >= SERVER_ERROR
    if not broken:
        for kind, codes in _REFUSALS:
            if number in codes:
                return kind(provider, f"error {number}: {codes[number]}")
    words = THIS_NUMBER.get(number) or FAULTS.get(number, "not taken")
    where = f" (HTTP {status})" if isinstance(status, int) else ""
    reason, about_number = f"error {number}: {words}{where}", number in THIS_NUMBER and not broken
    # A message that was made and failed at once has no status; then the code has to be one that we know.
    not_sent = is_refusal(status) if isinstance(status, int) else number in FAULTS
    return SmsUnavailable(provider, reason, about_number=about_number, not_sent=not_sent)


def words(code: str) -> str:
    """What a receipt's error code means, for the log; "" for none."""
    if not _CODE.fullmatch(code):
        return ""
    number = int(code)
    tables = (FRAUD, BAD_NUMBER, WRONG_CHANNEL, THIS_NUMBER, FAULTS)
    return f"error {number}: " + next((table[number] for table in tables if number in table), "not delivered")

"""A stand-in for the part of Twilio's REST API that sends text messages; `twilio_calls` and
`twilio_verify` play the others.

Paths, fields, codes and the magic recipients are Twilio's documentation (Messages resource, error
dictionary, test credentials). Stricter than Twilio in one thing: Twilio ignores parameters it does not
know (warning 20001), here they are refused with that code, because a mistyped name is a fault.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from email.utils import formatdate

from flask import Blueprint, Response, jsonify, request

from messenger_api.sandbox import texts
from messenger_api.sandbox.faults import Faults, play
from messenger_api.sandbox.records import TextMessage
from messenger_api.sandbox.segments import segments
from messenger_api.sandbox.store import SandboxStore
from messenger_api.sandbox.twilio_wire import (
    API,
    TwilioAccount,
    TwilioError,
    faulty,
    refuse_bad_callback,
    refuse_bad_number,
    refuse_fated,
    refuse_unknown,
)

LONGEST_BODY = 1600
# The parameters that make a message; media and content templates are no text messages.
_KNOWN = frozenset(
    {
        "To",
        "From",
        "MessagingServiceSid",
        "Body",
        "StatusCallback",
        "MaxPrice",
        "ProvideFeedback",
        "Attempt",
        "ValidityPeriod",
        "SmartEncoded",
        "ShortenUrls",
        "RiskCheck",
    }
)
_SENDER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
# Recipients with a fixed fate, from Twilio's page on test credentials.
_MAGIC = {
    "+15005550001": (21211, "The 'To' number {to} is not a valid phone number."),
    "+15005550002": (21612, "The 'To' phone number {to} is not currently reachable via SMS."),
    "+15005550003": (21408, "Permission to send an SMS has not been enabled for the region."),
    "+15005550004": (21610, "Attempt to send to unsubscribed recipient."),
    "+15005550009": (21614, "'To' number is not a valid mobile number."),
}


def twilio_api(store: SandboxStore, account: TwilioAccount) -> Blueprint:
    """Routes that answer as Twilio does to this account; accepted texts go to the store."""
    routes = account.blueprint("sandbox_twilio")

    @routes.post(f"{API}/Messages.json")
    def send(sid: str) -> Response:
        account.check(sid)
        return play(Faults(store).take("sms", "twilio"), lambda: _accepted(store, sid), faulty)

    @routes.get(f"{API}.json")
    def fetch_account(sid: str) -> Response:
        account.check(sid)
        return jsonify(_account(sid))

    return routes


def _accepted(store: SandboxStore, account: str) -> Response:
    fields = request.form.to_dict()
    _check(fields)
    sender = fields.get("From") or fields["MessagingServiceSid"]
    text = texts.send(store, fields["To"], fields["Body"], "twilio", sender)
    answer = jsonify(_message(account, fields, text))
    answer.status_code = 201
    return answer


def _check(fields: Mapping[str, str]) -> None:
    refuse_unknown(_KNOWN)
    refuse_bad_callback(fields)
    to, body = fields.get("To", ""), fields.get("Body", "")
    if not to:
        raise TwilioError(21604, "A 'To' phone number is required.")
    refuse_bad_number(to)
    _check_sender(fields)
    if not body:
        raise TwilioError(21602, "Message body is required.")
    if len(body) > LONGEST_BODY:
        raise TwilioError(21617, "The concatenated message body exceeds the 1600 character limit.")
    refuse_fated(to, _MAGIC)


def _check_sender(fields: Mapping[str, str]) -> None:
    sender, service = fields.get("From", ""), fields.get("MessagingServiceSid", "")
    if not sender and not service:
        raise TwilioError(21603, "A 'From' phone number is required.")
    if sender and not _SENDER.fullmatch(sender):
        raise TwilioError(21212, f"The 'From' number {sender} is not a valid phone number or sender id.")
    if service and not _SERVICE.fullmatch(service):
        raise TwilioError(21701, "The Messaging Service does not exist.", 404)


def _message(account: str, fields: Mapping[str, str], text: TextMessage) -> dict[str, object]:
    sid = "SM" + secrets.token_hex(16)
    uri = f"/2010-04-01/Accounts/{account}/Messages/{sid}"
    made = formatdate(text.time).replace("-0000", "+0000")
    # A Messaging Service picks the sender later: until then the text is "accepted" in 0 segments.
    sender = fields.get("From")
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": text.text,
        "date_created": made,
        "date_sent": None,
        "date_updated": made,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": sender,
        "messaging_service_sid": fields.get("MessagingServiceSid"),
        "num_media": "0",
        "num_segments": str(segments(text.text)) if sender else "0",
        "price": None,
        "price_unit": "USD",
        "sid": sid,
        "status": "queued" if sender else "accepted",
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": fields["To"],
        "uri": f"{uri}.json",
    }


def _account(account: str) -> dict[str, object]:
    made = formatdate(0).replace("-0000", "+0000")
    return {
        "sid": account,
        "friendly_name": "Sandbox",
        "status": "active",
        "type": "Full",
        "owner_account_sid": account,
        "date_created": made,
        "date_updated": made,
        "uri": f"/2010-04-01/Accounts/{account}.json",
        "subresource_uris": {"messages": f"/2010-04-01/Accounts/{account}/Messages.json"},
    }

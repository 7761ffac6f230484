"""A stand-in for the part of Twilio's REST API that makes calls: what the voice says goes to the store.

https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from email.utils import formatdate
from xml.etree import ElementTree

from flask import Blueprint, Response, jsonify, request

from messenger_api.sandbox import texts
from messenger_api.sandbox.faults import Faults, play
from messenger_api.sandbox.store import SandboxStore
from messenger_api.sandbox.twilio_wire import (
    API,
    E164,
    TwilioAccount,
    TwilioError,
    faulty,
    refuse_bad_callback,
    refuse_bad_number,
    refuse_fated,
    refuse_unknown,
)

LONGEST_TWIML = 4000
# The parameters of a call that says something; TwiML at a URL is not played here.
_KNOWN = ("To", "From", "Twiml", "StatusCallback", "StatusCallbackEvent", "StatusCallbackMethod", "Timeout")
_LANGUAGE = re.compile(r"[a-z]{2,3}-[A-Z]{2}")
# Recipients with a fixed fate, from Twilio's page on test credentials.
_MAGIC = {
    "+15005550001": (21211, "The 'To' number {to} is not a valid phone number."),
    "+15005550002": (21214, "The 'To' phone number {to} cannot be reached."),
    "+15005550003": (21215, "Account not authorized to call {to}."),
    "+15005550004": (21216, "Account not allowed to call {to}."),
}


def twilio_calls(store: SandboxStore, account: TwilioAccount) -> Blueprint:
    """Routes that answer as Twilio does to this account."""
    routes = account.blueprint("sandbox_twilio_calls")

    @routes.post(f"{API}/Calls.json")
    def call(sid: str) -> Response:
        account.check(sid)
        return play(Faults(store).take("sms", "twilio"), lambda: _accepted(store, sid), faulty)

    return routes


def _accepted(store: SandboxStore, account: str) -> Response:
    fields = request.form.to_dict()
    _check(fields)
    texts.send(store, fields["To"], f"(call) {_said(fields['Twiml'])}", "twilio", fields["From"])
    answer = jsonify(_call(account, fields))
    answer.status_code = 201
    return answer


def _check(fields: Mapping[str, str]) -> None:
    refuse_unknown(_KNOWN)
    refuse_bad_callback(fields)
    to, sender = fields.get("To", ""), fields.get("From", "")
    if not to:
        raise TwilioError(21201, "No 'To' number is specified")
    refuse_bad_number(to)
    if not sender:
        raise TwilioError(21213, "No 'From' number is specified")
    if not E164.fullmatch(sender):
        raise TwilioError(21212, f"The 'From' number {sender} is not a valid phone number.")
    if not fields.get("Twiml"):
        raise TwilioError(21205, "Url parameter is required.")
    refuse_fated(to, _MAGIC)


def _said(twiml: str) -> str:
    """What the voice says, each sentence once."""
    verbs = list(_response(twiml))
    says = [verb for verb in verbs if verb.tag == "Say"]
    if not says or not {verb.tag for verb in verbs} <= {"Say", "Pause"} or not all(map(_is_speech, says)):
        raise _schema_fault()
    return " / ".join(dict.fromkeys(str(say.text) for say in says))


def _response(twiml: str) -> ElementTree.Element:
    """The root of a TwiML document."""
    if len(twiml) > LONGEST_TWIML or "<!" in twiml:
        raise TwilioError(12100, "Document parse failure")
    try:
        root = ElementTree.fromstring(twiml)  # noqa: S314 - without declarations there is nothing to expand
    except ElementTree.ParseError:
        raise TwilioError(12100, "Document parse failure") from None
    if root.tag != "Response":
        raise _schema_fault()
    return root


def _schema_fault() -> TwilioError:
    return TwilioError(12200, "Schema validation warning")


def _is_speech(say: ElementTree.Element) -> bool:
    return bool(say.text) and bool(_LANGUAGE.fullmatch(say.get("language", "en-US")))


def _call(account: str, fields: Mapping[str, str]) -> dict[str, object]:
    sid = "CA" + secrets.token_hex(16)
    return {
        "account_sid": account,
        "answered_by": None,
        "api_version": "2010-04-01",
        "date_created": formatdate(time.time()).replace("-0000", "+0000"),
        "direction": "outbound-api",
        "duration": None,
        "end_time": None,
        "from": fields["From"],
        "from_formatted": fields["From"],
        "price": None,
        "price_unit": "USD",
        "sid": sid,
        "start_time": None,
        "status": "queued",
        "to": fields["To"],
        "to_formatted": fields["To"],
        "uri": f"/2010-04-01/Accounts/{account}/Calls/{sid}.json",
    }

"""A stand-in for the part of Twilio Verify, version 2, that verifies numbers by text and call.

https://www.twilio.com/docs/verify/api/verification and .../verification-check. The codes show in the
sandbox's inbox. Twilio has no magic recipients for Verify; those here are the stand-in's own.
"""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, jsonify, request

from messenger_api.sandbox import texts, verifications
from messenger_api.sandbox.faults import Faults, play
from messenger_api.sandbox.store import SandboxStore
from messenger_api.sandbox.twilio_wire import E164, TwilioAccount, TwilioError, faulty, refuse_unknown
from messenger_api.sandbox.verifications import NoVerification, TooManyTries, Verification

SERVICE = "/v2/Services/<service>"
PROVIDER = "twilio_verify"
CHANNELS = ("sms", "call")
LOCALES = frozenset({
    "af", "ar", "ca", "cs", "da", "de", "el", "en", "es", "fi", "fr", "he", "hi", "hr", "hu", "id", "it",
    "ja", "ko", "ms", "nb", "nl", "pl", "pt", "ro", "ru", "sv", "th", "tl", "tr", "vi", "zh",
})  # fmt: skip
_MAGIC = {
    ("+15005550001", "sms"): (60200, "Invalid parameter `To`: +15005550001"),
    ("+15005550001", "call"): (60200, "Invalid parameter `To`: +15005550001"),
    ("+15005550004", "sms"): (60410, "The destination phone number has been temporarily blocked"),
    ("+15005550004", "call"): (60410, "The destination phone number has been temporarily blocked"),
    ("+15005550009", "sms"): (60205, "SMS is not supported by landline phone number"),
}


def twilio_verify(store: SandboxStore, account: TwilioAccount) -> Blueprint:
    """Routes that answer as Verify does to this account's one service."""
    routes = account.blueprint("sandbox_twilio_verify")

    def checked(service: str) -> None:
        account.check(account.sid)
        if service != account.verify_sid:
            raise _not_found(request.path)

    @routes.get(SERVICE)
    def fetch(service: str) -> Response:
        checked(service)
        return jsonify(_service(account))

    @routes.post(f"{SERVICE}/Verifications")
    def start(service: str) -> Response:
        checked(service)
        return play(Faults(store).take("sms", PROVIDER), lambda: _started(store, account), faulty)

    @routes.post(f"{SERVICE}/VerificationCheck")
    def check(service: str) -> Response:
        checked(service)
        return play(Faults(store).take("sms", PROVIDER), lambda: _checked(store, account), faulty)

    return routes


def _started(store: SandboxStore, account: TwilioAccount) -> Response:
    refuse_unknown(("To", "Channel", "Locale"))
    to, channel, locale = (request.form.get(name, "") for name in ("To", "Channel", "Locale"))
    if not E164.fullmatch(to):
        raise TwilioError(60200, f"Invalid parameter `To`: {to}")
    if channel not in CHANNELS:
        raise TwilioError(60200, f"Invalid parameter `Channel`: {channel}")
    if locale and locale not in LOCALES:
        raise _not_found(request.path)
    if (to, channel) in _MAGIC:
        raise TwilioError(*_MAGIC[to, channel])
    try:
        verification = verifications.start(store, to, channel)
    except TooManyTries:
        raise TwilioError(60203, "Max send attempts reached") from None
    how = "(call) " if channel == "call" else ""
    text = f"{how}Your Sandbox verification code is: {verification.code}"
    texts.send(store, to, text, PROVIDER, account.verify_sid)
    answer = jsonify(_shown(account, verification, "pending"))
    answer.status_code = 201
    return answer


def _checked(store: SandboxStore, account: TwilioAccount) -> Response:
    refuse_unknown(("Code", "VerificationSid", "To"))
    code, sid, to = (request.form.get(name, "") for name in ("Code", "VerificationSid", "To"))
    if not code.isascii() or not 4 <= len(code) <= 10:
        raise TwilioError(60200, "Invalid parameter `Code`")
    if bool(sid) == bool(to):
        raise TwilioError(60200, "Invalid parameter: either `VerificationSid` or `To`")
    try:
        verification, right = verifications.check(store, sid, to, code)
    except NoVerification:
        raise _not_found(request.path) from None
    except TooManyTries:
        raise TwilioError(60202, "Max check attempts reached") from None
    return jsonify(_shown(account, verification, "approved" if right else "pending"))


def _not_found(path: str) -> TwilioError:
    return TwilioError(20404, f"The requested resource {path} was not found", 404)


def _time(second: float) -> str:
    return dt.datetime.fromtimestamp(int(second), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _shown(account: TwilioAccount, verification: Verification, status: str) -> dict[str, object]:
    return {
        "sid": verification.sid,
        "service_sid": account.verify_sid,
        "account_sid": account.sid,
        "to": verification.to,
        "channel": verification.channel,
        "status": status,
        "valid": status == "approved",
        "amount": None,
        "payee": None,
        "date_created": _time(verification.created),
        "date_updated": _time(verifications.now()),
    }


def _service(account: TwilioAccount) -> dict[str, object]:
    return {
        "sid": account.verify_sid,
        "account_sid": account.sid,
        "friendly_name": "Sandbox",
        "code_length": verifications.DIGITS,
        "date_created": _time(0),
        "date_updated": _time(0),
    }

"""What Twilio's APIs share: the account, the form of a refusal, the checks of a request's fields."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, jsonify, request

API = "/2010-04-01/Accounts/<sid>"
E164 = re.compile(r"\+[1-9][0-9]{6,14}")

_UNAUTHORIZED = 401
_STATUS = {20429: 429, 60202: 429, 60203: 429, 60205: 403, 60410: 403, 60605: 403}


class TwilioError(Exception):
    """A refusal with Twilio's code."""

    def __init__(self, code: int, message: str, status: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.status = status or _STATUS.get(code, 400)


@dataclass(frozen=True)
class TwilioAccount:
    """The only account that the stand-in knows, with its one service of Verify."""

    sid: str
    token: str
    verify_sid: str

    def blueprint(self, name: str) -> Blueprint:
        """Routes whose refusals are answered as Twilio does."""
        routes = Blueprint(name, __name__)
        routes.register_error_handler(TwilioError, refused)
        return routes

    def check(self, sid: str) -> None:
        """Refuse wrong credentials, and another account than theirs."""
        given = request.authorization
        expected = f"{self.sid}:{self.token}".encode()
        found = f"{given.username}:{given.password}".encode() if given and given.type == "basic" else b""
        if not hmac.compare_digest(found, expected) or sid != self.sid:
            raise TwilioError(20003, "Authenticate", _UNAUTHORIZED)


def refused(refusal: TwilioError) -> Response:
    """The answer that carries a refusal."""
    more = f"https://www.twilio.com/docs/errors/{refusal.code}"
    answer = jsonify(code=refusal.code, message=refusal.message, more_info=more, status=refusal.status)
    answer.status_code = refusal.status
    if refusal.status == _UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    return answer


def faulty(error: str) -> Response:
    """The answer to a fault that was set; its `error` is one of Twilio's codes."""
    return refused(
        TwilioError(int(error) if re.fullmatch("[0-9]{5}", error) else 20500, "A fault set in the sandbox")
    )


def refuse_unknown(known: Collection[str]) -> None:
    """Refuse parameters that Twilio would only warn of, because a mistyped name is a fault."""
    unknown = sorted(set(request.form) - set(known)) + sorted(request.args)
    if unknown:
        raise TwilioError(20001, f"Unknown parameters: {', '.join(unknown)}")


def refuse_bad_callback(fields: Mapping[str, str]) -> None:
    """Refuse an address that Twilio could not call."""
    callback = fields.get("StatusCallback", "")
    if callback and not re.match(r"https?://[^/ ]+/", callback):
        raise TwilioError(21609, f"The 'StatusCallback' URL {callback} is not a valid URL.")


def refuse_bad_number(to: str) -> None:
    """Refuse a recipient that is no number in E.164."""
    if not E164.fullmatch(to):
        raise TwilioError(21211, f"The 'To' number {to} is not a valid phone number.")


def refuse_fated(to: str, fates: Mapping[str, tuple[int, str]]) -> None:
    """Refuse a magic recipient with the code and the message that stand for it."""
    if to in fates:
        code, message = fates[to]
        raise TwilioError(code, message.format(to=to))

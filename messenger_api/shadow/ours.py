"""This product on a moved copy of the demo's database, asked beside the demo: it tells nobody anything."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from messenger_api.composition import Parts
from messenger_api.gateways.sms import SmsSender
from messenger_api.gateways.sms.base import SmsProvider, TextMessage
from messenger_api.settings import Settings
from messenger_api.shadow.comparison import Answer
from messenger_api.shadow.stand_in import StandIn
from messenger_api.storage.db import open_database
from messenger_api.storage.users import accounts
from messenger_api.transport.api import Api
from messenger_api.transport.envelope import Reply
from messenger_api.transport.reading import read

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Numbers whose last code is remembered.
CODES_KEPT = 10_000
# What the apps have called the one-time code.
CODE_FIELDS = ("otp", "code")


class KeptCodes(SmsProvider):
    """Sends nothing and remembers the codes."""

    name = "shadow"
    costs = False

    def __init__(self) -> None:
        self._codes: OrderedDict[str, str] = OrderedDict()

    def take(self, number: str) -> str:
        """The last code of a number (digits), which is good once; "" when there is none."""
        return self._codes.pop(number, "")

    def _deliver(self, message: TextMessage) -> str:
        self._codes[message.to] = message.code
        if len(self._codes) > CODES_KEPT:
            self._codes.popitem(last=False)
        return message.to


class ShadowParts(Parts):
    """The product's parts, its texts kept."""

    @cached_property
    def codes_sent(self) -> KeptCodes:
        """The codes that would have been sent."""
        return KeptCodes()

    @cached_property
    def sms(self) -> SmsSender:
        """What keeps texts instead of sending them."""
        return self._closing(SmsSender([self.codes_sent], timeout=self.settings.sms_timeout))


class Ours:
    """Answers what the demo has answered. One request at a time: the stand-in holds what that one needs."""

    def __init__(self, settings: Settings) -> None:
        self._stand_in = StandIn()
        quiet = replace(
            settings,
            mesibo_api_url=self._stand_in.url,
            mesibo_api_style="form",
            mesibo_app_token="shadow",  # noqa: S106 - the stand-in asks for none
            # The stand-in makes no codes: ours take the place of mesibo's.
            login_method="otp" if settings.texts_codes else settings.login_method,
            sandbox=None,
            limits="off",
            outbox_in_server=False,
        )
        self.parts = ShadowParts(quiet, open_database(quiet))
        self._api = Api(self.parts.services, self.parts.operations)

    def op(self, environ: WSGIEnvironment, body: bytes) -> str:
        """The op that a request names; "" when it cannot be read."""
        try:
            return read(_again(environ, body), self.parts.settings).op
        except Exception:  # noqa: BLE001 - what cannot be read is answered, and has no name
            return ""

    def answer(self, environ: WSGIEnvironment, body: bytes, php: Answer) -> Reply:
        """What this product answers, given the token or the gid that the demo was given by mesibo."""
        token, gid = php.get("token"), php.get("gid")
        self._stand_in.token = token if isinstance(token, str) else ""
        self._stand_in.gid = int(str(gid)) if str(gid).isdecimal() else 0
        if self._stand_in.token:
            return self._log_in(environ, body)
        return self._api.respond(_again(environ, body))

    def close(self) -> None:
        """Let go of everything."""
        self.parts.close()
        self._stand_in.close()

    def _log_in(self, environ: WSGIEnvironment, body: bytes) -> Reply:
        """With the demo's code people log in there, and with one of ours here."""
        fields = dict(read(_again(environ, body), self.parts.settings).fields)
        who = self.parts.identities.read(str(fields.get("phone", "")), self.parts.settings.default_country)
        if who is None:
            return self._api.respond(_again(environ, body))
        self._know(self.parts.keys.contact_key(who))
        without = {name: value for name, value in fields.items() if name not in CODE_FIELDS}
        code = self.parts.codes_sent.take(who.address)
        if not code:
            self._api.respond(_posted(environ, without))
            code = self.parts.codes_sent.take(who.address)
        return self._api.respond(_posted(environ, {**without, "otp": code}))

    def _know(self, key: bytes) -> None:
        """Tell the stand-in the uid of an account."""
        database = self.parts.database
        for account in database.run(lambda tx: accounts(tx, [key])):
            self._stand_in.know(account.address, account.uid)


def _again(environ: WSGIEnvironment, body: bytes) -> dict[str, Any]:
    """The same request, its body not read yet."""
    return {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}


def _posted(environ: WSGIEnvironment, fields: Mapping[str, object]) -> dict[str, Any]:
    body = msgspec.json.encode(fields)
    posted = _again(environ, body)
    return {**posted, "REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/json", "QUERY_STRING": ""}

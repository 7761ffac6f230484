"""One stand-in for every provider, which takes each text and then misbehaves; what it received counts."""

from __future__ import annotations

import json
import re
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote_plus

import requests

from messenger_api.gateways.sms import SmsProvider, TextMessage
from messenger_api.settings import Settings
from tests.gateways.gateway_standin import Gateway, Request, dropping, gateway, trickling_body, trickling_head
from tests.gateways.twilio_standin import FROM, SID, TOKEN

SECONDS = 1.0
# Where nobody listens, which even a busy machine finds out in this time.
REFUSED_SECONDS = 8.0
LATE = 1.6
VERIFY_SID = "VA0123456789abcdef0123456789abcdef"
VERIFY_CODE = "739164"
PRICE, CALL_PRICE = 0.05, 0.10


class Own(SmsProvider):
    """A provider of one's own, as the docs show it: it declares nothing of what proves "not sent"."""

    name = "own"
    url = ""

    def __init__(self, settings: Settings) -> None:
        self.seconds = settings.sms_timeout

    def _deliver(self, message: TextMessage) -> str:
        form = {"to": message.to, "text": message.text}
        answer = requests.post(f"{Own.url}/own", data=form, timeout=self.seconds)
        answer.raise_for_status()
        return str(answer.json()["id"])


Behave = Callable[[Gateway, socket.socket], None]


def late(standin: Gateway, client: socket.socket) -> None:
    """The right answer, when nobody waits for it any more."""
    standin.stopping.wait(LATE)
    standin.reply(client)


def html(standin: Gateway, client: socket.socket) -> None:
    send(client, standin.status, b"<html><body>Thank you</body></html>")


def empty(standin: Gateway, client: socket.socket) -> None:
    send(client, standin.status, b"")


def cut_off(standin: Gateway, client: socket.socket) -> None:
    send(client, standin.status, b'{"sid": "SM', length=400)


def without_an_id(standin: Gateway, client: socket.socket) -> None:
    send(client, standin.status, b"{}")


def error_500(_standin: Gateway, client: socket.socket) -> None:
    send(client, 500, b'{"code": 20500, "message": "Internal", "status": 500}')


def error_503_as_html(_standin: Gateway, client: socket.socket) -> None:
    send(client, 503, b"<html>503 Service Unavailable</html>")


def redirecting(_standin: Gateway, client: socket.socket) -> None:
    send(client, 302, b"")


def refusing(_standin: Gateway, _client: socket.socket) -> None:
    """Stands for a port on which nobody listens."""


BEHAVIOURS: list[Behave] = [
    late, html, empty, cut_off, without_an_id, error_500, error_503_as_html, redirecting, dropping,
    trickling_head, trickling_body, refusing,
]  # fmt: skip


def send(client: socket.socket, status: int, body: bytes, length: int | None = None) -> None:
    length = len(body) if length is None else length
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
    client.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)


@dataclass
class BadProvider:
    """What all the providers received."""

    standin: Gateway
    url: str
    seconds: float

    @property
    def texts(self) -> list[tuple[str, str, str]]:
        """Of each text and call: which provider's, to whom, and the code in it."""
        found = [_text(call) for call in list(self.standin.calls)]
        return [text for text in found if text]

    def most_of_one(self, numbers: Callable[[str], bool]) -> int:
        """The most texts that one of the providers received for such numbers."""
        counts = Counter(provider for provider, to, _code in self.texts if numbers(to))
        return max(counts.values(), default=0)

    @property
    def price(self) -> float:
        """What they cost in all."""
        return sum(CALL_PRICE if provider == "call" else PRICE for provider, *_ in self.texts)

    def settings(self, *providers: str) -> dict[str, object]:
        """The keys of these providers."""
        names = {"twilio_voice": "twilio", "own": "tests.trust.bad_provider.Own"}
        return {
            "sms_providers": [names.get(provider, provider) for provider in providers],
            "sms_timeout": self.seconds,
            "sms_countries": ["IN"],
            "sms_price": PRICE,
            "sms_price_voice": CALL_PRICE,
            "twilio_account_sid": SID,
            "twilio_auth_token": TOKEN,
            "twilio_from": FROM,
            "twilio_verify_sid": VERIFY_SID,
            "twilio_api_url": self.url,
            "vonage_api_key": "abcd1234",
            "vonage_api_secret": "s3cr3t-of-vonage",
            "vonage_from": "Messenger",
            "vonage_api_url": self.url,
            "sms_http_url": f"{self.url}/http",
            "sms_http_body": "to={to}&text={text}",
            "sms_http_id": "id",
        }


@contextmanager
def bad_provider(behave: Behave) -> Iterator[BadProvider]:
    """The stand-in, listening; or the address of nobody."""

    def serve(standin: Gateway, client: socket.socket) -> None:
        call: Request = standin.here.call
        is_twilios = "/2010-04-01/" in call.target or "/v2/" in call.target
        standin_view = Gateway(201 if is_twilios else 200, _right(call), stopping=standin.stopping)
        (Gateway.reply if "Check" in call.target else behave)(standin_view, client)

    with socket.socket() as deaf, gateway(behave=serve) as standin:
        deaf.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        Own.url = url = nobody if behave is refusing else standin.url
        yield BadProvider(standin, url, REFUSED_SECONDS if behave is refusing else SECONDS)


def _right(call: Request) -> object:
    """The answer of a provider who does his work."""
    if call.target.endswith("/VerificationCheck"):
        form = call.form
        right = form["Code"] == VERIFY_CODE and ("To" in form) != ("VerificationSid" in form)
        return {"sid": "VE1", "status": "approved" if right else "pending"}
    if "sms/json" in call.target:
        return {"message-count": "1", "messages": [{"status": "0", "message-id": "0C00"}]}
    return {"sid": "SM00000000000000000000000000000001", "id": "id-1", "status": "queued", "error_code": None}


def _text(call: Request) -> tuple[str, str, str] | None:
    kinds = {
        "/Messages.json": "twilio",
        "/Calls.json": "call",
        "/Verifications": "verify",
        "/sms/json": "vonage",
        "/http": "http",
        "/own": "own",
    }
    kind = next((kind for end, kind in kinds.items() if call.target.endswith(end)), "")
    if not kind:
        return None
    form = call.form
    to = (form.get("To") or form["to"]).removeprefix("+")
    if kind == "verify":
        return kind, to, VERIFY_CODE
    said = form.get("Twiml") or form.get("Body") or form["text"]
    digits = re.search(r"\b\d(?:[ ,]*\d){5}\b", unquote_plus(said))
    assert digits, json.dumps(form)
    return kind, to, re.sub("[ ,]", "", digits[0])

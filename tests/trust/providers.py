"""Two SMS providers over real HTTP, Twilio and then Vonage, and a product that sends by them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.gateways.gateway_standin import Gateway, Request, gateway
from tests.gateways.twilio_standin import CREATED, FROM, SID, TOKEN
from tests.product import APPID, Answer, Product

NUMBER = "919876543210"
PUBLIC = "https://chat.example.com"
SIGNATURE_SECRET = "the signature secret of the Vonage account"
VONAGE_ID = "0C0000"
TAKEN = {"message-count": "1", "messages": [{"status": "0", "message-id": VONAGE_ID}]}
RECEIPTS = {"public_url": PUBLIC, "trusted_proxy_hops": 1, "vonage_signature_secret": SIGNATURE_SECRET}


@dataclass
class Providers:
    """What each of the two was sent, and how it answers."""

    twilio: Gateway
    vonage: Gateway

    @property
    def settings(self) -> dict[str, object]:
        """The keys of both, where Twilio is tried first."""
        return {
            "sms_providers": ["twilio", "vonage"],
            "sms_countries": ["IN", "US", "DE"],
            "twilio_account_sid": SID,
            "twilio_auth_token": TOKEN,
            "twilio_from": FROM,
            "twilio_api_url": self.twilio.url,
            "vonage_api_key": "abcd1234",
            "vonage_api_secret": "s3cr3t-of-vonage",
            "vonage_from": "Messenger",
            "vonage_api_url": self.vonage.url,
        }


@contextmanager
def both() -> Iterator[Providers]:
    """Both providers, listening."""
    with gateway(status=201, answer=CREATED) as twilio, gateway(answer=TAKEN) as vonage:
        yield Providers(twilio, vonage)


def field(call: Request, *names: str) -> str:
    """The field of a request that has one of these names."""
    form = parse_qs(call.body.decode(), strict_parsing=True)
    return next(form[name][0] for name in names if name in form)


def code_in(call: Request) -> str:
    """The code in a text that was handed over."""
    found = re.search(r"\b\d{6}\b", field(call, "text", "Body"))
    assert found
    return found[0]


def refuse(standin: Gateway, code: int) -> None:
    """Answer everything with this of Twilio's error codes."""
    standin.status = 400
    standin.answer = {"code": code, "message": f"+{NUMBER} will not do", "status": 400}


def request_code(product: Product, number: str = NUMBER, **fields: Any) -> Answer:
    """The first step of a login."""
    return product.call("login", phone=number, appid=APPID, **fields)


def enter(product: Product, code: str, number: str = NUMBER) -> Answer:
    """The second."""
    return product.call("login", phone=number, appid=APPID, otp=code)


@contextmanager
def working(product: Product) -> Iterator[None]:
    """The worker runs, as it does in the server."""
    thread = product.parts.worker.start()
    try:
        yield
    finally:
        product.parts.worker.stop()
        thread.join(20)


@contextmanager
def connected(folder: Path, **settings: object) -> Iterator[tuple[Product, Providers]]:
    """A product on SQLite that sends by both."""
    with both() as providers:
        uri = f"sqlite:///{folder / 'texting.sqlite3'}"
        product = Product(uri, folder, **{**providers.settings, **settings})
        try:
            yield product, providers
        finally:
            product.close()


Connect = Callable[..., tuple[Product, Providers]]

"""What the SMS tests share: Twilio's stand-in on loopback, and the hunt for what must not be shown."""

from __future__ import annotations

import base64
import json
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from messenger_api.configuration import build
from messenger_api.gateways.sms import TextMessage
from messenger_api.settings import Settings

SID = "AC0123456789abcdef0123456789abcdef"
TOKEN = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
FROM = "+15005550006"
SERVICE = "MG0123456789abcdef0123456789abcdef"
NUMBER = "919876543210"
TEXT = "481516 is your code for Messenger. Never share it."
MESSAGE = TextMessage(NUMBER, TEXT)
SECRETS = (NUMBER, NUMBER[4:], "481516", "is your code", TOKEN)

MESSAGES_PATH = f"/2010-04-01/Accounts/{SID}/Messages.json"
ACCOUNT_PATH = f"/2010-04-01/Accounts/{SID}.json"
CREATED = {"sid": "SM00000000000000000000000000000001", "status": "queued", "error_code": None}
ACTIVE = {"sid": SID, "status": "active", "friendly_name": "Ours"}


@dataclass
class Call:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: tuple[str, int]

    @property
    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True)


@dataclass
class TwilioStandIn:
    """Twilio's Messages and Account resources on loopback: refuses whatever Twilio's API would not take."""

    status: int = 201
    answer: Any = field(default_factory=lambda: CREATED)
    silent: bool = False
    calls: list[Call] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    prefix: str = ""

    def answers(self, status: int, answer: Any) -> None:
        self.status, self.answer = status, answer

    def refuses(self, code: int, status: int = 400) -> None:
        # As Twilio does, the message quotes the number; here it quotes all that must not leak.
        quoted = f"The 'To' number +{NUMBER} is not right for {TEXT!r} with {TOKEN}"
        more = f"https://www.twilio.com/docs/errors/{code}"
        self.answers(status, {"code": code, "message": quoted, "more_info": more, "status": status})

    def judge(self, call: Call) -> tuple[int, Any]:
        """The answer: the configured one when the request is faultless."""
        expected = "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
        if call.headers.get("authorization") != expected:
            return 401, {"code": 20003, "message": "Authenticate", "status": 401}
        fault = self.fault(call)
        return (400, {"code": 1, "message": fault, "status": 400}) if fault else (self.status, self.answer)

    def fault(self, call: Call) -> str:
        if (call.method, call.target) == ("GET", self.prefix + ACCOUNT_PATH):
            return "a body" if call.body else ""
        if (call.method, call.target) != ("POST", self.prefix + MESSAGES_PATH):
            return "no such resource"
        if call.headers.get("content-type") != "application/x-www-form-urlencoded":
            return "content type"
        names = [name for name, _value in call.form]
        return "" if names in (["To", "From", "Body"], ["To", "MessagingServiceSid", "Body"]) else "fields"


def handler_for(standin: TwilioStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            call = Call(self.command, self.path, headers, body, self.client_address)
            standin.calls.append(call)
            if standin.silent:
                standin.released.wait(10)
                self.close_connection = True
                return
            status, answer = standin.judge(call)
            payload = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.send_header("Set-Cookie", "session=1; Path=/")
            self.end_headers()
            self.wfile.write(payload)

        def do_GET(self) -> None:
            self.handle_any()

        def do_POST(self) -> None:
            self.handle_any()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    return Handler


@contextmanager
def running() -> Iterator[TwilioStandIn]:
    """The stand-in, listening on a free port until the block ends."""
    standin = TwilioStandIn()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(standin))
    standin.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield standin
    finally:
        standin.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def settings_for(url: str, **changes: object) -> Settings:
    values: dict[str, object] = {
        "sms_providers": ["twilio"],
        "sms_countries": "*",
        "twilio_account_sid": SID,
        "twilio_auth_token": TOKEN,
        "twilio_from": FROM,
        "twilio_api_url": url,
    }
    return build(**(values | changes))


def assert_no_secret(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text


def everything_in(error: BaseException) -> str:
    """All that a log or an error tracker would show of an exception and of what caused it."""
    parts = traceback.format_exception(error)
    current: BaseException | None = error
    while current is not None:
        parts += [str(current), repr(current), repr(current.args), repr(vars(current))]
        current = current.__cause__ or current.__context__
    return "\n".join(parts)

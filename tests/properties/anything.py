"""What the tests of hostile input share: requests of any kind, and what every answer to them must be."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import msgspec
from hypothesis import settings
from structlog.testing import capture_logs

from tests.contract.hints import hints_of
from tests.declared import assert_declared
from tests.product import Answer, Phone, Product

# Inputs are tried so many times as often as usual: more than once by `make fuzz` alone.
TIMES = max(1, settings().max_examples // 200)
BOUNDARY = "xxBOUNDARYxx"
ENCODINGS = (
    "form",
    "query",
    "json",
    "multipart",
    "form as JSON",
    "wide JSON",
    "packed JSON",
    "endless parts",
)
# Of these, those whose values can make the whole body unreadable.
JSON = frozenset({"json", "wide JSON", "packed JSON"})
BAD_LEVELS = {"error", "critical", "exception"}
# Answers of these would say that the user or the server is at fault where the request is.
NEVER = {"AUTHFAIL", "TRYLATER", "BADOP", ""}


class Errors(logging.Handler):
    """Keeps what libraries log as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@dataclass(repr=False)
class Target:
    """A product with somebody logged in, who owns a group."""

    product: Product
    ann: Phone
    bob: Phone
    gid: int
    errors: Errors = field(default_factory=Errors)

    def __repr__(self) -> str:
        return "Target()"

    def ask(self, method: str = "POST", url: str = "/api.php", **request: Any) -> Answer | None:
        """The answer to a request: one JSON object with HTTP 200, and nothing of it in the log as an error.

        None for a request without an op.
        """
        self.errors.records.clear()
        with capture_logs() as events:
            response = self.product.http.open(url, method=method, **request)
        assert response.status_code == 200, (response.status_code, response.data[:200])
        assert response.content_type == "application/json; charset=utf-8"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert [event for event in events if event["log_level"] in BAD_LEVELS] == []
        assert self.errors.records == []
        hints = " ".join(hints_of(response))
        assert not [secret for secret in self._secrets() if secret in hints]
        answer = msgspec.json.decode(response.data)
        assert isinstance(answer, dict)
        if "code" in answer:
            assert response.data == b'{"code": "NOOP", "result": "FAIL"}'
            return None
        assert_envelope(answer)
        return answer

    def send(self, encoding: str, fields: Mapping[str, object]) -> Answer:
        """The answer to these fields in this encoding."""
        answer = self.ask(**encoded(encoding, fields))
        assert answer is not None
        return answer

    def _secrets(self) -> list[str]:
        return [self.ann.token, self.bob.token, self.ann.number, self.bob.number]

    def is_well(self) -> bool:
        """Whether Ann is still logged in and served."""
        answer = self.ann.call("getcontacts", ts=0)
        return bool(answer["result"] == "OK")


def assert_envelope(answer: Answer) -> None:
    assert type(answer["op"]) is str
    assert answer["op"] == answer["op"].lower()
    assert type(answer["ts"]) is int
    assert answer["result"] in ("OK", "FAIL", True, False)
    if answer["result"] in ("FAIL", False):
        assert type(answer["error"]) is str
        assert answer["error"]
    else:
        assert "error" not in answer
    assert_declared(answer)
    assert b"null" not in msgspec.json.encode(_values(answer))


def _values(value: object) -> object:
    """A value with every text blanked out."""
    if isinstance(value, dict):
        return {str(index): _values(each) for index, each in enumerate(value.values())}
    if isinstance(value, list):
        return [_values(each) for each in value]
    return "" if isinstance(value, str) else value


def encoded(encoding: str, fields: Mapping[str, object]) -> dict[str, Any]:
    """A request that carries these fields, whatever they are."""
    if encoding in JSON:
        return {"content_type": "application/json", **_json(encoding, json.dumps(fields))}
    pairs = [(name, text) for name, value in fields.items() for text in _texts(value)]
    if encoding in ("multipart", "endless parts"):
        body = b"".join(part(name, text) for name, text in pairs)
        if encoding == "multipart":
            body += f"--{BOUNDARY}--\r\n".encode()
        return {"data": body, "content_type": f"multipart/form-data; boundary={BOUNDARY}"}
    text = urlencode(pairs, errors="surrogatepass")
    if encoding == "query":
        return {"method": "GET", "query_string": text}
    label = "application/json" if encoding == "form as JSON" else "application/x-www-form-urlencoded"
    return {"data": text, "content_type": label}


def _json(encoding: str, text: str) -> dict[str, Any]:
    if encoding == "packed JSON":
        return {"data": gzip.compress(text.encode(), 1), "headers": {"Content-Encoding": "gzip"}}
    return {"data": text.encode("utf-16" if encoding == "wide JSON" else "utf-8")}


def part(name: str, value: bytes, filename: str | None = None) -> bytes:
    """One part of a multipart body."""
    attribute = "" if filename is None else f'; filename="{filename}"'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{attribute}\r\n\r\n'
    return head.encode("utf-8", "surrogatepass") + value + b"\r\n"


def _texts(value: object) -> list[bytes]:
    """The values of a form's field: of a list, its items."""
    values = value if isinstance(value, list) and value else [value]
    texts = [each if isinstance(each, str) else json.dumps(each) for each in values]
    return [text.encode("utf-8", "surrogatepass") for text in texts]

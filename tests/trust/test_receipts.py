"""The webhooks of the SMS providers: they take what is signed, and say nothing to anybody else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from messenger_api.storage import texts
from messenger_api.storage.texts import Delivery
from tests.gateways.gateway_standin import Gateway, gateway
from tests.gateways.twilio_standin import CREATED, SID, TOKEN
from tests.product import Product
from tests.servers import MariaDB
from tests.trust.providers import (
    NUMBER,
    PUBLIC,
    RECEIPTS,
    SIGNATURE_SECRET,
    VONAGE_ID,
    Connect,
    connected,
    refuse,
    request_code,
)

HTTP_SECRET = "the secret that the gateway signs with"
TWILIO_ID = str(CREATED["sid"])
LARGE = "x" * 20_000

ODD_IDS = ["\ud83d", "a\x00b", "😀", "né-1", "x" * 300, "\u202e1"]

Make = Callable[..., Product]


@pytest.mark.parametrize("odd", ODD_IDS)
def test_a_text_with_any_id_of_its_provider_is_counted_and_found(product: Product, odd: str) -> None:
    def work(tx: Any, now: int) -> Any:
        text_id = texts.add(
            tx,
            now,
            contact_key=b"k" * 16,
            provider="http",
            provider_id=odd,
            channel="sms",
            country="IN",
            cost=1,
        )
        return text_id, texts.by_provider(tx, "http", odd)

    text_id, found = product.services.database.write(work)
    assert found
    assert found.id == text_id


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(connected(tmp_path, **{**RECEIPTS, **settings}))


@pytest.fixture
def standin() -> Iterator[Gateway]:
    with gateway(answer={"id": "id-1"}) as running:
        yield running


def posted(product: Product, name: str, **request: Any) -> Any:
    """What the webhook answers; a proxy of ours stands in front, and calls it over plain HTTP."""
    headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http", **request.pop("headers", {})}
    return product.app.test_client().open(
        f"/sms/receipts/{name}", headers=headers, **{"method": "POST", **request}
    )


def states(product: Product) -> list[tuple[str, Delivery]]:
    rows = product.rows("SELECT provider, state FROM sent_texts ORDER BY id")
    return [(provider, Delivery(state)) for provider, state in rows]


# --- Twilio


def twilio(
    status: str = "delivered", message: str = TWILIO_ID, token: str = TOKEN, **more: str
) -> dict[str, Any]:
    """A receipt as Twilio signs it: over the address and the sorted fields, by HMAC-SHA1."""
    form = {"MessageSid": message, "MessageStatus": status, "AccountSid": SID, "To": f"+{NUMBER}", **more}
    text = f"{PUBLIC}/sms/receipts/twilio" + "".join(f"{name}{form[name]}" for name in sorted(form))
    signature = base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()
    return {"data": form, "headers": {"X-Twilio-Signature": signature}}


def test_twilios_receipt_is_taken(connect: Connect) -> None:
    product, _ = connect()
    request_code(product)
    with capture_logs() as log:
        answer = posted(product, "twilio", **twilio())
    assert (answer.status_code, answer.data) == (204, b"")
    assert states(product) == [("twilio", Delivery.DELIVERED)]
    [entry] = [entry for entry in log if entry["event"] == "sms.receipt"]
    assert (entry["provider"], entry["outcome"]) == ("twilio", "delivered")
    assert set(entry) <= {"event", "log_level", "provider", "outcome", "reason"}
    assert not [secret for secret in (NUMBER, TWILIO_ID, SID) if secret in repr(log)]


@pytest.mark.parametrize("token", ["another token", ""])
def test_one_that_twilio_did_not_sign_is_refused(connect: Connect, token: str) -> None:
    product, _ = connect()
    request_code(product)
    forged = twilio(token=token)
    with capture_logs() as log:
        assert posted(product, "twilio", **forged).status_code == 403
        assert posted(product, "twilio", data=forged["data"]).status_code == 403
        changed = {**twilio("delivered"), "data": twilio("failed")["data"]}
        assert posted(product, "twilio", **changed).status_code == 403
        assert posted(product, "twilio", method="GET").status_code == 403
    assert states(product) == [("twilio", Delivery.SENT)]
    told = [entry for entry in log if entry["event"] == "sms.receipt_unsigned"]
    assert [set(entry) for entry in told] == [{"event", "log_level", "provider"}] * 4
    assert NUMBER not in repr(log)


def test_a_receipt_of_an_unknown_text_is_passed_over(connect: Connect) -> None:
    product, _ = connect()
    request_code(product)
    with capture_logs() as log:
        assert posted(product, "twilio", **twilio(message="SM" + "9" * 32)).status_code == 204
    assert states(product) == [("twilio", Delivery.SENT)]
    assert not [entry for entry in log if entry["event"].startswith("sms.")]


def test_a_signed_one_that_says_nothing_is_not_taken(connect: Connect) -> None:
    product, _ = connect()
    assert posted(product, "twilio", **twilio(message="")).status_code == 400


def test_one_that_comes_twice_counts_once_and_the_first_word_holds(connect: Connect) -> None:
    product, _ = connect()
    request_code(product)
    with capture_logs() as log:
        for status in ("sent", "delivered", "delivered", "failed", "undelivered", "sent"):
            assert posted(product, "twilio", **twilio(status)).status_code == 204
    assert states(product) == [("twilio", Delivery.DELIVERED)]
    assert len([entry for entry in log if entry["event"] == "sms.receipt"]) == 1


def test_a_body_that_is_too_large_is_not_read(connect: Connect) -> None:
    product, _ = connect()
    assert posted(product, "twilio", **twilio(Body=LARGE)).status_code == 413
    assert posted(product, "vonage", data=LARGE).status_code == 413
    assert posted(product, "twilio", **twilio()).status_code == 204


# --- Vonage


def vonage(
    status: str = "delivered", secret: str = SIGNATURE_SECRET, age: int = 0, **more: str
) -> dict[str, str]:
    fields = {
        "msisdn": NUMBER,
        "to": "14155550100",
        "messageId": VONAGE_ID,
        "status": status,
        "err-code": "0" if status == "delivered" else "6",
        "timestamp": str(int(time.time()) - age),
        **more,
    }
    text = "".join(f"&{name}={fields[name].replace('&', '_').replace('=', '_')}" for name in sorted(fields))
    return {**fields, "sig": hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()}


@pytest.mark.parametrize("way", ["form", "json", "query"])
def test_vonages_receipt_is_taken_however_it_comes(connect: Connect, way: str) -> None:
    product, providers = connect()
    refuse(providers.twilio, 20003)
    request_code(product)
    fields = vonage("failed")
    ways: dict[str, dict[str, Any]] = {
        "form": {"data": fields},
        "json": {"json": fields},
        "query": {"query_string": fields, "method": "GET"},
    }
    with capture_logs() as log:
        assert posted(product, "vonage", **ways[way]).status_code == 204
    assert states(product) == [("vonage", Delivery.FAILED)]
    [entry] = [entry for entry in log if entry["event"] == "sms.receipt"]
    assert (entry["provider"], entry["outcome"]) == ("vonage", "failed")
    assert not [secret for secret in (NUMBER, VONAGE_ID, fields["sig"]) if secret in repr(log)]


def test_one_that_vonage_did_not_sign_or_that_is_old_is_refused(connect: Connect) -> None:
    product, providers = connect()
    refuse(providers.twilio, 20003)
    request_code(product)
    for fields in (
        vonage(secret="another"),
        vonage(age=400),
        vonage(age=-400),
        {**vonage(), "status": "failed"},
        {**vonage(), "sig": ""},
        {},
    ):
        assert posted(product, "vonage", data=fields).status_code == 403
    assert states(product) == [("vonage", Delivery.SENT)]
    assert posted(product, "vonage", data=vonage("teleported", messageId="")).status_code == 400


# --- Any gateway


def signed(fields: object, secret: str = HTTP_SECRET) -> dict[str, Any]:
    body = json.dumps(fields).encode()
    return {
        "data": body,
        "headers": {"X-Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()},
    }


def by_gateway(standin: Gateway, **changes: object) -> dict[str, object]:
    return {
        "sms_providers": ["http"],
        "sms_http_url": standin.url,
        "sms_http_body": "to={to}&text={text}",
        "sms_http_id": "id",
        "sms_http_receipt_secret": HTTP_SECRET,
        **changes,
    }


def test_a_gateways_receipt_is_taken_when_it_is_signed(paying: Make, standin: Gateway) -> None:
    product = paying(**by_gateway(standin))
    request_code(product)
    right = signed({"id": "id-1", "status": "delivered"})
    for wrong in (
        {"data": right["data"]},
        {**right, "data": right["data"] + b" "},
        signed({"id": "id-1", "status": "delivered"}, "another secret"),
        {"data": b"", "headers": {"X-Signature": "\xff"}},
    ):
        assert posted(product, "http", **wrong).status_code == 403
    nothings: list[object] = [{}, [], {"id": "id-1"}, {"id": "id-1", "status": "lost"}]
    for nothing in nothings:
        assert posted(product, "http", **signed(nothing)).status_code == 400
    assert posted(product, "http", **signed({"id": "other", "status": "failed"})).status_code == 204
    assert states(product) == [("http", Delivery.SENT)]
    assert posted(product, "http", **right).status_code == 204
    assert states(product) == [("http", Delivery.DELIVERED)]


# --- Who has no webhook


@pytest.mark.parametrize("name", ["vonage", "console", "nobody", "http%2F..", "network", ""])
def test_a_provider_that_is_not_configured_has_none(paying: Make, name: str) -> None:
    product = paying()
    assert posted(product, name, data=vonage()).status_code == 404


def test_nor_has_one_without_receipts(connect: Connect) -> None:
    product, _ = connect(sms_receipts=False)
    assert posted(product, "twilio", **twilio()).status_code == 404
    assert posted(product, "vonage", data=vonage()).status_code == 404


@pytest.mark.server
def test_without_the_database_the_provider_is_told_to_come_again(
    standin: Gateway, own_mariadb: MariaDB, tmp_path: Path, mortal: Product
) -> None:
    uri = str(mortal.services.database.engine.url.render_as_string(hide_password=False))
    product = Product(uri, tmp_path, **by_gateway(standin, sms_countries=["IN"]))
    receipt = signed({"id": "id-1", "status": "delivered"})
    own_mariadb.kill()
    answer = posted(product, "http", **receipt)
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
    own_mariadb.start()
    assert posted(product, "http", **receipt).status_code == 204
    product.close()

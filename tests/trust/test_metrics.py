"""`/metrics`: figures for Prometheus, and for nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from messenger_api.domain.errors import CODES
from messenger_api.domain.figures import REQUEST_SECONDS
from messenger_api.gateways.sms import Receipt, State
from messenger_api.mesibo.specification import operations
from messenger_api.ops import OPERATIONS
from messenger_api.ops.examples import EXAMPLES, GID, PHOTO
from messenger_api.services.otp.requests import CodeRequest
from messenger_api.settings.limits import LIMITS
from messenger_api.version import VERSION
from tests.product import APPID, Product, jpeg
from tests.servers import LOOPBACK, MariaDB, ProductServer
from tests.trust.conftest import PAID
from tests.trust.network import Network

Make = Callable[..., Product]
Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]

TOKEN = "a token that only Prometheus knows"
NUMBERS = ["919876543210", "919876643211", "4915123456789"]


def read(text: str) -> Figures:
    """All samples, by their names and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def ask(product: Product, peer: str = "127.0.0.1", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return product.app.test_client().get("/metrics", headers=named, environ_base={"REMOTE_ADDR": peer})


def figures(product: Product) -> Figures:
    answer = ask(product)
    assert answer.status_code == 200
    return read(answer.text)


def versions(found: Figures) -> list[str]:
    """The program's, as `messenger_info` tells it."""
    return [dict(labels)["version"] for name, labels in found if name == "messenger_info"]


@pytest.fixture
def paid(make_product: Make) -> Product:
    """Paying, on either database."""
    Network.reset()
    return make_product(**PAID, sms_prices={"DE": 0.1}, sms_pause_sent=5, sms_pause_grace=0)


# --- What it tells


def test_what_texts_cost_and_what_became_of_them(paid: Product) -> None:
    for number in NUMBERS:
        paid.ok("login", phone=number, appid=APPID)
    paid.ok("login", phone=NUMBERS[0], appid=APPID, otp=Network.code(NUMBERS[0]))
    paid.services.text_delivery.receive("network", Receipt("text-3", State.DELIVERED))
    found = figures(paid)

    def texts(country: str, outcome: str) -> float:
        labels = (("country", country), ("outcome", outcome), ("provider", "network"))
        return found["messenger_sms_texts_day", labels]

    def codes(country: str, what: str) -> float:
        return found["messenger_sms_codes_hour", (("country", country), ("what", what))]

    def budget(name: str, period: str) -> float:
        return found[f"messenger_sms_budget_{name}", (("currency", "USD"), ("period", period))]

    assert (texts("IN", "sent"), texts("DE", "delivered")) == (2, 1)
    assert [codes("IN", what) for what in ("sent", "entered")] == [2, 1]
    assert [codes("DE", what) for what in ("sent", "entered")] == [1, 0]
    assert [budget("spent", period) for period in ("day", "month")] == [0.2, 0.2]
    assert [budget("limit", period) for period in ("day", "month")] == [25, 250]
    assert found["messenger_sms_country_paused", (("country", "IN"),)] == 0
    assert versions(found) == [VERSION]
    assert found["messenger_outbox_items", (("state", "queued"),)] == 1  # tell of the new account
    assert found["messenger_outbox_items", (("state", "dead"),)] == 0
    assert found["messenger_outbox_oldest_seconds", ()] < 60


def test_a_country_whose_codes_nobody_enters_is_paused(paid: Product) -> None:
    """Five networks asked, of which the setting says that they are enough."""
    for n in range(5):
        number = f"9198765{n}3210"
        paid.services.login.request_code(number, "", CodeRequest(network=f"203.0.113.{n}"))
        assert figures(paid)["messenger_sms_country_paused", (("country", "IN"),)] == (n == 4)
    paid.clock.advance(1)
    assert figures(paid)["messenger_sms_country_paused", (("country", "IN"),)] == 1


def test_before_anything_happened_there_are_figures_too(paid: Product) -> None:
    found = figures(paid)
    assert found["messenger_sms_budget_spent", (("currency", "USD"), ("period", "day"))] == 0
    assert not [name for name, _labels in found if name == "messenger_sms_codes_hour"]


def test_it_names_no_number_and_no_code(paid: Product) -> None:
    for number in NUMBERS:
        paid.ok("login", phone=number, appid=APPID)
    shown = ask(paid).text
    for number in NUMBERS:
        assert number[-8:] not in shown
        assert Network.code(number) not in shown


# --- Who may read it


def test_without_a_token_it_is_for_this_machine_alone(paying: Make) -> None:
    product = paying()
    assert [ask(product, peer).status_code for peer in ("127.0.0.1", "::1")] == [200, 200]
    for peer in ("203.0.113.7", "10.0.0.2", "2001:db8::1", "", "localhost"):
        refused = ask(product, peer)
        assert (refused.status_code, "messenger_" in refused.text) == (403, False)


@pytest.mark.parametrize("hops", [0, 1, 2])
@pytest.mark.parametrize("forged", ["127.0.0.1", "::1", '"', "", "127.0.0.1, 127.0.0.1", '", 203.0.113.7'])
def test_a_forged_header_does_not_open_it(paying: Make, hops: int, forged: str) -> None:
    """Neither from afar nor through a proxy on this machine, which adds the client's address."""
    product = paying(trusted_proxy_hops=hops)
    seen_by_a_proxy = f"{forged}, 203.0.113.7"
    assert ask(product, "203.0.113.7", X_Forwarded_For=forged).status_code == 403
    assert ask(product, "127.0.0.1", X_Forwarded_For=seen_by_a_proxy).status_code == 403
    assert ask(product, "127.0.0.1", X_Forwarded_For=forged).status_code == 403


@pytest.mark.parametrize("name", ["X-Real-IP", "Forwarded", "Via", "X-Forwarded-Host", "X-Edge-Address"])
def test_without_a_token_no_header_of_a_proxy_opens_it(paying: Make, name: str) -> None:
    product = paying(trusted_proxy_header="X-Edge-Address")
    answer = product.http.get("/metrics", headers={name: "127.0.0.1"})
    assert answer.status_code == 403
    assert product.http.get("/metrics", headers={"Host": "chat.example.com"}).status_code == 403
    assert product.http.get("/metrics").status_code == 200


def test_with_a_token_it_is_for_who_has_it_from_anywhere(paying: Make) -> None:
    product = paying(metrics_token=TOKEN)
    assert ask(product, "203.0.113.7", Authorization=f"Bearer {TOKEN}").status_code == 200
    for given in (
        "",
        TOKEN,
        f"bearer {TOKEN}",
        f"Bearer {TOKEN} ",
        f"Bearer {TOKEN}x",
        "Bearer ",
        "Bearer é",
    ):
        assert ask(product, "127.0.0.1", Authorization=given).status_code == 403
    assert ask(product, "127.0.0.1").status_code == 403


def test_the_server_shows_it(product_server: Callable[..., ProductServer]) -> None:
    server = product_server()
    with closing(HTTPConnection(LOOPBACK, server.port, timeout=10)) as connection:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        assert answer.status == 200
        assert (answer.getheader("Content-Type") or "").startswith("text/plain; version=")
        assert versions(read(answer.read().decode())) == [VERSION]
    with closing(HTTPConnection(LOOPBACK, server.port, timeout=10)) as connection:
        connection.request("GET", "/metrics", headers={"X-Forwarded-For": "127.0.0.1"})
        assert connection.getresponse().status == 403


# --- What it never tells

NAMES = ["Anastasia", "Benjamin", "The secret club"]
# What stands in labels: nothing that anybody could choose.
CLOSED = {
    "op": {*OPERATIONS, *operations(), "ping", "none", "unknown"},
    "error": {*CODES, "none", "refused"},
    "country": {"IN", "DE", "US", "none"},
    "provider": {"console"},
    "limit": set(LIMITS),
    "mode": {"enforce", "track"},
    "method": {"otp"},
    "place": {"files", "thumbnails", "instance", "database"},
    "le": {*REQUEST_SECONDS.places},
}


def test_no_label_says_anything_of_a_person_after_a_whole_day(product: Product) -> None:
    phones = [product.log_in(number, name) for number, name in zip(NUMBERS, NAMES, strict=False)]
    first, second = phones[0], phones[1]
    gid = first.ok("setgroup", name=NAMES[2], m=second.number)["gid"]
    for op, example in EXAMPLES.items():
        for phone in phones:
            phone.call(op, **example.filled({GID: gid, PHOTO: jpeg()}))
        product.call(op, token="nobodys", phone=NUMBERS[0], otp="123456", appid=APPID)
    for word in (NUMBERS[0], f"+{NUMBERS[1]}", first.token, NAMES[0], 'x",y="', "{}", "\n"):
        first.call(word, phone=word, name=word)
        product.call("login", phone=word, appid=word, lang=word, channel=word)
        product.sandbox.faults.add("*", error=word.strip() or "X", times=1)
        second.call("setgroup", name=word, m=word)
    product.clock.advance(86_500)
    product.deliver()
    product.parts.worker.housekeeping.keep()
    assert product.parts.bookkeeper.keep()
    page = ask(product).text
    found = read(page)
    assert {name for name, _ in found if name.startswith("messenger_")} >= {
        "messenger_requests_total",
        "messenger_outbox_done_total",
        "messenger_refusals_total",
    }
    closed = {**CLOSED, "kind": set(product.services.runner.tasks.kinds)}
    told = {(name, value) for _, labels in found for name, value in labels}
    assert {pair for pair in told if pair[0] in closed and pair[1] not in closed[pair[0]]} == set()
    samples = "\n".join(line for line in page.splitlines() if not line.startswith("#"))
    labels = re.findall(r"{.*}", samples)
    secrets = [*NUMBERS, *NAMES, str(gid), *(phone.token for phone in phones)]
    assert [word for word in secrets if any(word in each for each in labels)] == []
    assert re.findall(r"[0-9]{7,}", "\n".join(labels)) == []


# --- When it cannot tell


@pytest.mark.server
def test_without_the_database_it_says_so(mortal: Product, own_mariadb: MariaDB) -> None:
    assert ask(mortal).status_code == 200
    own_mariadb.kill()
    down = ask(mortal)
    assert (down.status_code, "messenger_" in down.text) == (503, False)
    own_mariadb.start()
    assert ask(mortal).status_code == 200

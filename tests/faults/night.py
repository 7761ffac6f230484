"""A product in this process with its people, and each place where its operator may look."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple

import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families

from messenger_api.bookkeeping import KEEP_SECONDS
from messenger_api.cli.commands import status as status_command
from messenger_api.gateways.sms import SmsUnavailable, TextMessage
from messenger_api.services.operator.judgement import FRESH_SECONDS
from messenger_api.settings import Settings
from messenger_api.storage import db
from tests.cli.commands import Cli
from tests.console.driver import logged_in
from tests.product import APPID, Answer, Phone, Product
from tests.servers import MariaDB
from tests.trust.network import Network

ANA, BEN = "14155550101", "14155550102"
DAY = 86_400


class Texts(Network):
    """Takes texts for money, unless it is away; named by its dotted path."""

    name = "texts"
    is_away: ClassVar[bool] = False

    def _deliver(self, message: TextMessage) -> str:
        if self.is_away:
            raise SmsUnavailable(self.name, "no money", not_sent=True)
        return super()._deliver(message)


SETTINGS: Mapping[str, object] = {
    "sms_providers": [f"{Texts.__module__}.Texts"],
    "sms_countries": ["IN", "US"],
    "sms_budget_day": 25.0,
    "sms_pause_sent": 10,
}


class Sample(NamedTuple):
    """A series of `/metrics` and its value."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float


class Seen(NamedTuple):
    """What the places say at a moment."""

    at: float
    exit_code: int
    judged: Mapping[str, Any]
    ready_status: int
    ready: Mapping[str, Any]
    console: str
    metrics: list[Sample]

    @property
    def codes(self) -> list[str]:
        """What `status` finds."""
        return codes(self.judged)

    @property
    def counted(self) -> list[str]:
        """What `/metrics` finds."""
        found = (sample for sample in self.metrics if sample.name == "messenger_findings")
        return [dict(sample.labels)["code"] for sample in found if sample.value]


def codes(judged: Mapping[str, Any]) -> list[str]:
    """The findings' codes, as they are told."""
    return [finding["code"] for finding in judged["findings"]]


class Night:
    """What people and the operator do; `mariadb` is the product's server, where it has one."""

    def __init__(self, product: Product, mariadb: MariaDB | None, patch: pytest.MonkeyPatch) -> None:
        self.product, self.mariadb, self.patch = product, mariadb, patch
        self.clock = product.clock
        # Noon, far from the end of a month.
        self.clock.advance(DAY // 2 - self.clock() % DAY)
        while not 9 < time.gmtime(self.clock()).tm_mday < 20:
            self.clock.advance(DAY)
        self._networks = (f"198.51.{n}.7" for n in range(200))
        self._admin = logged_in(product)
        self._patch_status()

    def ask(self, number: str, **fields: object) -> Answer:
        """Ask for a code, or enter one, from a network where nobody was before."""
        data = {"op": "login", "phone": number, "appid": APPID, **fields}
        elsewhere = {"REMOTE_ADDR": next(self._networks)}
        answer: Answer = self.product.http.post("/api.php", data=data, environ_base=elsewhere).get_json()
        return answer

    def log_in(self, number: str = ANA) -> Phone:
        """Both steps; what happens in one second is in no order, and so some pass before."""
        self.clock.advance(100)
        asked = self.ask(number)
        assert asked["result"] == "OK", asked
        entered = self.ask(number, otp=Texts.code(number))
        assert entered["result"] == "OK", entered
        self.work()
        return Phone(self.product, number, entered["token"], entered)

    def work(self) -> None:
        """What a worker does."""
        self.product.parts.worker.housekeeping.beat()
        assert self.product.deliver()

    def fail_to_enter(self, number: str = ANA) -> None:
        """Enter the right code, which is of no use."""
        self.clock.advance(100)
        assert self.ask(number)["result"] == "OK"
        assert self.ask(number, otp=Texts.code(number))["error"] == "TRYLATER"

    def look(self) -> Seen:
        """Look everywhere, when what was counted is kept and the last judgement is old: within a minute."""
        assert KEEP_SECONDS + FRESH_SECONDS <= 60
        self.product.parts.bookkeeper.keep()
        self.clock.advance(FRESH_SECONDS)
        ready = self.product.http.get("/readyz")
        with self._own_log():
            shown = Cli().run("status", "--json")
        return Seen(
            self.clock(),
            shown.exit_code,
            json.loads(shown.stdout),
            ready.status_code,
            ready.get_json(),
            self._overview(),
            self.metrics(),
        )

    def _overview(self) -> str:
        """The console's first page; after an hour its administrator logs in again."""
        title = "<h1>Overview</h1>"
        if title not in self._admin.get().text:
            self._admin.log_in()
        assert title in self._admin.page
        return self._admin.page

    def metrics(self) -> list[Sample]:
        """What Prometheus would read."""
        page = self.product.http.get("/metrics").text
        families = text_string_to_metric_families(page)
        samples = (sample for family in families for sample in family.samples)
        return [Sample(each.name, tuple(each.labels.items()), each.value) for each in samples]

    def _patch_status(self) -> None:
        """The command opens a database of its own, and has this product's settings and time."""
        settings, opened = self.product.services.settings, db.open_database

        def open_database(settings: Settings) -> db.Database:
            database = opened(settings)
            database.clock = self.clock
            return database

        self.patch.setattr(db, "open_database", open_database)
        self.patch.setattr(status_command, "settings", lambda: settings)

    @contextmanager
    def _own_log(self) -> Iterator[None]:
        """A command configures the log of its process."""
        before = structlog.get_config()
        yield
        structlog.configure(**before)

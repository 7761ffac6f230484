"""What may go wrong in a night: every place says the same of it, its alert fires, and the all-clear comes."""

from __future__ import annotations

import json
import math
import re
import shutil
from bisect import bisect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from structlog.testing import capture_logs

from messenger_api import bookkeeping, clients
from messenger_api.domain.alerts import ALERTS, Alert
from messenger_api.services import limits
from messenger_api.services.sms import delivery
from messenger_api.storage import complaints
from messenger_api.storage.files import folder
from messenger_api.throttle import Throttle
from tests.faults.night import BEN, DAY, SETTINGS, Night, Sample, Seen, Texts, codes
from tests.faults.test_judged import made, spend_all
from tests.media.test_file_store import full_disk
from tests.processes import wait_for
from tests.product import jpeg
from tests.servers import MariaDB
from tests.test_monitoring import RULES, promtool

pytestmark = pytest.mark.server

APP_USER = "night"
# What has happened is told everywhere within a minute.
MINUTE = 60

# --- What goes wrong, and what ends it: on leaving the context


@contextmanager
def mesibo(night: Night, **fault: Any) -> Iterator[None]:
    night.product.sandbox.faults.add("*", **fault)
    night.fail_to_enter()
    yield
    night.product.sandbox.faults.clear()
    night.log_in()


@contextmanager
def no_texts(night: Night) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Texts, "is_away", True)
        night.clock.advance(100)
        assert night.ask(BEN)["error"] == "TRYLATER"
        yield
    night.log_in(BEN)


@contextmanager
def no_money(night: Night) -> Iterator[None]:
    """All of the day's is spent; a day ends."""
    spend_all(night.product)
    assert night.ask(BEN)["error"] == "TOOMANY"
    yield
    night.clock.advance(DAY)


@contextmanager
def swindlers(night: Night) -> Iterator[None]:
    """Codes for numbers of one country from many networks, and nobody enters them."""
    for n in range(20):
        assert night.ask(f"9198{n:03d}{n:05d}")["result"] == "OK"
    night.clock.advance(121)
    assert night.ask("919111654321")["error"] == "TOOMANY"
    yield
    night.clock.advance(3660)


@contextmanager
def no_room(night: Night) -> Iterator[None]:
    class Usage(NamedTuple):
        total: int = 1024**3
        used: int = 1023 * 1024**2
        free: int = 1024**2

    phone = night.log_in()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _folder: Usage())
        with full_disk():
            assert phone.call("upload", photo=jpeg())["error"] == "TRYLATER"
        yield
    phone.ok("upload", photo=jpeg())


@contextmanager
def no_writes(night: Night) -> Iterator[None]:
    if night.mariadb:
        night.mariadb.query("SET GLOBAL read_only = 1")
    with full_disk() if not night.mariadb else pytest.MonkeyPatch.context():
        assert night.ask(BEN)["error"] == "TRYLATER"
        yield
    if night.mariadb:
        night.mariadb.query("SET GLOBAL read_only = 0")


@contextmanager
def no_worker(night: Night) -> Iterator[None]:
    """A group is made, and nobody tells its members; a worker comes back after six minutes."""
    ana, _ben = night.log_in(), night.log_in(BEN)
    ana.ok("setgroup", gid=0, name="Hike", m=BEN)
    night.clock.advance(360)
    night.patch.setattr(bookkeeping, "KEEP_SECONDS", 0.1)
    night.product.parts.begin()
    yield
    night.work()


@dataclass(frozen=True)
class Fault:
    """`event`: how the log says it. `login`: what it leaves."""

    code: str
    make: Callable[[Night], AbstractContextManager[None]]
    event: str
    alert: str
    login: str = "no"
    databases: tuple[str, ...] = ("sqlite",)


BOTH = ("sqlite", "mariadb")
FAULTS = [
    Fault("mesibo_away", partial(mesibo, drop=True), "mesibo_call", "MessengerMesiboAway"),
    Fault(
        "app_token_refused",
        partial(mesibo, error="AUTHFAIL"),
        "mesibo.app_token_refused",
        "MessengerAppTokenRefused",
    ),
    Fault("texts_fail", no_texts, "sms.no_provider", "MessengerTextsFailing"),
    Fault("budget_spent", no_money, "sms.budget_spent", "MessengerBudgetSpent"),
    Fault("country_paused", swindlers, "limit.reached", "MessengerCountryPaused", "limited"),
    Fault("disk_full", no_room, "files.cannot_write", "MessengerDiskFull", databases=BOTH),
    Fault("database_read_only", no_writes, "database.failed", "MessengerLoginImpossible", databases=BOTH),
    Fault("nobody_delivers", no_worker, "outbox.unattended", "MessengerOutboxOld", "yes", databases=BOTH),
]


@pytest.fixture(autouse=True)
def _told_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another test made the log say, it has not said here."""
    for module in (clients, complaints, delivery, folder, limits):
        monkeypatch.setattr(module, "_seldom", Throttle())


@pytest.fixture
def night(
    database_kind: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Night]:
    """On MariaDB as a user whom `read_only` binds."""
    uri, server = f"sqlite:///{tmp_path / 'messenger.sqlite3'}", None
    if database_kind == "mariadb":
        server = request.getfixturevalue("mariadb")
        assert isinstance(server, MariaDB)
        name = request.getfixturevalue("new_database")()
        server.query(f"CREATE USER {APP_USER}")
        server.query(f"GRANT ALL ON {name}.* TO {APP_USER}")
        uri = server.uri(name).replace("root@", f"{APP_USER}@")
    Texts.reset()
    product = made(uri, tmp_path, **SETTINGS)
    yield Night(product, server, monkeypatch)
    product.close()
    if server:
        server.query("SET GLOBAL read_only = 0")
        server.query(f"DROP USER {APP_USER}")


@pytest.mark.parametrize(
    ("database_kind", "fault"),
    [pytest.param(kind, each, id=f"{each.code}-{kind}") for each in FAULTS for kind in each.databases],
    indirect=["database_kind"],
)
def test_all_places_say_what_is_true_and_say_so_until_it_is_over(
    night: Night, fault: Fault, tmp_path: Path
) -> None:
    alert = next(each for each in ALERTS if each.name == fault.alert)
    night.log_in()
    well = night.look()
    assert_all_say(well, [], "yes")
    with capture_logs() as log, fault.make(night):
        seen = night.look()
        assert_all_say(seen, [fault.code], login_of(fault, night))
        wait_for(lambda: fault.event in loud(log), MINUTE, "the line of the log")
        night.clock.advance(60 * (alert.minutes + 1))
        still = night.clock(), night.metrics()
    over = night.look()
    assert_all_say(over, [], "yes")
    pages = [(well.at, well.metrics), (seen.at, seen.metrics), still, (over.at, over.metrics)]
    fires(alert, pages, tmp_path / "play.yml")


def loud(log: list[Any]) -> set[str]:
    """The errors and warnings."""
    return {line["event"] for line in log if line["log_level"] in ("error", "warning")}


def login_of(fault: Fault, night: Night) -> str:
    """A full disk keeps people out where the database lies on it."""
    return "yes" if fault.code == "disk_full" and night.mariadb else fault.login


def assert_all_say(seen: Seen, findings: list[str], login: str) -> None:
    """The status of `/readyz` is that of a process that is well, all the time."""
    assert (seen.codes, codes(seen.ready), seen.counted) == (findings, findings, findings)
    assert (seen.judged["login"], seen.ready["login"], seen.exit_code) == (login, login, login == "no")
    assert seen.ready_status == 200
    assert seen.ready["said"] in seen.console
    verdicts = re.findall(r'class="verdict is-\w+">\w+</span> <b>(.*?)</b>', seen.console)
    assert verdicts == [finding["said"] for finding in seen.judged["findings"]]


# --- The alert, on what /metrics said


def fires(alert: Alert, pages: list[tuple[float, list[Sample]]], file: Path) -> None:
    """Not before the fault, in its declared time, and not when all is well again."""
    begin = pages[0][0] - 60
    minutes = [math.ceil((at - begin) / 60) for at, _page in pages]
    asked = set(re.findall(r"messenger_\w+", alert.expr))
    told = [
        {named(each): value_at(each, begin) for each in page if each.name in asked} for _at, page in pages
    ]
    shown = [told[bisect(minutes, minute) - 1] if minute else {} for minute in range(minutes[-1] + 2)]
    series = [
        {"series": name, "values": " ".join(str(each.get(name, "stale")) for each in shown)}
        for name in sorted({name for each in told for name in each})
    ]
    moments = [(minutes[1] - 1, 0), (minutes[1] + alert.minutes, 1), (minutes[-1] + 1, 0)]
    expr = f'count(ALERTS{{alertname="{alert.name}", alertstate="firing"}}) > bool 0'
    played = {
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [
            {
                "expr": expr,
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": "{}", "value": 1}] * firing,
            }
            for minute, firing in moments
        ],
    }
    whole = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [played]}
    file.write_text(json.dumps(whole))
    promtool("test", "rules", file)


def named(sample: Sample) -> str:
    labels = ",".join(f'{name}="{value}"' for name, value in sample.labels)
    return f"{sample.name}{{{labels}}}"


def value_at(sample: Sample, begin: float) -> float:
    """promtool's time begins at 0."""
    return sample.value - begin if sample.name.endswith("_last_timestamp_seconds") else sample.value

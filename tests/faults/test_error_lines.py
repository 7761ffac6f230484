"""What the log says in capitals: with what to do, and once a minute however many requests meet it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from messenger_api import clients
from messenger_api.domain.errors import TryLater
from messenger_api.domain.health.findings import BREACHED
from messenger_api.services.sms import delivery
from messenger_api.storage import complaints, facts
from messenger_api.throttle import Throttle
from tests.faults.test_judged import ANA, Dead, made
from tests.media.test_file_store import full_disk
from tests.product import APPID, Product

NUMBERS = [ANA, "4915187654321", "4917612345678"]


@pytest.fixture(autouse=True)
def told_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another test made the log say, it has not said here."""
    for module in (clients, delivery, complaints):
        monkeypatch.setattr(module, "_seldom", Throttle())


def errors(work: Callable[[], object]) -> list[dict[str, Any]]:
    """The errors that the log has when this was done three times."""
    with capture_logs() as lines:
        for _ in range(3):
            work()
    return [dict(line) for line in lines if line["log_level"] == "error"]


@pytest.mark.parametrize(
    ("error", "to_do"), [("AUTHFAIL", "check MESIBO_APP_TOKEN and MESIBO_API_URL"), ("TOKENBREACH", BREACHED)]
)
def test_an_app_token_that_is_refused(tmp_path: Path, error: str, to_do: str) -> None:
    product = Product(f"sqlite:///{tmp_path / 'a.sqlite3'}", tmp_path)
    product.sandbox.faults.add("useradd", error=error)
    product.ok("login", phone=ANA, appid=APPID)
    [told] = errors(lambda: product.call("login", phone=ANA, appid=APPID, otp=product.code(ANA)))
    assert (told["event"], told["error"], told["to_do"]) == ("mesibo.app_token_refused", error, to_do)
    product.close()


def test_no_provider_that_takes_texts(tmp_path: Path) -> None:
    paid = {"sms_providers": [f"{Dead.__module__}.Dead"], "sms_countries": ["DE"]}
    product = Product(f"sqlite:///{tmp_path / 'a.sqlite3'}", tmp_path, **paid)
    numbers = iter(NUMBERS)
    [told] = errors(lambda: product.call("login", phone=next(numbers), appid=APPID))
    assert (told["event"], told["reason"]) == ("sms.no_provider", "dead: no money")
    assert "messenger-api check" in told["to_do"]
    product.close()


def test_a_database_on_a_full_disk_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "full.sqlite3"
    product = made(f"sqlite:///{path}", tmp_path)
    database = product.services.database

    def write() -> None:
        with pytest.raises(TryLater), full_disk():
            database.run(lambda tx: facts.write(tx, "probe", "x"))

    [told] = errors(write)
    assert (told["event"], told["to_do"]) == ("database.failed", f"make room on the disk of {path}")
    product.close()


def test_each_reason_is_told_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    product = made(f"sqlite:///{path}", tmp_path)
    database = product.services.database

    def write() -> None:
        with pytest.raises(TryLater), full_disk():
            database.run(lambda tx: facts.write(tx, "probe", "x"))
        with pytest.raises(TryLater):
            database.run(lambda tx: tx.exec_driver_sql("SELECT * FROM nowhere").all())

    assert [line["to_do"] for line in errors(write)] == [
        f"make room on the disk of {path}",
        "messenger-api check",
    ]
    product.close()

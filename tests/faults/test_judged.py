"""One judgement wherever it is looked at: `/readyz`, doctor and `/metrics` say what `status` says."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text as sql

from messenger_api.app import create_app, parts_of
from messenger_api.cli.doctor.judged import log_ins, of_area
from messenger_api.domain.health.findings import KNOWN, NEWER_TO_DO
from messenger_api.gateways.login import Denied, LoginMethod, Person, Unavailable
from messenger_api.gateways.mesibo import MesiboUnreachable
from messenger_api.gateways.sms import SmsProvider, SmsUnavailable, TextMessage
from messenger_api.services.operator.judgement import FRESH_SECONDS
from messenger_api.settings import Settings
from tests.media.test_file_store import full_disk
from tests.product import APPID, Product
from tests.servers import MariaDB

ANA = "4915112345678"
AWAY = {"X-Forwarded-For": "203.0.113.7"}


class Dead(SmsProvider):
    """Takes no text; named by its dotted path."""

    name = "dead"
    asked: ClassVar[int] = 0

    def __init__(self, _settings: Settings) -> None: ...

    def _deliver(self, message: TextMessage) -> str:
        raise SmsUnavailable("dead", "no money", not_sent=True)


class Directory(LoginMethod):
    """Takes every secret, when it is there; named by its dotted path."""

    is_away: ClassVar[bool] = False

    def _authenticate(self, address: str, secret: str) -> Person:
        if self.is_away:
            raise Unavailable("does not answer")
        if secret == "wrong":
            raise Denied
        return Person(address)


def made(uri: str, folder: Path, **settings: object) -> Product:
    """A product whose tables say that they are of this version."""
    product = Product(uri, folder, **settings)
    with product.services.database.engine.begin() as connection:
        connection.execute(sql("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        newest = {"newest": product.parts.schema.newest}
        connection.execute(sql("INSERT INTO alembic_version VALUES (:newest)"), newest)
    return product


@pytest.fixture
def night(database_uri: str, tmp_path: Path) -> Iterator[Product]:
    """A product whose texts cost money, and no provider takes any."""
    paid = {"sms_providers": ["tests.faults.test_judged.Dead"], "sms_countries": ["DE"]}
    product = made(database_uri, tmp_path, **paid)
    yield product
    product.close()


def spend_all(product: Product) -> None:
    day = time.strftime("sms_budget_day:%Y-%m-%d", time.gmtime(product.clock()))
    with product.services.database.engine.begin() as connection:
        connection.execute(sql("DELETE FROM limit_counters WHERE name = :name"), {"name": day})
        connection.execute(
            sql("INSERT INTO limit_counters (name, slots, expires_at) VALUES (:name, '25000000', :until)"),
            {"name": day, "until": int(product.clock()) + 86_400},
        )


def ready(product: Product, **headers: str) -> tuple[int, dict[str, Any]]:
    """The status and body of `/readyz`, with a judgement that is not the last one's."""
    product.clock.advance(FRESH_SECONDS)
    answer = product.http.get("/readyz", headers=headers)
    return answer.status_code, answer.get_json()


def codes(body: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in body["findings"]}


def fail_everywhere(product: Product) -> None:
    """mesibo away, texts failing, and the money gone."""
    assert product.call("login", phone=ANA, appid=APPID)["error"] == "TRYLATER"
    product.sandbox.faults.add("*", drop=True)
    with pytest.raises(MesiboUnreachable):
        product.services.mesibo.make_user(ANA)
    spend_all(product)
    assert product.parts.bookkeeper.keep()


def test_a_neighbours_fault_takes_no_machine_out(night: Product) -> None:
    fail_everywhere(night)
    status, body = ready(night)
    assert (status, body["status"], body["login"]) == (200, "ok", "no")
    assert codes(body) == {"mesibo_away", "texts_fail", "budget_spent"}
    assert body["said"] == "People cannot log in."


def test_strangers_are_told_no_amount_no_name_and_nothing_to_do(night: Product) -> None:
    fail_everywhere(night)
    own, strange = ready(night)[1], ready(night, **AWAY)[1]
    assert codes(own) == codes(strange)
    assert "25.00" in str(own)
    assert all(set(finding) == {"code", "severity", "said"} for finding in strange["findings"])
    assert not re.search(r"\d|dead|SMS_|/", str(strange["findings"]))


def test_the_doctor_and_the_figures_say_the_same(night: Product) -> None:
    fail_everywhere(night)
    found = codes(ready(night)[1])
    settings, parts = night.services.settings, night.parts
    told = [*log_ins(settings, parts), *of_area("texts", settings, parts)]
    assert {code for code in KNOWN if any(KNOWN[code].said in what for _, what, _ in told)} == found
    samples = {
        (sample.name, sample.labels.get("code", "")): sample.value
        for family in text_string_to_metric_families(night.http.get("/metrics").text)
        for sample in family.samples
    }
    assert samples["messenger_login_possible", ""] == 0
    assert {code for code in KNOWN if samples["messenger_findings", code]} == found


def test_the_all_clear_comes_by_itself(night: Product) -> None:
    fail_everywhere(night)
    night.sandbox.faults.clear()
    night.clock.advance(2)
    night.services.mesibo.make_user(ANA)
    assert night.parts.bookkeeper.keep()
    assert codes(ready(night)[1]) == {"texts_fail", "budget_spent"}
    night.clock.advance(24 * 3600)
    assert ready(night)[1]["login"] == "yes"


def test_a_directory_that_is_away_keeps_all_out_and_a_wrong_secret_nobody(
    database_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = made(database_uri, tmp_path, login_method="tests.faults.test_judged.Directory")

    def enter(secret: str) -> str:
        product.clock.advance(2)
        answer = product.call("login", phone="ana@example.com", appid=APPID, otp=secret)
        assert product.parts.bookkeeper.keep()
        return str(answer.get("error", "OK"))

    assert enter("wrong") == "BADCODE"
    assert codes(ready(product)[1]) == set()
    monkeypatch.setattr(Directory, "is_away", True)
    assert enter("right") == "TRYLATER"
    body = ready(product)[1]
    assert (body["login"], codes(body)) == ("no", {"method_away"})
    monkeypatch.setattr(Directory, "is_away", False)
    assert enter("right") == "OK"
    assert ready(product)[1]["login"] == "yes"
    product.close()


def test_between_two_looks_the_database_is_not_asked_again(night: Product) -> None:
    first = night.parts.judge.recent()
    with night.statements() as seen:
        assert night.parts.judge.recent() is first
    assert seen == []


def test_a_disk_that_is_full_is_told_with_its_folder(
    night: Product, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Usage:
        free = 1024**2
        total = 1024**3

    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: Usage)
    body = ready(night)[1]
    assert codes(body) == {"disk_full"}
    assert str(tmp_path) in body["findings"][0]["detail"]
    assert body["login"] == ("no" if night.services.settings.is_sqlite else "yes")
    Usage.free = 100 * 1024**2
    assert codes(ready(night)[1]) == {"disk_nearly_full"}


def test_a_database_whose_disk_is_full_takes_no_writes(tmp_path: Path) -> None:
    product = made(f"sqlite:///{tmp_path / 'full.sqlite3'}", tmp_path)
    assert ready(product)[1]["findings"] == []
    with full_disk():
        status, body = ready(product)
    assert (status, body["login"], codes(body)) == (200, "no", {"database_read_only"})
    assert ready(product)[1]["login"] == "yes"
    product.close()


@pytest.mark.parametrize(
    ("revision", "to_do"), [("0001", "run messenger-api db upgrade"), ("9999", NEWER_TO_DO)]
)
def test_what_to_do_about_other_tables_depends_on_which_are_newer(
    night: Product, revision: str, to_do: str
) -> None:
    with night.services.database.engine.begin() as connection:
        connection.execute(sql("UPDATE alembic_version SET version_num = :it"), {"it": revision})
    status, body = ready(night)
    assert (status, body["schema"]) == (503, to_do)
    assert [finding["to_do"] for finding in body["findings"]] == [to_do]


@pytest.mark.server
def test_the_log_of_a_start_says_the_same_of_newer_tables(
    mariadb: MariaDB, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mariadb.create_database("newer")
    product = made(mariadb.uri("newer"), tmp_path)
    with product.services.database.engine.begin() as connection:
        connection.execute(sql("UPDATE alembic_version SET version_num = '9999'"))
    product.close()
    parts_of(create_app(product.parts.settings)).close()
    [line] = [line for line in capsys.readouterr().err.splitlines() if "schema.old" in line]
    assert NEWER_TO_DO in line
    mariadb.drop_database("newer")


@pytest.mark.server
def test_a_database_that_may_only_be_read_is_told_and_keeps_its_machines(tmp_path: Path) -> None:
    with MariaDB() as server:
        server.create_database("messenger")
        server.query("CREATE USER app IDENTIFIED BY 'app'")
        server.query("GRANT ALL ON messenger.* TO app")
        uri = f"mysql+pymysql://app:app@127.0.0.1:{server.port}/messenger?charset=utf8mb4"
        product = made(uri, tmp_path)
        server.query("SET GLOBAL read_only = 1")
        status, body = ready(product)
        assert (status, body["login"], codes(body)) == (200, "no", {"database_read_only"})
        server.query("SET GLOBAL read_only = 0")
        assert ready(product)[1]["login"] == "yes"
        server.kill()
        status, body = ready(product)
        assert (status, body["database"], codes(body)) == (503, "unavailable", {"database_away"})
        product.close()

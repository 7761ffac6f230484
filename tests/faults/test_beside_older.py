"""Servers of older versions go on beside this one on one database, workers included: all tell the truth."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import NullPool, create_engine

from tests.faults.outside import Mesibo
from tests.processes import LOOPBACK, ServerProcess, free_port, wait_for
from tests.product import jpeg
from tests.servers import ROOT
from tests.tasks import every_task

pytestmark = pytest.mark.server

# The last version before this issue, and the last one whose groups have no list ready for syncs.
BEFORE, WITHOUT_ROSTERS = "41d1c62", "e0f6d52"
APPID = "com.example.messenger"
CODE = "135790"
ANA, BEN, CAT, DAN = "14155550101", "14155550102", "14155550103", "14155550104"


def unpacked(commit: str, folder: Path) -> Path:
    """That version of this program, out of the repository's history."""
    made = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    assert made.returncode == 0, f"the history lacks {commit}: fetch all of it (git fetch --unshallow)"
    with tarfile.open(fileobj=io.BytesIO(made.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


class Side:
    """A server of one version."""

    def __init__(self, code: Path, folder: Path, environment: dict[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self._code, self._folder = code, folder
        self._environment = {
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(code),
            "PYTHONUNBUFFERED": "1",
            **environment,
        }

    def command(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "messenger_api", *arguments],
            cwd=self._folder,
            env=self._environment,
            check=True,
            capture_output=True,
        )

    @contextmanager
    def serving(self) -> Iterator[None]:
        process = ServerProcess(
            [sys.executable, "-m", "messenger_api", "serve", "--port", str(self.port)],
            self._folder / f"{self.port}.log",
            orphan_signal="TERM",
            cwd=self._folder,
            environment=self._environment,
        )
        try:
            process.wait_until(self.is_ready)
            yield
        finally:
            process.stop()

    def is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/healthz", timeout=5).ok
        except requests.ConnectionError:
            return False

    def call(self, op: str, files: Any = None, **fields: object) -> dict[str, Any]:
        data = {"op": op, **fields}
        answer = requests.post(f"{self.url}/api.php", data=data, files=files, timeout=60).json()
        assert answer["result"] in ("OK", True), answer
        return dict(answer)

    def groups(self, token: str) -> dict[str, str]:
        """Members by gid, as a sync tells them."""
        entries = self.call("getcontacts", token=token, ts=0)["contacts"]
        return {entry["gid"]: entry["members"] for entry in entries if entry["gid"] != "0"}

    def names(self, token: str) -> dict[str, str]:
        entries = self.call("getcontacts", token=token, ts=0)["contacts"]
        return {entry["phone"]: entry["name"] for entry in entries if entry["gid"] == "0"}


@pytest.fixture
def mesibo(tmp_path: Path) -> Iterator[Mesibo]:
    """One for all versions, which would not read each other's."""
    mesibo = Mesibo(tmp_path)
    mesibo.up()
    yield mesibo
    mesibo.down()
    mesibo.store.close()


@pytest.mark.parametrize("commit", [BEFORE, WITHOUT_ROSTERS])
def test_an_older_server_goes_on_beside_this_one(
    commit: str, database_uri: str, tmp_path: Path, mesibo: Mesibo
) -> None:
    environment = {
        "MESSENGER_SQLALCHEMY_DATABASE_URI": database_uri,
        "MESSENGER_SECRET_KEY": "one key for both of them, long enough",
        "MESSENGER_MESIBO_API_URL": mesibo.url,
        "MESSENGER_MESIBO_APP_TOKEN": "sandbox",
        "MESSENGER_OTP_TEST_NUMBERS": json.dumps(dict.fromkeys((ANA, BEN, CAT, DAN), CODE)),
        "MESSENGER_OTP_TEST_NUMBERS_UNTIL": "2099-12-31",
        "MESSENGER_LIMITS": "off",
        "MESSENGER_INSTANCE_PATH": str(tmp_path / "instance"),
        "MESSENGER_FILES_PATH": str(tmp_path / "files"),
        "MESSENGER_FILES_TN_PATH": str(tmp_path / "files" / "tn"),
    }
    old = Side(unpacked(commit, tmp_path / "old"), tmp_path, environment)
    new = Side(ROOT, tmp_path, environment)
    engine = create_engine(database_uri, poolclass=NullPool)

    def log_in(asked: Side, entered: Side, number: str, name: str) -> str:
        asked.call("login", phone=number, appid=APPID, name=name)
        return str(entered.call("login", phone=number, appid=APPID, name=name, otp=CODE)["token"])

    def outbox(state: int) -> int:
        with engine.connect() as tx:
            return int(tx.exec_driver_sql(f"SELECT count(*) FROM outbox WHERE state = {state}").scalar_one())

    with ExitStack() as running:
        old.command("db", "upgrade")
        running.enter_context(old.serving())
        ana = log_in(old, old, ANA, "Ana")
        before = old.call("setgroup", token=ana, gid=0, name="Before", m="")["gid"]
        new.command("db", "upgrade")
        running.enter_context(new.serving())
        sides = (old, new)

        # Codes and sessions, across.
        ben, cat, dan = (
            log_in(old, new, BEN, "Ben"),
            log_in(new, old, CAT, "Cat"),
            log_in(new, new, DAN, "Dan"),
        )
        for side, token in ((old, ben), (new, cat), (old, dan)):
            side.call("getcontacts", token=token, phones=ANA)
        new.call("getcontacts", token=ana, phones=f"{BEN},{CAT},{DAN}")

        # Groups, edited on either side.
        old.call("editmembers", token=ana, gid=before, m=BEN)
        group = new.call("setgroup", token=ana, gid=0, name="Hike", m=BEN)["gid"]
        steps: list[Callable[[], Any]] = [
            lambda: old.call("editmembers", token=ana, gid=group, m=CAT),
            lambda: new.call("editmembers", token=ana, gid=group, m=DAN),
            lambda: old.call("setadmin", token=ana, gid=group, m=DAN, admin=1),
            lambda: old.call("editmembers", token=ana, gid=group, m=BEN, delete=1),
            lambda: new.call("editmembers", token=ana, gid=group, m=BEN),
            lambda: old.call("delgroup", token=cat, gid=group),
        ]
        expected = [
            f"1:{ANA},{BEN},{CAT}",
            f"1:{ANA},{BEN},{CAT},{DAN}",
            f"2:{ANA},{DAN},{BEN},{CAT}",
            f"2:{ANA},{DAN},{CAT}",
            f"2:{ANA},{DAN},{CAT},{BEN}",
            f"2:{ANA},{DAN},{BEN}",
        ]
        for step, members in zip(steps, expected, strict=True):
            step()
            for side in sides:
                assert side.call("getgroup", token=ana, gid=group)["members"] == members
                assert side.groups(ana)[str(group)] == members
        assert new.groups(ana)[str(before)] == f"1:{ANA},{BEN}"

        # Profiles and photos.
        for side, other in ((old, new), (new, old)):
            side.call("profile", token=ben, name=f"Ben by {side.port}")
            wait_for(lambda: other.names(ana)[BEN] == f"Ben by {side.port}", 15, "the name")  # noqa: B023
            photo = side.call("upload", {"photo": ("a.jpg", jpeg())}, token=ben, profile=1)["photo"]
            assert requests.get(f"{other.url}/files/{photo}", timeout=10).ok

        # What follows, done by whichever worker, and none of it given up.
        wait_for(lambda: outbox(0) == 0, 60, "an empty outbox")
        assert outbox(1) == 0
        told = [message.text for message in mesibo.store.messages(500)]
        for side in sides:
            assert any(f"Ben by {side.port}" in text for text in told)
    engine.dispose()


def test_this_version_queues_nothing_that_the_one_before_does_not_know(tmp_path: Path) -> None:
    """It would take it for broken, and make it dead."""
    sources = unpacked(BEFORE, tmp_path / "old") / "messenger_api" / "services"
    texts = [(sources / f"{name}.py").read_text() for name in ("worker", "departures")]
    before = {kind for text in texts for kind in re.findall(r'^ +"([a-z_]+)": Kind', text, re.MULTILINE)}
    assert len(before) > 6
    assert {task.kind for task in every_task()} <= before

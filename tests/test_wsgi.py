"""The application as other WSGI servers load it."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from messenger_api.app import create_app, parts_of
from messenger_api.settings import SettingsError


@pytest.fixture(autouse=True)
def a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "messenger_api.wsgi", raising=False)


def test_the_sandbox_is_not_shown_by_a_server_whose_address_nobody_knows() -> None:
    with pytest.raises(SettingsError, match="MESIBO_APP_TOKEN"):
        importlib.import_module("messenger_api.wsgi")


def test_it_answers_and_runs_the_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESSENGER_SANDBOX", "true")
    parts_of(create_app()).close()

    application = importlib.import_module("messenger_api.wsgi").application

    try:
        assert application.test_client().get("/api.php").data == b'{"code": "NOOP", "result": "FAIL"}'
    finally:
        parts_of(application).close()


# What Flask's extensions for databases load, and Twilio's library.
SPARED = {"alembic", "flask_migrate", "flask_sqlalchemy", "sqlalchemy.orm", "twilio"}


@pytest.mark.server
def test_what_serve_builds_loads_neither_alembic_nor_the_mapper_of_objects() -> None:
    script = "import sys, messenger_api.app; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert "flask" in loaded
    assert not SPARED & loaded


@pytest.mark.server
def test_flask_db_knows_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESSENGER_SANDBOX", "true")
    command = [sys.executable, "-m", "flask", "--app", "messenger_api", "db", "current"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.endswith("(head)\n")

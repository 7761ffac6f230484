"""/playground is there with the sandbox alone, and for whom the sandbox is."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from messenger_api import configuration
from messenger_api.app import build_app, parts_of

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
THROUGH_A_PROXY = {"X-Forwarded-For": "198.51.100.7"}


def client(folder: Path, **settings: object) -> FlaskClient:
    uri = f"sqlite:///{folder / 'messenger.sqlite3'}"
    app = build_app(configuration.build(sqlalchemy_database_uri=uri, instance_path=str(folder), **settings))
    parts_of(app).close()
    return app.test_client()


@pytest.mark.parametrize("sandbox", ["local", True])
def test_it_is_there_with_the_sandbox_and_keeps_its_policy(tmp_path: Path, sandbox: object) -> None:
    found = client(tmp_path, sandbox=sandbox).get("/playground")
    assert (found.status_code, found.mimetype) == (200, "text/html")
    assert found.headers["Content-Security-Policy"] == POLICY
    assert "<style" not in found.text
    assert "style=" not in found.text


def test_without_the_sandbox_there_is_nothing(tmp_path: Path) -> None:
    assert (
        client(tmp_path, mesibo_app_token="t", sms_providers=("console",)).get("/playground").status_code
        == 404
    )


@pytest.mark.parametrize(("sandbox", "status"), [("local", 403), (True, 200)])
def test_it_is_answered_to_whom_the_sandbox_is(tmp_path: Path, sandbox: object, status: int) -> None:
    asking = client(tmp_path, sandbox=sandbox)
    for path in ("/playground", "/sandbox"):
        assert asking.get(path, headers=THROUGH_A_PROXY).status_code == status, path

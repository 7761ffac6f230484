"""/playground is there with the sandbox alone, and for whom the sandbox is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
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


Asking = Callable[..., FlaskClient]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Asking]:
    """Asks a product with the given keys."""
    with ExitStack() as built:

        def of(**settings: object) -> FlaskClient:
            uri = f"sqlite:///{tmp_path / 'messenger.sqlite3'}"
            keys = {"sqlalchemy_database_uri": uri, "instance_path": str(tmp_path), **settings}
            app = build_app(configuration.build(**keys))
            built.callback(parts_of(app).close)
            return app.test_client()

        yield of


@pytest.mark.parametrize("sandbox", ["local", True])
def test_it_is_there_with_the_sandbox_and_keeps_its_policy(client: Asking, sandbox: object) -> None:
    found = client(sandbox=sandbox).get("/playground")
    assert (found.status_code, found.mimetype) == (200, "text/html")
    assert found.headers["Content-Security-Policy"] == POLICY
    assert "<style" not in found.text
    assert "style=" not in found.text


def test_without_the_sandbox_there_is_nothing(client: Asking) -> None:
    assert client(mesibo_app_token="t", sms_providers=("console",)).get("/playground").status_code == 404


@pytest.mark.parametrize(("sandbox", "status"), [("local", 403), (True, 200)])
def test_it_is_answered_to_whom_the_sandbox_is(client: Asking, sandbox: object, status: int) -> None:
    asking = client(sandbox=sandbox)
    for path in ("/playground", "/sandbox"):
        assert asking.get(path, headers=THROUGH_A_PROXY).status_code == status, path

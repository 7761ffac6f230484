"""The pages of login methods: their configurations are accepted. A login method of one's own works."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from messenger_api.configuration import build
from messenger_api.gateways.keys.login_methods import METHODS
from messenger_api.gateways.login import Denied, LoginMethod, Person, Unavailable, method_from_settings
from tests.login.people import PASSWORD, people_service
from tests.login.standins import assert_hidden
from tests.processes import free_port
from tests.servers import ROOT

PAGES = [path.read_text() for path in sorted((ROOT / "docs" / "do").glob("login-*.md"))]
BLOCKS = re.findall(r"^```python\n(.*?)^```", "\n".join(PAGES), re.MULTILINE | re.DOTALL)
CONFIGURATIONS = [block for block in BLOCKS if "LOGIN_METHOD =" in block]
EXAMPLE = (ROOT / "docs" / "examples" / "own_login_method.py").read_text()
NAME = "anastasia"


def keys_of(configuration: str) -> dict[str, object]:
    found: dict[str, object] = {}
    exec(configuration, {}, found)
    return {key.lower(): value for key, value in found.items()}


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_each_configuration_is_accepted_as_it_stands(configuration: str) -> None:
    keys = keys_of(configuration)
    settings = build(**keys)
    assert settings.login_method in METHODS.accepted
    method = method_from_settings(settings)
    assert method is None or method.name == settings.login_method


def test_every_method_has_its_configuration() -> None:
    shown = {keys_of(configuration)["login_method"] for configuration in CONFIGURATIONS}
    assert shown == set(METHODS.accepted)


# --- The example, against a people service over real HTTP


@pytest.fixture
def service() -> Iterator[str]:
    with people_service() as url:
        yield url


@pytest.fixture
def company(tmp_path: Path, service: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoginMethod]:
    (tmp_path / "own_login_method.py").write_text(EXAMPLE)
    monkeypatch.syspath_prepend(tmp_path)
    method = method_from_settings(
        build(login_method="own_login_method.CompanyLogin", people_service_url=service, login_timeout=2)
    )
    assert isinstance(method, LoginMethod)
    yield method
    method.close()
    sys.modules.pop("own_login_method")


def test_the_pages_class_lets_in_whom_the_service_knows(company: LoginMethod) -> None:
    company.check()
    assert company.read(" Ana ") == "ana"
    assert company.authenticate("ana", PASSWORD) == Person("ana", "Ana Lee")


@pytest.mark.parametrize(("address", "failure"), [("ben", Denied), ("broken", Unavailable)])
def test_the_pages_class_tells_a_no_from_a_fault(
    company: LoginMethod, address: str, failure: type[Denied | Unavailable]
) -> None:
    with pytest.raises(failure):
        company.authenticate(address, PASSWORD)


def test_the_pages_class_leaks_nothing_when_the_service_is_away(
    company: LoginMethod, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company, "url", f"http://127.0.0.1:{free_port()}")
    with capture_logs() as events, pytest.raises(Unavailable) as caught:
        company.authenticate(NAME, PASSWORD)
    assert_hidden(caught.value, events, NAME, PASSWORD)

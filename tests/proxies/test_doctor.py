"""The doctor asks through PUBLIC_URL, and finds a proxy that hands over what a client wrote, or nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from messenger_api.cli.doctor.proxy import proxy_verdict
from messenger_api.cli.doctor.verdicts import Verdict
from messenger_api.configuration import build
from tests.proxies.conftest import HEADER, KEY, Serving
from tests.proxies.fronts import Certificates, Change, Front
from tests.servers import LOOPBACK, free_port

pytestmark = pytest.mark.server

NO_DELETION = {
    "caddy": ("\trequest_header -*_*\n", ""),
    "nginx": ("underscores_in_headers off;\n    proxy_http", "underscores_in_headers on;\n    proxy_http"),
    # HAProxy writes its own line last, which is the one that counts here.
}
NO_HEADER = {
    "caddy": ("\t\tbuffer_requests\n", f"\t\theader_up -{HEADER}\n\t\tbuffer_requests\n"),
    "nginx": (f"{HEADER} $remote_addr", f'{HEADER} ""'),
    "haproxy": (f"    http-request add-header {HEADER} %[src]\n", ""),
}
NAMES = sorted(NO_HEADER)


@pytest.fixture
def verdict(
    serving: Serving,
    front: Callable[..., Front],
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Verdict]:
    """What the doctor says of the product behind a proxy of which some lines were changed."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))

    def examined(name: str, *changes: Change, hops: int = 1, key: str = KEY) -> Verdict:
        url = f"https://{LOOPBACK}:{front(name, serving(hops).port, *changes).port}"
        settings = build(trusted_proxy_hops=hops, public_url=url, secret_key=key)
        return proxy_verdict(settings, key, lambda _: False)

    return examined


@pytest.mark.parametrize("name", NAMES)
def test_the_files_of_deploy_are_well(verdict: Callable[..., Verdict], name: str) -> None:
    state, found, to_do = verdict(name)
    assert (state, to_do) == ("ok", ""), found


@pytest.mark.parametrize("name", NO_DELETION)
def test_a_proxy_that_lets_underscores_through_is_found(verdict: Callable[..., Verdict], name: str) -> None:
    state, found, to_do = verdict(name, NO_DELETION[name])
    assert state == "fault"
    assert "X_Forwarded" in found or "Forwarded_For" in found
    assert "deploy/" in to_do


@pytest.mark.parametrize("name", NAMES)
def test_a_proxy_that_sends_no_header_is_found(verdict: Callable[..., Verdict], name: str) -> None:
    state, found, to_do = verdict(name, NO_HEADER[name])
    assert (state, HEADER in found, LOOPBACK in found, HEADER in to_do) == ("fault", True, True, True)


def test_more_hops_than_proxies_are_found(verdict: Callable[..., Verdict]) -> None:
    appending = ("X-Forwarded-For $remote_addr", "X-Forwarded-For $proxy_add_x_forwarded_for")
    state, _, to_do = verdict("nginx", appending, hops=2)
    assert (state, "TRUSTED_PROXY_HOPS" in to_do) == ("fault", True)


def test_a_stranger_who_asks_learns_nothing(verdict: Callable[..., Verdict]) -> None:
    state, found, _ = verdict("nginx", key="f" * 64)
    assert (state, "SECRET_KEY" in found) == ("warning", True)


@pytest.mark.parametrize("name", NAMES)
def test_a_proxy_without_a_server_behind_it_is_a_fault(
    front: Callable[..., Front], certificates: Certificates, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
    url = f"https://{LOOPBACK}:{front(name, free_port()).port}"
    state, found, to_do = proxy_verdict(build(trusted_proxy_hops=1, public_url=url), KEY, lambda _: False)
    assert (state, url in found, "reaches no server" in found) == ("fault", True, True)
    assert "systemctl status messenger-api" in to_do


def test_a_server_that_cannot_be_reached_is_said() -> None:
    url = f"https://{LOOPBACK}:{free_port()}"
    state, found, _ = proxy_verdict(build(trusted_proxy_hops=1, public_url=url), KEY, lambda _: False)
    assert (state, url in found) == ("warning", True)

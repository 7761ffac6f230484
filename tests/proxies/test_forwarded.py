"""The address that a proxy was asked for is read out of its headers as Werkzeug's ProxyFix reads it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.middleware.proxy_fix import ProxyFix

from messenger_api.configuration import build
from messenger_api.transport.proxies import trust_proxies

ASKED = ("wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT")
OURS = {
    "REQUEST_METHOD": "POST",
    "REMOTE_ADDR": "127.0.0.1",
    "HTTP_X_FORWARDED_FOR": "203.0.113.7, 203.0.113.8, 203.0.113.9",
    "wsgi.url_scheme": "http",
    "HTTP_HOST": "127.0.0.1:8080",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "8080",
}
ENTRIES = st.sampled_from(
    ["https", "http", "a.example", "a.example:8443", "[2001:db8::7]", "[2001:db8::7]:8443", "2001:db8::7"]
)
SPELLED = (
    ENTRIES
    | st.sampled_from(["", " ", '"', '"a.example"', '"a,b"', "\\", ":", "a:b:c"])
    | st.text(max_size=9)
)
HEADERS = st.none() | st.lists(SPELLED, max_size=4).map(",".join)


class Application:
    """Keeps what it was called with."""

    environ: dict[str, Any]

    def __call__(self, environ: dict[str, Any], _start: object) -> Iterable[bytes]:
        self.environ = environ
        return ()


def asked(front: Any, application: Application, proto: str | None, host: str | None) -> dict[str, str]:
    """What the application sees behind `front` of the address."""
    told = {"HTTP_X_FORWARDED_PROTO": proto, "HTTP_X_FORWARDED_HOST": host}
    front({**OURS, **{name: value for name, value in told.items() if value is not None}}, None)
    return {name: application.environ[name] for name in ASKED}


@pytest.mark.parametrize("hops", [1, 2, 3])
@given(proto=HEADERS, host=HEADERS)
def test_scheme_and_host_are_those_that_werkzeug_would_read(
    hops: int, proto: str | None, host: str | None
) -> None:
    application = Application()
    ours = trust_proxies(application, build(trusted_proxy_hops=hops), None)  # type: ignore[arg-type]
    werkzeugs = ProxyFix(application, x_for=0, x_proto=hops, x_host=hops)
    found = [asked(each, application, proto, host) for each in (ours, werkzeugs)]
    assert found[0] == found[1]


def test_behind_a_proxy_the_address_is_that_of_the_phone() -> None:
    application = Application()
    front = trust_proxies(application, build(trusted_proxy_hops=1), None)  # type: ignore[arg-type]
    assert asked(front, application, "https", "a.example:8443") == {
        "wsgi.url_scheme": "https",
        "HTTP_HOST": "a.example:8443",
        "SERVER_NAME": "a.example",
        "SERVER_PORT": "8443",
    }
    assert application.environ["REMOTE_ADDR"] == "203.0.113.9"

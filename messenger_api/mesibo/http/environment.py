"""What the environment says of the way to a server: proxies, and whom certificates are believed from."""

from __future__ import annotations

import os
import ssl
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import getproxies, proxy_bypass

from urllib3 import PoolManager, ProxyManager
from urllib3.util import Url, make_headers, parse_url

try:
    from certifi import where
except ImportError:  # then the system's are believed
    BUNDLED = ""
else:
    BUNDLED = where()


class Way(NamedTuple):
    """By which proxy, believing the authorities of which file or folder; "" for none and for the system's."""

    proxy: str
    authorities: str


def way_to(url: Url) -> Way:
    """The way that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY and REQUESTS_CA_BUNDLE name."""
    named = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    return Way(_proxy(url), named or BUNDLED)


def pools(way: Way, kept: int) -> PoolManager:
    """Pools of connections that go this way, each keeping so many."""
    options: dict[str, Any] = {"num_pools": 1, "maxsize": kept, "cert_reqs": "CERT_REQUIRED"}
    if way.authorities:
        options["ca_cert_dir" if Path(way.authorities).is_dir() else "ca_certs"] = way.authorities
    if not way.proxy:
        return PoolManager(**options)
    proxy = parse_url(way.proxy)
    headers = make_headers(proxy_basic_auth=proxy.auth) if proxy.auth else None
    return ProxyManager(way.proxy, proxy_headers=headers, **options)


def context(way: Way) -> ssl.SSLContext:
    """What verifies certificates by the authorities of this way. Raises OSError: they cannot be read."""
    if not way.authorities:
        return ssl.create_default_context()
    if Path(way.authorities).is_dir():
        return ssl.create_default_context(capath=way.authorities)
    return ssl.create_default_context(cafile=way.authorities)


def _proxy(url: Url) -> str:
    found = getproxies()
    proxy = found.get(url.scheme or "") or found.get("all") or ""
    if not proxy or proxy_bypass(url.netloc or "") or _is_excepted(url.host or "", found.get("no", "")):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_excepted(host: str, excepted: str) -> bool:
    """Whether one of the networks of NO_PROXY holds the host, of which the standard library knows nothing."""
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    for each in excepted.replace(" ", "").split(","):
        try:
            if address in ip_network(each, strict=False):
                return True
        except ValueError:
            continue
    return False

"""Whom the sandbox answers: it shows everyone's codes, so this machine alone unless more was asked for.

The address that a server listens on says too little: a proxy on the same machine brings the whole internet to
127.0.0.1, and under other servers than ours nobody knows that address. So each request is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from messenger_api.domain.network import is_loopback, network_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Headers that proxies, load balancers and content networks add on the way, by how their names begin in WSGI.
_PROXY_HEADERS = re.compile(
    r"HTTP_(FORWARDED|VIA|FRONT_END_HTTPS|CLIENT_?IP|CDN_|CF_|TRUE_CLIENT|FASTLY_|AKAMAI_|FLY_|SURROGATE_"
    r"|PROXY|MAX_FORWARDS|REMOTE_ADDR|WL_PROXY"
    r"|X_(FORWARDED|FORWARD_|FORWARDER|REAL|CLIENT|CLUSTER|ORIGINAL|ORIGINATING|REMOTE|PROXY|PROXYUSER|ENVOY"
    r"|AMZN|AMZ_CF|CLOUD_TRACE|GOOGLE|APPENGINE|ARR|AZURE|VARNISH|SCHEME|URL_SCHEME|SSL|HTTPS|HOST|COMING"
    r"|EDGE|NGINX|VERCEL|NF_|NGROK|TUNNEL|TRUE)"
    # However else a header is called that names another's address.
    r"|\w*(FORWARDED|CLIENT_?IP|(CONNECTING|REAL|SOURCE|REMOTE|USER)_?IP|REMOTE_?ADDR))"
)
_WITH_PORT = re.compile(r"(\[[0-9a-f:.]+\]|[^:]+)(:[0-9]{1,5})?", re.IGNORECASE)

TO_DO = (
    "the sandbox shows everyone's codes and answers its own machine alone: http://127.0.0.1 and"
    " http://localhost, without a proxy. SANDBOX = True shows it to others; MESIBO_APP_TOKEN ends it"
)


def comes_from_here(environ: WSGIEnvironment, proxy_header: str = "") -> bool:
    """Whether a request comes from a program on this machine that called the server by itself.

    A name in `Host` that is not this machine's is refused too: a web page of somebody else's, whose name was
    made to lead to 127.0.0.1, comes with it. HTTP/1.0 is what nginx speaks to servers behind it.

    Args:
        environ: the request.
        proxy_header: one more header in which a proxy hands over its client's address.
    """
    peer = environ.get("REMOTE_ADDR", "")
    host = _WITH_PORT.fullmatch(environ.get("HTTP_HOST", ""))
    own_header = f"HTTP_{proxy_header.upper().replace('-', '_')}"
    return (
        bool(network_of(peer))  # an address, not a name
        and is_loopback(peer)
        and host is not None
        and is_loopback(host[1])
        and environ.get("SERVER_PROTOCOL") != "HTTP/1.0"
        and own_header not in environ
        and not any(map(_PROXY_HEADERS.match, environ))
    )


def for_own_machine(app: WSGIApplication, refuse: WSGIApplication, proxy_header: str = "") -> WSGIApplication:
    """The same application for requests of this machine; all others are answered by `refuse`."""

    def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked = app if comes_from_here(environ, proxy_header) else refuse
        return asked(environ, start_response)

    return guarded


def refuse_plainly(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """403 with the reason, for people."""
    body = TO_DO.encode() + b"\n"
    start_response(
        "403 Forbidden",
        [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))],
    )
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

"""The keys of operation."""

from __future__ import annotations

import re
from dataclasses import dataclass

from messenger_api.domain.network import network_of
from messenger_api.settings.conversions import (
    Unacceptable,
    Verbatim,
    as_flag,
    as_text,
    as_texts,
    one_of,
    whole_number,
)
from messenger_api.settings.keys import Keys, key


@Verbatim
def as_redis(value: object) -> str:
    """The address of a Redis, or ""."""
    text = as_text(value)
    if text and not text.startswith(("redis://", "rediss://", "unix://")):
        raise Unacceptable('an address such as "redis://127.0.0.1:6379/0"')
    return text


@Verbatim
def as_web_address(value: object) -> str:
    """An address of the web, or ""."""
    text = as_text(value)
    if text and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", text):
        raise Unacceptable('an address such as "http://127.0.0.1:4318"')
    return text


@Verbatim
def as_header(value: object) -> str:
    """The name of an HTTP header. Servers and proxies drop or fold names with underscores."""
    text = as_text(value)
    if not re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", text):
        raise Unacceptable('a header of letters, digits and hyphens such as "X-Forwarded-For"')
    return text


@Verbatim
def as_listened(value: object) -> str:
    """An address with a port to listen on, or ""."""
    text = as_text(value)
    host, _, port = text.rpartition(":")
    if text and not (network_of(host.strip("[]")) and port.isdigit() and 0 < int(port) < 65536):
        raise Unacceptable('an address with a port such as "127.0.0.1:8081" or "[::1]:8081"')
    return text


@dataclass(frozen=True)
class OperationKeys(Keys):
    """Operation

    How the server runs, and what it tells.
    """

    redis_url: str = key(
        "",
        as_redis,
        "A Redis that counts the limits of requests (LOGIN_TRIES_PER_IP_HOUR) for all processes together;"
        " it needs pip install '.[redis]'. Empty: each process counts for itself. What costs money is"
        " always counted in the database.",
        "redis://127.0.0.1:6379/0",
        secret=True,
    )
    metrics_token: str = key(
        "",
        as_text,
        'Who may read /metrics: whoever sends this text as "Authorization: Bearer <text>". Empty: only'
        " this machine, and not through a proxy on it.",
        "output of: openssl rand -hex 16",
        secret=True,
    )
    api_shortcut: bool = key(
        True,
        as_flag,
        "Whether calls of the API pass Flask by, which saves what Flask costs a call. False leads them"
        " through its routes, for hooks and extensions that are to see them: docs/flask.md.",
        False,
    )
    extensions: tuple[str, ...] = key(
        (),
        as_texts,
        "Classes of your own that add ops and tasks of the outbox, by their dotted paths: docs/do/own-op.md.",
        ["support.Support"],
    )
    trusted_proxy_hops: int = key(
        0,
        whole_number(0, 10),
        "Proxies in front whose X-Forwarded-For, -Proto and -Host are believed: 1 behind one nginx or"
        " Caddy (the files in deploy/), 2 behind a CDN and nginx. 0: none is, and whoever writes such"
        " headers is not believed.",
        1,
    )
    trusted_proxy_header: str = key(
        "X-Forwarded-For",
        as_header,
        "The header in which they hand over the client's address; each appends the address that called"
        " it. Behind a proxy that cannot take out a client's X_Forwarded_For (with underscores, which is"
        ' the same header here), a name that nobody can guess: docs/security.md, "Who is asking".',
        "X-Client-52d7f0c91b3e",
    )
    admin_listen: str = key(
        "",
        as_listened,
        "The address and port of the console (docs/operations/console.md), such as that of a network of your"
        " own: it is then not on the API's port. Empty: at /admin there. messenger-api serve listens on it;"
        " for another server there is messenger_api.wsgi_console:application.",
        "127.0.0.1:8081",
        "[::1]:8081",
    )
    outbox_in_server: bool = key(
        True,
        as_flag,
        "Whether each server process also delivers the outbox: update messages, mirrored groups. False"
        " leaves it to processes of their own: messenger-api worker",
        False,
    )
    outbox_lease: int = key(
        60,
        whole_number(2, 3600),
        "Seconds after which what a dead process had begun is taken over by another, 2 to 3600. More than"
        " MESIBO_TIMEOUT, or a slow call is made twice.",
        120,
    )
    outbox_max_attempts: int = key(
        48,
        whole_number(1, 1000),
        "Failures after which an item is given up and kept for messenger-api outbox status. Outages of"
        " mesibo do not count. The time between two tries grows to five minutes.",
        100,
    )
    otel_endpoint: str = key(
        "",
        as_web_address,
        "A collector of OpenTelemetry that gets a trace of each call, by OTLP over HTTP; it needs pip"
        " install '.[otel]'. A span holds op, outcome and time. Empty: none.",
        "http://127.0.0.1:4318",
    )
    sentry_dsn: str = key(
        "",
        as_web_address,
        "Where errors of the log are reported, in the way of Sentry's clients; it needs pip install"
        " '.[sentry]'. Numbers, codes and tokens are taken out. Empty: nowhere.",
        "https://key@sentry.example.com/1",
        secret=True,
    )
    log_level: str = key(
        "info",
        one_of("debug", "info", "warning", "error"),
        'What is logged: "debug", "info", "warning" or "error" and what is worse. Never codes, tokens or'
        " full phone numbers.",
        "warning",
    )
    access_log: bool = key(
        False,
        as_flag,
        "Whether the log has a line for each request: method, path, status, milliseconds, the network that"
        " it came from (24 bits of IPv4, 48 of IPv6) and its id. LOG_LEVEL must admit info.",
        True,
    )
    log_format: str = key(
        "text",
        one_of("text", "json"),
        'The log\'s form: "text" for people, "json" for programs.',
        "json",
    )

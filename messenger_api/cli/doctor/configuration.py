"""What the doctor says of keys that are accepted and would not do what they are for."""

from __future__ import annotations

import datetime as dt
import stat
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

from messenger_api.cli.doctor.verdicts import Verdict
from messenger_api.composition import Parts
from messenger_api.settings import Settings, file_in_use
from messenger_api.settings.conversions import is_local

REDIS_SECONDS = 2.0


def extensions(settings: Settings, parts: Parts) -> Iterator[Verdict]:
    """Whether the ops of the operator's own code can be asked for, and its tasks done."""
    if not settings.extensions:
        yield "ok", "none", ""
        return
    try:
        parts.operations, parts.runner  # noqa: B018 - to build them is to load it
    except ValueError as error:
        yield "fault", str(error), "put it right; PYTHONPATH names the folder with the file"
    else:
        yield "ok", ", ".join(settings.extensions), ""


def limits(settings: Settings, _parts: Parts) -> Iterator[Verdict]:
    """Whether they are enforced, by all processes together."""
    if settings.limits == "enforce":
        yield redis_verdict(settings) or ("ok", "enforced", "")
    else:
        found = {"track": "counted and not enforced", "off": "off: nothing is limited"}[settings.limits]
        yield "warning", found, 'set LIMITS = "enforce"'


def redis_verdict(settings: Settings) -> Verdict | None:
    """Whether the Redis of REDIS_URL answers, takes the password and has the database; None without one."""
    if not settings.redis_url:
        return None
    # Optional: who has a REDIS_URL has the library, see `settings.contradictions`.
    import redis

    to_do = "set REDIS_URL right, or start Redis; until then each process counts for itself"
    try:
        client = redis.Redis.from_url(
            settings.redis_url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
        )
        with closing(client):
            # By writing: a replica, or a Redis out of memory, answers a ping as well.
            client.set("messenger-doctor", "1", ex=1)
    except (redis.RedisError, ValueError, OSError) as error:
        return "fault", f"limits of requests are not shared: {_told(error)}", to_do
    return "ok", "enforced, shared through Redis", ""


def _told(error: Exception) -> str:
    """What Redis said, which is never the password; of an address that is none, only that."""
    if isinstance(error, ValueError):
        return "REDIS_URL is no address of a Redis"
    return f"Redis: {str(error).partition(chr(10))[0] or type(error).__name__}"


def public_url(settings: Settings, _parts: Parts) -> Iterator[Verdict]:
    """Whether phones can use the address that they are given."""
    yield public_url_verdict(settings)


def public_url_verdict(settings: Settings) -> Verdict:
    """The state of PUBLIC_URL."""
    url = settings.public_url
    if not url:
        return "ok", "not set: what the apps themselves call", ""
    parts = urlsplit(url)
    server = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    if "@" in parts.netloc or parts.query or parts.fragment or parts.path.rstrip("/").endswith(".php"):
        found = "PUBLIC_URL is more than the server's address, so that pictures and receipts have wrong ones"
        folder = parts.path.rstrip("/").rpartition("/")[0] if ".php" in parts.path else parts.path
        return "fault", found, f'set PUBLIC_URL = "{server}{folder.rstrip("/")}"'
    if parts.scheme == "http" and not is_local(url):
        found = "PUBLIC_URL is http: phones refuse it, and everybody on the way reads tokens and codes"
        return "warning", found, f'put a proxy with TLS in front and set PUBLIC_URL = "https{url[4:]}"'
    return "ok", server + parts.path, ""


def config_file(_settings: Settings, _parts: Parts) -> Iterator[Verdict]:
    """Who may read it, and its secrets with it."""
    path = file_in_use()
    if path is None:
        yield "ok", "no file; read from the environment", ""
    elif path.stat().st_mode & stat.S_IROTH:
        yield "warning", f"others on this machine may read {path} and its secrets", f"chmod 640 {path}"
    else:
        yield "ok", f"{path}, which others may not read", ""


def fixed_codes(settings: Settings, _parts: Parts) -> Iterator[Verdict]:
    """Numbers with a fixed code: a danger until their end, and afterwards of no use to whoever reviews."""
    until, count = settings.otp_test_numbers_until, len(settings.otp_test_numbers)
    if not count or until is None:
        yield "ok", "none", ""
    elif dt.datetime.now(dt.UTC).date() > until:
        found = f"the {count} of OTP_TEST_NUMBERS ended with {until}: nobody logs in with them any more"
        to_do = "remove OTP_TEST_NUMBERS, or set a later OTP_TEST_NUMBERS_UNTIL for a review"
        yield "warning", found, to_do
    else:
        found = f"{count} of OTP_TEST_NUMBERS log in with a fixed code until {until}, that day included"
        yield "warning", found, "remove them when the stores' reviews are over"

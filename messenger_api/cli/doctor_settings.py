"""What the doctor says of keys that are accepted and would not do what they are for."""

from __future__ import annotations

import datetime as dt
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from messenger_api.cli.doctor_proxy import Verdict
from messenger_api.settings import Settings
from messenger_api.settings.conversions import is_local
from messenger_api.settings.files import is_bucket

REDIS_SECONDS = 2.0
# Some hundred pictures, and time to make room.
LITTLE_BYTES = 500 * 1024**2


def full_folders(places: Iterable[str]) -> Iterator[str]:
    """Folders whose disk is nearly full, a line for each disk."""
    seen = set()
    for folder in (Path(place) for place in places if not is_bucket(place)):
        if not folder.exists() or folder.stat().st_dev in seen:
            continue
        seen.add(folder.stat().st_dev)
        free = shutil.disk_usage(folder).free
        if free < LITTLE_BYTES:
            yield f"the disk of {folder} has {free // 1024**2} MB left; when it is full, nothing can be kept"


def config_verdict(path: Path | None) -> Verdict:
    """Who may read the configuration file, and its secrets with it."""
    if path is None:
        return "ok", "no file; read from the environment", ""
    if path.stat().st_mode & stat.S_IROTH:
        return "warning", f"others on this machine may read {path} and its secrets", f"chmod 640 {path}"
    return "ok", f"{path}, which others may not read", ""


def public_url_verdict(settings: Settings) -> Verdict:
    """Whether phones can use the address that they are given."""
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


def test_numbers_verdict(settings: Settings, today: dt.date) -> Verdict:
    """Numbers with a fixed code: a danger until their end, and afterwards of no use to whoever reviews."""
    until, count = settings.otp_test_numbers_until, len(settings.otp_test_numbers)
    if not count or until is None:
        return "ok", "none", ""
    if today > until:
        found = f"the {count} of OTP_TEST_NUMBERS ended with {until}: nobody logs in with them any more"
        return "warning", found, "remove OTP_TEST_NUMBERS, or set a later OTP_TEST_NUMBERS_UNTIL for a review"
    found = f"{count} of OTP_TEST_NUMBERS log in with a fixed code until {until}, that day included"
    return "warning", found, "remove them when the stores' reviews are over"

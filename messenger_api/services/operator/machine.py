"""The machine that this process runs on: its disks, and what runs out on it."""

from __future__ import annotations

import datetime as dt
import shutil
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from messenger_api.domain.health.facts import Date
from messenger_api.gateways.keys.directory import LdapKeys
from messenger_api.settings import Settings
from messenger_api.settings.files import is_bucket


@dataclass(frozen=True)
class Disk:
    """Where something is kept: `place` is files, thumbnails, instance, or database, for SQLite elsewhere.

    `free` and `size` in bytes. Places of one `device` share it; `holds_database`: SQLite lies on it.
    """

    place: str
    folder: str
    free: int
    size: int
    device: int
    holds_database: bool


class Machine:
    """Asks the operating system."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = _sqlite_folder(settings)
        self._places = {
            "files": settings.files_path,
            "thumbnails": settings.files_tn_path,
            "instance": str(settings.instance),
        }
        if self._database not in (None, settings.instance):
            self._places["database"] = str(self._database)

    def disks(self) -> Iterator[Disk]:
        """The disk of each folder that is there; none of a bucket."""
        with_database = _device(self._database) if self._database else None
        for place, path in self._places.items():
            if not is_bucket(path) and (device := _device(Path(path))) is not None:
                found = shutil.disk_usage(path)
                yield Disk(place, path, found.free, found.total, device, device == with_database)

    def dates(self) -> Iterator[Date]:
        """What runs out: fixed codes for the stores' reviewers, files of authorities that are believed."""
        until = self._settings.otp_test_numbers_until
        if self._settings.otp_test_numbers and until:
            end = dt.datetime.combine(until + dt.timedelta(days=1), dt.time(), dt.UTC)
            to_do = "remove OTP_TEST_NUMBERS, or set a later OTP_TEST_NUMBERS_UNTIL for a review"
            yield Date("OTP_TEST_NUMBERS", int(end.timestamp()), to_do, grave=False)
        for key, path in _authorities(self._settings):
            if (ends_at := _last_end(path)) is not None:
                yield Date(f"{key} ({path})", ends_at, f"put the new authority's certificate into {path}")


def _sqlite_folder(settings: Settings) -> Path | None:
    path = settings.sqlite_path
    return Path(path).parent if path and not path.startswith(":") else None


def _device(folder: Path) -> int | None:
    try:
        return folder.stat().st_dev
    except OSError:
        return None


def _authorities(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.login_method == "ldap" and (ca_file := settings.of(LdapKeys).ldap_ca_file):
        yield "LDAP_CA_FILE", ca_file
    query = make_url(settings.database_uri).query if settings.sqlalchemy_database_uri else {}
    if isinstance(ssl_ca := query.get("ssl_ca"), str):
        yield "ssl_ca of SQLALCHEMY_DATABASE_URI", ssl_ca


def _last_end(path: str) -> int | None:
    """When the last of the authorities in a file ends; None where none can be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(path)
    except (OSError, ssl.SSLError):
        return None
    ends = [each["notAfter"] for each in context.get_ca_certs() if isinstance(each["notAfter"], str)]
    return max((int(ssl.cert_time_to_seconds(end)) for end in ends), default=None)

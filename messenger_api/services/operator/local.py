"""What this machine tells by itself: how full its disks are, and what runs out on a date."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from sqlalchemy import make_url

from messenger_api.domain.health.facts import Date, Disk
from messenger_api.gateways.keys.directory import LdapKeys
from messenger_api.settings import Settings
from messenger_api.settings.files import is_bucket


def disks(settings: Settings) -> Iterator[Disk]:
    """The disks on which this process keeps something, each once; a folder that is not there is left out."""
    database = _sqlite_folder(settings)
    places = [settings.files_path, settings.files_tn_path, str(settings.instance)]
    seen: dict[int, Disk] = {}
    for folder in [*([database] if database else []), *map(Path, filter(_is_folder, places))]:
        try:
            device = folder.stat().st_dev
            seen.setdefault(device, Disk(str(folder), shutil.disk_usage(folder).free, folder is database))
        except OSError:
            continue
    yield from seen.values()


def _is_folder(place: str) -> bool:
    return not is_bucket(place)


def _sqlite_folder(settings: Settings) -> Path | None:
    path = make_url(settings.database_uri).database if settings.is_sqlite else None
    return Path(path).parent if path and not path.startswith(":") else None


def dates(settings: Settings) -> Iterator[Date]:
    """What runs out: fixed codes for the stores' reviewers, and files of authorities that are believed."""
    until = settings.otp_test_numbers_until
    if settings.otp_test_numbers and until:
        end = dt.datetime.combine(until + dt.timedelta(days=1), dt.time(), dt.UTC)
        to_do = "remove OTP_TEST_NUMBERS, or set a later OTP_TEST_NUMBERS_UNTIL for a review"
        yield Date("OTP_TEST_NUMBERS", int(end.timestamp()), to_do, grave=False)
    for key, path in _authorities(settings):
        if (ends_at := _last_end(path)) is not None:
            yield Date(f"{key} ({path})", ends_at, f"put the new authority's certificate into {path}")


def _authorities(settings: Settings) -> Iterator[tuple[str, Path]]:
    if settings.login_method == "ldap" and (ca_file := settings.of(LdapKeys).ldap_ca_file):
        yield "LDAP_CA_FILE", Path(ca_file)
    query = make_url(settings.database_uri).query if settings.sqlalchemy_database_uri else {}
    if isinstance(ssl_ca := query.get("ssl_ca"), str):
        yield "ssl_ca of SQLALCHEMY_DATABASE_URI", Path(ssl_ca)


def _last_end(path: Path) -> int | None:
    """When the last of the certificates in a file ends; None where none can be read."""
    try:
        certificates = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        return None
    return max(int(each.not_valid_after_utc.timestamp()) for each in certificates)

"""The settings: one frozen, typed record. `config.example.py` says what each key means."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path

from messenger_api.settings.conversions import (
    as_app_hash,
    as_countries,
    as_country,
    as_database,
    as_date,
    as_domain,
    as_flag,
    as_header,
    as_hosts,
    as_literal,
    as_numbers_to_codes,
    as_redis,
    as_sandbox,
    as_text,
    as_url,
    key,
    one_of,
    seconds,
    whole_number,
    whole_numbers,
    zero_or,
)
from messenger_api.settings.files import FileKeys
from messenger_api.settings.limits import LimitKeys
from messenger_api.settings.login import LoginKeys
from messenger_api.settings.sms import SmsKeys

# The user and password of a URL.
_USERINFO = re.compile(r"(?<=//)[^/@\s]+(?=@)")


@dataclass(frozen=True)
class Settings(FileKeys, SmsKeys, LoginKeys, LimitKeys):
    """Every key of `config.py` in lower case. `config.example.py` says what each one means."""

    # Database
    sqlalchemy_database_uri: str = key("", as_database, secret=True)
    db_host: str = key("", as_hosts)
    db_port: int = key(3306, whole_number(1, 65535))
    db_name: str = key("messenger", as_text)
    db_user: str = key("messenger", as_text)
    db_pass: str = key("", as_literal, secret=True)
    db_pool_size: int = key(10, whole_number(1, 500))

    # mesibo
    mesibo_api_url: str = key("https://api.mesibo.com/backend", as_url)
    mesibo_app_token: str = key("", as_text, secret=True)
    mesibo_api_style: str = key("auto", one_of("auto", "json", "form"))
    mesibo_connect_timeout: float = key(3.0, seconds(0.1, 30))
    mesibo_timeout: float = key(10.0, seconds(0.1, 60))
    mesibo_max_calls: int = key(16, whole_number(1, 1000))
    group_expiry: int = key(315_360_000, zero_or(whole_number(3600, 3_153_600_000)))
    group_expiry_extension: int = key(31_536_000, zero_or(whole_number(3600, 3_153_600_000)))
    mesibo_max_body: int = key(8192, whole_number(2048, 16 * 1024 * 1024))
    sandbox: bool | str | None = key(None, as_sandbox)

    # What the apps are given
    google_map_key: str = key("", as_text)
    public_url: str = key("", as_url)
    upload_url: str = key("", as_url)
    download_url: str = key("", as_url)
    invite_text: str = key(
        "Hey, I use Mesibo for free messaging, voice and video calls. Download it from https://m.mesibo.com",
        as_text,
    )
    invite_subject: str = key("Mesibo Messenger: Open Source Messenger", as_text)
    invite_title: str = key("Invite a friend via", as_text)
    join_subject: str = key("%NAME% is on Mesibo now", as_text)
    join_message: str = key(
        "Hey, your contact %NAME% has just joined Mesibo, you may want to say hi!", as_text
    )

    # This machine
    instance_path: str = key("instance", as_text)

    # Login
    secret_key: str = key("", as_text, secret=True)
    default_country: str = key("", as_country)
    sms_countries: tuple[str, ...] = key((), as_countries)
    sms_text: str = key("", as_text)
    sms_app_name: str = key("Messenger", as_text)
    sms_android_hash: str = key("", as_app_hash)
    sms_ios_domain: str = key("", as_domain)
    otp_length: int = key(6, whole_number(6, 10))
    otp_ttl: int = key(300, whole_number(60, 600))
    otp_max_attempts: int = key(5, whole_number(1, 10))
    otp_pauses: tuple[int, ...] = key((0, 0, 0, 10, 30), whole_numbers(0, 600))
    otp_resend_after: tuple[int, ...] = key((30, 60, 120, 300, 600), whole_numbers(0, 3600))
    otp_wrong_per_day: int = key(25, whole_number(5, 1000))
    otp_slow_resend_after: int = key(3600, whole_number(60, 86_400))
    otp_replay_seconds: int = key(60, whole_number(0, 300))
    otp_test_numbers: tuple[tuple[str, str], ...] = key((), as_numbers_to_codes, secret=True)
    otp_test_numbers_until: dt.date | None = key(None, as_date)
    max_sessions: int = key(6, whole_number(1, 100))

    # Accounts
    session_idle_days: int = key(180, whole_number(1, 3650))
    account_recycled_after_days: int = key(45, zero_or(whole_number(30, 3650)))
    max_blocked: int = key(10_000, whole_number(100, 50_000))

    # Limits
    max_phones_per_call: int = key(2_000, whole_number(100, 10_000))
    max_group_members: int = key(256, whole_number(2, 5_000))

    # Operation
    redis_url: str = key("", as_redis, secret=True)
    metrics_token: str = key("", as_text, secret=True)
    trusted_proxy_hops: int = key(0, whole_number(0, 10))
    trusted_proxy_header: str = key("X-Forwarded-For", as_header)
    outbox_in_server: bool = key(True, as_flag)
    outbox_lease: int = key(60, whole_number(2, 3600))
    outbox_max_attempts: int = key(48, whole_number(1, 1000))
    log_level: str = key("info", one_of("debug", "info", "warning", "error"))
    log_format: str = key("text", one_of("text", "json"))

    def __repr__(self) -> str:
        """Every key but the secrets."""
        keys = (f"{f.name}={shown(getattr(self, f.name), f.metadata['secret'])}" for f in fields(self))
        return f"Settings({', '.join(keys)})"

    @property
    def instance(self) -> Path:
        """The folder for what belongs to this installation: SQLite, the secret key, the sandbox."""
        return Path(self.instance_path).absolute()

    def in_instance(self, name: str) -> Path:
        """A file of this installation, in its folder, which is made when it is not there."""
        self.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.instance / name

    @property
    def database_uri(self) -> str:
        """SQLAlchemy's address of the database. Several `DB_HOST`s are left to `storage.db`."""
        if self.sqlalchemy_database_uri:
            return _absolute(self.sqlalchemy_database_uri)
        if not self.db_host:
            return f"sqlite:///{self.instance / 'messenger.sqlite3'}"
        return f"mysql+{mysql_driver()}://"

    @property
    def database_driver(self) -> str:
        """SQLAlchemy's name of the database's driver: "pymysql", "mysqldb" (mysqlclient); "" for SQLite."""
        return self.database_uri.partition(":")[0].partition("+")[2]

    @property
    def is_sqlite(self) -> bool:
        """Whether the data rest in a SQLite file."""
        return self.database_uri.startswith("sqlite")

    @property
    def texted_countries(self) -> tuple[str, ...]:
        """The countries that may be texted where that costs money; `EVERYWHERE` for all."""
        home = (self.default_country,) if self.default_country else ()
        return self.sms_countries or home

    @property
    def uses_sandbox(self) -> bool:
        """Whether the built-in stand-in takes mesibo's place: only where it was asked for."""
        return bool(self.sandbox)

    @property
    def shows_sandbox(self) -> bool:
        """Whether other machines may see the sandbox, and with it everyone's codes."""
        return self.sandbox is True


def has_mysqlclient() -> bool:
    """Whether the extra `mysql-fast` is installed."""
    return find_spec("MySQLdb") is not None


def mysql_driver() -> str:
    """SQLAlchemy's name of the driver for MySQL where none is named: the faster one that is installed."""
    return "mysqldb" if has_mysqlclient() else "pymysql"


def shown(value: object, secret: bool) -> str:
    """A value as it may be printed: never a secret, nor the user and password of a URL."""
    return "***" if secret else _USERINFO.sub("***", repr(value))


def _absolute(uri: str) -> str:
    """A SQLite file is looked for from the working folder, as every other path is; Flask would not."""
    scheme, _, path = uri.partition(":///")
    if scheme == "sqlite" and path and not path.startswith(("/", ":", "file:")):
        return f"sqlite:///{Path(path).absolute()}"
    return uri

"""Settings: one frozen, typed record, read from `config.py` and the environment.

`load()` reads the file that `MESSENGER_CONFIG` names (default `config.py` in the working folder, which
may be absent), then lets every environment variable `MESSENGER_<KEY>` replace the key of that name; a
value that parses as JSON is taken as JSON. A start with a fault is refused with *every* fault named:
one line each with the key, the value (never of a secret) and what is accepted.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import runpy
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from messenger_api.conversions import (
    PLAIN,
    Convert,
    Unacceptable,
    as_countries,
    as_country,
    as_database,
    as_date,
    as_flag,
    as_hosts,
    as_literal,
    as_maybe_flag,
    as_numbers_to_codes,
    as_text,
    as_texts,
    as_url,
    one_of,
    seconds,
    whole_number,
)

ENV_PREFIX = "MESSENGER_"
CONFIG_VARIABLE = "MESSENGER_CONFIG"

# The user and password of a URL.
_USERINFO = re.compile(r"(?<=//)[^/@\s]+(?=@)")

# An update message about a group lists its members: a number of twelve digits and a comma each, which a form
# writes in three bytes; the rest of the request, without the thumbnail, in less than this.
MEMBER_BYTES = 15
MESSAGE_BYTES = 600


class SettingsError(Exception):
    """The configuration has faults; `faults` holds one line for each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _key(default: object, convert: Convert, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"convert": convert, "secret": secret})


@dataclass(frozen=True)
class Settings:
    """Every key of `config.py` in lower case. `config.example.py` says what each one means."""

    # Database
    sqlalchemy_database_uri: str = _key("", as_database, secret=True)
    db_host: str = _key("", as_hosts)
    db_port: int = _key(3306, whole_number(1, 65535))
    db_name: str = _key("messenger", as_text)
    db_user: str = _key("messenger", as_text)
    db_pass: str = _key("", as_literal, secret=True)
    db_pool_size: int = _key(10, whole_number(1, 500))

    # mesibo
    mesibo_api_url: str = _key("https://api.mesibo.com/backend", as_url)
    mesibo_app_token: str = _key("", as_text, secret=True)
    mesibo_api_style: str = _key("auto", one_of("auto", "json", "form"))
    mesibo_connect_timeout: float = _key(3.0, seconds(0.1, 30))
    mesibo_timeout: float = _key(10.0, seconds(0.1, 60))
    mesibo_max_calls: int = _key(16, whole_number(1, 1000))
    mesibo_max_body: int = _key(8192, whole_number(2048, 16 * 1024 * 1024))
    sandbox: bool | None = _key(None, as_maybe_flag)

    # What the apps are given
    google_map_key: str = _key("", as_text)
    public_url: str = _key("", as_url)
    upload_url: str = _key("", as_url)
    download_url: str = _key("", as_url)
    invite_text: str = _key(
        "Hey, I use Mesibo for free messaging, voice and video calls. Download it from https://m.mesibo.com",
        as_text,
    )
    invite_subject: str = _key("Mesibo Messenger: Open Source Messenger", as_text)
    invite_title: str = _key("Invite a friend via", as_text)
    join_subject: str = _key("%NAME% is on Mesibo now", as_text)
    join_message: str = _key(
        "Hey, your contact %NAME% has just joined Mesibo, you may want to say hi!", as_text
    )

    # Files
    instance_path: str = _key("instance", as_text)
    files_path: str = _key("uploads", as_text)
    files_tn_path: str = _key("uploads/tn", as_text)
    max_upload_bytes: int = _key(25 * 1024 * 1024, whole_number(1024, 2 * 1024**3))
    max_photo_bytes: int = _key(10 * 1024 * 1024, whole_number(1024, 256 * 1024**2))
    max_photo_pixels: int = _key(32_000_000, whole_number(10_000, 200_000_000))

    # Login
    secret_key: str = _key("", as_text, secret=True)
    login_method: str = _key("otp", one_of("otp"))
    default_country: str = _key("", as_country)
    sms_countries: tuple[str, ...] = _key((), as_countries)
    sms_providers: tuple[str, ...] = _key(("console",), as_texts)
    sms_text: str = _key("", as_text)
    sms_app_name: str = _key("Messenger", as_text)
    twilio_account_sid: str = _key("", as_text)
    twilio_auth_token: str = _key("", as_text, secret=True)
    twilio_from: str = _key("", as_text)
    twilio_api_url: str = _key("https://api.twilio.com", as_url)
    otp_length: int = _key(6, whole_number(6, 10))
    otp_ttl: int = _key(300, whole_number(60, 600))
    otp_max_attempts: int = _key(5, whole_number(1, 10))
    otp_resend_after: int = _key(30, whole_number(0, 600))
    otp_test_numbers: tuple[tuple[str, str], ...] = _key((), as_numbers_to_codes, secret=True)
    otp_test_numbers_until: dt.date | None = _key(None, as_date)
    max_sessions: int = _key(6, whole_number(1, 100))

    # Limits
    limits: str = _key("enforce", one_of("enforce", "track", "off"))
    max_phones_per_call: int = _key(10_000, whole_number(100, 50_000))
    max_group_members: int = _key(256, whole_number(2, 5_000))

    # Operation
    trusted_proxy_hops: int = _key(0, whole_number(0, 10))
    outbox_in_server: bool = _key(True, as_flag)
    outbox_lease: int = _key(60, whole_number(2, 3600))
    outbox_max_attempts: int = _key(48, whole_number(1, 1000))
    log_level: str = _key("info", one_of("debug", "info", "warning", "error"))
    log_format: str = _key("text", one_of("text", "json"))

    def __repr__(self) -> str:
        """Every key but the secrets."""
        shown = (f"{f.name}={_shown(getattr(self, f.name), f.metadata['secret'])}" for f in fields(self))
        return f"Settings({', '.join(shown)})"

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
        return "mysql+pymysql://"

    @property
    def is_sqlite(self) -> bool:
        """Whether the data rest in a SQLite file."""
        return self.database_uri.startswith("sqlite")

    @property
    def uses_sandbox(self) -> bool:
        """Whether the built-in stand-in takes mesibo's place."""
        return self.sandbox if self.sandbox is not None else not self.mesibo_app_token


def _absolute(uri: str) -> str:
    """A SQLite file is looked for from the working folder, as every other path is; Flask would not."""
    scheme, _, path = uri.partition(":///")
    if scheme == "sqlite" and path and not path.startswith(("/", ":", "file:")):
        return f"sqlite:///{Path(path).absolute()}"
    return uri


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the configuration file and the environment.

    Raises:
        SettingsError: with one line for every fault found.
    """
    environ = os.environ if environ is None else environ
    faults: list[str] = []
    values = {**_from_file(environ, faults), **_from_environment(environ)}
    settings = _checked(values, faults)
    if faults:
        raise SettingsError(faults)
    return settings


def build(**values: object) -> Settings:
    """Settings from keyword arguments (lower-case keys), checked as `load` checks them."""
    faults: list[str] = []
    settings = _checked({key.upper(): value for key, value in values.items()}, faults)
    if faults:
        raise SettingsError(faults)
    return settings


def _from_file(environ: Mapping[str, str], faults: list[str]) -> dict[str, object]:
    named = environ.get(CONFIG_VARIABLE)
    path = Path(named or "config.py")
    if not path.exists():
        if named:
            faults.append(f"{CONFIG_VARIABLE} = {named!r}: there is no such file")
        return {}
    try:
        found = runpy.run_path(str(path))
    except Exception as error:  # noqa: BLE001 - whatever the operator's file raises is a fault of the file
        faults.append(f"{path}{_line(error, path)}: cannot be read: {_why(error)}")
        return {}
    return {key: value for key, value in found.items() if key.isupper() and not key.startswith("_")}


def _line(error: Exception, path: Path) -> str:
    """Where in the file it happened."""
    frames = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) else next(reversed(frames), None)
    return f", line {line}" if line else ""


def _why(error: Exception) -> str:
    """What Python says of the file, unless it may quote the file: a secret that lacks its quotes."""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return (
        f"{type(error).__name__}; texts are written in quotes"
        if isinstance(error, NameError)
        else type(error).__name__
    )


def _from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    # A password such as 1e5 is a text, whatever JSON makes of it.
    plain = {f.name.upper() for f in fields(Settings) if f.metadata["convert"] in PLAIN}
    values: dict[str, object] = {}
    for name, text in environ.items():
        if name.startswith(ENV_PREFIX) and name != CONFIG_VARIABLE:
            key = name.removeprefix(ENV_PREFIX)
            values[key] = text if key in plain else _json_or_text(text)
    return values


def _json_or_text(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _shown(value: object, secret: bool) -> str:
    return "***" if secret else _USERINFO.sub("***", repr(value))


def _checked(values: Mapping[str, object], faults: list[str]) -> Settings:
    keys = {f.name.upper(): f for f in fields(Settings)}
    accepted: dict[str, Any] = {}
    for name, value in values.items():
        if name not in keys:
            faults.append(f"{name}: there is no such key; config.example.py lists them all")
            continue
        meta = keys[name].metadata
        try:
            accepted[keys[name].name] = meta["convert"](value)
        except Unacceptable as wanted:
            faults.append(f"{name} = {_shown(value, meta['secret'])}: accepted is {wanted}")
    settings = Settings(**accepted)
    named = {fault.partition(" ")[0] for fault in faults}
    # A key with a fault of its own has its default here, which contradicts nothing the operator wrote.
    faults.extend(f for f in _contradictions(settings) if f.partition(":")[0].partition(" ")[0] not in named)
    return settings


def _contradictions(s: Settings) -> list[str]:
    """Keys that are right by themselves and wrong together."""
    faults = []
    if s.otp_test_numbers and s.otp_test_numbers_until is None:
        faults.append(
            "OTP_TEST_NUMBERS_UNTIL: required with OTP_TEST_NUMBERS; accepted is a date such as 2027-01-31"
        )
    if not s.is_sqlite and not s.secret_key:
        faults.append("SECRET_KEY: required with MySQL; make one with: openssl rand -hex 32")
    if s.sandbox is False and not s.mesibo_app_token:
        faults.append("MESIBO_APP_TOKEN: required when SANDBOX = False; the mesibo console shows it")
    if "twilio" in s.sms_providers:
        needed = ("twilio_account_sid", "twilio_auth_token", "twilio_from")
        faults.extend(
            f"{name.upper()}: required with the SMS provider twilio"
            for name in needed
            if not getattr(s, name)
        )
    fitting = (s.mesibo_max_body - MESSAGE_BYTES) // MEMBER_BYTES
    if s.max_group_members > fitting:
        faults.append(
            f"MAX_GROUP_MEMBERS = {s.max_group_members}: accepted is at most {fitting}, so that a message"
            f" about a full group fits into MESIBO_MAX_BODY = {s.mesibo_max_body}"
        )
    if s.sms_text and not _fills(s.sms_text):
        faults.append(f"SMS_TEXT = {s.sms_text!r}: accepted is a text with {{code}} and, if wanted, {{app}}")
    return faults


def _fills(text: str) -> bool:
    try:
        return "123456" in text.format(code="123456", app="")
    except (LookupError, ValueError, AttributeError, TypeError):
        return False

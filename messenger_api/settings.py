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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ENV_PREFIX = "MESSENGER_"
CONFIG_VARIABLE = "MESSENGER_CONFIG"

_HOST = re.compile(r"[\w.-]+(:[0-9]{1,5})?", re.ASCII)
# The user and password of a URL.
_USERINFO = re.compile(r"(?<=//)[^/@\s]+(?=@)")

# ISO 3166-1 codes are checked for their form here and for their existence where they are used.
COUNTRY_LETTERS = 2
YEAR_SECONDS = 365 * 24 * 3600


class SettingsError(Exception):
    """The configuration has faults; `faults` holds one line for each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class _Fault(Exception):
    """What a key accepts, raised by the converter that met something else."""


Convert = Callable[[object], Any]


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _Fault("a text")
    return str(value).strip()


def _literal(value: object) -> str:
    """A password: spaces at its ends belong to it."""
    _text(value)
    return str(value)


def _url(value: object) -> str:
    text = _text(value)
    if text and not (text.startswith(("http://", "https://")) and _has_host(text)):
        raise _Fault("a URL that begins with http:// or https://")
    return text


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


def _database(value: object) -> str:
    text = _text(value)
    if text and not text.startswith(("sqlite:///", "mysql+", "mariadb+")):
        raise _Fault('an address such as "mysql+pymysql://user:password@host/name" or "sqlite:////path/file"')
    return text


def _hosts(value: object) -> str:
    text = _text(value)
    hosts = [host.strip() for host in text.split(",")]
    if text and not all(_HOST.fullmatch(host) for host in hosts):
        raise _Fault('host names, comma separated, each with ":port" where it is not DB_PORT')
    return text


def _flag(value: object) -> bool:
    words = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
    word = str(value).strip().lower()
    if word not in words:
        raise _Fault("True or False")
    return words[word]


def _number(low: int, high: int) -> Convert:
    def convert(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise _Fault(f"a whole number from {low} to {high}")
        try:
            number = int(value)
        except ValueError:
            raise _Fault(f"a whole number from {low} to {high}") from None
        if not low <= number <= high:
            raise _Fault(f"a whole number from {low} to {high}")
        return number

    return convert


def _seconds(low: float, high: float) -> Convert:
    def convert(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise _Fault(f"seconds from {low:g} to {high:g}")
        return float(value)

    return convert


def _choice(*accepted: str) -> Convert:
    def convert(value: object) -> str:
        if value not in accepted:
            raise _Fault("one of " + ", ".join(accepted))
        return str(value)

    return convert


def _texts(value: object) -> tuple[str, ...]:
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise _Fault("a list of texts")
    return tuple(item.strip() for item in items if item.strip())


def _country(value: object) -> str:
    text = value.strip().upper() if isinstance(value, str) else "?"
    if text and not (len(text) == COUNTRY_LETTERS and text.isascii() and text.isalpha()):
        raise _Fault('a two-letter ISO country code such as "IN", or ""')
    return text


def _countries(value: object) -> tuple[str, ...]:
    try:
        return tuple(code for code in map(_country, _texts(value)) if code)
    except _Fault:
        raise _Fault('a list of two-letter ISO country codes such as ["IN", "DE"]') from None


def _numbers_to_codes(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise _Fault('phone numbers and their codes such as {"14155550123": "123456"}')
    pairs = tuple((str(number), str(code)) for number, code in value.items())
    if not all(code.isascii() and code.isdigit() for _number, code in pairs):
        raise _Fault("codes of digits, written as texts")
    return pairs


def _date(value: object) -> dt.date | None:
    if value in (None, ""):
        return None
    if isinstance(value, dt.date):
        return dt.date(value.year, value.month, value.day)
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        raise _Fault("a date such as 2027-01-31") from None


def _maybe_flag(value: object) -> bool | None:
    return None if value is None else _flag(value)


# What is a text, whatever JSON would make of it.
_PLAIN = (_text, _literal, _url, _database, _hosts, _country)


def _key(default: object, convert: Convert, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"convert": convert, "secret": secret})


@dataclass(frozen=True)
class Settings:
    """Every key of `config.py` in lower case. `config.example.py` says what each one means."""

    # Database
    sqlalchemy_database_uri: str = _key("", _database, secret=True)
    db_host: str = _key("", _hosts)
    db_port: int = _key(3306, _number(1, 65535))
    db_name: str = _key("messenger", _text)
    db_user: str = _key("messenger", _text)
    db_pass: str = _key("", _literal, secret=True)
    db_pool_size: int = _key(10, _number(1, 500))

    # mesibo
    mesibo_api_url: str = _key("https://api.mesibo.com/backend", _url)
    mesibo_app_token: str = _key("", _text, secret=True)
    mesibo_api_style: str = _key("auto", _choice("auto", "json", "form"))
    mesibo_connect_timeout: float = _key(3.0, _seconds(0.1, 30))
    mesibo_timeout: float = _key(10.0, _seconds(0.1, 60))
    mesibo_max_calls: int = _key(16, _number(1, 1000))
    mesibo_max_body: int = _key(8192, _number(2048, 16 * 1024 * 1024))
    sandbox: bool | None = _key(None, _maybe_flag)

    # What the apps are given
    google_map_key: str = _key("", _text)
    public_url: str = _key("", _url)
    upload_url: str = _key("", _url)
    download_url: str = _key("", _url)
    invite_text: str = _key(
        "Hey, I use Mesibo for free messaging, voice and video calls. Download it from https://m.mesibo.com",
        _text,
    )
    invite_subject: str = _key("Mesibo Messenger: Open Source Messenger", _text)
    invite_title: str = _key("Invite a friend via", _text)
    join_subject: str = _key("%NAME% is on Mesibo now", _text)
    join_message: str = _key(
        "Hey, your contact %NAME% has just joined Mesibo, you may want to say hi!", _text
    )

    # Files
    instance_path: str = _key("instance", _text)
    files_path: str = _key("uploads", _text)
    files_tn_path: str = _key("uploads/tn", _text)
    max_upload_bytes: int = _key(25 * 1024 * 1024, _number(1024, 2 * 1024**3))
    max_photo_bytes: int = _key(10 * 1024 * 1024, _number(1024, 256 * 1024**2))
    max_photo_pixels: int = _key(32_000_000, _number(10_000, 200_000_000))

    # Login
    secret_key: str = _key("", _text, secret=True)
    login_method: str = _key("otp", _choice("otp"))
    default_country: str = _key("", _country)
    sms_countries: tuple[str, ...] = _key((), _countries)
    sms_providers: tuple[str, ...] = _key(("console",), _texts)
    sms_text: str = _key("", _text)
    sms_app_name: str = _key("Messenger", _text)
    twilio_account_sid: str = _key("", _text)
    twilio_auth_token: str = _key("", _text, secret=True)
    twilio_from: str = _key("", _text)
    twilio_api_url: str = _key("https://api.twilio.com", _url)
    otp_length: int = _key(6, _number(6, 10))
    otp_ttl: int = _key(300, _number(60, 600))
    otp_max_attempts: int = _key(5, _number(1, 10))
    otp_resend_after: int = _key(30, _number(0, 600))
    otp_test_numbers: tuple[tuple[str, str], ...] = _key((), _numbers_to_codes, secret=True)
    otp_test_numbers_until: dt.date | None = _key(None, _date)
    max_sessions: int = _key(6, _number(1, 100))

    # Limits
    limits: str = _key("enforce", _choice("enforce", "track", "off"))
    max_phones_per_call: int = _key(10_000, _number(100, 50_000))
    max_group_members: int = _key(256, _number(2, 5_000))

    # Operation
    trusted_proxy_hops: int = _key(0, _number(0, 10))
    outbox_in_server: bool = _key(True, _flag)
    outbox_lease: int = _key(60, _number(2, 3600))
    outbox_max_attempts: int = _key(48, _number(1, 1000))
    log_level: str = _key("info", _choice("debug", "info", "warning", "error"))
    log_format: str = _key("text", _choice("text", "json"))

    def __repr__(self) -> str:
        """Every key but the secrets."""
        shown = (f"{f.name}={_shown(getattr(self, f.name), f.metadata['secret'])}" for f in fields(self))
        return f"Settings({', '.join(shown)})"

    @property
    def instance(self) -> Path:
        """The folder for what belongs to this installation: SQLite, the secret key, the sandbox."""
        return Path(self.instance_path).absolute()

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
    plain = {f.name.upper() for f in fields(Settings) if f.metadata["convert"] in _PLAIN}
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
        except _Fault as wanted:
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
    if s.sms_text and not _fills(s.sms_text):
        faults.append(f"SMS_TEXT = {s.sms_text!r}: accepted is a text with {{code}} and, if wanted, {{app}}")
    return faults


def _fills(text: str) -> bool:
    try:
        return "123456" in text.format(code="123456", app="")
    except (LookupError, ValueError, AttributeError, TypeError):
        return False

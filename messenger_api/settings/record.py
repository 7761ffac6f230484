"""The settings: one frozen, typed record. `config.example.py` says what each key means."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, unquote

from messenger_api.settings.accounts import AccountKeys
from messenger_api.settings.apps import AppKeys
from messenger_api.settings.database import DatabaseKeys
from messenger_api.settings.files import FileKeys
from messenger_api.settings.keys import Keys, declared
from messenger_api.settings.limits import LimitKeys, SpendingKeys
from messenger_api.settings.login import LoginKeys
from messenger_api.settings.mesibo import MesiboKeys
from messenger_api.settings.operation import OperationKeys
from messenger_api.settings.sms import SmsKeys

K = TypeVar("K", bound=Keys)

MESIBO_OTP = "mesibo_otp"

# Whoever has a stolen database tries all the keys of fewer characters that people think of.
SHORTEST_KEY = 16
# The user and password of a URL.
_USERINFO = re.compile(r"(?<=//)[^/@\s]+(?=@)")


@dataclass(frozen=True)
class Settings(
    DatabaseKeys,
    MesiboKeys,
    AppKeys,
    FileKeys,
    LoginKeys,
    SmsKeys,
    AccountKeys,
    LimitKeys,
    SpendingKeys,
    OperationKeys,
):
    """Every key of `config.py` in lower case, in the sections of `config.example.py` and in their order.

    What is chosen in them, an SMS provider or a login method, has keys of its own: `settings.of(ItsKeys)`.
    """

    chosen: tuple[Keys, ...] = field(default=(), repr=False)
    placeholders: tuple[str, ...] = field(default=(), repr=False)
    """A line for each key in use whose value is one of the documentation (`loading.unfit_to_serve`)."""
    """The records of such keys that are not all as by default."""

    def __repr__(self) -> str:
        """Every key but the secrets."""
        keys = (
            f"{name}={shown(getattr(self, name), key.secret)}" for name, key in declared(Settings).items()
        )
        return f"Settings({', '.join(keys)})"

    def of(self, kind: type[K]) -> K:
        """The keys of a provider or a login method; those that were not given have their defaults."""
        return next((record for record in self.chosen if isinstance(record, kind)), kind())

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
            return f"sqlite:///{_in_address(self.instance / 'messenger.sqlite3')}"
        return "mysql+pymysql://"

    @property
    def database_driver(self) -> str:
        """SQLAlchemy's name of the database's driver: "pymysql", "mysqldb" (mysqlclient); "" for SQLite."""
        return self.database_uri.partition(":")[0].partition("+")[2]

    @property
    def is_sqlite(self) -> bool:
        """Whether the data rest in a SQLite file."""
        return self.database_uri.startswith("sqlite")

    @property
    def sqlite_path(self) -> str:
        """The file of a SQLite database; "" for another database, or one in memory."""
        return unquote(self.database_uri.partition(":///")[2].partition("?")[0]) if self.is_sqlite else ""

    @property
    def key_is_short(self) -> bool:
        """Whether a SECRET_KEY was given that can be guessed."""
        return 0 < len(self.secret_key) < SHORTEST_KEY

    @property
    def texted_countries(self) -> tuple[str, ...]:
        """The countries that may be texted where that costs money; `EVERYWHERE` for all."""
        home = (self.default_country,) if self.default_country else ()
        return self.sms_countries or home

    def files_url(self, base_url: str) -> str:
        """The address of uploaded files, with a slash at its end; `base_url`: this server's, without one."""
        return self.download_url or f"{base_url}/files/"

    @property
    def texts_codes(self) -> bool:
        """Whether people log in by phone number, with a code in a text message."""
        return self.login_method in ("otp", MESIBO_OTP)

    @property
    def codes_are_mesibos(self) -> bool:
        """Whether mesibo makes and judges those codes."""
        return self.login_method == MESIBO_OTP

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


def shown(value: object, secret: bool) -> str:
    """A value as it may be printed: never a secret, nor the user and password of a URL."""
    return "***" if secret else _USERINFO.sub("***", repr(value))


def _absolute(uri: str) -> str:
    """A SQLite file is looked for from the working folder, as every other path is; Flask would not."""
    scheme, _, path = uri.partition(":///")
    if scheme == "sqlite" and path and not path.startswith(("/", ":", "file:")):
        return f"sqlite:///{_in_address(Path.cwd()) / Path(path)}"
    return uri


def _in_address(path: Path) -> Path:
    """A path as it stands in an address, where "?" would end it, and "%" begins a character."""
    return Path(quote(str(path)))

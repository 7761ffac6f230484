"""The parts with which an operator looks at an installation: the lower half of the composition root.

Most commands need no more. They would wait for what `composition` loads besides: all services, the gateways
and their libraries.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Self

from messenger_api.domain.secrets import Keys, new_secret_key
from messenger_api.gateways.login import method_from_settings
from messenger_api.held import Held
from messenger_api.keyfile import kept_key, with_secret_key
from messenger_api.services.account.devices import Devices
from messenger_api.services.identities import Identities, Method, PhoneNumbers, names_of
from messenger_api.services.installation import Installation
from messenger_api.services.limits import Limits
from messenger_api.services.login.passwords import PasswordMethod
from messenger_api.services.operator import Operator
from messenger_api.services.operator.administrators import Administrators
from messenger_api.services.operator.audit import Audit
from messenger_api.services.operator.figures import Figures
from messenger_api.services.operator.groups import GroupQueries
from messenger_api.services.operator.health import Health
from messenger_api.services.operator.judgement import Judge
from messenger_api.services.operator.machine import Machine
from messenger_api.services.operator.outbox import OutboxControl
from messenger_api.services.operator.push import PushCredentials
from messenger_api.services.operator.raising import Raising
from messenger_api.services.operator.spending import Spending
from messenger_api.services.operator.users import UserQueries
from messenger_api.services.sms.pauses import Pauses
from messenger_api.services.sms.report import TextReports
from messenger_api.settings import Settings
from messenger_api.storage import db as databases
from messenger_api.storage.schema import Schema


class OperatorParts(Held):
    """Each part is built once, when it is first asked for.

    So the doctor can ask for single ones, and a fault of one leaves it the others.
    """

    @classmethod
    def alone(cls, settings: Settings) -> Self:
        """Without an application, for the doctor: no key is made, and no sandbox is started."""
        key = kept_key(settings) or new_secret_key()
        return cls(replace(settings, secret_key=key), databases.open_database(settings))

    @classmethod
    def without_flask(cls, settings: Settings) -> Self:
        """Without an application, for commands. Raises SettingsError: the key is gone."""
        settings = with_secret_key(settings)
        if settings.is_sqlite:
            settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(settings, databases.open_database(settings), plays=True)

    @cached_property
    def schema(self) -> Schema:
        """The version of the tables."""
        return Schema(self.database)

    @cached_property
    def keys(self) -> Keys:
        """Keyed hashes by the SECRET_KEY."""
        return Keys.derive(self.settings.secret_key)

    @cached_property
    def login_method(self) -> Method:
        """What LOGIN_METHOD stands for."""
        if self.settings.login_method != "password":
            method = method_from_settings(self.settings)
            return self._closing(method) if method else PhoneNumbers(self.settings)
        return self.passwords

    @cached_property
    def passwords(self) -> PasswordMethod:
        """The passwords that are kept here, whatever LOGIN_METHOD is. Raises ImportError: no library."""
        return self._closing(PasswordMethod(self.settings, self.database))

    @cached_property
    def identities(self) -> Identities:
        """Who is meant by what people type."""
        return Identities(self.keys, names_of(self.login_method))

    @cached_property
    def installation(self) -> Installation:
        """Whether the SECRET_KEY is that of the data."""
        return Installation(self.database, self.keys, self.identities)

    # What operators ask

    @cached_property
    def pauses(self) -> Pauses:
        """Ranges of numbers and countries whose codes nobody enters."""
        return Pauses(self.settings)

    @cached_property
    def limits(self) -> Limits:
        """The counting limits."""
        return Limits(self.settings, self.database, self.figures)

    @cached_property
    def health(self) -> Health:
        """Whether database and outbox are well."""
        return Health(self.database)

    @cached_property
    def machine(self) -> Machine:
        """Disks, and what runs out."""
        return Machine(self.settings)

    @cached_property
    def kept_figures(self) -> Figures:
        """What all processes have counted, as the database keeps it."""
        return Figures(self.database)

    @cached_property
    def judge(self) -> Judge:
        """Whether people can log in."""
        seen = (self.schema, self.limits, self.health, self.texts, self.kept_figures, self.machine)
        return Judge(self.settings, self.database, *seen)

    @cached_property
    def outbox(self) -> OutboxControl:
        """The outbox for operators."""
        return OutboxControl(self.database, self.audit)

    @cached_property
    def audit(self) -> Audit:
        """What operators did."""
        return Audit(self.database, self.keys)

    @cached_property
    def administrators(self) -> Administrators:
        """Who may use the console."""
        return Administrators(self.database, self.keys, self.audit)

    @cached_property
    def devices(self) -> Devices:
        """Where users are logged in."""
        return Devices(self.settings, self.database)

    @cached_property
    def texts(self) -> TextReports:
        """What texts cost, and how many arrive."""
        return TextReports(self.settings, self.allowed, self.database, self.pauses)

    @cached_property
    def spending(self) -> Spending:
        """Money, pauses and refusals."""
        seen = (self.limits, self.judge, self.texts, self.kept_figures, self.audit)
        return Spending(self.settings, self.database, *seen)

    @cached_property
    def raising(self) -> Raising:
        """Limits that are raised until a time."""
        return Raising(self.database, self.allowed, self.audit)

    @cached_property
    def push_credentials(self) -> PushCredentials:
        """What mesibo was handed to wake phones with."""
        return PushCredentials(self.database)

    @cached_property
    def operator(self) -> Operator:
        """All that operators ask."""
        return Operator(
            users=UserQueries(self.database, self.identities),
            groups=GroupQueries(self.database),
            outbox=self.outbox,
            texts=self.texts,
            health=self.health,
            figures=self.kept_figures,
            push=self.push_credentials,
            machine=self.machine,
            judge=self.judge,
        )

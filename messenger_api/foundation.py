"""The parts that the others stand on: the keys, the limits, who is meant, and the outside systems."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from messenger_api.clients import mesibo_client
from messenger_api.domain.secrets import Keys
from messenger_api.gateways.login import method_from_settings
from messenger_api.gateways.mesibo import MesiboClient
from messenger_api.gateways.sms import SmsSender, sender_from_settings
from messenger_api.held import Held
from messenger_api.services.identities import Identities, Method, PhoneNumbers, names_of
from messenger_api.services.installation import Installation
from messenger_api.services.limits import Limits
from messenger_api.services.login.passwords import PasswordMethod
from messenger_api.storage.files import FileStore
from messenger_api.storage.schema import Schema


class Foundation(Held):
    """The base of `composition.Parts`. Each part is built once, when it is first asked for."""

    # What the others stand on

    @cached_property
    def schema(self) -> Schema:
        """The version of the tables."""
        return Schema(self.database)

    @cached_property
    def keys(self) -> Keys:
        """Keyed hashes by the SECRET_KEY."""
        return Keys.derive(self.settings.secret_key)

    @cached_property
    def limits(self) -> Limits:
        """The counting limits."""
        return Limits(self.settings, self.database, self.figures)

    @cached_property
    def identities(self) -> Identities:
        """Who is meant by what people type."""
        return Identities(self.keys, names_of(self.login_method))

    @cached_property
    def installation(self) -> Installation:
        """Whether the SECRET_KEY is that of the data."""
        return Installation(self.database, self.keys, self.identities)

    # Outside systems

    @cached_property
    def files(self) -> FileStore:
        """Pictures and attachments."""
        return self._closing(FileStore.from_settings(self.settings))

    @cached_property
    def mesibo(self) -> MesiboClient:
        """mesibo's backend API, or the sandbox in its place."""
        settings, sandbox = self.settings, self.sandbox
        if sandbox:
            form = settings.mesibo_api_style == "form"
            url = sandbox.mesibo_form_url if form else sandbox.mesibo_json_url
            settings = replace(settings, mesibo_api_url=url, mesibo_app_token=sandbox.app_token)
        return self._closing(mesibo_client(settings, self.figures))

    @cached_property
    def sms(self) -> SmsSender:
        """The SMS providers. Raises SettingsError or ValueError: they cannot be used."""
        inbox = self.sandbox.store.record_sms if self.sandbox else None
        return self._closing(sender_from_settings(self.settings, inbox=inbox))

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

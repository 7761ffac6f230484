"""What all that is changed asks: the limits and the outside systems."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from messenger_api.clients import mesibo_client
from messenger_api.gateways.mesibo import MesiboClient
from messenger_api.gateways.sms import SmsSender, sender_from_settings
from messenger_api.operating import OperatorParts
from messenger_api.storage.files import FileStore


class Foundation(OperatorParts):
    """The base of `composition.Parts`. Each part is built once, when it is first asked for."""

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
        inbox = self.sandbox.receive_text if self.sandbox else None
        return self._closing(sender_from_settings(self.settings, inbox=inbox))

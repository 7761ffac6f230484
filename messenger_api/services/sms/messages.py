"""What a text or a call with a code says, and how it rests while it may have to be sent again: sealed."""

from __future__ import annotations

import base64

import msgspec

from messenger_api.domain.phone import Phone
from messenger_api.domain.secrets import Keys
from messenger_api.domain.sms import code_text
from messenger_api.domain.texts import say
from messenger_api.gateways.sms import Channel, TextMessage
from messenger_api.services.otp.requests import CodeRequest
from messenger_api.settings import Settings


class CodeMessage(msgspec.Struct):
    """What a text that may have to be sent again held; it rests sealed."""

    phone: str
    code: str
    text: str
    language: str
    channel: str

    @property
    def text_message(self) -> TextMessage:
        """As providers are given it."""
        return TextMessage(self.phone, self.text, self.code, self.language, Channel(self.channel))


class CodeMessages:
    """Writes and seals messages."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._settings = settings
        self._keys = keys

    def compose(self, phone: Phone, code: str, asked: CodeRequest, channel: Channel) -> CodeMessage:
        """The message with this code."""
        settings = self._settings
        text = (
            self.spoken(code, asked.language)
            if channel is Channel.VOICE
            else code_text(
                code,
                settings.sms_app_name,
                asked.language,
                template=settings.sms_text,
                android_hash=settings.sms_android_hash,
                ios_domain=settings.sms_ios_domain,
                ios=asked.ios,
            )
        )
        return CodeMessage(phone.digits, code, text, asked.language, channel.value)

    def spoken(self, code: str, language: str) -> str:
        """What a voice says."""
        return say("voice_code", language, code=" ".join(code), app=self._settings.sms_app_name)

    def seal(self, message: CodeMessage, about: bytes) -> str:
        """A message that only this installation can read, and only together with `about`."""
        return base64.b64encode(self._keys.seal(msgspec.json.encode(message), about)).decode()

    def unseal(self, sealed: str, about: bytes) -> CodeMessage:
        """What `seal` was given."""
        return msgspec.json.decode(self._keys.unseal(base64.b64decode(sealed), about), type=CodeMessage)

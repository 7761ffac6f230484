"""Text messages through the gateway of Example Ltd. SMS_PROVIDERS = ["own_sms_provider.ExampleProvider"]."""

from collections.abc import Iterator
from dataclasses import dataclass

import requests

from messenger_api.gateways.sms import SmsProvider, SmsRefused, SmsUnavailable, TextMessage
from messenger_api.settings import Keys, Settings, key
from messenger_api.settings.conversions import as_text, as_url, is_local


@dataclass(frozen=True)
class ExampleKeys(Keys):
    example_sms_url: str = key("", as_url, "Where messages go.", "https://sms.example.com/", needed=True)
    example_sms_key: str = key("", as_text, "The account's key.", "k-0123", secret=True, needed=True)

    def faults(self) -> Iterator[str]:
        if self.example_sms_url.startswith("http:") and not is_local(self.example_sms_url):
            yield "EXAMPLE_SMS_URL: accepted is an https URL, for the key goes along"


class ExampleProvider(SmsProvider):
    name = "example"
    keys = ExampleKeys

    def __init__(self, settings: Settings) -> None:
        mine = settings.of(ExampleKeys)
        self.app, self.url = settings.sms_app_name, mine.example_sms_url
        self.headers = {"Authorization": f"Bearer {mine.example_sms_key}"}

    def _deliver(self, message: TextMessage) -> str:
        body = {"to": message.to, "text": message.text, "sender": self.app}
        answer = requests.post(self.url, json=body, headers=self.headers, timeout=4)
        if answer.status_code == 422:
            raise SmsRefused(self.name, "the gateway does not know the number")
        if answer.status_code != 200:
            sure = 400 <= answer.status_code < 500
            raise SmsUnavailable(self.name, f"HTTP {answer.status_code}", not_sent=sure)
        return str(answer.json()["id"])

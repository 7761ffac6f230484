"""The company's people service decides who logs in. LOGIN_METHOD = "own_login_method.CompanyLogin"."""

from dataclasses import dataclass

import requests

from messenger_api.gateways.login import Denied, LoginMethod, Person, Unavailable
from messenger_api.settings import Keys, Settings, key
from messenger_api.settings.conversions import as_url


@dataclass(frozen=True)
class CompanyKeys(Keys):
    people_service_url: str = key("", as_url, "The people service.", "https://p.example.com", needed=True)


class CompanyLogin(LoginMethod):
    name = "company"
    keys = CompanyKeys

    def __init__(self, settings: Settings) -> None:
        self.url = settings.of(CompanyKeys).people_service_url
        self.seconds = settings.login_timeout

    def _authenticate(self, address: str, secret: str) -> Person:
        found = self._post("/login", {"user": address, "password": secret})
        return Person(address=found["user"], name=found["name"])

    def check(self) -> None:
        self._post("/ping", {})

    def _post(self, path: str, fields: dict[str, str]) -> dict[str, str]:
        answer = requests.post(self.url + path, json=fields, timeout=self.seconds, allow_redirects=False)
        if answer.status_code == 401:
            raise Denied("the people service said no")
        if answer.status_code != 200:
            raise Unavailable(f"the people service answered {answer.status_code}")
        found: dict[str, str] = answer.json()
        return found

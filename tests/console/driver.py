"""How the tests drive the console: administrators with their authenticators, and a browser without script."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyotp
from werkzeug.test import TestResponse

from messenger_api.domain.administrators import Role
from messenger_api.services.operator.second_factor import STEP_SECONDS
from tests.product import Product

PASSWORD = "correct horse battery"
_TOKEN = re.compile(r'name="form_token" value="(\w+)"')


@dataclass
class Admin:
    """An administrator with a browser of their own."""

    product: Product
    name: str
    secret: str
    address: str = "127.0.0.1"

    def __post_init__(self) -> None:
        self.http = self.product.app.test_client()
        self.page = ""

    def code(self) -> str:
        """The code that the authenticator shows."""
        return pyotp.TOTP(self.secret).at(int(self.product.clock()))

    def fresh_code(self) -> str:
        """The next code, for which a person would wait."""
        self.product.clock.advance(STEP_SECONDS)
        return self.code()

    def get(self, path: str = "", **headers: str) -> TestResponse:
        """Look at a page below /admin."""
        found = self.http.get(f"/admin{path}", headers=headers, environ_base={"REMOTE_ADDR": self.address})
        self.page = found.text
        return found

    def post(self, path: str, **fields: str) -> TestResponse:
        """Send a form, with the token of the page last seen unless one is given."""
        token = _TOKEN.search(self.page)
        data = {"form_token": token[1] if token else "", **fields}
        return self.http.post(f"/admin{path}", data=data, environ_base={"REMOTE_ADDR": self.address})

    def act(self, path: str, **fields: str) -> TestResponse:
        """Send a form and follow it to the page where it leads."""
        sent = self.post(path, **fields)
        assert sent.status_code == 303, sent.text
        return self.get(sent.headers["Location"].removeprefix("/admin"))

    def log_in(self, password: str = PASSWORD, code: str | None = None, **fields: str) -> TestResponse:
        """Send the form of the login page."""
        self.get("/login")
        typed = {"name": self.name, "password": password, "code": code or self.code(), **fields}
        sent = self.post("/login", **typed)
        if sent.status_code == 303:
            self.get()
        return sent


def administrator(product: Product, name: str = "ana", role: Role = Role.OWN) -> Admin:
    """A new administrator, not yet logged in."""
    made = product.parts.console.administrators.create(name, role, PASSWORD)
    return Admin(product, name, made.secret)


def logged_in(product: Product, name: str = "ana", role: Role = Role.OWN) -> Admin:
    """A new administrator who has logged in."""
    made = administrator(product, name, role)
    assert made.log_in().status_code == 303
    return made

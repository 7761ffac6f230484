"""A sandbox of its own for each test, and a caller who speaks both of mesibo's generations."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from messenger_api.sandbox import SandboxServer, SandboxStore

ADA = "14155550123"
BOB = "919876543210"
CHI = "919876543211"


@dataclass
class Caller:
    """Calls the sandbox as a client of mesibo's would."""

    server: SandboxServer
    http: requests.Session

    def post(self, body: Any) -> dict[str, Any]:
        """A JSON body as it is."""
        answer = self.http.post(self.server.mesibo_json_url, json=body, timeout=5)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/json"
        found: dict[str, Any] = answer.json()
        return found

    def json(self, op: str, **subject: Any) -> dict[str, Any]:
        return self.post({"op": op, "token": self.server.app_token, **subject})

    def form(self, op: str, **fields: Any) -> dict[str, Any]:
        values = {"op": op, "token": self.server.app_token, **fields}
        answer = self.http.post(self.server.mesibo_form_url, data=values, timeout=5)
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    def message(self, **members: Any) -> dict[str, Any]:
        """A message from Ada to Bob with some members changed; None leaves one out."""
        given = {"from": ADA, "to": BOB, "type": 1, "message": "hello", **members}
        return self.json("message", message={key: value for key, value in given.items() if value is not None})


@pytest.fixture
def store() -> Iterator[SandboxStore]:
    with SandboxStore() as store:
        yield store


@pytest.fixture
def server(store: SandboxStore) -> Iterator[SandboxServer]:
    with SandboxServer(store) as server:
        yield server


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture
def caller(server: SandboxServer, http: requests.Session) -> Caller:
    return Caller(server, http)


@pytest.fixture
def people(store: SandboxStore) -> SandboxStore:
    """The store with three users in it."""
    for address, name in ((ADA, "Ada"), (BOB, "Bob"), (CHI, "")):
        store.put_user(address, name=name)
    return store


def refused(answer: dict[str, Any], error: str, *properties: str, code: int = 400) -> bool:
    """Whether the answer is this failure, with the documented members."""
    named = {"properties": list(properties)} if properties else {}
    expected = {"error": error, "code": code, "result": False, **named}
    return bool(answer["cause"]) and {key: answer.get(key) for key in expected} == expected


def in_processes(work: Callable[..., None], arguments: Iterable[tuple[object, ...]]) -> None:
    """Do the work in a process for each of the arguments, all at once."""
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=work, args=each) for each in arguments]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
        worker.close()

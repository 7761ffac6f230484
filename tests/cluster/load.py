"""Load of mixed ops on several app processes, by clients that remember every write that was acknowledged."""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import requests

from messenger_api.sandbox import SandboxStore
from tests.product import APPID, Answer

# Between two calls of one client, in seconds: a busy service, on a machine that is not at its limit.
PAUSE = 0.1
CODE = re.compile(r"\d{6}")


@dataclass
class Value:
    """Something that was set: `may_be` holds what a reader may find, more than one after a TRYLATER."""

    may_be: set[object] = field(default_factory=set)

    def tried(self, value: str) -> None:
        self.may_be.add(value)

    def acknowledged(self, value: str) -> None:
        self.may_be = {value}


@dataclass
class Account:
    """A phone that is logged in, and what was acknowledged to it."""

    number: str
    token: str
    name: Value = field(default_factory=lambda: Value({""}))
    push: Value = field(default_factory=lambda: Value({""}))
    phones: set[str] = field(default_factory=set)


@dataclass
class Group:
    """A group, and who is certain to be in it."""

    gid: int
    owner: Account
    name: str
    members: set[str]


@dataclass(frozen=True)
class Outcome:
    """One call: when it was answered, what, and how long that took."""

    at: float
    op: str
    error: str
    seconds: float


class Client(threading.Thread):
    """Somebody with several phones, who calls one op after the other at whichever process."""

    def __init__(
        self, number: int, urls: Sequence[str], sandbox: SandboxStore, stop: threading.Event
    ) -> None:
        super().__init__(name=f"client-{number}")
        self.accounts: list[Account] = []
        self.groups: list[Group] = []
        self.outcomes: list[Outcome] = []
        self.fault: BaseException | None = None
        self._number = number
        self._urls = urls
        self._sandbox = sandbox
        self._stop_asked = stop
        self._random = random.Random(number)
        self._http = requests.Session()
        self._count = 0

    def run(self) -> None:
        try:
            while not self._stop_asked.is_set():
                self._random.choice(self._what_it_may_do())()
                time.sleep(PAUSE)
        except BaseException as fault:  # noqa: BLE001 - the test raises it again
            self.fault = fault
        finally:
            self._http.close()

    def _what_it_may_do(self) -> list[Callable[[], None]]:
        if len(self.accounts) < 2:
            return [self._log_in]
        choices = [self._log_in, self._profile, self._profile, self._phones, self._push, self._new_group]
        return [*choices, *([self._add_member] * 2 if self.groups else [])]

    def _call(self, op: str, **fields: object) -> Answer | None:
        """One call; None when it failed."""
        began = time.monotonic()
        response = self._http.post(self._random.choice(self._urls), json={"op": op, **fields}, timeout=30)
        assert response.status_code == 200
        answer: Answer = response.json()
        now = time.monotonic()
        error = "" if answer["result"] == "OK" else str(answer["error"])
        self.outcomes.append(Outcome(now, op, error, now - began))
        return None if error else answer

    def _fresh(self) -> int:
        self._count += 1
        return self._count

    def _any(self) -> Account:
        return self._random.choice(self.accounts)

    # The ops

    def _log_in(self) -> None:
        number = f"1415{200 + self._number:03}{self._fresh():04}"
        login = {"phone": number, "appid": APPID}
        if not self._call("login", **login):
            return
        text = next(text.text for text in self._sandbox.texts(limit=500) if text.to == number)
        [code] = CODE.findall(text)[:1]
        if answer := self._call("login", otp=code, **login):
            self.accounts.append(Account(str(answer["phone"]), str(answer["token"])))

    def _profile(self) -> None:
        account, name = self._any(), f"name {self._fresh()}"
        account.name.tried(name)
        if self._call("profile", token=account.token, name=name):
            account.name.acknowledged(name)

    def _phones(self) -> None:
        account = self._any()
        phones = [
            f"1415{self._random.randrange(200, 999)}{self._random.randrange(10_000):04}" for _ in "12345"
        ]
        if self._call("getcontacts", token=account.token, ts=0, phones=phones):
            account.phones.update(phones)

    def _push(self) -> None:
        account, token = self._any(), f"push-{self._number}-{self._fresh()}"
        account.push.tried(token)
        if self._call("setnotify", token=account.token, notifytoken=token, dt=1):
            account.push.acknowledged(token)

    def _new_group(self) -> None:
        owner, member, name = self._any(), self._any(), f"group {self._number}-{self._fresh()}"
        fields = {"gid": 0, "name": name, "m": [member.number]}
        if answer := self._call("setgroup", token=owner.token, **fields):
            self.groups.append(Group(int(answer["gid"]), owner, name, {owner.number, member.number}))

    def _add_member(self) -> None:
        group, member = self._random.choice(self.groups), self._any()
        fields = {"gid": group.gid, "m": [member.number]}
        if self._call("editmembers", token=group.owner.token, **fields):
            group.members.add(member.number)


class Load:
    """A dozen clients; `with` runs them."""

    def __init__(self, urls: Sequence[str], sandbox: SandboxStore, clients: int = 12) -> None:
        self._stop = threading.Event()
        self.clients = [Client(number, urls, sandbox, self._stop) for number in range(clients)]

    def start(self) -> None:
        for client in self.clients:
            client.start()

    def stop(self) -> None:
        self._stop.set()
        for client in self.clients:
            client.join()

    def outcomes(self) -> list[Outcome]:
        """Every call so far, in the order of the answers."""
        found = [outcome for client in self.clients for outcome in list(client.outcomes)]
        return sorted(found, key=lambda outcome: outcome.at)

    def errors(self) -> Counter[str]:
        return Counter(f"{outcome.op} {outcome.error}" for outcome in self.outcomes() if outcome.error)

    def longest_silence(self, since: float, until: float) -> float:
        """The longest time without a success between two moments."""
        moments = [o.at for o in self.outcomes() if not o.error and since <= o.at <= until]
        borders = [since, *moments, until]
        return max(later - earlier for earlier, later in pairwise(borders))

    def summary(self) -> str:
        outcomes = self.outcomes()
        return json.dumps(
            {
                "calls": len(outcomes),
                "errors": dict(self.errors()),
                "slowest_seconds": round(max(outcome.seconds for outcome in outcomes), 2),
                "accounts": sum(len(client.accounts) for client in self.clients),
                "groups": sum(len(client.groups) for client in self.clients),
            }
        )

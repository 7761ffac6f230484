"""What every app does, whatever its generation; how it says so is left to the generations."""

from __future__ import annotations

import io
import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

import requests
from PIL import Image

from tests.apps.outside import PATIENCE_SECONDS, Outside
from tests.apps.store import Answer, AppCrash, Group, Notice, Profile, Store, roster
from tests.processes import wait_for

T = TypeVar("T")
Fields = Mapping[str, Any]
"""Numbers as int, lists as list, texts as str; each generation writes them in its own way."""


class Refused(Exception):
    """The server said no; the text is its error code."""


class LoggedOut(Exception):
    """The server does not know the session, so the app shows its login screen."""


def parsed(body: str) -> Answer:
    """A JSON object in which nothing is null."""

    def members(pairs: list[tuple[str, Any]]) -> Answer:
        if empty := [name for name, value in pairs if value is None]:
            raise AppCrash(f"null in {empty}")
        return Answer(pairs)

    try:
        found = json.loads(body, object_pairs_hook=members)
    except ValueError as error:
        raise AppCrash(f"no JSON: {body[:200]!r}") from error
    if not isinstance(found, Answer):
        raise AppCrash(f"no object: {body[:200]!r}")
    return found


_ADDRESSES = itertools.cycle(range(1, 255))


class App(ABC):
    """An app on somebody's phone."""

    appid = "com.example.messenger"
    code_field: str
    numbers_per_call: int
    identity: ClassVar[Fields] = {}
    """What the app says of its device at login."""

    def __init__(self, server: str, outside: Outside) -> None:
        self.server = server
        self.store = Store()
        self.token = ""
        self.urls = Answer()
        self.invitation = Notice("", "")
        self.http = requests.Session()
        self.http.trust_env = False  # no proxy of the machine stands between two local ports
        # As the proxy in front would write it: each phone is somewhere else.
        self.http.headers["X-Forwarded-For"] = f"198.51.100.{next(_ADDRESSES)}"
        self._outside = outside
        self._heard = 0

    # The dialect

    @abstractmethod
    def send(self, op: str, fields: Fields) -> Answer:
        """Make a call and read the answer, as strictly as this generation does."""

    @abstractmethod
    def upload(self, photo: bytes, gid: int = 0) -> Answer:
        """Send a photo of oneself or of a group."""

    @abstractmethod
    def read_update(self, text: str) -> Answer:
        """Read the text of an update message, as strictly as this generation does."""

    def written(self, number: str) -> str:
        """A number of the address book as this generation sends it."""
        return number

    # The session

    def log_in(self, number: str, name: str = "") -> Answer:
        """The whole way in, with the code from the SMS inbox."""
        self.ask_for_code(number, name)
        return self.enter_code(number, self._outside.code(number))

    def ask_for_code(self, number: str, name: str = "") -> None:
        self.ask("login", phone=number, appid=self.appid, **self.identity, **({"name": name} if name else {}))

    def enter_code(self, number: str, code: str) -> Answer:
        code_given = {self.code_field: code}
        answer = self.ask("login", phone=number, appid=self.appid, **self.identity, **code_given)
        self.token = answer["token"]
        self._keep_invitation(answer)
        self.store = Store(own=str(answer["phone"]), profile=Profile.of(answer))
        self._heard = self._outside.newest_message()
        return answer

    def log_out(self) -> None:
        self.ask("logout")
        self._forget_everything()

    def ask(self, op: str, **fields: Any) -> Answer:
        """Make a call that must succeed."""
        return self.accepted(self.send(op, {"token": self.token, **fields} if self.token else fields))

    def accepted(self, answer: Answer) -> Answer:
        """Go on with a success; react to a failure as all the apps do."""
        if answer["result"] in ("OK", True):
            if self.token:
                self._keep_invitation(answer)
            return answer
        if answer["error"] == "AUTHFAIL":
            self._forget_everything()
            raise LoggedOut
        if not answer["error"]:
            raise AppCrash("a failure without a reason")
        raise Refused(answer["error"])

    def _keep_invitation(self, answer: Answer) -> None:
        """Every success says again where files go and how to invite friends."""
        self.urls = answer["urls"]
        self.invitation = Notice(answer["share"]["subject"], answer["share"]["text"])

    def _forget_everything(self) -> None:
        self.token, self.store = "", Store()

    # Contacts

    def sync(self, address_book: Mapping[str, str] | None = None) -> None:
        """Send the address book, if given, then ask what else changed."""
        self.store.names.update(address_book or {})
        numbers = [self.written(number) for number in address_book or {}]
        for start in range(0, len(numbers), self.numbers_per_call):
            chunk = numbers[start : start + self.numbers_per_call]
            self._learn(phones=chunk, reset=int(start == 0))
        self._learn()

    def _learn(self, **fields: Any) -> None:
        answer = self.ask("getcontacts", ts=self.store.newest, hidden=0, **fields)
        for entry in answer["contacts"]:
            self.store.learn(entry)
        self.store.profile = Profile.of(answer["u"])

    # The profile

    def change_profile(self, name: str, status: str) -> None:
        answer = self.ask("profile", name=name, status=status, gid=0)
        self.store.profile = Profile.of(answer)

    def change_photo(self, photo: bytes) -> None:
        self.store.profile.photo = self.upload(photo)["photo"]

    def remove_photo(self) -> None:
        self.ask("upload", profile=1, gid=0, delete=1)
        self.store.profile.photo = ""

    def fetch_photo(self, name: str) -> Image.Image:
        """Download a photo as the apps do, by the address that login gave and its name."""
        response = self.http.get(self.urls["download"] + name, timeout=PATIENCE_SECONDS)
        response.raise_for_status()
        picture = Image.open(io.BytesIO(response.content))
        picture.load()
        return picture

    # Groups

    def make_group(self, name: str, members: list[str], photo: bytes) -> int:
        """Make a group; each generation brings the photo along in its own way."""
        gid = self._keep_group(self.ask("setgroup", gid=0, name=name, m=members))
        self._keep_group(self.upload(photo, gid))
        return gid

    def rename_group(self, gid: int, name: str) -> None:
        self._keep_group(self.ask("profile", gid=gid, name=name))

    def set_admin(self, gid: int, member: str, *, admin: bool = True) -> None:
        self._keep_members(self.ask("setadmin", gid=gid, m=[member], admin=int(admin)))

    def add_member(self, gid: int, member: str) -> None:
        self._keep_members(self.ask("editmembers", gid=gid, m=[member], delete=0))

    def remove_member(self, gid: int, member: str) -> None:
        self._keep_members(self.ask("editmembers", gid=gid, m=[member], delete=1))

    def leave_group(self, gid: int) -> None:
        """Leave a group; its owner deletes it."""
        self.ask("delgroup", gid=gid)
        del self.store.groups[gid]

    def _keep_group(self, answer: Answer) -> int:
        gid = int(answer["gid"])
        self.store.groups[gid] = Group.of(answer)
        return gid

    def _keep_members(self, answer: Answer) -> None:
        group = self.store.groups[int(answer["gid"])]
        group.admins, group.members = roster(answer["members"])

    # Messages

    def receive(self) -> None:
        """Take in the messages that mesibo delivered since the last time."""
        for message in self._outside.messages(self.store.own, after=self._heard):
            self._heard = message.mid
            self.store.update(self.read_update(message.text))

    def hear_until(self, seen: Callable[[Store], T], what: str) -> T:
        """Receive messages until the store shows something."""

        def look() -> T:
            self.receive()
            return seen(self.store)

        return wait_for(look, PATIENCE_SECONDS, what)

    def close(self) -> None:
        self.http.close()


Install = Callable[[type[App]], App]
"""Puts an app on one more phone; the type of the fixture `install`."""

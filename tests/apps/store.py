"""What an app keeps on the phone: contacts, groups and notices, fed by syncs and by update messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class AppCrash(Exception):
    """An answer or a message that the app cannot digest; on the phone, a crash or lost data."""


class Answer(dict[str, Any]):
    """An object of the server's. The apps use its members unasked: one that is missing is a crash."""

    def __missing__(self, name: str) -> Any:
        raise AppCrash(f"there is no {name!r}, only {sorted(self)}")


@dataclass
class Profile:
    name: str
    status: str
    photo: str
    thumbnail: str

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Profile:
        return cls(entry["name"], entry["status"], entry["photo"], entry.get("tn", ""))


@dataclass
class Group:
    name: str
    photo: str
    thumbnail: str
    admins: list[str]
    members: list[str]

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Group:
        admins, members = roster(entry["members"])
        return cls(entry["name"], entry["photo"], entry.get("tn", ""), admins, members)


@dataclass(frozen=True)
class Notice:
    """What the phone shows at the top of its screen."""

    subject: str
    text: str


def roster(members: str) -> tuple[list[str], list[str]]:
    """The admins, and everyone, of `"<number of admins>:<owner>,<other admins>,<members>"`."""
    admins, *people = filter(None, re.split("[:,]", members))
    return people[: int(admins)], people


@dataclass
class Store:
    """The phone's own copy. `names` is the address book: international numbers and who they are."""

    own: str = ""
    names: dict[str, str] = field(default_factory=dict)
    newest: int = 0
    profile: Profile = field(default_factory=lambda: Profile("", "", "", ""))
    contacts: dict[str, Profile] = field(default_factory=dict)
    groups: dict[int, Group] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)

    def learn(self, entry: Mapping[str, Any]) -> None:
        """Take in an entry of a sync."""
        self._keep(entry)
        self.newest = max(self.newest, int(entry["ts"]))

    def update(self, message: Mapping[str, Any]) -> None:
        """Take in an update message."""
        self._keep(message)
        if message["subject"]:
            self.notices.append(Notice(self._named(message, "subject"), self._named(message, "msg")))

    def _keep(self, entry: Mapping[str, Any]) -> None:
        gid = int(entry["gid"])
        if not gid:
            self.contacts[str(entry["phone"])] = Profile.of(entry)
            return
        self.groups[gid] = Group.of(entry)
        if self.own not in self.groups[gid].members:
            del self.groups[gid]

    def _named(self, message: Mapping[str, Any], member: str) -> str:
        name = self.names.get(message["phone"]) or message["name"] or message["phone"]
        return str(message[member].replace("%NAME%", name))

"""What the tests of syncing share: a clock that stands still, transactions held open, apps and the truth."""

from __future__ import annotations

import copy
import itertools
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import Connection, insert, update

from messenger_api.services.people.news import News
from messenger_api.storage.db import Database
from messenger_api.storage.models import User
from tests.product import APPID, Answer, Phone, Product

T = TypeVar("T")
Picture = tuple[str, ...]

# Longer than any test holds a transaction; a thread that nobody releases ends all the same.
FORGOTTEN_SECONDS = 20
# A request that takes longer waits for a transaction: SQLite has one writer at a time.
WAITS_SECONDS = 0.05


class StillClock:
    """The time as the product sees it; it moves when the test says so."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Gate:
    """Lets a thread stop between the last statement of its transaction and the COMMIT."""

    def __init__(self, database: Database) -> None:
        self._write = database.write
        self._stops: dict[int, Callable[[], None]] = {}
        database.write = self._stopping  # type: ignore[method-assign]

    def stop_here(self, stop: Callable[[], None]) -> None:
        """Call `stop` before every commit of the calling thread."""
        self._stops[threading.get_ident()] = stop

    def _stopping(self, work: Callable[[Connection, int], T]) -> T:
        stop = self._stops.get(threading.get_ident())

        def stopped(tx: Connection, now: int) -> T:
            result = work(tx, now)
            if stop:
                stop()
            return result

        return self._write(stopped)


class Held:
    """A call whose transaction has its stamp and its statements, and no COMMIT yet.

    `write` says which of its transactions is meant, `touches` whom and which groups it locks, and `then`
    what follows its success.
    """

    def __init__(
        self,
        gate: Gate,
        call: Callable[[], Answer],
        touches: set[str],
        *,
        write: int = 1,
        then: Callable[[Answer], object] = bool,
    ) -> None:
        self.touches = touches
        self.then = then
        self.age = 0.0
        self._writes_left = write
        self._reached, self._released = threading.Event(), threading.Event()
        self._answers: list[Answer] = []
        self._thread = threading.Thread(target=self._run, args=(gate, call), daemon=True)
        self._thread.start()
        assert self._reached.wait(FORGOTTEN_SECONDS)

    def release(self) -> None:
        """Let it go on."""
        self._released.set()

    def commit(self) -> Answer:
        """Let it come to its end."""
        self.release()
        self._thread.join(FORGOTTEN_SECONDS)
        [answer] = self._answers
        return answer

    def _run(self, gate: Gate, call: Callable[[], Answer]) -> None:
        gate.stop_here(self._stop)
        try:
            self._answers.append(call())
        finally:
            self._reached.set()

    def _stop(self) -> None:
        self._writes_left -= 1
        if self._writes_left == 0:
            self._reached.set()
            self._released.wait(FORGOTTEN_SECONDS)


class Stage:
    """A product whose time stands still and whose transactions can be held."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.clock = StillClock()
        product.services.database.clock = self.clock
        self.gate = Gate(product.services.database)
        self.news = News(product.services.database)
        self._numbers = itertools.count(10_000)
        self._bystanders = itertools.count(1)

    def new_number(self) -> str:
        return f"9198765{next(self._numbers)}"

    def log_in(self, number: str) -> Phone:
        return self.product.log_in(number, name=f"N{number[-3:]}")

    @cached_property
    def stranger(self) -> Phone:
        """Somebody who knows nobody."""
        return self.log_in(self.new_number())

    def join_others(self, count: int) -> None:
        """People come who are in nobody's phone book."""
        now = self.product.services.database.now()
        at = {"created_at": now, "changed_at": now, "seen_at": now}
        numbers = list(itertools.islice(self._bystanders, count))
        keys = [{"address": f"1{number:09}", "contact_key": number.to_bytes(16)} for number in numbers]
        self.product.services.database.run(lambda tx: tx.execute(insert(User), [key | at for key in keys]))

    def change_others(self, count: int = 1 << 30) -> None:
        """So many of these people change what others see of them."""
        database = self.product.services.database
        those = User.contact_key < min(next(copy.copy(self._bystanders)), count + 1).to_bytes(16)
        database.run(lambda tx: tx.execute(update(User).where(those).values(changed_at=database.now())))

    def code_for(self, number: str) -> str:
        """A one-time code with which the number may log in."""
        self.product.ok("login", phone=number, appid=APPID)
        return self.product.code(number)

    def aside(self, phone: Phone) -> Phone:
        """The same phone with a connection of its own, for another thread."""
        return replace(phone, product=self.another())

    def beside(self, ask: Callable[[], T], give_way: Callable[[], None]) -> T:
        """The answer to a request beside transactions that are held; `give_way` ends them if it waits."""
        answers: list[T] = []
        thread = threading.Thread(target=lambda: answers.append(ask()), daemon=True)
        thread.start()
        thread.join(WAITS_SECONDS)
        if thread.is_alive():
            give_way()
        thread.join(FORGOTTEN_SECONDS)
        return answers[0]

    def app(self, phone: Phone, takes: str) -> App:
        """An app with a connection of its own."""
        return App(self.aside(phone), takes)

    def another(self) -> Product:
        """The same product with a connection of its own, for another thread."""
        product = copy.copy(self.product)
        product.http = self.product.app.test_client()
        return product


class App:
    """An app: keeps what it was told, by number and by gid, and sends the largest `ts` that it saw.

    `takes` says where it looks for one: in the `entries` of contacts and groups alone, in its `own`
    profile too, or in `all` that carries a `ts`.
    """

    def __init__(self, phone: Phone, takes: str) -> None:
        self.phone = phone
        self.takes = takes
        self.newest = 0
        self.book: set[str] = set()
        self.own: Picture = ()
        self.contacts: dict[str, Picture] = {}
        self.groups: dict[str, Picture] = {}

    def sync(self) -> list[Answer]:
        """Ask what changed; the entries that came."""
        return self.take(self.ask())

    def ask(self) -> Answer:
        """Ask what changed; the answer, not looked at."""
        return self.phone.ok("getcontacts", ts=self.newest, hidden=0)

    def match(self, numbers: Iterable[str]) -> None:
        """Send numbers of the phone book; the answer is about these alone."""
        sent = set(numbers)
        self.book |= sent
        for number in sent:
            self.contacts.pop(number, None)
        entries = self.take(self.phone.ok("getcontacts", ts=self.newest, phones=",".join(sorted(sent))))
        assert {entry["phone"] for entry in entries} <= sent - {self.phone.number}
        assert {entry["gid"] for entry in entries} <= {"0"}

    def forget(self, number: str) -> None:
        """Take a number out of the phone book."""
        self.book.discard(number)
        self.contacts.pop(number, None)
        self.phone.ok("delcontacts", phones=number)

    def change(self, op: str, **fields: object) -> Answer:
        """Change something; the answer has a `ts` as well."""
        answer = self.phone.ok(op, **fields)
        self.hear(answer["ts"])
        return answer

    def hear(self, ts: int) -> None:
        """Something that is no sync carries a `ts`."""
        if self.takes == "all":
            self.newest = max(self.newest, ts)

    def take(self, answer: Answer) -> list[Answer]:
        """Believe an answer; its entries."""
        entries: list[Answer] = answer["contacts"]
        people = [entry for entry in entries if entry["gid"] == "0"]
        groups = entries[len(people) :]
        for part in (people, groups):
            assert _stamps(part) == sorted(_stamps(part)), "oldest change first"
        self.contacts |= {entry["phone"]: _picture(entry, "status") for entry in people}
        self.groups |= {entry["gid"]: _picture(entry, "members") for entry in groups}
        self.own = _picture(answer["u"], "status")
        own = [] if self.takes == "entries" else [int(answer["u"]["ts"])]
        self.newest = max([self.newest, *_stamps(entries), *own])
        self.hear(answer["ts"])
        return entries


def _stamps(entries: Sequence[Answer]) -> list[int]:
    return [int(entry["ts"]) for entry in entries]


def _picture(entry: Answer, second: str) -> Picture:
    return entry["name"], entry[second], entry["photo"], entry.get("tn", "")


class Truth:
    """What the database holds, read with no help from the product."""

    def __init__(self, product: Product) -> None:
        profiles = "SELECT u.address, u.name, u.status, u.photo, t.tn FROM users u"
        profiles += " LEFT JOIN thumbnails t ON t.photo = u.photo"
        self.profiles = {a: (n, s, p, tn or "") for a, n, s, p, tn in product.rows(profiles)}
        groups = "SELECT g.gid, g.name, g.photo, t.tn, u.address, m.role FROM chat_groups g"
        groups += " JOIN group_members m ON m.gid = g.gid JOIN users u ON u.uid = m.uid"
        groups += " LEFT JOIN thumbnails t ON t.photo = g.photo ORDER BY m.role DESC, m.position, m.uid"
        self._groups: dict[str, list[Any]] = {}
        for gid, *row in product.rows(groups):
            self._groups.setdefault(str(gid), []).append(row)

    def contacts(self, app: App) -> dict[str, Picture]:
        """The accounts behind the numbers that this app sent."""
        return {number: self.profiles[number] for number in app.book & self.profiles.keys()}

    def groups(self, app: App) -> dict[str, Picture]:
        """The groups that this app's user is in."""
        mine = {gid: rows for gid, rows in self._groups.items() if app.phone.number in [r[3] for r in rows]}
        return {gid: _group(rows) for gid, rows in mine.items()}


def _group(rows: list[Any]) -> Picture:
    name, photo, tn = rows[0][:3]
    admins = sum(row[4] > 0 for row in rows)
    return name, f"{admins}:{','.join(row[3] for row in rows)}", photo, tn or ""


def assert_knows_the_truth(product: Product, apps: Iterable[App]) -> None:
    """Every app's picture is the database's. Groups that it left it learns from update messages."""
    truth = Truth(product)
    for app in apps:
        me = app.phone.number
        contacts = truth.contacts(app)
        contacts.pop(me, None)
        assert app.contacts == contacts
        groups = truth.groups(app)
        assert {gid: app.groups.get(gid) for gid in groups} == groups
        assert app.own == truth.profiles[me]


def quiet(stage: Stage, apps: Sequence[App], *, noted: bool = False) -> None:
    """Nothing happens for a while and every app syncs: it knows all, and then there is nothing new.

    Not either when what had changed is noted, and others have changed again. `noted`: what changed is noted
    before the apps sync, and the product knows it.
    """
    stage.clock.advance(10)
    if noted:
        stage.news.note()
        stage.stranger.ok("getcontacts", ts=0)
    for app in apps:
        app.sync()
    assert_knows_the_truth(stage.product, apps)
    for happens in (bool, stage.news.note, stage.change_others):
        happens()
        for app in apps:
            assert app.sync() == []

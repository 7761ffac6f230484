"""A product whose every step the scheduler sees, put back to its beginning before each run, and what must be
true after it."""

from __future__ import annotations

import hashlib
import io
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
import structlog
from sqlalchemy import event
from werkzeug.test import Client

from messenger_api.domain.errors import ApiError
from messenger_api.gateways.http import NoResponse, Response
from messenger_api.mesibo.http.sending import Cancelled, SendGuard
from messenger_api.services.account import closing
from messenger_api.services.identities import PhoneNumbers
from messenger_api.services.login.secret import SecretProof
from messenger_api.services.otp.requests import Device
from messenger_api.storage.models import Base
from tests.product import APPID, Answer, Phone, Product
from tests.races.scheduler import Change, Run, Scheduler

T = TypeVar("T")
Work = Callable[[], object]

# Longer than anything waits in the outbox.
LATER = 130


class _Inline:
    """In the place of `gateways.threads.Calls`: a call runs in the thread that makes it."""

    def run(self, work: Callable[[], T], _seconds: float, **_: object) -> T:
        return work()


class World:
    """The product and what is kept of it: `keep()` once, `try_one()` as often as wanted."""

    def __init__(self, product: Product, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.product = product
        self.killed: Change | None = None
        self._folder = folder / "kept"
        self._scheduler: Scheduler | None = None
        self._faults: list[dict[str, Any]] = []
        self._works: Sequence[Work] = ()
        self._also: Callable[[Run], None] = lambda _run: None
        self._kept: dict[str, list[Any]] = {}
        # Whoever would wait for another gets TRYLATER instead: time does not pass in a run.
        patch.setattr(closing, "LOOK_SECONDS", 1e9, raising=False)
        structlog.get_config()["processors"].insert(0, self._note)
        self._meet_mesibo(patch)
        self._meet_files(patch)
        product.services.database.engine.dispose()
        if self._on_sqlite:
            event.listen(product.services.database.engine, "connect", _without_syncing)

    # What can be raced

    def client(self) -> Callable[..., Answer]:
        """Calls of a phone or a network of its own, whatever the others do."""
        http = self.product.app.test_client()

        def call(op: str, **fields: Any) -> Answer:
            data = {name: _file(value) for name, value in fields.items()}
            answer: Answer = http.post("/api.php", data={"op": op, **data}).get_json()
            return answer

        return call

    def ask(self, phone: Phone, op: str, /, **fields: Any) -> Work:
        """A call with a phone's token."""
        return lambda: self.client()(op, token=phone.token, **fields)

    def login(self, number: str, code: str, **fields: Any) -> Callable[[], Answer]:
        """The second step of a login."""
        return lambda: self.client()("login", phone=number, otp=code, **{"appid": APPID, **fields})

    def worker(self) -> Work:
        """A worker that does what is due."""
        return lambda: self.product.runner().drain()

    def later(self, seconds: float) -> bool:
        """Let time pass."""
        self.product.clock.advance(seconds)
        return True

    def asked(self, number: str) -> str:
        """A fresh code for a number."""
        self.later(400)
        self.product.ok("login", phone=number, appid=APPID)
        return self.product.code(number)

    def known(self, number: str) -> Callable[..., Work]:
        """Logins with a number whose code nobody has to type: as other login methods prove it."""
        services = self.product.services
        who = PhoneNumbers(services.settings).read_number(number)
        key = services.text_delivery._keys.contact_key(who)

        def login(**fields: str) -> Work:
            device = Device("com.example.messenger", fields.get("device", ""))
            accounts = self.product.services.accounts

            def work() -> Answer:
                try:
                    entered = accounts._enter(SecretProof(who, key, ""), device, "")
                except ApiError as error:
                    return {"result": "FAIL", "error": error.code}
                return {"result": "OK", "token": entered.token}

            return work

        return login

    # Runs

    def keep(self, works: Sequence[Work], also: Callable[[Run], None]) -> None:
        """Begin every run with how all is now, and with these; `also` looks at what came of it."""
        self._works, self._also = works, also
        self._offset = self.product.clock.offset
        self._faults.clear()
        self._folder.mkdir(exist_ok=True)
        if self._on_sqlite:
            _copy(self._database, self._folder / "product.sqlite3")
        else:
            for table in Base.metadata.sorted_tables:
                self._kept[table.name] = self.product.rows(f"SELECT * FROM {table.name}")
        _copy(self.product.sandbox.store.path, self._folder / "sandbox.sqlite3")
        for place in self.product.folders:
            shutil.copytree(place, self._folder / place.name, dirs_exist_ok=True)

    def also(self, look: Callable[[Run], None]) -> None:
        """Look at what comes of each run from now on."""
        self._also = look

    def try_one(self, first: int, changes: Sequence[Change]) -> Run:
        """One run from the beginning, and a look at what came of it."""
        self._put_back()
        scheduler = self._scheduler = Scheduler(self._works, kill=self.killed)
        with scheduler.steps(self.product.services.database.engine):
            run = scheduler.run(first, changes)
        self._scheduler = None
        try:
            self.check(run)
        except AssertionError as error:
            told = "\n".join(
                f"{turn} {label[:150]}" for turn, label in zip(run.turns, run.labels, strict=True)
            )
            raise AssertionError(f"first {first}, changes {list(changes)}: {error}\n{told}") from error
        return run

    def check(self, run: Run) -> None:
        """What must be true after every run, whatever the order."""
        assert self._faults == []
        self._also(run)
        self._check_sessions()
        self._settle()
        self._check_sessions()
        self._check_groups()
        self._check_photos()
        assert self._faults == []
        addresses = [a for (a,) in self.product.rows("SELECT address FROM users WHERE closed_at = 0")]
        known = {user.address for user in self.product.sandbox.store.users(limit=1000)}
        assert set(addresses) <= known, "users here are users at mesibo"

    def _settle(self) -> None:
        for _ in range(40):
            assert self.product.deliver()
            if not self.product.rows("SELECT id FROM outbox"):
                return
            self.product.clock.advance(LATER)
        raise AssertionError(self.product.rows("SELECT lane, kind, state, last_error FROM outbox"))

    def _check_sessions(self) -> None:
        store = sqlite3.connect(self.product.sandbox.store.path)
        tokens = store.execute("SELECT token, address, appid FROM tokens").fetchall()
        store.close()
        alive = {(hashlib.sha256(token.encode()).digest(), address, app) for token, address, app in tokens}
        query = "SELECT s.token_hash, u.address, s.appid FROM sessions s JOIN users u ON u.uid = s.uid"
        for row in self.product.rows(query):
            assert (bytes(row[0]), row[1], row[2]) in alive, f"the session of {row[1]} has a dead token"

    def _check_groups(self) -> None:
        members: dict[int, list[tuple[int, str]]] = {}
        query = (
            "SELECT m.gid, m.role, u.address FROM group_members m JOIN users u ON u.uid = m.uid"
            " ORDER BY m.gid, m.role DESC, m.position, m.uid"
        )
        for gid, role, address in self.product.rows(query):
            members.setdefault(gid, []).append((role, address))
        rosters = dict(self.product.rows("SELECT gid, roster FROM chat_groups"))
        wire = {
            gid: f"{sum(role > 0 for role, _ in people)}:{','.join(address for _, address in people)}"
            for gid, people in members.items()
        }
        assert rosters == wire, "rosters say who is a member"
        theirs = {g.gid: set(g.members) for g in self.product.sandbox.store.groups(limit=1000)}
        assert theirs == {gid: {a for _, a in people} for gid, people in members.items()}, "mesibo's copy"

    def _check_photos(self) -> None:
        shown = (
            "SELECT photo FROM users WHERE photo != '' UNION SELECT photo FROM chat_groups WHERE photo != ''"
        )
        photos = {photo for (photo,) in self.product.rows(shown)}
        assert {photo for (photo,) in self.product.rows("SELECT photo FROM thumbnails")} == photos
        files, small = self.product.folders
        stems = {Path(photo).stem for photo in photos}
        assert {path.stem for path in files.rglob("*.*") if small not in path.parents} == stems
        assert {path.stem for path in small.rglob("*.*")} == stems

    # The beginning of a run

    @property
    def _on_sqlite(self) -> bool:
        return self.product.services.settings.is_sqlite

    @property
    def _database(self) -> Path:
        return Path(str(self.product.services.database.engine.url.database))

    def _put_back(self) -> None:
        self._faults.clear()
        self.product.clock.offset = self._offset
        if self._on_sqlite:
            _copy(self._folder / "product.sqlite3", self._database)
        else:
            self._fill()
        _copy(self._folder / "sandbox.sqlite3", self.product.sandbox.store.path)
        for place in self.product.folders:
            shutil.rmtree(place, ignore_errors=True)
        for place in self.product.folders:
            shutil.copytree(self._folder / place.name, place, dirs_exist_ok=True)

    def _fill(self) -> None:
        with self.product.services.database.engine.connect() as connection:
            connection.exec_driver_sql("SET FOREIGN_KEY_CHECKS = 0")
            for table in Base.metadata.sorted_tables:
                connection.execute(table.delete())
                if rows := self._kept[table.name]:
                    connection.execute(table.insert(), [dict(row._mapping) for row in rows])
            connection.exec_driver_sql("SET FOREIGN_KEY_CHECKS = 1")

    # The steps that are no statements

    def _step(self, label: str) -> None:
        if self._scheduler is not None:
            self._scheduler.step(label)

    def _meet_mesibo(self, patch: pytest.MonkeyPatch) -> None:
        transport = self.product.services.mesibo._transport
        sandbox = Client(self.product.sandbox._app)
        path = "/api.php" if self.product.services.settings.mesibo_api_style == "form" else "/backend"

        def request(
            _method: str,
            _url: str,
            *,
            data: bytes,
            headers: dict[str, str],
            guard: SendGuard,
            **_: object,
        ) -> Response:
            self._step("to mesibo")
            try:
                guard.before_sending()
            except Cancelled:
                raise NoResponse("too late", sent=False) from None
            answer = sandbox.post(path, data=data, headers=headers)
            self._step(f"from mesibo {data[:60]!r}")
            return Response(answer.status_code, {}, answer.data)

        patch.setattr(transport, "_calls", _Inline())
        patch.setattr(transport._client, "request", request)

    def _meet_files(self, patch: pytest.MonkeyPatch) -> None:
        for place in (self.product.services.files.files, self.product.services.files.thumbnails):
            for name in ("put", "remove"):
                patch.setattr(place, name, self._stepping(getattr(place, name)))

    def _stepping(self, work: Callable[..., None]) -> Callable[..., None]:
        def stepping(*args: object) -> None:
            self._step(f"file {work.__name__}")
            work(*args)

        return stepping

    def _note(self, _logger: object, method: str, line: dict[str, Any]) -> dict[str, Any]:
        if method in ("error", "exception", "critical") or line.get("event", "").endswith(".fault"):
            self._faults.append(dict(line))
        return line


def _copy(source: Path, target: Path) -> None:
    """One SQLite file over another, whoever has it open."""
    before, after = sqlite3.connect(source), sqlite3.connect(target)
    with before, after:
        before.backup(after)
    before.close()
    after.close()


def _without_syncing(connection: Any, _record: object) -> None:
    """No run loses power, and waiting for the disk is most of its time."""
    connection.execute("PRAGMA synchronous = OFF")


def _file(value: Any) -> Any:
    return (io.BytesIO(value), "photo.jpg") if isinstance(value, bytes) else value

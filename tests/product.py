"""The product in this process, with a sandbox behind it, as the tests drive it."""

from __future__ import annotations

import functools
import io
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from flask import Flask
from PIL import Image
from sqlalchemy import Engine, create_engine, event, inspect

from messenger_api import configuration
from messenger_api.app import build_app, parts_of
from messenger_api.composition import Parts
from messenger_api.gateways.mesibo import MesiboClient
from messenger_api.outbox.runner import Runner
from messenger_api.sandbox import SandboxServer, SandboxStore
from messenger_api.sandbox import starting as sandbox_starting
from messenger_api.services.groups.changes import GroupChanges
from messenger_api.services.record import Services
from messenger_api.storage.models import Base
from messenger_api.tasks import build_tasks
from tests.declared import assert_declared

APPID = "com.example.messenger"
BUSY_TRIES = 5
Answer = dict[str, Any]
T = TypeVar("T")


def at_once(count: int, work: Callable[[int], T]) -> list[T]:
    """What `work` returns in each of so many threads, which begin at the same moment."""
    start = threading.Barrier(count)

    def one(n: int) -> T:
        start.wait()
        return work(n)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


class Clock:
    """The time as the product sees it: the machine's, moved by the test."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.offset += seconds


@dataclass
class Phone:
    """Somebody's phone: logged in, with the session's token."""

    product: Product
    number: str
    token: str
    login: Answer

    def call(self, op: str, **fields: Any) -> Answer:
        """Make a call with this phone's token."""
        return self.product.call(op, token=self.token, **fields)

    def ok(self, op: str, **fields: Any) -> Answer:
        """Make a call that must succeed."""
        return self.product.ok(op, token=self.token, **fields)

    def contacts(self, **fields: Any) -> list[Answer]:
        """The entries that a sync answers with."""
        entries: list[Answer] = self.ok("getcontacts", **fields)["contacts"]
        return entries

    def received(self) -> list[Answer]:
        """The update messages that reached this phone, oldest first, as their JSON."""
        self.product.deliver()
        messages = reversed(self.product.sandbox.store.messages(limit=1000))
        return [msgspec.json.decode(m.text) for m in messages if self.number in m.to]


def _copy_tables(uri: str) -> bool:
    """Make an SQLite file with the product's tables where there is none; False where there is one."""
    kind, _, path = uri.partition(":///")
    if kind != "sqlite" or Path(path).exists():
        return False
    Path(path).write_bytes(_sqlite_with_tables())
    return True


def _copy_sandbox(path: Path) -> None:
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(_sandbox_with_tables())


# To copy a file is quicker than to make its tables.


@functools.cache
def _sandbox_with_tables() -> bytes:
    with SandboxStore() as store:
        path = store.path
        store.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        return path.read_bytes()


@functools.cache
def _sqlite_with_tables() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "messenger.sqlite3")
        engine = create_engine(f"sqlite:///{path}")
        Base.metadata.create_all(engine)
        engine.dispose()
        return path.read_bytes()


def make_tables(engine: Engine) -> None:
    """Make those of the product's tables that are not there. One question finds out, not one a table."""
    with engine.connect() as connection:
        there = set(inspect(connection).get_table_names())
        if not there.issuperset(Base.metadata.tables):
            Base.metadata.create_all(connection)
            connection.commit()


class Product:
    """An application on a database of its own. `deliver()` does what the outbox worker would do."""

    def __init__(self, database_uri: str, folder: Path, **settings: object) -> None:
        values: dict[str, object] = {
            "sqlalchemy_database_uri": database_uri,
            "secret_key": "a test's own secret key",
            "instance_path": str(folder / "instance"),
            "files_path": str(folder / "files"),
            "files_tn_path": str(folder / "files" / "tn"),
            "outbox_in_server": False,
            "sandbox": None if settings.get("mesibo_app_token") else True,
        }
        is_new = _copy_tables(database_uri)
        config = configuration.build(**{**values, **settings})
        if config.uses_sandbox:
            _copy_sandbox(config.in_instance(sandbox_starting.FILE))
        self.app: Flask = build_app(config)
        self.parts: Parts = parts_of(self.app)
        self.services: Services = self.parts.services
        self.clock = Clock()
        self.services.database.clock = self.clock
        self.http = self.app.test_client()
        if not is_new:
            make_tables(self.services.database.engine)

    @property
    def sandbox(self) -> SandboxServer:
        """mesibo and the SMS network."""
        assert self.parts.sandbox is not None
        return self.parts.sandbox

    @property
    def folders(self) -> tuple[Path, Path]:
        """Where files lie, and where thumbnails."""
        return Path(self.services.settings.files_path), Path(self.services.settings.files_tn_path)

    def call(self, op: str, **fields: Any) -> Answer:
        """Post a form as the older apps do; a value of bytes or `(bytes, name)` is sent as a file."""
        data = {"op": op, **{name: _field(value) for name, value in fields.items()}}
        response = self.http.post("/api.php", data=data)
        assert response.status_code == 200
        assert response.content_type == "application/json; charset=utf-8"
        answer: Answer = msgspec.json.decode(response.data)
        assert_declared(answer)
        return answer

    def ok(self, op: str, **fields: Any) -> Answer:
        """Make a call that must succeed."""
        answer = self.call(op, **fields)
        assert answer["result"] in ("OK", True), answer
        return answer

    def at_once(self, forms: Sequence[Mapping[str, object]]) -> list[Answer]:
        """Make all these calls at the same moment."""
        clients = [self.app.test_client() for _ in forms]

        def call(n: int) -> Answer:
            answer: Answer = msgspec.json.decode(clients[n].post("/api.php", data=forms[n]).data)
            return answer

        return at_once(len(forms), call)

    def code(self, number: str) -> str:
        """The one-time code in the newest text message to a number."""
        text = next(text for text in self.sandbox.store.texts() if text.to == number)
        found = re.search(r"\d{6}", text.text)
        assert found
        return found[0]

    def log_in(self, number: str, name: str = "", **fields: Any) -> Phone:
        """Log a number in by the code that the sandbox received, again when told to try later."""
        fields = {"phone": number, "appid": APPID, **fields}
        self._patiently("login", name=name, **fields)
        answer = self._patiently("login", otp=self.code(number), **fields)
        return Phone(self, answer["phone"], answer["token"], answer)

    def _patiently(self, op: str, **fields: Any) -> Answer:
        """Make a call that must succeed. A busy machine may be too slow for a transaction's two seconds."""
        answers = (self.call(op, **fields) for _ in range(BUSY_TRIES))
        answer = next((answer for answer in answers if answer.get("error") != "TRYLATER"), None)
        assert answer, f"{op}: TRYLATER, however often"
        assert answer["result"] == "OK", answer
        return answer

    def deliver(self) -> bool:
        """Empty the outbox; False when mesibo is unreachable."""
        return self.services.runner.drain()

    def runner(self, mesibo: MesiboClient | None = None) -> Runner:
        """What delivers on another machine, by a client of mesibo of its own where one is given."""
        s, client = self.services, mesibo or self.services.mesibo
        changes = GroupChanges(s.database, client)
        tasks = build_tasks(s.settings, s.database, client, s.files, s.text_delivery, changes)
        return Runner(s.settings, s.database, client, s.figures, tasks)

    def rows(self, statement: str, **values: object) -> list[Any]:
        """What the database holds."""
        with self.services.database.engine.connect() as connection:
            return list(connection.exec_driver_sql(statement, values or None).all())

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """Every statement that is sent to the database meanwhile, BEGIN and COMMIT left out."""
        seen: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
            if statement.split()[0] not in {"BEGIN", "COMMIT", "ROLLBACK"}:
                seen.append(statement)

        event.listen(self.services.database.engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(self.services.database.engine, "before_cursor_execute", note)

    def close(self) -> None:
        """Let go of everything."""
        self.parts.close()


def _field(value: Any) -> Any:
    if isinstance(value, bytes):
        return io.BytesIO(value), "photo.jpg"
    if isinstance(value, tuple):
        return io.BytesIO(value[0]), value[1]
    return value


def jpeg(color: str = "teal", size: tuple[int, int] = (320, 200)) -> bytes:
    """A photo."""
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "JPEG")
    return file.getvalue()

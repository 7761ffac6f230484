"""Faults that people and tests set: late answers, lost connections, error codes, HTML pages."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import astuple, dataclass

from flask import Response, request

from messenger_api.sandbox.records import Fault
from messenger_api.sandbox.store import SandboxStore

# Where the sandbox's server puts, in the WSGI environment, a function that closes the connection with
# no answer, and an event that is set when the server stops.
DROP = "messenger.sandbox.drop"
STOPPING = "messenger.sandbox.stopping"
LONGEST_DELAY = 120.0
_COLUMNS = "(op, delay, error, dropped, html, after, times)"
_HTML = (
    "<html>\r\n<head><title>{0}</title></head>\r\n"
    "<body>\r\n<center><h1>{0}</h1></center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True)
class Faults:
    """The faults that are set in a store; every process on the same file plays them."""

    store: SandboxStore

    def add(
        self,
        op: str = "*",
        *,
        delay: float = 0.0,
        error: str = "",
        drop: bool = False,
        html: bool = False,
        after: bool = False,
        times: int = 0,
    ) -> Fault:
        """Set a fault; `Fault` says what the arguments mean."""
        fault = Fault(op, delay, error, drop, html, after, times)
        self.set(fault)
        return fault

    def set(self, *faults: Fault) -> None:
        """Play these faults from now on, those of an op one after another."""
        sql = f"INSERT INTO faults {_COLUMNS} VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - columns of ours
        with self.store.writing() as db:
            db.executemany(sql, map(astuple, faults))

    def take(self, *ops: str) -> Fault | None:
        """The oldest fault set for one of these ops, counted down by one."""
        sql = f"SELECT * FROM faults WHERE op IN ({', '.join('?' * len(ops))}) ORDER BY id LIMIT 1"  # noqa: S608
        if not self.store.rows(sql, *ops):
            return None
        with self.store.writing() as db:
            row = db.execute(sql, ops).fetchone()
            if row and row["times"] == 1:
                db.execute("DELETE FROM faults WHERE id = ?", (row["id"],))
            elif row and row["times"]:
                db.execute("UPDATE faults SET times = times - 1 WHERE id = ?", (row["id"],))
        return _fault(row) if row else None

    def current(self) -> list[Fault]:
        """The faults that are set, oldest first."""
        return [fault for _number, fault in self.held()]

    def held(self) -> list[tuple[int, Fault]]:
        """The same, each with its number."""
        return [(row["id"], _fault(row)) for row in self.store.rows("SELECT * FROM faults ORDER BY id")]

    def end(self, number: int) -> None:
        """End the fault that has this number, if it still holds."""
        with self.store.writing() as db:
            db.execute("DELETE FROM faults WHERE id = ?", (number,))

    def clear(self) -> None:
        """End all faults."""
        with self.store.writing() as db:
            db.execute("DELETE FROM faults")


def _fault(row: sqlite3.Row) -> Fault:
    flags = {"drop": bool(row["dropped"]), "html": bool(row["html"]), "after": bool(row["after"])}
    return Fault(op=row["op"], delay=row["delay"], error=row["error"], times=row["times"], **flags)


def play(fault: Fault | None, work: Callable[[], Response], failed: Callable[[str], Response]) -> Response:
    """Answer with `work()`, disturbed by `fault`; `failed` makes the answer that carries an error code."""
    if fault is None:
        return work()
    answer = work() if fault.after else None
    stopped = _wait(min(fault.delay, LONGEST_DELAY))
    if fault.drop or stopped:
        return _dropped()
    if fault.html:
        return html_page(500, "500 Internal Server Error")
    if fault.error:
        return failed(fault.error)
    return answer or work()


def html_page(status: int, title: str) -> Response:
    """The page that a web server in front of mesibo sends instead of JSON."""
    return Response(_HTML.format(title), status, mimetype="text/html")


def _wait(seconds: float) -> bool:
    """Let the time pass; True when the server stopped meanwhile."""
    stopping: threading.Event = request.environ.get(STOPPING) or threading.Event()
    return stopping.wait(seconds) if seconds else False


def _dropped() -> Response:
    answer = Response(status=502)
    if drop := request.environ.get(DROP):
        answer.call_on_close(drop)  # when all that the call leaves behind is there
    return answer

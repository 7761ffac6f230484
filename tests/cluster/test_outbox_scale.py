"""Ten thousand messages through four workers: as fast as mesibo takes them, once each, each list in order."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from werkzeug.wrappers import Request, Response

from messenger_api.sandbox.serving import HttpServer
from messenger_api.services.groups.tasks import tell
from messenger_api.services.record import Services
from messenger_api.storage import outbox
from messenger_api.storage.outbox import Draft
from tests.servers import LOOPBACK, MariaDB, wait_for
from tests.workers import Workers, services_and_workers

pytestmark = pytest.mark.cluster

SENDER, RECIPIENT = "14155550101", "14155550102"
MESSAGES, WORKERS = 10_000, 4
# A group that talks a lot, and a hundred that talk a little.
LONG_LIST, LISTS = 1_000, 100
# How long mesibo takes for a message: the way to it and back, more or less.
LATENCY = 0.01
LEASE = 10
BOUND_SECONDS = 240
# How much longer it may take than clients that do nothing but send, as many and in the same minutes.
SLOWER = 4.0
YARDSTICK = """
import http.client, json, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
for n in range(int(sys.argv[2])):
    said = json.dumps({"list": "yardstick", "n": n})
    body = json.dumps({"op": "message", "message": {"message": said}})
    connection.request("POST", "/backend", body, {"Content-Type": "application/json"})
    assert connection.getresponse().read()
"""
YARDSTICK_EACH = 200


class Stub:
    """mesibo, which takes a message in `LATENCY` and remembers the order."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, int]] = []
        self._server = HttpServer((LOOPBACK, 0), Request.application(self._answer))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.port = self._server.server_port
        self.url = f"http://{LOOPBACK}:{self.port}/backend"

    @contextmanager
    def running(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    def _answer(self, request: Request) -> Response:
        asked = json.loads(request.get_data())
        assert asked["op"] == "message"
        said = json.loads(asked["message"]["message"])
        self.sent.append((said["list"], said["n"]))
        time.sleep(LATENCY)
        answer = {"op": "message", "result": True, "mid": len(self.sent)}
        return Response(json.dumps(answer), mimetype="application/json")


@pytest.fixture
def stub() -> Iterator[Stub]:
    made = Stub()
    with made.running():
        yield made


@pytest.fixture
def shared(mariadb: MariaDB, stub: Stub, tmp_path: Path) -> Iterator[tuple[Services, Workers]]:
    """The services on a database of the shared MariaDB, and workers for it."""
    with services_and_workers(
        mariadb, "scale", stub.url, tmp_path, MESSENGER_OUTBOX_LEASE=str(LEASE)
    ) as made:
        yield made


def expected_messages() -> list[tuple[int, int]]:
    long = [(0, n) for n in range(LONG_LIST)]
    return long + [(1 + n % LISTS, n // LISTS) for n in range(MESSAGES - LONG_LIST)]


def queued_messages() -> list[Draft]:
    """One long list first, then the short ones taking turns."""
    return [
        draft
        for name, n in expected_messages()
        for draft in tell(name, SENDER, [RECIPIENT], json.dumps({"list": name, "n": n}))
    ]


def queue_all(services: Services) -> None:
    drafts = queued_messages()
    for first in range(0, len(drafts), 500):
        part = drafts[first : first + 500]
        services.database.write(lambda tx, now, part=part: outbox.add(tx, now, part))  # type: ignore[misc]


def left(services: Services) -> int:
    now = services.database.now()
    return services.database.run(lambda tx: outbox.status(tx, now)).queued


def by_list(sent: list[tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for name, n in sent:
        found[name].append(n)
    return found


def bare_rate(stub: Stub) -> float:
    """Messages a second that this mesibo takes from as many clients that do nothing else."""
    command = [sys.executable, "-c", YARDSTICK, str(stub.port), str(YARDSTICK_EACH)]
    began = time.monotonic()
    clients = [subprocess.Popen(command) for _ in range(WORKERS)]
    assert [client.wait(60) for client in clients] == [0] * WORKERS
    seconds = time.monotonic() - began
    stub.sent.clear()
    return WORKERS * YARDSTICK_EACH / seconds


def test_workers_keep_up_with_mesibo_and_one_of_them_dies(
    shared: tuple[Services, Workers], stub: Stub
) -> None:
    services, workers = shared
    queue_all(services)
    with workers.running(WORKERS) as processes:
        wait_for(workers.are_up, 60, "all workers")
        began, before = time.monotonic(), len(stub.sent)
        wait_for(lambda: len(stub.sent) > MESSAGES / 2, BOUND_SECONDS, "half of them")
        rate = (len(stub.sent) - before) / (time.monotonic() - began)
        processes[0].kill()
        wait_for(lambda: left(services) == 0, BOUND_SECONDS, "the empty outbox")
    sent = list(stub.sent)
    bare = bare_rate(stub)
    print(f"\n{rate:.0f} messages a second; {bare:.0f} by clients that do nothing else: {bare / rate:.2f}")
    twice = {message for message, times in Counter(sent).items() if times > 1}
    assert set(sent) == set(expected_messages())
    # The one that was under way when the worker died.
    assert len(sent) - MESSAGES == len(twice) <= 1
    for numbers in by_list(sent).values():
        assert numbers == sorted(numbers)
    assert bare / rate < SLOWER

"""A database node is killed under load, then the one that takes the writes, and both come back.

What was acknowledged is there afterwards on every node, nobody is logged out, and the service is away for
seconds only.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from messenger_api.domain.phone import read
from messenger_api.domain.secrets import Keys
from messenger_api.sandbox import SandboxStore
from tests.cluster.commands import run_command
from tests.cluster.galera import Cluster, Node
from tests.cluster.haproxy import HAProxy
from tests.cluster.load import Load
from tests.servers import LOOPBACK, ProductServer

pytestmark = pytest.mark.cluster

SECRET_KEY = "a test's own secret key, long enough"
PROCESSES = 4
BACK_SECONDS = 5.0
# The load goes on for so long between two events.
WARM_SECONDS, AFTER_KILL_SECONDS = 4, 9


@pytest.fixture(params=["haproxy", "hosts"])
def environment(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[dict[str, str]]:
    """The database's keys, with HAProxy in front and with the app's own host list."""
    database = f"messenger_{request.param}"
    cluster.nodes[0].create_database(database)
    keys = {
        "MESSENGER_DB_NAME": database,
        "MESSENGER_DB_PASS": "secret",
        "MESSENGER_SECRET_KEY": SECRET_KEY,
        # Clients ask for another code at once after a TRYLATER.
        "MESSENGER_LIMITS": "off",
    }
    if request.param == "hosts":
        yield {**keys, "MESSENGER_DB_HOST": cluster.hosts}
        return
    with HAProxy(cluster.nodes) as proxy:
        yield {**keys, "MESSENGER_DB_HOST": LOOPBACK, "MESSENGER_DB_PORT": str(proxy.port)}


@pytest.fixture
def servers(environment: dict[str, str], tmp_path: Path) -> Iterator[list[ProductServer]]:
    """Four app processes, which share the database, the files and the sandbox."""
    run_command(tmp_path, environment, "db", "upgrade")
    with ExitStack() as started:
        yield [started.enter_context(ProductServer(tmp_path, environment)) for _ in range(PROCESSES)]


def test_what_was_acknowledged_survives_the_death_of_two_nodes(
    cluster: Cluster, servers: list[ProductServer], environment: dict[str, str], tmp_path: Path
) -> None:
    first, second, third = cluster.nodes
    with SandboxStore(tmp_path / "instance" / "sandbox.sqlite3") as sandbox:
        load = Load([f"{server.url}/api.php" for server in servers], sandbox)
        load.start()
        try:
            time.sleep(WARM_SECONDS)
            silences = [_killed(third, [first, second], load), _killed(first, [second], load)]
            first.start()
            third.start()
            time.sleep(AFTER_KILL_SECONDS)
        finally:
            load.stop()
    print(f"\n{environment['MESSENGER_DB_NAME']}: seconds without a success {silences}; {load.summary()}")
    assert [client.fault for client in load.clients if client.fault] == []
    assert {error.split()[1] for error in load.errors()} <= {"TRYLATER"}
    assert max(silences) < BACK_SECONDS
    for node in cluster.nodes:
        _holds_everything(node, environment["MESSENGER_DB_NAME"], load)


def _killed(node: Node, survivors: Sequence[Node], load: Load) -> float:
    """Kill a node; the longest time without a success afterwards."""
    node.kill()
    killed_at = time.monotonic()
    time.sleep(AFTER_KILL_SECONDS)
    # They and the arbitrator are agreed: only then may the next one die.
    assert {survivor.membership() for survivor in survivors} == {("Primary", len(survivors) + 1)}
    return round(load.longest_silence(killed_at, time.monotonic()), 2)


def _holds_everything(node: Node, database: str, load: Load) -> None:
    accounts = [account for client in load.clients for account in client.accounts]
    assert accounts
    names = _pairs(node, "SELECT address, name FROM users", database)
    sessions = _pairs(
        node,
        "SELECT s.token_hash, coalesce(p.token, '') FROM sessions s LEFT JOIN push_tokens p USING (sid)",
        database,
    )
    book = set(
        node.caught_up(
            "SELECT u.address, c.contact_key FROM contacts c JOIN users u ON uid = owner", database
        )
    )
    keys = Keys.derive(SECRET_KEY)
    for account in accounts:
        assert names.get(account.number) in account.name.may_be
        assert sessions.get(hashlib.sha256(account.token.encode()).digest()) in account.push.may_be
        phones = [read(phone, "") for phone in account.phones]
        assert {(account.number, keys.contact_key(phone)) for phone in phones if phone} <= book
    groups = _pairs(node, "SELECT gid, name FROM chat_groups", database)
    members = set(node.caught_up("SELECT gid, address FROM group_members JOIN users USING (uid)", database))
    for group in [group for client in load.clients for group in client.groups]:
        assert groups.get(group.gid) == group.name
        assert {(group.gid, number) for number in group.members} <= members


def _pairs(node: Node, statement: str, database: str) -> dict[object, object]:
    return {row[0]: row[1] for row in node.caught_up(statement, database)}

"""What a node of a cluster may do to a request: lag behind, lose its cluster, conflict, lose its power."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
import pytest

from messenger_api.storage import outbox
from tests.cluster.galera import Cluster, Node
from tests.cluster.haproxy import HAProxy
from tests.product import Phone, Product
from tests.servers import LOOPBACK, wait_for

pytestmark = pytest.mark.cluster

ANA, BEN = "14155550101", "14155550102"
# What nodes need to agree on who is there; on a machine that is short of time far more than usual.
JOINED_SECONDS = 60


@pytest.fixture
def database() -> str:
    """A name of the test's own."""
    return f"messenger_{uuid.uuid4().hex[:12]}"


@pytest.fixture
def product_on(cluster: Cluster, database: str, tmp_path: Path) -> Iterator[Callable[..., Product]]:
    """Makes a process of the product that is connected to the given nodes."""
    made: list[Product] = []
    cluster.nodes[0].create_database(database)

    def make(*nodes: Node) -> Product:
        hosts = ",".join(f"{LOOPBACK}:{node.port}" for node in nodes)
        keys = {"db_host": hosts, "db_name": database, "db_pass": "secret", "limits": "off"}
        made.append(Product("", tmp_path, **keys))
        for node in cluster.nodes:
            if node.is_synced():
                node.caught_up("SELECT 1 FROM users", database)  # the tables are there
        return made[-1]

    yield make
    for product in made:
        product.close()


def port_of(product: Product) -> object:
    return product.rows("SELECT @@port")[0][0]


class Isolated:
    """A node cut off from the others; it still accepts connections."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def __enter__(self) -> None:
        self._isolate(1)
        wait_for(lambda: self._node.status("wsrep_ready") == "OFF", JOINED_SECONDS, "the node to be alone")

    def __exit__(self, *_: object) -> None:
        self._isolate(0)
        self._node.wait_synced()

    def _isolate(self, isolated: int) -> None:
        self._node.query(f"SET GLOBAL wsrep_provider_options = 'gmcast.isolate={isolated}'")


def test_a_node_that_lost_its_cluster_is_left_although_it_accepts_connections(
    cluster: Cluster, product_on: Callable[..., Product]
) -> None:
    first, second, _third = cluster.nodes
    product = product_on(*cluster.nodes)
    ana = product.log_in(ANA)
    assert port_of(product) == first.port
    with Isolated(first):
        # The others, too, refuse everything for the moment in which they find themselves anew.
        wait_for(
            lambda: ana.call("profile", name="Ana").get("name") == "Ana", JOINED_SECONDS, "the second node"
        )
        assert port_of(product) == second.port


def test_haproxy_leaves_it_too_and_comes_back(cluster: Cluster) -> None:
    first, second, _third = cluster.nodes

    def behind(proxy: HAProxy) -> int:
        try:
            with closing(pymysql.connect(host=LOOPBACK, port=proxy.port, user="root")) as connection:
                cursor = connection.cursor()
                cursor.execute("SELECT @@port")
                return int(cursor.fetchall()[0][0])
        except pymysql.err.MySQLError:
            return 0

    with HAProxy(cluster.nodes) as proxy:
        wait_for(lambda: behind(proxy) == first.port, JOINED_SECONDS, "the first node")
        with Isolated(first):
            wait_for(lambda: behind(proxy) == second.port, JOINED_SECONDS, "the second node")
        wait_for(lambda: behind(proxy) == first.port, JOINED_SECONDS, "the first node again")


def test_a_session_that_another_node_has_not_heard_of_yet_is_waited_for(
    cluster: Cluster, product_on: Callable[..., Product]
) -> None:
    first, second, _third = cluster.nodes
    here, there = product_on(first), product_on(second)
    assert there.call("getcontacts", token="unknown")["error"] == "AUTHFAIL"
    with closing(pymysql.connect(host=LOOPBACK, port=second.port, user="root")) as held:
        # The node takes part in the cluster and applies nothing.
        held.cursor().execute("FLUSH TABLES WITH READ LOCK")
        ana = here.log_in(ANA)
        with ThreadPoolExecutor(1) as pool:
            elsewhere = pool.submit(there.call, "getgroup", token=ana.token, gid=1)
            time.sleep(0.5)
            assert not elsewhere.done()
            held.cursor().execute("UNLOCK TABLES")
            assert elsewhere.result()["error"] == "NOTMEMBER"


def test_edits_at_two_nodes_conflict_and_are_told_in_the_order_of_their_commits(
    cluster: Cluster, product_on: Callable[..., Product]
) -> None:
    first, second, _third = cluster.nodes
    here, there = product_on(first), product_on(second)
    ana, ben = here.log_in(ANA), here.log_in(BEN)
    gid = ana.ok("setgroup", gid=0, name="Walks", m=BEN)["gid"]
    before = conflicts(cluster)
    ends = [
        threading.Thread(target=rename_often, args=(Phone(p, ANA, ana.token, {}), gid)) for p in (here, there)
    ]
    for end in ends:
        end.start()
    for end in ends:
        end.join()
    assert conflicts(cluster) > before
    [(name, version)] = here.rows("SELECT name, version FROM chat_groups")
    told = [message["name"] for message in ben.received() if message["gid"] == gid]
    assert told[-1] == name
    assert len(told) == version


@pytest.mark.parametrize("statement", ["sent whole", "prepared now", "prepared before"])
def test_a_change_that_another_node_aborts_is_done_again_with_all_that_belongs_to_it(
    cluster: Cluster, product_on: Callable[..., Product], monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    """Another node changes the account between two statements of a `profile`; the next one is aborted."""
    first, second, _third = cluster.nodes
    product = product_on(first)
    ana = product.log_in(ANA, "Ana")
    database = product.rows("SELECT database()")[0][0]
    product.services.database.engine.dispose()  # a new connection has prepared nothing
    names = {"sent whole": [], "prepared now": ["one"], "prepared before": ["one", "two", "three"]}[statement]
    for name in names:
        ana.ok("profile", name=name)
    queue = outbox.add

    def beside(*args: Any, **named: Any) -> list[int]:
        monkeypatch.undo()
        second.caught_up("SELECT 1", str(database))
        second.query(f"UPDATE {database}.users SET news_at = news_at + 1")
        time.sleep(0.5)  # until the first node has applied it, and aborted what is under way
        return queue(*args, **named)

    monkeypatch.setattr(outbox, "add", beside)
    assert ana.ok("profile", name="the last")["name"] == "the last"
    assert product.rows("SELECT name FROM users") == [("the last",)]


def rename_often(phone: Phone, gid: int) -> None:
    for n in range(60):
        answer = phone.call("profile", gid=gid, name=f"{threading.get_ident()} {n}")
        assert answer.get("error", "TRYLATER") == "TRYLATER"


def conflicts(cluster: Cluster) -> int:
    names = ("wsrep_local_cert_failures", "wsrep_local_bf_aborts")
    return sum(int(node.status(name)) for node in cluster.nodes for name in names)


def test_after_a_power_cut_the_cluster_holds_what_it_held(
    cluster: Cluster, product_on: Callable[..., Product], database: str
) -> None:
    product = product_on(*cluster.nodes)
    ana = product.log_in(ANA)
    ana.ok("profile", name="Ana")
    cluster.power_cut()
    assert ana.call("getgroup", gid=1)["error"] == "TRYLATER"
    cluster.bootstrap_again()
    assert ana.ok("getcontacts", ts=0)["u"]["name"] == "Ana"
    for node in cluster.nodes:
        assert node.caught_up("SELECT address, name FROM users", database) == [(ANA, "Ana")]

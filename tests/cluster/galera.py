"""A Galera cluster of three MariaDBs, private and gone afterwards, configured by docs/examples/galera.cnf."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

import pymysql

from tests.processes import Server, ServerProcess, program
from tests.servers import IS_ROOT, LOOPBACK, MARIADB_OPTIONS, ROOT, MariaDB, ServerError, free_port, wait_for

EXAMPLE = ROOT / "docs" / "examples" / "galera.cnf"
ARBITRATOR_EXAMPLE = ROOT / "docs" / "examples" / "garb.cnf"
# What a test has to be quicker or smaller in than a site; given after the example's, it wins.
SMALL = "gcache.size=32M; gcs.fc_limit=64"
JOIN_SECONDS = 60
# Debian's package makes this user. Started by root, rsync's daemon would become nobody, who may not write.
MYSQL_USER = "mysql"


class Node(MariaDB):
    """One node. `start` joins the others; `start(bootstrap=True)` begins a cluster."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.group_port, self.ist_port, self.sst_port = free_port(), free_port(), free_port()
        self.peers: Sequence[Node] = ()
        if IS_ROOT:
            for path in (self.folder, *self.folder.rglob("*")):
                shutil.chown(path, MYSQL_USER)

    def start(self, *, bootstrap: bool = False) -> None:
        self.launch(bootstrap=bootstrap)
        self.wait_synced()

    def launch(self, *, bootstrap: bool = False) -> None:
        """Start without waiting: a node alone after a crash of all waits for the others."""
        options = self._arguments()
        position = self._recovered(options)
        if bootstrap:
            self._allow_bootstrap()
            options.append("--wsrep-new-cluster")
        if position:
            options.append(f"--wsrep-start-position={position}")
        self.process = ServerProcess([program("mariadbd"), *options], self.folder / "log")

    def wait_synced(self, seconds: float = JOIN_SECONDS) -> None:
        assert self.process
        with suppress(TimeoutError):
            wait_for(
                lambda: self.is_synced() or not self._runs(), seconds, f"node {self.number} to be synced"
            )
        if not self.is_synced():
            raise ServerError(
                f"node {self.number} did not join:\n{(self.folder / 'log').read_text()[-6000:]}"
            )

    def is_synced(self) -> bool:
        return self.status("wsrep_local_state_comment") == "Synced" and self.status("wsrep_ready") == "ON"

    def status(self, name: str) -> str:
        """A status variable; "" when the node does not answer."""
        with suppress(pymysql.err.MySQLError):
            return str(self.query("SHOW GLOBAL STATUS LIKE %s", name)[0][1])
        return ""

    def membership(self) -> tuple[str, int]:
        """Whether this node's component may go on ("Primary"), and how many members it has."""
        return self.status("wsrep_cluster_status"), int(self.status("wsrep_cluster_size") or 0)

    def caught_up(self, statement: str, database: str) -> list[tuple[object, ...]]:
        """What this node answers by itself, once it has applied what the others committed."""
        connection = pymysql.connect(host=LOOPBACK, port=self.port, user="root", database=database)
        with closing(connection), connection.cursor() as cursor:
            cursor.execute("SET SESSION wsrep_sync_wait = 1")
            cursor.execute(statement)
            return list(cursor.fetchall())

    def position(self) -> int:
        """The number of the last transaction that this stopped node holds; -1 when it holds none."""
        return int(self._recovered(self._arguments()).rpartition(":")[2] or -1)

    def _runs(self) -> bool:
        return self.process is not None and self.process.is_running

    def _arguments(self) -> list[str]:
        config = self.folder / "galera.cnf"
        config.write_text(self._rendered())
        # `--defaults-file` stands first, and in the place of `--no-defaults`.
        return [
            f"--defaults-file={config}",
            *(option for option in MARIADB_OPTIONS[1:] if not option.startswith("--user=")),
            f"--datadir={self.folder / 'data'}",
            f"--tmpdir={self.folder}",
            f"--socket={self.folder / 'socket'}",
            f"--pid-file={self.folder / 'pid'}",
            f"--port={self.port}",
            *([f"--user={MYSQL_USER}"] if IS_ROOT else []),
        ]

    def _rendered(self) -> str:
        """The example with this node's addresses: all nodes share one machine and differ by their ports."""
        config = configparser.ConfigParser(interpolation=None)
        config.read_string(EXAMPLE.read_text())
        node = config["mysqld"]
        places = {
            "gmcast.listen_addr": f"tcp://{LOOPBACK}:{self.group_port}",
            "ist.recv_addr": f"{LOOPBACK}:{self.ist_port}",
        }
        added = "; ".join(f"{name}={value}" for name, value in places.items())
        node["bind-address"] = node["wsrep-node-address"] = LOOPBACK
        node["wsrep-node-name"] = f"db{self.number}"
        node["wsrep-cluster-address"] = "gcomm://" + ",".join(
            f"{LOOPBACK}:{p.group_port}" for p in self.peers
        )
        node["wsrep-provider-options"] = f"{node['wsrep-provider-options']}; {SMALL}; {added}"
        node["wsrep-sst-receive-address"] = f"{LOOPBACK}:{self.sst_port}"
        lines = (f"{name} = {_quoted(value)}" for name, value in node.items())
        return "\n".join(["[mysqld]", *lines, ""])

    def _recovered(self, options: Sequence[str]) -> str:
        """Where this node stood when it ended, from its tables, as galera_recovery does it for systemd."""
        if not (self.folder / "data" / "grastate.dat").exists():
            return ""
        command = [program("mariadbd"), *options, "--wsrep-recover", "--disable-log-error"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        found = done.stderr.rpartition("WSREP: Recovered position:")[2].split()
        if not found:
            raise ServerError(f"no position was recovered:\n{done.stderr}")
        return found[0]

    def _allow_bootstrap(self) -> None:
        """What an operator does by hand, on the node that holds the most, after all have crashed."""
        state = self.folder / "data" / "grastate.dat"
        if state.exists():
            state.write_text(state.read_text().replace("safe_to_bootstrap: 0", "safe_to_bootstrap: 1"))
            (self.folder / "data" / "gvwstate.dat").unlink(missing_ok=True)


def _quoted(value: str) -> str:
    return f'"{value}"' if ";" in value else value


class Arbitrator(Server):
    """A vote without data, on a host of the application, configured by docs/examples/garb.cnf."""

    def __init__(self, peers: Sequence[Node]) -> None:
        self._peers = peers
        self._port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="messenger-garbd-"))

    def start(self) -> None:
        config = self._folder / "garb.cnf"
        config.write_text(self._rendered())
        log = self._folder / "log"
        self.process = ServerProcess(
            [program("garbd"), "--cfg", str(config), "--workdir", str(self._folder)], log
        )
        self.process.wait_until(lambda: "Shifting JOINED -> SYNCED" in log.read_text())

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _rendered(self) -> str:
        lines = (line.partition(" = ") for line in ARBITRATOR_EXAMPLE.read_text().splitlines())
        values = {name: value for name, _, value in lines}
        values["address"] = "gcomm://" + _group_addresses(self._peers)
        values["options"] += f"; gmcast.listen_addr=tcp://{LOOPBACK}:{self._port}"
        return "".join(f"{name} = {value}\n" for name, value in values.items())


class Cluster(Server):
    """Three nodes and an arbitrator."""

    def __init__(self) -> None:
        self.nodes = [Node(number) for number in (1, 2, 3)]
        for node in self.nodes:
            node.peers = self.nodes
        self._arbitrator = Arbitrator(self.nodes)

    def start(self) -> None:
        self.nodes[0].start(bootstrap=True)
        # One after the other: a node that hands its data over serves nobody else.
        for node in self.nodes[1:]:
            node.start()
        self._arbitrator.start()

    def close(self) -> None:
        for server in (self._arbitrator, *self.nodes):
            server.kill()
            server.close()

    @property
    def hosts(self) -> str:
        """The nodes as `DB_HOST` names them."""
        return ",".join(f"{LOOPBACK}:{node.port}" for node in self.nodes)

    def power_cut(self) -> None:
        """Kill everything at once."""
        for server in (self._arbitrator, *self.nodes):
            server.kill()

    def bootstrap_again(self) -> None:
        """After a power cut: begin with the node that holds the most, then let the others join."""
        first = max(self.nodes, key=Node.position)
        first.start(bootstrap=True)
        for server in (*self.nodes, self._arbitrator):
            if server is not first:
                server.start()


def _group_addresses(nodes: Sequence[Node]) -> str:
    return ",".join(f"{LOOPBACK}:{node.group_port}" for node in nodes)

"""HAProxy in front of the cluster, configured by docs/examples/haproxy.cfg."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.cluster.galera import Node
from tests.processes import Server, ServerProcess, program
from tests.servers import LOOPBACK, ROOT, free_port

EXAMPLE = ROOT / "docs" / "examples" / "haproxy.cfg"
USER = "haproxy"


class HAProxy(Server):
    """One port that leads to the node that takes everything."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.port = free_port()
        self._nodes = nodes
        self._folder = Path(tempfile.mkdtemp(prefix="messenger-haproxy-"))

    def start(self) -> None:
        config = self._folder / "haproxy.cfg"
        config.write_text(self._rendered())
        self.process = ServerProcess([program("haproxy"), "-db", "-f", str(config)], self._folder / "log")
        self.process.wait_until(self._answers)

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _rendered(self) -> str:
        text = EXAMPLE.read_text().replace("127.0.0.1:3306", f"{LOOPBACK}:{self.port}")
        for number, node in enumerate(self._nodes, start=1):
            address = f"10.0.0.1{number}:3306"
            assert address in text
            text = text.replace(address, f"{LOOPBACK}:{node.port}")
        return text

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection((LOOPBACK, self.port), timeout=1):
            return True
        return False

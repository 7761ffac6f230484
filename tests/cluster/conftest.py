"""One cluster for all of these tests; a test that kills a node starts it again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.galera import Cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Three nodes and an arbitrator."""
    with Cluster() as made:
        made.nodes[0].query("CREATE USER haproxy@'%%'")
        made.nodes[0].query("CREATE USER messenger@'%%' IDENTIFIED BY 'secret'")
        made.nodes[0].query("GRANT ALL ON `messenger_%%`.* TO messenger@'%%'")
        yield made

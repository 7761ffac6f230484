"""docs/scaling.md quotes the examples as they are, and as the cluster's tests run them."""

from __future__ import annotations

import re

import pytest

from tests.servers import ROOT

DOCS = ROOT / "docs"


@pytest.mark.parametrize("name", ["galera.cnf", "garb.cnf", "haproxy.cfg"])
def test_the_configuration_quoted_is_the_one_that_was_tried(name: str) -> None:
    example = (DOCS / "examples" / name).read_text()
    assert f"\n{example}```\n" in (DOCS / "scaling.md").read_text()


def test_all_members_of_a_cluster_find_the_dead_at_the_same_pace() -> None:
    """They agree on who is left; one that gives up before the others has left them."""
    node, arbitrator = (times_of(name) for name in ("galera.cnf", "garb.cnf"))
    assert node == arbitrator
    # What is unset follows from evs.inactive_timeout, and is shorter than the silence when that is short.
    assert "evs.install_timeout" in node
    assert "evs.inactive_timeout" not in node


def times_of(name: str) -> dict[str, str]:
    """The times of Galera's group protocol that an example sets."""
    return dict(re.findall(r"(evs\.\w+)=(\w[\w.]*)", (DOCS / "examples" / name).read_text()))

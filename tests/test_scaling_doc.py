"""docs/scaling.md quotes the examples as they are, and as the cluster's tests run them."""

from __future__ import annotations

import pytest

from tests.servers import ROOT

DOCS = ROOT / "docs"


@pytest.mark.parametrize("name", ["galera.cnf", "garb.cnf", "haproxy.cfg"])
def test_the_configuration_quoted_is_the_one_that_was_tried(name: str) -> None:
    example = (DOCS / "examples" / name).read_text()
    assert f"\n{example}```\n" in (DOCS / "scaling.md").read_text()

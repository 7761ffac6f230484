"""One good call of every op: complete, and true in the order in which they stand."""

from __future__ import annotations

import subprocess
import sys

import pytest

from messenger_api.ops import OPERATIONS
from messenger_api.ops.examples import EVERY_SESSION, EXAMPLES, FRIEND, GID, OTHER, OWN, PHOTO
from tests.product import Product, jpeg
from tests.servers import ROOT


def test_every_op_has_one() -> None:
    assert set(EXAMPLES) == set(OPERATIONS)


def test_all_succeed_one_after_another_with_the_answers_that_they_name(product: Product) -> None:
    product.log_in(FRIEND)
    product.log_in(OTHER)
    caller = product.log_in(OWN)
    gid = caller.ok("setgroup", gid=0, name="Cooks", m=FRIEND)["gid"]
    product.clock.advance(400)  # one number is sent a code again
    for op, example in EXAMPLES.items():
        answer = caller.call(op, **example.filled({GID: gid, PHOTO: jpeg()}))
        assert answer["result"] in ("OK", True), answer
        common = EVERY_SESSION if OPERATIONS[op].needs_session and op != "logout" else frozenset()
        assert set(answer) - {"op", "result", "ts"} == example.answer | common, op


@pytest.mark.server
def test_docs_show_all_of_them() -> None:
    program = [sys.executable, str(ROOT / "scripts" / "make-ops-page"), "--print"]
    made = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    assert made == (ROOT / "docs" / "ops.md").read_text(), "run scripts/make-ops-page"

"""schemathesis makes calls from openapi.json and openapi-ops.json, and holds the answers to what these say.

Of its checks those that fit an API whose every answer has the status 200: the status, the content type, the
headers, the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from messenger_api.ops import OPERATIONS
from messenger_api.ops.examples import FRIEND
from tests.declared import assert_declared
from tests.product import Phone, Product

pytestmark = pytest.mark.long

CHECKS: list[Callable[..., Any]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CASES = 2000
NUMBERS = count(14155560000)
# What ends the session that calls.
ENDINGS = {"logout", "deleteaccount", "changenumber"}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product that never tells a caller to wait."""
    folder = tmp_path_factory.mktemp("conformance")
    made = Product(
        f"sqlite:///{folder / 'messenger.sqlite3'}", Path(folder), limits="track", log_level="error"
    )
    made.log_in(FRIEND)
    yield made
    made.close()


class Caller:
    """Somebody who is logged in, and after a call that ends the session somebody else."""

    def __init__(self, product: Product, numbers: Iterator[int]) -> None:
        self._product = product
        self._numbers = numbers
        self._phone: Phone | None = None
        self.answers: list[str] = []

    def call(self, case: schemathesis.Case[Any]) -> None:
        """Make a call with a live token, and check the answer."""
        self._phone = self._phone or self._product.log_in(str(next(self._numbers)))
        for fields in (case.body, case.query):
            if isinstance(fields, dict) and "token" in fields:
                fields["token"] = self._phone.token
        response = case.call()
        case.validate_response(response, checks=CHECKS)
        answer = response.json()
        assert_declared(answer)
        self.answers.append(str(answer.get("error", "OK")))
        if answer["op"] in ENDINGS:
            self._phone = None


def run(product: Product, document: str, cases: int, wanted: Callable[[Any], bool]) -> list[str]:
    """Make so many calls of each operation of a document that is wanted; the errors that came, and "OK"."""
    caller = Caller(product, NUMBERS)
    schema = schemathesis.openapi.from_wsgi(document, product.app)
    found = list(schema.get_all_operations())
    operations = [each.ok() for each in found if isinstance(each, Ok)]
    assert len(operations) == len(found)
    for operation in filter(wanted, operations):

        @settings(
            max_examples=cases,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def check(case: schemathesis.Case[Any]) -> None:
            caller.call(case)

        check()
    return caller.answers


@pytest.mark.parametrize("op", OPERATIONS)
def test_calls_of_an_op_are_answered_as_its_pseudo_path_promises(product: Product, op: str) -> None:
    cases = (CASES - 200) // len(OPERATIONS) + 1
    answers = run(product, "/docs/openapi-ops.json", cases, lambda each: each.path.endswith(f"#{op}"))
    assert len(answers) >= min(cases, 1)
    assert "AUTHFAIL" not in answers
    assert "TRYLATER" not in answers


@pytest.mark.parametrize("method", ["post", "get"])
def test_calls_of_any_op_are_answered_as_the_one_path_promises(product: Product, method: str) -> None:
    assert run(product, "/docs/openapi.json", 100, lambda each: each.method == method)

"""One good call of every op, and each of its errors: complete, and true in the order in which they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from flask import abort

from messenger_api.domain.errors import TooMany
from messenger_api.ops import OPERATIONS
from messenger_api.ops.examples import EXAMPLES, FRIEND, GID, OTHER, OWN, PHOTO
from messenger_api.ops.provocations import CODE, NO_PICTURE, Provocation, provocations
from tests.declared import assert_declared
from tests.product import Answer, Phone, Product, jpeg


def test_every_op_has_one() -> None:
    assert set(EXAMPLES) == set(OPERATIONS)


def test_all_succeed_one_after_another_and_answer_as_they_declare(product: Product) -> None:
    caller, gid = newcomers(product)
    for op, example in EXAMPLES.items():
        answer = caller.call(op, **example.filled({GID: gid, PHOTO: jpeg()}))
        assert answer["result"] in ("OK", True), answer
        assert_declared(answer)


@pytest.mark.parametrize("op", OPERATIONS)
def test_each_error_of_an_op_can_be_made_to_happen(
    op: str, make_product: Callable[..., Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    product = make_product(api_shortcut=False)
    caller, gid = newcomers(product)
    found = provocations(op, OPERATIONS[op])
    assert found.keys() == OPERATIONS[op].errors
    # What comes too often comes last: it stands in the way of the others.
    for kind, how in sorted(found.items(), key=lambda each: issubclass(each[0], TooMany)):
        with monkeypatch.context() as patch:
            answer = Maker(product, caller, op, gid).make(how, patch)
        assert answer["error"] == (how.says or kind.code), (kind, answer)
        if not how.fields.get("more"):  # a body that is too long keeps its op to itself
            assert_declared(answer)


def newcomers(product: Product) -> tuple[Phone, int]:
    """Somebody logged in with a group, whose friends have accounts."""
    product.log_in(FRIEND)
    product.log_in(OTHER)
    caller = product.log_in(OWN)
    gid = caller.ok("setgroup", gid=0, name="Cooks", m=FRIEND)["gid"]
    product.clock.advance(400)  # one number is sent a code again
    return caller, gid


class Maker:
    """Makes errors happen, as `provocations` says."""

    def __init__(self, product: Product, caller: Phone, op: str, gid: int) -> None:
        self._product, self._caller, self._op = product, caller, op
        self._values: dict[str, object] = {GID: gid, PHOTO: jpeg(), NO_PICTURE: b"no picture"}

    def make(self, how: Provocation, patch: pytest.MonkeyPatch) -> Answer:
        """The answer of the call that is to fail."""
        for earlier in how.before:
            self._call(earlier)
        with self._disturbed(how, patch):
            return self._post(how.body) if how.body else self._call(how.fields)

    def _call(self, changed: Mapping[str, object]) -> Answer:
        fields = {"token": self._caller.token, **EXAMPLES[self._op].fields, **changed}
        values = {**self._values, **({CODE: self._code(fields)} if CODE in fields.values() else {})}
        given = {
            name: values.get(value, value) if isinstance(value, str) else value
            for name, value in fields.items()
            # werkzeug's client leaves a file open in which it puts a long body with a file in it.
            if value is not None and (value != PHOTO or "more" not in changed)
        }
        return self._product.call(self._op, **given)

    def _code(self, fields: Mapping[str, object]) -> str:
        return self._product.code(str(fields["phone"]))

    def _post(self, body: str) -> Answer:
        response = self._product.http.post(
            f"/api.php?op={self._op}", data=body, content_type="application/json"
        )
        answer: Answer = msgspec.json.decode(response.data)
        return answer

    @contextmanager
    def _disturbed(self, how: Provocation, patch: pytest.MonkeyPatch) -> Iterator[None]:
        faults = self._product.sandbox.faults
        if how.fault:
            faults.add(**how.fault)  # type: ignore[arg-type]
        if how.away == "database":
            patch.setattr(self._product.services.database, "_connections", None)
        if how.away == "server":
            patch.setitem(self._product.app.before_request_funcs, None, [lambda: abort(503)])
        yield
        faults.clear()


# What finds faults, finds them


ANSWER: Mapping[str, Any] = {"op": "delgroup", "ts": 1, "result": "OK", "gid": 7}
SHARE = {"text": "a", "subject": "b", "title": "c"}
LINKS = {"invite": "a", "fileurl": "f", "downloadurl": "f", "uploadurl": "u"}
WHOLE = {**ANSWER, **LINKS, "share": SHARE, "urls": {"upload": "u", "download": "f"}}


def test_an_answer_with_exactly_what_is_declared_is_one() -> None:
    assert_declared(WHOLE)


@pytest.mark.parametrize(
    "wrong",
    [
        {**WHOLE, "more": 1},
        {**WHOLE, "gid": "7"},
        {name: value for name, value in WHOLE.items() if name != "gid"},
        {name: value for name, value in WHOLE.items() if name != "invite"},
        {**WHOLE, "share": {**SHARE, "more": ""}},
        {**WHOLE, "ts": None},
        {**WHOLE, "result": True},
        {"op": "delgroup", "ts": 1, "result": "FAIL", "error": "BADCODE"},
        {"op": "delgroup", "ts": 1, "result": "FAIL", "error": "OFMESIBO"},
        {"op": "delgroup", "ts": 1, "result": "FAIL", "error": "NOTMEMBER", "more": 1},
        {"op": "nosuch", "ts": 1, "result": "FAIL", "error": "BADOP", "more": 1},
    ],
)
def test_an_answer_that_is_not_as_declared_is_found(wrong: Answer) -> None:
    with pytest.raises(AssertionError):
        assert_declared(wrong)

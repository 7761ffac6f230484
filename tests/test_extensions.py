"""What code of the operator's own adds: ops and tasks, and what is refused at the start."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from messenger_api.cli.doctor.configuration import extensions
from messenger_api.composition import Parts
from messenger_api.configuration import build
from messenger_api.settings import SettingsError
from tests.gateways.gateway_standin import gateway
from tests.product import Product, at_once
from tests.typed_pages import EXAMPLES

ANA = "14155550101"
SUPPORT = {"extensions": ["own_op.Support"], "support_number": "14155550100"}

WRONG = """
from messenger_api.extensions import Extension, Operation, Task, handled
from own_op import SupportParameters

class Taken(Extension):
    def operations(self):
        return {"login": Operation(print, SupportParameters)}

class Capital(Extension):
    def operations(self):
        return {"Support": Operation(print, SupportParameters)}

class Closed(Task):
    kind = "account_closed"

class TakenTask(Extension):
    def tasks(self):
        return [handled(Closed, print)]

class NoExtension:
    pass
"""
FAULTY = """
from msgspec import Struct
from messenger_api.extensions import *

class Given(Struct):
    text: str = ""

class Faulty(Extension):
    def operations(self):
        session = {"without_session": False, "with_session": True}
        return {name: Operation(self.run, Given, needs_session=needed) for name, needed in session.items()}

    def run(self, call, given):
        exec("def run(self, call, given): " + given.text, globals())
        return run(self, call, given)
"""
FIELDS = """
import datetime, enum
from msgspec import UNSET, Struct, UnsetType
from messenger_api.extensions import *

class Side(enum.Enum):
    LEFT = "left"

class Given(Struct, rename="camel"):
    is_urgent: bool = False
    weight: float = 0.0
    most: int | None = None
    text: str | UnsetType = UNSET
    side: Side | None = None
    on: datetime.date | None = None
    many: list[str] | None = None

class Fields(Extension):
    def operations(self):
        return {"fields": Operation(self.run, Given, needs_session=False)}

    def run(self, call, given):
        return {"repr": repr(given)}

    def close(self):
        raise OSError("It was closed already.")
"""
LEAVING = """
import sys
from msgspec import Struct
from messenger_api.extensions import *

class Leave(Task):
    kind = "own_leave"
    status: int

class Given(Struct):
    most: int = 0

class Leaving(Extension):
    def operations(self):
        return {"leave": Operation(self.leave, Given)}

    def tasks(self):
        return [handled(Leave, self.left)]

    def leave(self, call, given):
        task, lane = Leave(given.most), str(given.most)
        call.services.database.write(lambda tx, now: queue(tx, now, task, lane))
        return {}

    def left(self, task, run):
        if task.status:
            sys.exit(task.status)
"""
FAULTS = [
    "return 1 / 0",
    "return None",
    "return [1]",
    "return {'call': call}",
    "return {'text': chr(0xd800)}",
    "return {'text': object()}",
    "raise errors.BadValue('The text is too short.')",
    "raise errors.BadValue(wanted='a word')",
    "raise errors.TooMany()",
    "raise SystemExit(3)",
    "return self.run(call, given)",
]


@pytest.fixture(autouse=True)
def _on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "wrong.py").write_text(WRONG)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(EXAMPLES)
    yield
    for name in ("wrong", "faulty", "own_fields", "leaving"):
        sys.modules.pop(name, None)


def test_an_op_of_ones_own_is_asked_as_any_other(make_product: Callable[..., Product]) -> None:
    ana = make_product(**SUPPORT).log_in(ANA, "Ana")
    answer = ana.ok("support", topic="billing")
    assert answer["phone"] == "14155550100"
    assert answer["message"] == "Hello Ana, we call you back."
    assert answer["urls"]
    refused = ana.call("Support", topic="weather")
    assert (refused["error"], refused["properties"]) == ("BADVALUE", ["topic"])
    assert ana.product.call("support", token="nobodys")["error"] == "AUTHFAIL"
    assert ana.product.call("supports", token=ana.token)["error"] == "BADOP"


def test_the_op_is_counted_by_its_name(make_product: Callable[..., Product]) -> None:
    product = make_product(**SUPPORT)
    product.log_in(ANA).ok("support")
    product.parts.bookkeeper.keep()
    lines = product.http.get("/metrics").text.splitlines()
    assert 'messenger_requests_total{error="none",op="support"} 1.0' in lines


def test_a_task_of_ones_own_waits_until_it_can_be_done(make_product: Callable[..., Product]) -> None:
    with gateway() as desk:
        product = make_product(extensions=["own_task.Helpdesk"], helpdesk_url=desk.url)
        ana = product.log_in(ANA)
        desk.status = 503
        ana.ok("feedback", text="Where is my group?")
        ana.ok("feedback", text="Found it.")
        product.deliver()
        assert len(desk.calls) == 1, "its lane waits behind it"
        desk.status = 200
        product.clock.advance(4)
        product.deliver()
        told = [call.body.decode() for call in desk.calls]
    assert ["Where is my group?" in each for each in told] == [True, True, False]
    assert f'"from": "{ANA}"' in told[0]
    assert product.services.runner.drain()
    assert product.rows("SELECT count(*) FROM outbox WHERE kind = 'own_ticket'") == [(0,)]


def test_a_task_that_no_try_can_bring_off_is_kept_for_the_operator(
    make_product: Callable[..., Product],
) -> None:
    with gateway() as desk:
        product = make_product(extensions=["own_task.Helpdesk"], helpdesk_url=desk.url)
        desk.status = 422
        product.log_in(ANA).ok("feedback", text="?")
        product.deliver()
    assert product.rows("SELECT kind, state, last_error FROM outbox WHERE kind = 'own_ticket'") == [
        ("own_ticket", 1, "the helpdesk answers 422")
    ]


def test_a_task_that_would_end_the_process_waits_and_keeps_no_other(
    make_product: Callable[..., Product], tmp_path: Path
) -> None:
    (tmp_path / "leaving.py").write_text(LEAVING)
    product = make_product(extensions=["leaving.Leaving"])
    ana = product.log_in(ANA)
    product.deliver()
    ana.ok("leave", most=3)
    ana.ok("leave", most=0)
    product.deliver()
    assert product.rows("SELECT kind, attempts, last_error FROM outbox") == [("own_leave", 1, "SystemExit")]


def test_one_object_serves_all_threads(make_product: Callable[..., Product]) -> None:
    product = make_product(**SUPPORT)
    token = product.log_in(ANA, "Ana").token
    answers = [
        answer["message"] for answer in product.at_once([{"op": "support", "token": token} for _ in range(4)])
    ]
    assert set(answers) == {"Hello Ana, we call you back."}
    assert len(set(at_once(4, lambda _: id(product.parts.extensions[0])))) == 1


def test_fields_of_all_types_that_are_accepted_arrive_with_them(
    make_product: Callable[..., Product], tmp_path: Path
) -> None:
    (tmp_path / "own_fields.py").write_text(FIELDS)
    product = make_product(extensions=["own_fields.Fields"])
    given = {"isUrgent": "1", "weight": "1.5", "most": "7", "side": "left", "on": "2026-12-01", "many": "a,b"}
    told = product.ok("fields", **given)["repr"]
    assert "is_urgent=True, weight=1.5, most=7, text=UNSET, side=<Side.LEFT: 'left'>" in told
    assert "on=datetime.date(2026, 12, 1), many=['a', 'b']" in told
    assert product.ok("fields", isUrgent=True, weight=2, most="")["repr"].startswith(
        "Given(is_urgent=True, weight=2.0, most=None"
    )
    refused = product.call("fields", isUrgent="x", weight="x", most="x", side="x", on="x")
    assert (refused["error"], refused["properties"]) == (
        "BADVALUE",
        ["isUrgent", "weight", "most", "side", "on"],
    )


def test_what_an_extension_raises_when_it_is_closed_is_logged_and_keeps_nothing_open(
    make_product: Callable[..., Product], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own_fields.py").write_text(FIELDS)
    product = make_product(extensions=["own_fields.Fields"])
    assert product.http.get("/docs/ops/fields").status_code == 200
    product.parts.close()
    assert "extension.close" in capfd.readouterr().err


@pytest.mark.parametrize("shortcut", [True, False])
def test_a_fault_of_an_op_is_answered_with_trylater_and_logged(
    make_product: Callable[..., Product], tmp_path: Path, capfd: pytest.CaptureFixture[str], shortcut: bool
) -> None:
    (tmp_path / "faulty.py").write_text(FAULTY)
    ana = make_product(extensions=["faulty.Faulty"], api_shortcut=shortcut).log_in(ANA)
    for fault in FAULTS:
        for op in ("with_session", "without_session"):
            answer = ana.call(op, text=fault)
            assert (answer["op"], answer.get("error")) == (op, "TRYLATER"), (fault, answer)
            assert capfd.readouterr().err.count("api.fault") == 1, fault
    assert ana.ok("with_session", text="return {'text': 'well'}")["text"] == "well"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("no_such.Own", "EXTENSIONS = 'no_such.Own': cannot be imported: ModuleNotFoundError"),
        ("wrong.Nothing", "EXTENSIONS = 'wrong.Nothing': cannot be imported: AttributeError"),
        ("support", "EXTENSIONS = 'support': accepted are a dotted path such as \"support.Support\""),
        ("wrong.Taken", "EXTENSIONS = 'wrong.Taken': there is an op login already"),
        ("wrong.Capital", "EXTENSIONS = 'wrong.Capital': 'Support' is no name of an op"),
        ("wrong.NoExtension", "EXTENSIONS = 'wrong.NoExtension': no Extension of messenger_api.extensions"),
        ("wrong.TakenTask", "Closed: its kind, 'account_closed', is another's or too long"),
    ],
)
def test_what_cannot_be_used_is_refused_when_the_product_is_built(
    make_product: Callable[..., Product], name: str, told: str
) -> None:
    with pytest.raises(ValueError, match=told.replace("(", r"\(")):
        make_product(extensions=[name])


def test_a_key_that_is_needed_is_asked_for() -> None:
    with pytest.raises(SettingsError) as refused:
        build(extensions=["own_op.Support"])
    assert refused.value.faults == ["SUPPORT_NUMBER: required with the extension own_op.Support"]


@pytest.mark.parametrize(
    ("name", "state", "found"),
    [
        ("own_op.Support", "ok", "own_op.Support"),
        ("wrong.Taken", "fault", "EXTENSIONS = 'wrong.Taken': there is an op login already"),
    ],
)
def test_the_doctor_says_whether_they_can_be_used(name: str, state: str, found: str, tmp_path: Path) -> None:
    keys = {"support_number": "14155550100"} if state == "ok" else {}
    settings = build(extensions=[name], instance_path=str(tmp_path), **keys)
    with closing(Parts.alone(settings)) as parts:
        assert [verdict[:2] for verdict in extensions(settings, parts)] == [(state, found)]

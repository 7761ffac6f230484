"""The client and its asynchronous twin: retries, breaker, lists, errors; each promise is of both."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, TypeVar

import pytest

from messenger_api import mesibo
from messenger_api.mesibo import (
    Breaker,
    Client,
    Done,
    MesiboError,
    MesiboRefused,
    MesiboUnreachable,
    NoResponse,
    Options,
    Request,
    Response,
    Retries,
)
from messenger_api.mesibo.aio import AsyncClient
from tests.mesibo.loops import run

TOKEN = "app0token0secret"
Step = Response | NoResponse
T = TypeVar("T")


class Script:
    """Answers in turn, then with success."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.seen: list[Request] = []
        self.slept: list[float] = []
        self.closed = False

    def next(self, request: Request) -> Response:
        self.seen.append(request)
        step = self.steps.pop(0) if self.steps else answer()
        if isinstance(step, NoResponse):
            raise step
        return step

    def sent(self) -> list[dict[str, Any]]:
        return [json.loads(request.body) for request in self.seen]


class Blocking:
    """The client, with a script in the place of mesibo."""

    def __init__(self, script: Script, **options: Any) -> None:
        self.script = script
        self.client = Client(TOKEN, Options(**options), transport=self, sleep=script.slept.append)

    def send(self, request: Request) -> Response:
        return self.script.next(request)

    def close(self) -> None:
        self.script.closed = True

    def run(self, work: Callable[[Any], T]) -> Any:
        result = work(self.client)
        return list(result) if inspect.isgenerator(result) else result

    def end(self) -> None:
        with self.client:
            pass


class Waiting:
    """The asynchronous client, likewise."""

    def __init__(self, script: Script, **options: Any) -> None:
        self.script = script
        self.client = AsyncClient(TOKEN, Options(**options), transport=self, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.script.slept.append(seconds)

    async def send(self, request: Request) -> Response:
        return self.script.next(request)

    async def close(self) -> None:
        self.script.closed = True

    def run(self, work: Callable[[Any], T]) -> Any:
        async def whole() -> Any:
            result = work(self.client)
            if inspect.isasyncgen(result):
                return [each async for each in result]
            return await result if isinstance(result, Awaitable) else result

        return run(whole())

    def end(self) -> None:
        async def whole() -> None:
            async with self.client:
                pass

        run(whole())


Kind = type[Blocking] | type[Waiting]


@pytest.fixture(params=[Blocking, Waiting], ids=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


def answer(status: int = 200, headers: dict[str, str] | None = None, /, **members: object) -> Response:
    return Response(status, headers or {}, json.dumps({"result": True, **members}).encode())


def refusal(**members: object) -> Response:
    return answer(result=False, **members)


DEL = mesibo.GroupDel(gid=1)
ADD = mesibo.GroupAdd(name="Walks")


def failure_of(client: Blocking | Waiting, work: Callable[[Any], object]) -> MesiboError:
    with pytest.raises(MesiboError) as caught:
        client.run(work)
    assert caught.value.__context__ is None, "carries another exception, and whatever that holds"
    return caught.value


def test_the_twin_has_the_same_public_names_and_parameters() -> None:
    def public(kind: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(each).parameters)
            for name, each in vars(kind).items()
            if not name.startswith("_")
        }

    assert public(Client) == public(AsyncClient)


# What comes back


ANSWERS: list[tuple[mesibo.Operation[Any], dict[str, object], object]] = [
    (
        mesibo.UserAdd(address="491", appid="a"),
        {"user": {"uid": "7", "address": "491", "token": "t0ken"}},
        mesibo.UserAddAnswer(uid=7, address="491", token="t0ken"),
    ),
    (
        mesibo.UserAdd(address="491"),
        {"user": {"uid": 7}},
        mesibo.UserAddAnswer(uid=7, address=None, token=None),
    ),
    (mesibo.UserSet(uid=7), {}, None),
    (
        mesibo.UserToken(uid=7, appid="a"),
        {"user": {"uid": 7, "appid": "a", "token": "t"}},
        mesibo.UserTokenAnswer(uid=7, appid="a", token="t"),
    ),
    (mesibo.Otp(address="491"), {"otp": 482913}, mesibo.OtpAnswer(otp="482913")),
    (ADD, {"group": {"gid": "5"}}, mesibo.GroupAddAnswer(gid=5)),
    (mesibo.GroupSet(gid=5), {}, mesibo.GroupSetAnswer(gid=None)),
    (mesibo.Message(sender="491", to=["492"]), {"mid": 9}, mesibo.MessageAnswer(mid=9)),
    (
        mesibo.GroupGetMembers(gid=5),
        {"members": [{"address": "491", "cansend": 1, "canrecv": "0"}, "492"]},
        (
            mesibo.Member(address="491", send=True, recv=False),
            mesibo.Member(address="492", send=None, recv=None),
        ),
    ),
    (
        mesibo.GroupGetMembers(gid=5),
        {"group": {"members": [{"address": "491"}]}},
        (mesibo.Member(address="491", send=None, recv=None),),
    ),
]


@pytest.mark.parametrize(("op", "members", "wanted"), ANSWERS)
def test_an_answer_is_a_record(
    kind: Kind, op: mesibo.Operation[Any], members: dict[str, object], wanted: object
) -> None:
    client = kind(Script(answer(**members)))
    assert client.run(lambda c: c.call(op)) == wanted


def test_a_token_does_not_show_itself(kind: Kind) -> None:
    client = kind(Script())
    assert TOKEN not in repr(client.client)
    assert "t0ken" not in repr(mesibo.UserAddAnswer(uid=1, address="", token="t0ken"))


@pytest.mark.parametrize(
    ("op", "members"),
    [
        (ADD, {}),
        (ADD, {"group": {"gid": 0}}),
        (ADD, {"group": "5"}),
        (mesibo.Otp(address="1"), {"otp": True}),
        (mesibo.Otp(address="1"), {"otp": ""}),
        (mesibo.UsersGet(), {}),
        (mesibo.UsersGet(), {"users": {}}),
    ],
)
def test_a_success_without_what_it_must_hold_is_no_usable_answer(
    kind: Kind, op: mesibo.Operation[Any], members: dict[str, object]
) -> None:
    failure = failure_of(kind(Script(answer(**members))), lambda c: c.call(op))
    assert isinstance(failure, MesiboUnreachable)
    assert (failure.reason, failure.maybe_done, failure.op) == ("bad answer", True, op.OP)
    assert not failure.can_help


def test_raw_hands_the_answer_over_as_it_is(kind: Kind) -> None:
    client = kind(Script(answer(news=[1])), ids=False)
    assert client.run(lambda c: c.raw("groupnews", {"group": {"gid": 1}})) == {"result": True, "news": [1]}
    assert client.script.sent() == [{"op": "groupnews", "token": TOKEN, "group": {"gid": 1}}]


def test_a_number_goes_with_each_request_and_must_come_back(kind: Kind) -> None:
    client = kind(Script(answer(id="0")))
    failure = failure_of(client, lambda c: c.call(DEL))
    assert isinstance(failure, MesiboUnreachable)
    assert failure.reason == "bad answer"
    assert 0 < client.script.sent()[0]["id"] < 2**31


# Refusals


def test_a_refusal_carries_all_that_mesibo_said_and_blots_out_our_secrets(kind: Kind) -> None:
    said = refusal(
        error="BADVALUE", code="400", cause=f"no {TOKEN}", action="send key0", properties=["gid", TOKEN]
    )
    failure = failure_of(kind(Script(said), key="key0"), lambda c: c.call(DEL))
    assert isinstance(failure, MesiboRefused)
    assert (failure.op, failure.error, failure.code) == ("groupdel", "BADVALUE", 400)
    assert (failure.cause, failure.action, failure.properties) == ("no ***", "send ***", ("gid", "***"))
    assert failure.request_id == json.loads(said.body).get("id", failure.request_id)
    assert failure.request_id is not None
    assert not failure.can_help
    assert str(failure) == "mesibo refused groupdel: BADVALUE (code 400)"


def test_a_breach_says_what_to_do_about_five_addresses(kind: Kind) -> None:
    failure = failure_of(kind(Script(refusal(error="TOKENBREACH"))), lambda c: c.call(DEL))
    assert isinstance(failure, MesiboRefused)
    assert failure.is_breach
    assert "five addresses" in failure.action
    assert failure.about_app_token


def test_any_failure_says_whether_trying_again_can_help() -> None:
    helps = [("connect", True), ("timeout", True), ("busy", True), ("http 502", True), ("http 413", False)]
    helps += [("tls", False), ("bad url", False), ("redirect", False), ("not json", False)]
    assert [(reason, MesiboUnreachable(reason).can_help) for reason, _ in helps] == helps
    with pytest.raises(NotImplementedError):
        MesiboError().can_help  # noqa: B018


@pytest.mark.parametrize(
    ("said", "ok"),
    [
        (refusal(error="BADVALUE", code=400, properties=["user"]), True),
        (answer(), True),
        (refusal(error="AUTHFAIL", code=401), False),
        (refusal(error="BADOP"), False),
    ],
)
def test_ping_tells_a_wrong_token_or_url_from_a_missed_user(kind: Kind, said: Response, ok: bool) -> None:
    client = kind(Script(said), ids=False)
    if ok:
        client.run(lambda c: c.ping())
    else:
        failure_of(client, lambda c: c.ping())
    assert client.script.sent() == [{"op": "useradd", "token": TOKEN}]


# Trying again

BROKEN = NoResponse("broken", sent=True)
UNSENT = NoResponse("connect", sent=False, detail="refused", server="http://x")


@pytest.mark.parametrize(
    ("op", "steps", "tries"),
    [
        (DEL, [UNSENT], 2),
        (ADD, [UNSENT], 2),
        (DEL, [BROKEN], 2),
        (ADD, [BROKEN], 1),
        (DEL, [NoResponse("broken", sent=True, answered=True)], 1),
        (DEL, [NoResponse("timeout", sent=True)], 1),
        (DEL, [NoResponse("tls", sent=False)], 1),
        (DEL, [Response(502, {}, b"<html>")], 2),
        (ADD, [Response(502, {}, b"<html>")], 1),
        (ADD, [Response(429, {}, b"")], 2),
        (DEL, [Response(413, {}, b"")], 1),
        (DEL, [refusal(error="RATELIMIT", code=429)], 2),
        (DEL, [refusal(error="BADVALUE", code=400)], 1),
        (DEL, [BROKEN, BROKEN, BROKEN, BROKEN], 3),
    ],
)
def test_a_call_is_made_again_where_that_harms_nobody_and_can_help(
    kind: Kind, op: mesibo.Operation[Any], steps: list[Step], tries: int
) -> None:
    client = kind(Script(*steps, answer(group={"gid": 1})))
    if tries == len(steps) + 1:
        client.run(lambda c: c.call(op))
    else:
        failure_of(client, lambda c: c.call(op))
    assert len(client.script.seen) == tries
    assert len({request.id for request in client.script.seen}) == 1


def test_tries_are_spaced_and_obey_retry_after(kind: Kind) -> None:
    client = kind(Script(BROKEN, BROKEN, Response(503, {"retry-after": "7"}, b"")), retries=Retries(most=3))
    client.run(lambda c: c.call(DEL))
    assert client.script.slept == [0.0, 0.5, 7.0]


def test_a_date_in_retry_after_is_obeyed(kind: Kind) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=9), usegmt=True)
    client = kind(Script(Response(503, {"Retry-After": soon}, b"")))
    client.run(lambda c: c.call(DEL))
    assert 5 < client.script.slept[0] <= 9


@pytest.mark.parametrize(
    ("said", "waits"),
    [
        ("soon", [0.0]),
        ("", [0.0]),
        ("Mon, 01 Jan 2024 00:00:00 -0000", [0.0]),
        ("3600", None),
    ],
)
def test_what_retry_after_says_otherwise(kind: Kind, said: str, waits: list[float] | None) -> None:
    client = kind(Script(Response(503, {"Retry-After": said}, b"")))
    if waits is None:
        failure = failure_of(client, lambda c: c.call(DEL))
        assert isinstance(failure, MesiboUnreachable)
        assert failure.retry_after == 3600
        assert failure.can_help
    else:
        client.run(lambda c: c.call(DEL))
    assert client.script.slept == (waits or [])


# The breaker


def test_after_failures_in_a_row_nobody_is_asked_until_one_try_succeeds(kind: Kind) -> None:
    now = [0.0]
    breaker = Breaker(2, 30, clock=lambda: now[0])
    client = kind(Script(*[NoResponse("timeout", sent=True)] * 3), breaker=breaker)
    for _ in range(2):
        failure_of(client, lambda c: c.call(DEL))
    failure = failure_of(client, lambda c: c.call(DEL))
    assert isinstance(failure, MesiboUnreachable)
    assert (failure.reason, failure.maybe_done, failure.retry_after) == ("resting", False, 30)
    assert (failure.op, len(client.script.seen)) == ("groupdel", 2)
    now[0] = 31
    failure_of(client, lambda c: c.call(DEL))  # the one that is let through fails: rest again
    failure_of(client, lambda c: c.call(DEL))
    assert len(client.script.seen) == 3
    now[0] = 62
    client.run(lambda c: c.call(DEL))
    client.run(lambda c: c.call(DEL))
    assert len(client.script.seen) == 5


def test_while_one_try_is_under_way_the_others_rest() -> None:
    now = [0.0]
    breaker = Breaker(1, 30, clock=lambda: now[0])
    breaker.note(MesiboUnreachable("timeout"))
    now[0] = 30
    assert breaker.check() is None
    assert breaker.check() is not None


def test_what_is_no_fault_of_mesibos_does_not_count() -> None:
    breaker = Breaker(1, 30)
    breaker.note(MesiboUnreachable("busy"))
    breaker.note(MesiboRefused("BADVALUE", op="groupdel"))
    assert breaker.check() is None
    breaker.note(MesiboUnreachable("connect"))
    assert breaker.check() is not None
    breaker.note({"result": True})
    assert breaker.check() is None


def test_without_a_breaker_every_call_is_made(kind: Kind) -> None:
    client = kind(Script(*[NoResponse("timeout", sent=True)] * 9), breaker=None)
    for _ in range(9):
        failure_of(client, lambda c: c.call(DEL))
    assert len(client.script.seen) == 9


# Lists


class Directory(Script):
    """Finds names by a pattern, 20 at a time, as mesibo does."""

    def __init__(self, names: list[str], *, heedless: bool = False) -> None:
        super().__init__()
        self.names = names
        self.heedless = heedless

    def next(self, request: Request) -> Response:
        self.seen.append(request)
        asked = json.loads(request.body)
        subject = asked.get("user") or asked["group"]
        pattern = subject.get("address") or subject.get("name") or "*"
        prefix = pattern.rstrip("*")
        found = [
            (gid, name)
            for gid, name in enumerate(self.names, 1)
            if self.heedless or name == pattern or (pattern.endswith("*") and name.startswith(prefix))
        ]
        listed = [{"gid": gid, "name": name, "address": name} for gid, name in found[: subject["count"]]]
        return answer(users=listed, groups=listed, members=listed)


def test_a_list_is_walked_to_its_end_whatever_its_length(kind: Kind) -> None:
    names = [f"49{number:03d}" for number in range(250)] + ["49", "1"]
    client = kind(Directory(names))
    found = client.run(lambda c: c.users("49*", alphabet="0123456789"))
    assert sorted(user.address for user in found) == sorted(set(names) - {"1"})
    groups = client.run(lambda c: c.groups(alphabet="0123456789"))
    assert sorted(group.name for group in groups) == sorted(names)


def test_a_short_list_takes_one_call(kind: Kind) -> None:
    client = kind(Directory(["491", "492"]))
    assert len(client.run(lambda c: c.users("49*"))) == 2
    assert len(client.run(lambda c: c.groups())) == 2
    assert len(client.script.seen) == 2


@pytest.mark.parametrize(
    ("names", "heedless", "pattern", "reason"),
    [
        (["Walks"] * 20, False, "Walks", "too many"),
        (["Walks"] * 20, False, "Walks*", "too many"),
        ([f"x{n}" for n in range(30)], True, "*x*", "too many"),
        ([f"x{n}" for n in range(30)], True, "y*", "bad answer"),
    ],
)
def test_a_list_that_cannot_be_walked_is_never_taken_for_whole(
    kind: Kind, names: list[str], heedless: bool, pattern: str, reason: str
) -> None:
    for walk in (lambda c: c.groups(pattern), lambda c: c.users(pattern)):
        failure = failure_of(kind(Directory(names, heedless=heedless)), walk)
        assert isinstance(failure, MesiboUnreachable)
        assert failure.reason == reason


def test_members_are_whole_or_none(kind: Kind) -> None:
    assert len(kind(Directory(["a"] * 19)).run(lambda c: c.members(1))) == 19
    failure = failure_of(kind(Directory(["a"] * 20)), lambda c: c.members(1))
    assert isinstance(failure, MesiboUnreachable)
    assert failure.reason == "too many"


# Sizes


def test_a_body_that_mesibo_would_not_take_is_refused_unsent(kind: Kind) -> None:
    client = kind(Script(), most_bytes=mesibo.ON_PREMISE_BODY)
    long = mesibo.Message(sender="1", to=["2"], text="x" * 8192)
    with pytest.raises(ValueError, match="mesibo takes 8192"):
        client.run(lambda c: c.call(long))
    with pytest.raises(ValueError, match="whatever is split"):
        client.client.parts(long)
    with pytest.raises(ValueError, match="whatever is split"):
        client.client.parts(mesibo.GroupSet(gid=1, name="x" * 8192))
    with pytest.raises(ValueError, match="mesibo takes 8192"):
        client.run(lambda c: c.raw("x", {"y": "z" * 8192}))
    assert client.script.seen == []


def test_a_long_list_is_split_into_calls_that_fit(kind: Kind) -> None:
    client = kind(Script(), most_bytes=mesibo.ON_PREMISE_BODY)
    members = [f"49151{number:06d}" for number in range(2000)]
    parts = client.client.parts(mesibo.GroupEditMembers(gid=1, members=members))
    assert [address for part in parts for address in part.members] == members
    for part in parts:
        client.run(lambda c, part=part: c.call(part))  # type: ignore[misc]
    assert max(len(request.body) for request in client.script.seen) <= mesibo.ON_PREMISE_BODY
    assert kind(Script()).client.parts(DEL) == [DEL]
    assert client.client.size(DEL) == len(mesibo.Wire(TOKEN).encode(DEL).body)


# Told


def test_every_call_is_told_with_its_op_time_and_failure_and_nothing_else(kind: Kind) -> None:
    told: list[Done] = []
    client = kind(Script(answer(), refusal(error="BADVALUE")), on_call=told.append)
    client.run(lambda c: c.call(DEL))
    failure = failure_of(client, lambda c: c.call(DEL))
    assert [(done.op, done.error) for done in told] == [("groupdel", None), ("groupdel", failure)]
    assert all(0 <= done.seconds < 60 for done in told)


def test_the_log_names_the_op_alone(kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "messenger_api.mesibo")
    client = kind(Script(answer(), refusal(error="BADVALUE", cause="491 is none")))
    op = mesibo.UserDel(address="491")
    client.run(lambda c: c.call(op))
    failure_of(client, lambda c: c.call(op))
    levels = [(record.levelname, record.getMessage().partition(" after")[0]) for record in caplog.records]
    assert levels == [
        ("DEBUG", "userdel: ok"),
        ("WARNING", "userdel: mesibo refused userdel: BADVALUE (code None)"),
    ]
    assert "491" not in caplog.text
    assert TOKEN not in caplog.text


def test_a_refusal_says_whether_something_is_not_there_and_what_it_names() -> None:
    gone = [{"error": "X", "code": 404}, {"error": "BADGROUP"}, {"error": "BADVALUE", "properties": ["gid"]}]
    assert all(MesiboRefused(op="groupdel", **each).is_not_there for each in gone)  # type: ignore[arg-type]
    there = MesiboRefused("BADVALUE", op="groupdel", properties=["name"])
    assert not there.is_not_there
    assert (there.names("name"), there.names("gid")) == (True, False)
    assert MesiboRefused("BADVALUE", op="groupdel", cause="bad expiry").names("expiry")


def test_leaving_closes_what_is_open(kind: Kind) -> None:
    client = kind(Script())
    client.end()
    assert client.script.closed

"""`messenger-api shadow`: the demo's answers go out, are compared with ours, and it can be turned round."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from messenger_api import configuration
from messenger_api.gateways.http import HttpClient, Timeouts
from messenger_api.settings import Settings
from messenger_api.shadow.comparison import Answer, differences
from messenger_api.shadow.front import OURS, PHP, Shadow
from messenger_api.shadow.ours import Ours
from messenger_api.shadow.tally import Tally, read
from tests.cli.commands import Start
from tests.cli.conftest import start
from tests.contract.recorder import RecordingMesibo
from tests.contract.replay import RECORDED_AT, file_like
from tests.processes import LOOPBACK, free_port, wait_for
from tests.product import make_tables
from tests.shadow.demo import PhpDemo, Played, running, script, token

__all__ = ["start"]

# What the demo's configuration had the apps told.
TOLD = {
    "google_map_key": "Google Map Key",
    "upload_url": "https://s3.mesibo.com/api.php",
    "download_url": "https://appimages.mesibo.com/",
}


@pytest.fixture
def mesibo() -> Iterator[RecordingMesibo]:
    server = RecordingMesibo("json")
    yield server
    server.stop()


@pytest.fixture
def settings(product_uri: str, tmp_path: Path, mesibo: RecordingMesibo) -> Settings:
    return configuration.build(
        sqlalchemy_database_uri=product_uri,
        secret_key="a test's own secret key",
        instance_path=str(tmp_path / "instance"),
        files_path=str(tmp_path / "files"),
        files_tn_path=str(tmp_path / "files" / "tn"),
        **TOLD,
        **mesibo.settings,
    )


@contextmanager
def shadowing(
    settings: Settings, url: str, answering: str, path: Path
) -> Iterator[tuple[Client, Ours, Tally]]:
    """The shadow, and phones that call it; at the end everything was compared."""
    with closing(Ours(settings)) as ours:
        make_tables(ours.parts.database.engine)
        ours.parts.database.clock = lambda: float(RECORDED_AT)
        tally = Tally(path, answering)
        with closing(Shadow(url, ours, tally, answering=answering, largest=10**8)) as shadow:
            yield Client(shadow), ours, tally


def called(phone: Client, played: Played) -> Any:
    """The answer to a call, as JSON."""
    if played.method == "GET":
        response = phone.get("/api.php", query_string=played.fields)
    else:
        files = {part: file_like(file) for part, file in played.files.items()}
        response = phone.post("/api.php", data={**played.fields, **files})
    assert response.status_code == 200
    return json.loads(response.data)


def test_the_demos_answers_go_out_and_nothing_differs_but_what_is_meant(
    settings: Settings, mesibo: RecordingMesibo, tmp_path: Path
) -> None:
    calls = script()
    with running(PhpDemo(script())) as demo:
        with shadowing(settings, demo.url, PHP, tmp_path / "report.json") as (phone, _ours, tally):
            for played in calls:
                assert called(phone, played) == played.answer, played.name
        assert demo.script == []
    report = tally.report()
    assert report.surprises == []
    assert (report.compared, report.missed, report.failed) == (len(calls), 0, 0)
    assert {line.known for line in report.differences} == {
        "a FAIL always says why",
        "addresses of this server",
        "a group has a name",
        "a thumbnail of its own photo",
        "a thumbnail with every photo",
        "an unknown op is BADOP",
        "contacts is always there",
        "every answer has its second",
        "names of its own for files",
        "no change is lost",
        "nothing is null",
        "setgroup's status is no time",
        "texts for people",
        "the caller is no contact",
        "the own profile comes along",
        "the owner stays the owner",
        "the real country code",
        "uploaders read true",
    }
    # Nobody was told anything: not mesibo, and the report holds nothing of people.
    assert mesibo.taken() == []
    wait_for(lambda: read(tmp_path / "report.json") == report, 10, "the written report")
    text = (tmp_path / "report.json").read_text()
    assert not any(word in text for word in ("9198", "1415", "Bob", "tttt"))


def test_turned_round_ours_go_out_with_the_demos_tokens_and_gids(settings: Settings, tmp_path: Path) -> None:
    with running(PhpDemo(script())) as demo:
        with shadowing(settings, demo.url, OURS, tmp_path / "report.json") as (phone, _ours, tally):
            answers = {played.name: called(phone, played) for played in script()}
        # The demo was asked everything all the same, and so it can be turned back.
        assert demo.script == []
    assert answers["login-ok-919876543210"]["cc"] == "91"
    assert answers["login-ok-919876543210"]["token"] == token(1)
    assert answers["setgroup-new"]["gid"] == 5001
    assert answers["badop-noauth"]["error"] == "BADOP"
    assert answers["upload-plain"]["result"] is True
    assert tally.report().handed_back == 0


def test_what_would_log_a_phone_out_or_fail_is_answered_by_the_demo(
    settings: Settings, tmp_path: Path
) -> None:
    demo = PhpDemo([], other={"op": "getgroup", "result": "OK", "gid": 7})
    with running(demo), shadowing(settings, demo.url, OURS, tmp_path / "r.json") as (phone, _ours, tally):
        unknown = Played("POST", {"op": "getgroup", "gid": "7", "token": "never moved"}, {}, {})
        assert called(phone, unknown) == demo.other
        assert tally.report().handed_back == 1
        demo.other = {"op": "getgroup", "error": "AUTHFAIL", "result": "FAIL"}
        assert called(phone, unknown)["error"] == "AUTHFAIL"
        assert tally.report().handed_back == 1


def test_a_demo_that_is_away_is_no_answer_and_files_pass(settings: Settings, tmp_path: Path) -> None:
    demo = PhpDemo([])
    with running(demo), shadowing(settings, demo.url, PHP, tmp_path / "r.json") as (phone, _ours, tally):
        with phone.get("/files/a%20b.jpg?x=1", headers={"Range": "bytes=0-"}) as picture:
            assert (picture.data, picture.content_type) == (b"\xff\xd8 a picture", "image/jpeg")
        assert demo.asked == ["/files/a b.jpg?x=1"]
        assert demo.headers[0]["Range"] == "bytes=0-"
    with shadowing(settings, f"http://{LOOPBACK}:{free_port()}", PHP, tmp_path / "r.json") as (
        phone,
        _o,
        tally,
    ):
        assert phone.post("/api.php", data={"op": "login"}).status_code == 502
        assert tally.report().failed == 1


@pytest.mark.parametrize(
    ("op", "php", "ours"),
    [
        ("getgroup", {"name": "a"}, {"name": "b"}),
        ("getgroup", {"members": "1:1,2"}, {"members": "1:1,3"}),
        ("getgroup", {"result": "OK"}, {"result": "FAIL"}),
        ("getgroup", {"error": "BADGROUP"}, {"error": "NOTMEMBER"}),
        ("upload", {"result": "OK"}, {"result": False}),
        ("getcontacts", {"contacts": [{"phone": "1", "gid": "0"}]}, {"contacts": []}),
        ("getcontacts", {"contacts": [{"phone": "1", "ts": "5"}]}, {"contacts": [{"phone": "1", "ts": "9"}]}),
        (
            "getcontacts",
            {"contacts": [{"phone": "1", "photo": "p", "tn": "x"}]},
            {"contacts": [{"phone": "1", "photo": "p", "tn": "y"}]},
        ),
        ("login", {"token": "a"}, {"token": "b"}),
        ("login", {"google": "a"}, {"google": "b"}),
    ],
)
def test_what_nobody_meant_is_a_surprise(op: str, php: Answer, ours: Answer) -> None:
    found = differences(op, php, ours)
    assert found
    assert not any(difference.known for difference in found)


@pytest.mark.parametrize(
    ("php", "ours"),
    [
        ({"gid": 7}, {"gid": "7"}),
        ({"phone": 1415}, {"phone": "1415"}),
        ({"members": "2:1,2,3,4"}, {"members": "2:1,2,4,3"}),
        ({"contacts": [{"phone": "1"}, {"phone": "2"}]}, {"contacts": [{"phone": "2"}, {"phone": "1"}]}),
    ],
)
def test_what_an_app_reads_alike_is_alike(php: Answer, ours: Answer) -> None:
    assert differences("getcontacts", php, ours) == []


@pytest.mark.server
def test_the_command_hands_answers_out_and_tells_what_differed(start: Start, tmp_path: Path) -> None:
    port, calls = free_port(), script()[:20]
    keys = {
        "MESSENGER_MESIBO_APP_TOKEN": "of mesibo",
        "MESSENGER_INSTANCE_PATH": str(tmp_path / "instance"),
        **{f"MESSENGER_{name.upper()}": value for name, value in TOLD.items()},
    }
    http = HttpClient(Timeouts(5, 60))
    with closing(http), running(PhpDemo(script())) as demo:
        command = start("shadow", "--php", demo.url, "--port", str(port), **keys)
        command.says("hands out the answers of the demo")
        wait_for(lambda: is_open(port), 60, "the shadow")
        for played in calls:
            answer = http.request(played.method, f"http://{LOOPBACK}:{port}/api.php", **sent(played))
            assert json.loads(answer.body) == played.answer, played.name
        path = tmp_path / "shadow-report.json"
        wait_for(lambda: (found := read(path)) and found.compared == len(calls), 60, "the comparison")
        command.signal(signal.SIGINT)
        assert command.ends() == 0
    assert "20 answers were compared, 20 of them alike but for what is meant." in command.output()
    assert "the real country code" in command.output()


def sent(played: Played) -> dict[str, Any]:
    return {"params" if played.method == "GET" else "data": played.fields}


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0

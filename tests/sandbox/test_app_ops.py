"""Credentials, scripts, access control and the apps of an account: kept and shown without secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from messenger_api.mesibo import Client, File, MesiboRefused, Options, PushUpload, ScriptAdd
from messenger_api.sandbox import SandboxStore
from messenger_api.sandbox.mesibo import ACCOUNT_KEY
from tests.sandbox.conftest import ADA, Caller, refused

FIREBASE = json.dumps({"type": "service_account", "project_id": "acme", "private_key": "secret0"}).encode()


def upload(caller: Caller, op: str, name: str, content: bytes, **fields: Any) -> dict[str, Any]:
    answer = caller.http.post(
        caller.server.mesibo_json_url,
        data={"op": op, "token": caller.server.app_token, **fields},
        files={"file": (name, content)},
        timeout=5,
    )
    found: dict[str, Any] = answer.json()
    return found


def test_credentials_are_kept_without_their_content(caller: Caller, store: SandboxStore) -> None:
    assert upload(caller, "pushupload", "a.json", FIREBASE) == {"op": "pushupload", "result": True}
    assert upload(caller, "pushupload", "b.json", FIREBASE)["result"] is True
    assert upload(caller, "pushupload", "c.p12", b"\x30\x82secret0")["result"] is True
    assert upload(caller, "pushupload", "d", b"\x30\x82secret0", type="apn")["result"] is True
    kept = [(each.kind, each.name, each.project) for each in store.credentials()]
    # Firebase has one credential an app, Apple several.
    assert kept == [("apn", "d", ""), ("apn", "c.p12", ""), ("fcm", "b.json", "acme")]
    assert b"secret0" not in store.path.read_bytes()
    shown = caller.http.get(f"{caller.server.url}/sandbox/app.json", timeout=5)
    assert [each["name"] for each in shown.json()["credentials"]] == ["d", "c.p12", "b.json"]


@pytest.mark.parametrize(
    ("name", "content", "fields", "field"),
    [
        ("a.txt", FIREBASE, {}, "file"),
        ("a.json", b"", {}, "file"),
        ("a.json", b"{", {}, "file"),
        ("a.json", b"[" * 5000, {}, "file"),
        ("a.json", b"{}", {}, "file"),
        ("a.p12", b"PK", {}, "file"),
        ("a.json", FIREBASE, {"type": "gcm"}, "type"),
    ],
)
def test_what_is_no_credential_is_refused(
    name: str, content: bytes, fields: dict[str, str], field: str, caller: Caller, store: SandboxStore
) -> None:
    assert refused(upload(caller, "pushupload", name, content, **fields), "BADVALUE", field)
    assert store.credentials() == []


def test_a_script_is_kept_and_replaced(caller: Caller, store: SandboxStore) -> None:
    assert upload(caller, "scriptadd", "bot.js", b"one", description="Greets")["result"] is True
    (script,) = store.scripts()
    long = b"x" * 20_000  # an upload is longer than the other requests may be
    assert upload(caller, "scriptadd", "bot.js", long, sid=script.sid)["result"] is True
    assert [(each.sid, each.content) for each in store.scripts()] == [(script.sid, long.decode())]
    assert refused(upload(caller, "scriptadd", "bot.js", b"x", sid=7), "BADVALUE", "sid")
    assert refused(upload(caller, "scriptadd", "bot.py", b"x"), "BADVALUE", "file")
    assert refused(upload(caller, "scriptadd", "bot.js", b"\xff"), "BADVALUE", "file")
    assert refused(caller.form("scriptadd", description="x"), "MISSINGPARA", "file")


def test_the_library_uploads(caller: Caller, store: SandboxStore) -> None:
    with Client(caller.server.app_token, Options(caller.server.mesibo_json_url)) as client:
        client.call(ScriptAdd(file=File("bot.js", b"x")))
        with pytest.raises(MesiboRefused):
            client.call(PushUpload(file=File("a.json", b"x")))
    assert len(store.scripts()) == 1


def test_a_set_of_features_is_made_replaced_and_changed(caller: Caller, store: SandboxStore) -> None:
    free = {"id": 3, "name": "Free", "call": {"video": 0, "maxdur": 60}, "ratelimit": {"message": "60:5"}}
    assert caller.json("uacset", uac=free)["result"] is True
    assert caller.json("uacset", uac={"id": 3, "update": 1, "call": {"video": 1}, "ios": 1})["result"] is True
    (access,) = store.access()
    assert access.fields == {
        "name": "Free",
        "call.video": 1,
        "call.maxdur": 60,
        "ratelimit.message": "60:5",
        "ios": 1,
    }
    assert caller.json("uacset", uac={"id": 3, "name": "Paid"})["result"] is True
    assert [each.fields for each in store.access()] == [{"name": "Paid"}]
    assert caller.json("uacset", uac={"name": "Next"})["result"] is True
    assert [each.id for each in store.access()] == [3, 4]


@pytest.mark.parametrize(
    ("uac", "field"),
    [
        ({"id": 9, "update": 1}, "id"),
        ({"id": 9, "update": 1, "ios": 1, "android": 1}, "ios"),
        ({"peers": 4}, "peers"),
        ({"call": {"video": 2}}, "video"),
        ({"ratelimit": {"message": "60"}}, "message"),
        ({"ratelimit": {"message": "60:5,"}}, "message"),
        ({"call": {"colour": 1}}, "colour"),
    ],
)
def test_a_set_of_features_that_is_none_is_refused(
    uac: dict[str, Any], field: str, caller: Caller, store: SandboxStore
) -> None:
    assert refused(caller.json("uacset", uac=uac), "BADVALUE", field)
    assert store.access() == []


def test_limits_of_the_app_hold(caller: Caller, people: SandboxStore) -> None:
    assert caller.form("appset", maxusers=3, maxgroups=1, maxmsgs=1)["result"] is True
    assert refused(caller.json("useradd", user={"address": "4477"}), "BADVALUE", "address")
    assert caller.json("useradd", user={"address": ADA, "name": "A"})["result"] is True
    assert caller.json("groupadd", group={"name": "g"})["result"] is True
    assert refused(caller.json("groupadd", group={"name": "h"}), "BADVALUE", "name")
    assert caller.message()["result"] is True
    assert refused(caller.message(), "BADVALUE", "message")


def test_an_app_of_the_account_has_users_of_its_own(caller: Caller, people: SandboxStore) -> None:
    assert refused(caller.form("appadd", name="Chat", key="wrong"), "AUTHFAIL", "key", code=401)
    made = caller.form("appadd", name="Chat", key=ACCOUNT_KEY)
    assert made["account"]["users"] == "3"
    assert all(isinstance(value, str) for value in made["account"].values())
    token = made["token"]
    asked = {"op": "usersget", "token": token}
    assert caller.post(asked)["users"] == []
    assert caller.post({"op": "useradd", "token": token, "user": {"address": "4477"}})["result"] is True
    assert [each["address"] for each in caller.post(asked)["users"]] == ["4477"]
    assert people.user("4477") is None
    assert refused(caller.form("appdel", token=token, name="Sandbox"), "BADVALUE", "name")
    assert caller.form("appdel", token=token, name="Chat")["result"] is True
    assert refused(caller.post(asked), "AUTHFAIL", "token", code=401)
    assert len(people.users()) == 3


def test_settings_are_shown_without_secrets(caller: Caller, store: SandboxStore) -> None:
    caller.form("appset", name="Chat", secret="secret0", fcm_key="secret1", url="https://acme.example")
    made = caller.form("appadd", name="Other", key=ACCOUNT_KEY)
    shown = caller.http.get(f"{caller.server.url}/sandbox/app.json", timeout=5)
    found = shown.json()
    assert (found["name"], found["settings"]["url"]) == ("Chat", "https://acme.example")
    assert found["apps"] == ["Other"]
    assert not any(secret in shown.text for secret in ("secret0", "secret1", made["token"]))

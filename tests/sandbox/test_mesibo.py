"""The stand-in does what mesibo documents, in both generations."""

from __future__ import annotations

import pytest
import requests

from messenger_api.mesibo.specification import operations
from messenger_api.sandbox import SandboxServer, SandboxStore
from messenger_api.sandbox.mesibo import HANDLERS
from tests.sandbox.conftest import ADA, BOB, CHI, Caller, refused


@pytest.mark.parametrize("path", ["/backend", "/backend/", "/mesiboapi", "/api.php"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_op_is_answered_as_documented(
    path: str, method: str, server: SandboxServer, http: requests.Session
) -> None:
    answer = http.request(method, server.url + path, timeout=5)
    assert answer.status_code == 200
    assert answer.text == '{"error":"MISSINGOP","result":false}'


def test_a_wrong_app_token_is_refused_before_anything_else(caller: Caller) -> None:
    answer = caller.post({"op": "useradd", "token": "wrong", "id": 7})
    assert refused(answer, "AUTHFAIL", "token", code=401)
    assert (answer["op"], answer["id"]) == ("useradd", 7)
    assert refused(caller.form("useradd", token="wrong"), "AUTHFAIL", "token", code=401)
    assert refused(caller.post({"op": "useradd"}), "AUTHFAIL", "token", code=401)


def test_useradd_in_json_answers_numbers(caller: Caller, store: SandboxStore) -> None:
    user = {"address": ADA, "name": "Ada", "token": {"appid": "app", "expiry": 525600}}
    answer = caller.json("useradd", id=77, user=user)
    token = answer["user"].pop("token")
    assert answer == {"user": {"uid": 1001, "address": ADA}, "op": "useradd", "id": 77, "result": True}
    minted = store.token(token)
    assert minted is not None
    assert (minted.address, minted.appid) == (ADA, "app")


def test_useradd_in_a_form_answers_texts(caller: Caller) -> None:
    # The fields of the PHP demo, and `sig` that its helper adds.
    fields = {"session": "0", "expiry": "525600", "flag": "0", "restrictions": "0", "sig": "none"}
    answer = caller.form("useradd", id="77", addr=ADA, appid="app", **fields)
    assert len(answer["user"].pop("token")) == 48
    # The documentation shows the address in the answers of JSON alone.
    assert answer == {"user": {"uid": "1001"}, "op": "useradd", "id": "77", "result": True}


def test_a_form_may_come_as_a_query(caller: Caller, store: SandboxStore) -> None:
    for path in ("/api.php", "/backend"):
        query = {"op": "useradd", "token": "sandbox", "addr": path, "appid": "app"}
        answer = caller.http.get(caller.server.url + path, params=query, timeout=5)
        assert answer.json()["result"] is True
        assert store.user(path) is not None


def test_a_second_useradd_gives_the_same_user_another_token(caller: Caller, store: SandboxStore) -> None:
    user = {"address": ADA, "name": "Ada", "token": {"appid": "app"}}
    first = caller.json("useradd", user=user)["user"]
    second = caller.json("useradd", user={"address": ADA, "token": {"appid": "app"}})["user"]
    assert first["uid"] == second["uid"]
    assert first["token"] != second["token"]
    found = store.user(ADA)
    assert found is not None
    assert found.name == "Ada"


def test_json_without_a_token_object_makes_no_token(caller: Caller, store: SandboxStore) -> None:
    assert "token" not in caller.json("useradd", user={"address": ADA})["user"]
    assert store.tokens(ADA) == []


def test_a_token_of_the_second_kind_is_longer_than_64(caller: Caller) -> None:
    answer = caller.json("useradd", user={"address": ADA, "token": {"appid": "app", "v2": True}})
    assert len(answer["user"]["token"]) > 64


def test_usertoken_makes_and_deletes(caller: Caller, people: SandboxStore) -> None:
    made = caller.json("usertoken", user={"uid": 1001, "token": {"appid": "app"}})["user"]
    assert made["appid"] == "app"
    assert people.token(made["token"])
    again = caller.form("usertoken", addr=ADA, appid="app")["user"]
    assert again["uid"] == "1001"
    for end in ("delete", "remove"):
        answer = caller.json("usertoken", user={"address": ADA, "token": {"appid": "app", end: 1}})
        assert answer == {"op": "usertoken", "result": True}
        assert people.tokens(ADA) == []
        people.mint_token(ADA, "app")
    assert caller.form("usertoken", uid="1001", appid="app", delete="1")["result"] is True
    assert people.tokens(ADA) == []


def test_userset_and_userdel_take_uid_or_address(caller: Caller, people: SandboxStore) -> None:
    assert caller.json("userset", user={"address": ADA, "active": False})["result"] is True
    assert caller.form("userset", uid="1002", active="0", flag="3")["result"] is True
    assert [user.active for user in people.users()] == [True, False, False]
    assert caller.json("userdel", user={"uid": 1001})["result"] is True
    assert caller.form("userdel", addr=BOB)["result"] is True
    assert [user.address for user in people.users()] == [CHI]


def test_usersget_lists_twenty_at_most(caller: Caller, store: SandboxStore) -> None:
    for number in range(25):
        store.put_user(f"49{number:02}")
    assert len(caller.json("usersget")["users"]) == 20
    assert len(caller.form("usersget", addr="490*", count="3")["users"]) == 3
    assert len(caller.json("usersget", user={"count": 21})["users"]) == 20
    shown = {"uid": 1001, "address": "4900", "name": "", "active": 1, "flag": 0, "pinned": 0}
    shown |= {"ip": "", "online": 0}
    assert caller.json("usersget", user={"address": "4900"})["users"] == [shown]


def test_a_group_from_birth_to_death(caller: Caller, people: SandboxStore) -> None:
    # A member listed twice is what the PHP demo sends.
    group = {"name": "Hike", "members": {"m": f"{ADA},{BOB},{ADA}"}}
    made = caller.json("groupadd", group=group)
    assert made == {"group": {"gid": 5001}, "op": "groupadd", "result": True}
    members = {"m": CHI, "permissions": {"send": True, "recv": 1}, "admin": {"owner": False}}
    assert caller.json("groupeditmembers", group={"gid": 5001, "members": members})["result"] is True
    listed = caller.json("groupgetmembers", group={"gid": 5001})["members"]
    assert [member["address"] for member in listed] == [ADA, BOB, CHI]
    removed = caller.json("groupeditmembers", group={"gid": 5001, "members": {"m": BOB, "remove": 1}})
    assert removed["result"] is True
    assert caller.json("groupset", group={"gid": 5001, "name": "Walk"})["group"] == {"gid": 5001}
    group_now = people.group(5001)
    assert group_now is not None
    assert (group_now.name, group_now.members) == ("Walk", (ADA, CHI))
    assert caller.json("groupdel", group={"gid": 5001}) == {"op": "groupdel", "result": True}
    assert people.group(5001) is None


def test_a_group_in_forms(caller: Caller, people: SandboxStore) -> None:
    made = caller.form("groupadd", gid="0", name="Hike", flag="0", m=f"{ADA},{BOB}")
    assert made["group"] == {"gid": "5001"}
    assert caller.form("groupset", gid="5001", name="", flag="0", m=f"{BOB},{CHI}")["result"] is True
    assert caller.form("groupeditmembers", gid="5001", m=ADA, delete="1")["result"] is True
    group = people.group(5001)
    assert group is not None
    assert (group.name, group.members) == ("", (BOB, CHI))
    assert len(caller.form("groupgetmembers", gid="5001", count="1")["members"]) == 1
    shown = {"gid": "5001", "name": "", "flag": "0", "pinned": "0"}
    shown |= {"expinsec": "31536000", "expiryext": "0"}
    assert caller.form("groupsget", name="*")["groups"] == [shown]
    assert caller.form("groupdel", gid="5001")["result"] is True


def test_groupset_adds_members_and_removes_none(caller: Caller, people: SandboxStore) -> None:
    people.add_group("g", [ADA, BOB])
    assert caller.json("groupset", group={"gid": 5001, "members": {"m": CHI}})["result"] is True
    group = people.group(5001)
    assert group is not None
    assert group.members == (ADA, BOB, CHI)


def test_a_message_is_kept_as_it_was_sent(caller: Caller, people: SandboxStore) -> None:
    answer = caller.message(to=f"{BOB},4477", expiry=3600, flags=4, forced=True, message='{"subject":"Hi 🏔"}')
    message = people.messages()[0]
    assert answer == {"mid": message.mid, "op": "message", "result": True}
    assert (message.sender, message.to, message.type) == (ADA, (BOB, "4477"), 1)
    assert (message.expiry, message.flag, message.forced, message.gid) == (3600, 4, True, 0)
    assert message.text == '{"subject":"Hi 🏔"}'


def test_a_message_in_a_form_has_no_id_in_its_answer(caller: Caller, people: SandboxStore) -> None:
    # The fields of the PHP demo.
    fields = {"gid": "0", "channel": "0", "type": "1", "expiry": "3600", "flag": "4", "forced": "1"}
    answer = caller.form("message", **{"from": ADA}, to=BOB, msg="hello", **fields)
    assert answer == {"op": "message", "result": True}
    assert people.messages()[0].text == "hello"


def test_a_message_may_go_to_a_group_or_hold_a_file(caller: Caller, people: SandboxStore) -> None:
    people.add_group("g", [ADA])
    sent = caller.message(
        to=None, gid=5001, message=None, url="https://example.com/a.jpg", title="A", flags=None
    )
    assert sent["result"] is True
    assert (people.messages()[0].gid, people.messages()[0].to) == (5001, ())
    assert people.messages()[0].text == "https://example.com/a.jpg"


def test_every_op_of_the_specification_has_a_handler() -> None:
    assert set(HANDLERS) == set(operations())

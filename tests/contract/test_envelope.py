"""Section 2 of the contract: the members that every answer has, and types that the strictest app can read."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import fields as declared_fields

from messenger_api.ops import OPERATIONS
from messenger_api.ops.examples import EXAMPLES, FRIEND, GID, NEW, OWN, PHOTO
from tests.contract.shapes import leaves, nulls, png
from tests.product import APPID, Answer, Phone, Product, jpeg

ANN, BOB = OWN, FRIEND
DEAD = "x" * 48
# `deleteaccount` comes last: there is no token after it.
NEED_TOKEN = [*sorted(OPERATIONS.keys() - {"login", "loginui", "logout", "deleteaccount"}), "deleteaccount"]

# How the apps declare the members of an answer. A member that is not here is a new one: look how Gson
# reads it in the older Android apps before it is added.
TEXTS = (
    {"op", "result", "error", "errtitle", "errmsg", "title", "message", "token", "cc", "google", "ui"}
    | {"name", "status", "phone", "photo", "tn", "members", "file", "url"}
    | {"invite", "fileurl", "downloadurl", "uploadurl"}
)
NUMBERS = frozenset({"ts", "gid", "profile", "retry_after", "ended", "count"})
ENTRY = frozenset({"name", "status", "phone", "photo", "gid", "ts"})
OWN_PROFILE = frozenset({"name", "status", "phone", "photo", "ts", "connection_status"})
NONSENSE: tuple[object, ...] = (
    *("\x00", "x" * 5000, "½", -1, 10**30, 1e300, True, None),
    *([[]], {"a": 1}, ["x"], []),
)
SHARE = {"text", "subject", "title"}
URLS = {"upload", "download"}


class Journal:
    """Makes calls and keeps every answer."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.answers: list[Answer] = []

    def call(self, op: str, **fields: Any) -> Answer:
        self.answers.append(self.product.call(op, **fields))
        return self.answers[-1]

    def example(self, op: str, token: str = "", *, gid: int = 0, **fields: Any) -> Answer:
        """The good call that docs show, with these fields besides."""
        good = EXAMPLES[op].filled({GID: gid, PHOTO: jpeg()})
        return self.call(op, **{**good, **({"token": token} if token else {}), **fields})

    def log_in(self, number: str) -> str:
        self.call("login", phone=number, appid=APPID)
        code = self.product.code(number)
        token: str = self.call("login", phone=number, appid=APPID, otp=code)["token"]
        return token


@pytest.fixture
def journal(product: Product) -> Journal:
    """A rich life: every op in its ways, with success and failure."""
    journal = Journal(product)
    ann, bob = journal.log_in(ANN), journal.log_in(BOB)
    _contacts(journal, ann)
    _photos(journal, ann)
    _groups(journal, ann, bob)
    journal.call("getcontacts", token=bob, ts=0)
    journal.example("loginui", d=1, v=2)
    journal.example("setnotify", ann)
    journal.call("setnotify", token=ann)
    _account(journal, ann, bob)
    journal.example("logout", ann)
    journal.example("logout", ann)
    journal.call("getcontacts", token=ann)
    return journal


def _contacts(journal: Journal, ann: str) -> None:
    journal.call("getcontacts", token=ann, ts=0)
    journal.call("getcontacts", token=ann, ts=0, reset=1)
    journal.call("getcontacts", token=ann, phones=f"{BOB},{ANN},123")
    journal.call("getcontacts", token=ann, phones="918888888888")
    journal.call("getcontacts", token=ann, ts="soon")
    journal.example("delcontacts", ann)
    journal.call("profile", token=ann)
    journal.example("profile", ann)


def _photos(journal: Journal, ann: str) -> None:
    journal.example("upload", ann)
    journal.call("upload", token=ann, profile=1, delete=1)
    journal.call("upload", token=ann, profile=1)
    journal.call("upload", token=ann, profile=1, photo=b"no picture")
    journal.call("upload", token=ann, file=(b"text", "a.txt"), mid=7)
    journal.call("profile", token=ann, photo=png())


def _account(journal: Journal, ann: str, bob: str) -> None:
    for op in ("sessions", "exportaccount", "blocked", "revoke", "block", "report"):
        journal.call(op, token=ann)
    journal.example("revoke", ann)
    journal.example("block", ann, phones=BOB)
    journal.example("blocked", ann)
    journal.example("report", ann)
    journal.call("report", token=ann, phone=BOB, reason="a bad hair day")
    journal.example("exportaccount", ann)
    journal.example("unblock", ann, phones=BOB)
    journal.call("changenumber", token=ann)
    journal.example("changenumber", ann)
    journal.call("changenumber", token=ann, phone=NEW, otp="x")
    journal.example("deleteaccount", bob)


def _groups(journal: Journal, ann: str, bob: str) -> None:
    gid = journal.example("setgroup", ann)["gid"]
    journal.call("setgroup", token=ann, gid=gid, m=BOB, photo=jpeg())
    journal.call("setgroup", token=bob, gid=gid, m="")
    for op in ("getgroup", "setadmin", "editmembers", "profile", "upload", "delgroup"):
        journal.call(op, token=ann, gid=gid + 999, m=BOB, name="x", profile=1, photo=jpeg())
    journal.example("getgroup", bob, gid=gid)
    journal.call("profile", token=ann, gid=gid, name="new")
    journal.call("upload", token=ann, gid=gid, profile=1, photo=png())
    journal.example("setadmin", ann, gid=gid)
    journal.example("editmembers", ann, gid=gid)
    journal.call("getcontacts", token=ann, ts=0)
    journal.example("delgroup", bob, gid=gid)
    journal.example("delgroup", ann, gid=gid)


def envelope_is_sound(answer: Answer) -> None:
    assert answer["op"] == answer["op"].lower()
    assert type(answer["ts"]) is int
    assert answer["result"] in (("OK", "FAIL", True, False) if answer["op"] == "upload" else ("OK", "FAIL"))
    if answer["result"] in ("FAIL", False):
        assert answer["error"]
        assert type(answer["error"]) is str
    else:
        assert "error" not in answer


# Over everything that was answered


def test_every_answer_has_op_ts_and_result(journal: Journal, product: Product) -> None:
    for answer in journal.answers:
        envelope_is_sound(answer)
        assert abs(answer["ts"] - product.services.database.now()) < 60


def test_nothing_is_ever_null(journal: Journal) -> None:
    assert [nulls(answer) for answer in journal.answers if nulls(answer)] == []


def test_no_member_ever_has_a_type_that_a_strict_app_cannot_read(journal: Journal) -> None:
    for answer in journal.answers:
        if answer["op"] == "upload":  # the one op whose `result` may be a boolean
            answer["result"] = str(answer["result"])
        for member, value in answer.items():
            assert type(value) is _kind(member), f"{answer['op']}: {member}"
        assert not [path for path, leaf in leaves(answer) if type(leaf) not in (str, int)]


def _kind(member: str) -> type:
    lists_and_objects = {"contacts": list, "properties": list, "share": dict, "urls": dict, "u": dict}
    # Older apps know none of these, and pass over what they do not know.
    lists_and_objects |= {"sessions": list, "phones": list, "account": dict}
    if member in lists_and_objects:
        return lists_and_objects[member]
    assert member in TEXTS | NUMBERS, f"nobody knows how the apps read {member}"
    return str if member in TEXTS else int


def test_contacts_is_an_array_in_every_answer_to_getcontacts(journal: Journal) -> None:
    answers = [a for a in journal.answers if a["op"] == "getcontacts" and a["result"] == "OK"]
    assert {bool(answer["contacts"]) for answer in answers} == {True, False}
    assert all(type(answer["contacts"]) is list for answer in answers)


def test_the_entries_of_contacts_are_texts_and_their_numbers_never_empty(journal: Journal) -> None:
    entries = [entry for answer in journal.answers for entry in answer.get("contacts", [])]
    assert {entry["gid"] == "0" for entry in entries} == {True, False}
    for entry in entries:
        wanted = ENTRY if entry["gid"] == "0" else ENTRY | {"members"}
        assert entry.keys() - {"tn"} == wanted
        assert all(type(value) is str for value in entry.values())
        assert entry["gid"].isdecimal()
        assert entry["ts"].isdecimal()
        assert len(entry["ts"]) == 10


def test_every_sync_carries_the_own_profile(journal: Journal) -> None:
    answers = [a for a in journal.answers if a["op"] == "getcontacts" and a["result"] == "OK"]
    for own in (answer["u"] for answer in answers):
        assert own.keys() - {"tn"} == OWN_PROFILE
        assert all(type(value) is str for value in own.values())
        assert own["connection_status"] == ""
        assert own["phone"] in (ANN, BOB)


def test_tn_comes_with_a_photo_and_never_without(journal: Journal) -> None:
    with_photo = [a for answer in journal.answers for a in (answer, *answer.get("contacts", []))]
    with_photo = [a for a in with_photo if "photo" in a]
    assert {bool(a["photo"]) for a in with_photo} == {True, False}
    for a in with_photo:
        assert bool(a["photo"]) == bool(a.get("tn"))
        assert a.get("tn") != ""


def test_members_is_always_the_number_of_admins_and_the_addresses(journal: Journal) -> None:
    rosters = [value for answer in journal.answers for path, value in leaves(answer) if "members" in path]
    assert rosters
    for roster in rosters:
        count, _, people = roster.partition(":")
        assert 1 <= int(count) <= len(people.split(","))
        assert all(person.isdecimal() for person in people.split(","))


# Failures


def test_every_op_with_nothing_says_what_is_wrong(product: Product) -> None:
    for op in OPERATIONS:
        answer = product.call(op)
        envelope_is_sound(answer)
        assert answer["op"] == op
        assert not nulls(answer)


def test_every_op_with_a_dead_token_is_an_authfail(product: Product) -> None:
    for op in NEED_TOKEN:
        answer = product.call(op, token=DEAD)
        failed = False if op == "upload" else "FAIL"
        assert (answer["op"], answer["result"], answer["error"]) == (op, failed, "AUTHFAIL")
        assert "share" not in answer


def test_every_op_with_a_token_and_nothing_else_is_no_authfail(product: Product) -> None:
    ann = product.log_in(ANN)
    for op in ["nosuch", *NEED_TOKEN]:
        answer = ann.call(op)
        envelope_is_sound(answer)
        assert answer.get("error") != "AUTHFAIL"


def test_every_field_of_every_op_may_be_nonsense(product: Product) -> None:
    product.log_in(BOB)  # so that Ann's session is not the one with the number 1, which is nonsense here
    ann = product.log_in(ANN)
    for op, operation in OPERATIONS.items():
        for name in (field.encode_name for field in declared_fields(operation.parameters)):
            for nonsense in NONSENSE:
                if op == "logout" and name == "token":
                    continue
                body = {"op": op, "token": ann.token, "phone": "1", name: nonsense}
                response = product.http.post("/api.php", json=body)
                answer = msgspec.json.decode(response.data)
                envelope_is_sound(answer)
                assert not nulls(answer)
                assert answer.get("error") not in ("AUTHFAIL", "TRYLATER"), (op, name, nonsense)


def test_a_field_of_the_wrong_type_is_named(product: Product) -> None:
    answer = product.log_in(ANN).call("getcontacts", ts="soon", reset="7")
    assert (answer["error"], sorted(answer["properties"])) == ("BADVALUE", ["reset", "ts"])


def test_an_unknown_op_is_badop_for_whoever_is_logged_in_or_was_never(product: Product) -> None:
    ann = product.log_in(ANN)
    assert ann.call("nosuch")["error"] == "BADOP"
    for nobody in ({}, {"token": ""}, {"token": " "}, {"auth": DEAD}):
        for op in ("nosuch", "logon", "x" * 5000, "é", "__class__"):
            assert product.call(op, **nobody)["error"] == "BADOP"
    assert product.call("nosuch", token=DEAD)["error"] == "AUTHFAIL"


def test_the_documented_smoke_test_of_the_browser(product: Product) -> None:
    response = product.http.get("/api.php?op=login&aktoken=test&appid=com.mesibo.mesiboapplication")
    answer = msgspec.json.decode(response.data)
    assert (answer["op"], answer["result"], answer["error"]) == ("login", "FAIL", "BADAKTOKEN")


def person_can_act(answer: Answer, error: str) -> None:
    assert (answer["result"], answer["error"]) == ("FAIL", error)
    assert answer["errtitle"]
    assert answer["errmsg"]
    assert "{" not in answer["errmsg"]


def test_a_person_is_told_what_to_do_about_a_number_or_a_code(product: Product) -> None:
    person_can_act(product.call("login", appid=APPID, phone="12345"), "BADPHONE")
    person_can_act(product.call("login", appid=APPID, phone=ANN, otp="000000"), "BADCODE")
    product.ok("login", appid=APPID, phone=ANN)
    again = product.call("login", appid=APPID, phone=ANN)
    person_can_act(again, "TOOMANY")
    assert again["retry_after"] >= 1


def test_a_person_is_told_what_to_do_about_a_photo(make_product: Callable[..., Product]) -> None:
    ann = make_product(max_photo_bytes=1024).log_in(ANN)
    person_can_act(ann.call("upload", profile=1, photo=b"no picture"), "BADIMAGE")
    person_can_act(ann.call("upload", profile=1, photo=bytes(1025)), "TOOLARGE")
    person_can_act(ann.call("profile", photo=bytes(1025)), "TOOLARGE")


def test_a_person_is_told_to_come_back_when_mesibo_is_down(product: Product) -> None:
    ann = product.log_in(ANN)
    product.sandbox.faults.add("*", drop=True)
    answer = ann.call("setgroup", name="g")
    person_can_act(answer, "TRYLATER")
    assert answer["retry_after"] >= 1


# AUTHFAIL logs the user out: only for a token that is unknown or was revoked


def test_a_token_that_never_was_is_an_authfail(product: Product) -> None:
    product.log_in(ANN)
    for token in (DEAD, "", " ", "' OR 1=1 --", "é" * 48, "0" * 100_000):
        assert product.call("getcontacts", token=token)["error"] == "AUTHFAIL"


def test_a_token_of_another_type_is_an_authfail(product: Product) -> None:
    for token in (0, 1, True, False, None, [], ["x"], {"a": 1}):
        response = product.http.post("/api.php", json={"op": "getcontacts", "token": token})
        assert msgspec.json.decode(response.data)["error"] == "AUTHFAIL"


def test_a_token_in_use_is_good_until_logout_and_an_authfail_afterwards(product: Product) -> None:
    ann = product.log_in(ANN)
    for _ in range(4):
        # A session that nobody uses ends after 180 days.
        product.clock.advance(179 * 24 * 3600)
        ann.ok("getcontacts")
    ann.ok("logout")
    assert ann.call("getcontacts")["error"] == "AUTHFAIL"


def test_logout_with_a_dead_token_is_ok(product: Product) -> None:
    ann = product.log_in(ANN)
    for token in (ann.token, ann.token, DEAD):
        answer = product.call("logout", token=token)
        assert (answer["op"], answer["result"]) == ("logout", "OK")


APP_TOKEN_FAULTS = ["AUTHFAIL", "TOKENBREACH"]


@pytest.mark.parametrize("error", APP_TOKEN_FAULTS)
def test_a_refusal_of_our_app_token_is_not_passed_on_to_the_user(product: Product, error: str) -> None:
    ann = product.log_in(ANN)
    gid = ann.ok("setgroup", name="g")["gid"]
    product.log_in(BOB)
    product.sandbox.faults.add("*", error=error)
    for op, fields in {"setgroup": {"name": "h"}, "editmembers": {"gid": gid, "m": BOB}}.items():
        assert ann.call(op, **fields)["error"] == "TRYLATER"


@pytest.mark.parametrize("error", APP_TOKEN_FAULTS)
def test_nor_is_it_at_login(product: Product, error: str) -> None:
    product.ok("login", phone=ANN, appid=APPID)
    product.sandbox.faults.add("useradd", error=error)
    assert product.call("login", phone=ANN, appid=APPID, otp=product.code(ANN))["error"] == "TRYLATER"


@pytest.mark.parametrize("table", ["sessions", "contacts"])
def test_a_broken_database_is_no_authfail(product: Product, table: str) -> None:
    ann = product.log_in(ANN)
    with product.services.database.engine.connect() as connection:
        if connection.dialect.name == "mysql" or connection.dialect.name == "mariadb":
            connection.exec_driver_sql("SET foreign_key_checks = 0")
        connection.exec_driver_sql(f"DROP TABLE {table}")
        connection.commit()
    answer = ann.call("getcontacts", phones=BOB)
    envelope_is_sound(answer)
    assert answer["error"] == "TRYLATER"


def test_a_fault_that_nobody_foresaw_is_no_authfail(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = product.log_in(ANN)
    with monkeypatch.context() as broken:
        broken.setattr(product.services.database, "_connections", None)
        answers = [product.call(op, token=ann.token) for op in [*NEED_TOKEN, "logout", "nosuch"]]
    for answer in answers:
        envelope_is_sound(answer)
        assert answer["error"] == "TRYLATER"


# What follows success


def invited(answer: Answer) -> None:
    assert answer["share"].keys() == SHARE
    assert all(answer["share"].values())
    assert answer["invite"] == answer["share"]["text"]
    assert answer["urls"].keys() == URLS
    assert answer["uploadurl"] == answer["urls"]["upload"]
    assert answer["downloadurl"] == answer["fileurl"] == answer["urls"]["download"]
    assert answer["urls"]["download"].endswith("/")


def test_every_app_is_told_the_address_by_which_it_came(product: Product) -> None:
    phone = product.log_in(ANN)
    answers = [
        product.http.post(
            "/api.php", data={"op": "getcontacts", "token": phone.token}, base_url=url
        ).get_json()
        for url in ("http://a.example:8080/", "https://b.example/chat", "http://a.example:8080/")
    ]
    assert [answer["fileurl"] for answer in answers] == [
        "http://a.example:8080/files/",
        "https://b.example/chat/files/",
        "http://a.example:8080/files/",
    ]


def test_every_authenticated_success_carries_invitation_and_addresses(journal: Journal) -> None:
    answers = [a for a in journal.answers if a["result"] == "OK" and a["op"] != "loginui"]
    assert {answer["op"] for answer in answers} == OPERATIONS.keys() - {"loginui"}
    [*alive, dead_logout] = answers
    assert dead_logout["op"] == "logout"
    for answer in alive:
        if answer["op"] != "login" or "token" in answer:
            invited(answer)


def test_addresses_point_at_this_server_unless_configured(product: Product) -> None:
    ann = product.log_in(ANN)
    assert ann.login["urls"] == {"upload": "http://localhost/api.php", "download": "http://localhost/files/"}
    photo = ann.ok("upload", profile=1, photo=jpeg())["photo"]
    with product.http.get(f"/files/{photo}") as response:
        assert response.status_code == 200
        assert response.data.startswith(b"\xff\xd8")


def test_addresses_and_texts_are_the_configured_ones(make_product: Callable[..., Product]) -> None:
    product = make_product(
        upload_url="https://up.example/api",
        download_url="https://pictures.example/",
        invite_text="Come",
        invite_subject="Chat",
        invite_title="By",
        google_map_key="key",
    )
    answer = product.log_in(ANN).login
    assert answer["urls"] == {"upload": "https://up.example/api", "download": "https://pictures.example/"}
    assert answer["share"] == {"text": "Come", "subject": "Chat", "title": "By"}
    assert answer["google"] == "key"
    invited(answer)


# mesibo's current uploader


def test_the_uploader_that_sends_auth_gets_a_boolean_result(product: Product) -> None:
    ann = product.log_in(ANN)
    answer = product.call("upload", auth=ann.token, uid=1, mid=5, file=(b"text", "a.txt"))
    assert answer["result"] is True
    assert answer["url"] == answer["file"]
    assert answer["url"].startswith(answer["urls"]["download"])


def test_the_uploader_gets_a_boolean_result_in_failure_too(product: Product) -> None:
    ann = product.log_in(ANN)
    for auth, error in ((ann.token, "MISSINGFILE"), (DEAD, "AUTHFAIL")):
        answer = product.call("upload", auth=auth)
        assert answer["result"] is False
        assert answer["error"] == error


CHAT, PROFILE = ("", "0", " 0 ", None), ("1", " 1 ")


@pytest.mark.parametrize("encoding", ["multipart/form-data", "query"])
def test_an_upload_with_token_for_a_chat_gets_a_boolean_result_and_one_of_a_profile_a_text(
    product: Product, encoding: str
) -> None:
    ann: Phone = product.log_in(ANN)

    def send(profile: str | None, file: bytes, **more: str) -> Answer:
        fields = {"op": "upload", "token": ann.token, **more}
        if profile is not None:
            fields["profile"] = profile
        if encoding == "query":
            response = product.http.post("/api.php", query_string=fields, data={"f": (io.BytesIO(file), "f")})
        else:
            response = product.http.post("/api.php", data={**fields, "f": (io.BytesIO(file), "f")})
        answer: Answer = msgspec.json.decode(response.data)
        return answer

    for profile in CHAT:
        assert send(profile, b"text")["result"] is True
        assert send(profile, b"text", auth="")["result"] is True
        assert send(profile, b"text", token=DEAD)["result"] is False
        assert send(profile, b"text", gid="x")["result"] is False
    for profile in PROFILE:
        assert send(profile, jpeg())["result"] == "OK"
        assert send(profile, b"text")["result"] == "FAIL"
        assert send(profile, jpeg(), token=DEAD)["result"] == "FAIL"
    # Who names neither is no uploader, and of a body that cannot be read it is not known who sent it.
    assert product.call("upload", file=(b"text", "a.txt"))["result"] == "FAIL"
    broken = product.http.post("/api.php?op=upload&auth=x", data=b"{", content_type="application/json")
    assert msgspec.json.decode(broken.data)["result"] == "FAIL"


def test_auth_is_no_token_in_any_other_op(product: Product) -> None:
    ann = product.log_in(ANN)
    assert product.call("getcontacts", auth=ann.token)["error"] == "AUTHFAIL"

"""Section 3 of the contract for groups: roles, who is told what, and both sides agreeing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.conftest import WITH_EVERY_DRIVER
from tests.contract.shapes import png
from tests.product import Answer, Phone, Product, jpeg

pytestmark = WITH_EVERY_DRIVER

ANN, BOB, CEE, DAN = "919876543210", "919876543211", "919876543212", "14155550123"

Group = tuple[int, Phone, Phone, Phone]


@pytest.fixture
def group(product: Product) -> Group:
    """Ann's group with Bob and Cee in it; everything about it is delivered, and Dan stands outside."""
    ann, bob, cee = (product.log_in(n, name=name) for n, name in ((ANN, "Ann"), (BOB, "Bob"), (CEE, "Cee")))
    product.log_in(DAN)
    gid = ann.ok("setgroup", name="g", m=f"{BOB},{CEE}")["gid"]
    product.deliver()
    return gid, ann, bob, cee


class News:
    """The update messages that leave from now on."""

    def __init__(self, product: Product) -> None:
        self._product = product
        product.deliver()
        self._seen = max((message.mid for message in product.sandbox.store.messages()), default=0)

    def __call__(self) -> list[tuple[set[str], Answer]]:
        """Who was told, and what, in the order in which it left."""
        self._product.deliver()
        found = reversed(self._product.sandbox.store.messages(1000, self._seen))
        return [(set(m.to), msgspec.json.decode(m.text)) for m in found]


def roster(phone: Phone, gid: int) -> str:
    members: str = phone.ok("getgroup", gid=gid)["members"]
    return members


def at_mesibo(product: Product, gid: int) -> set[str] | None:
    found = product.sandbox.store.group(gid)
    return None if found is None else set(found.members)


# setgroup and getgroup


def test_the_maker_of_a_group_is_its_owner_and_the_answer_is_complete(product: Product) -> None:
    ann, _bob = product.log_in(ANN), product.log_in(BOB)
    answer = ann.ok("setgroup", gid=0, name="Club", m=f"{BOB},+91 98765 43211,{ANN},nobody,918888888888")
    assert type(answer["gid"]) is int
    assert answer["gid"] > 0
    assert (answer["name"], answer["photo"], answer["status"]) == ("Club", "", "")
    assert answer["members"] == f"1:{ANN},{BOB}"
    assert at_mesibo(product, answer["gid"]) == {ANN, BOB}


def test_members_stand_in_the_order_of_joining_behind_owner_and_admins(group: Group) -> None:
    gid, ann, _bob, _cee = group
    assert roster(ann, gid) == f"1:{ANN},{BOB},{CEE}"
    ann.ok("editmembers", gid=gid, m=DAN)
    assert ann.ok("setadmin", gid=gid, m=CEE, admin=1)["members"] == f"2:{ANN},{CEE},{BOB},{DAN}"


def test_setgroup_removes_whom_it_does_not_name_and_adds_whom_it_does(product: Product, group: Group) -> None:
    gid, ann, _bob, _cee = group
    assert ann.ok("setgroup", gid=gid, name="g", m=f"{BOB},{DAN}")["members"] == f"1:{ANN},{BOB},{DAN}"
    assert at_mesibo(product, gid) == {ANN, BOB, DAN}


def test_setgroup_keeps_roles(group: Group) -> None:
    gid, ann, bob, _cee = group
    ann.ok("setadmin", gid=gid, m=BOB, admin=1)
    assert bob.ok("setgroup", gid=gid, m=f"{BOB},{CEE},{DAN}")["members"] == f"2:{ANN},{BOB},{CEE},{DAN}"
    assert ann.ok("setgroup", gid=gid, m=f"{CEE},{BOB}")["members"] == f"2:{ANN},{BOB},{CEE}"


def test_setgroup_never_removes_the_owner(product: Product, group: Group) -> None:
    gid, ann, bob, _cee = group
    ann.ok("setadmin", gid=gid, m=BOB, admin=1)
    assert bob.ok("setgroup", gid=gid, m="")["members"] == f"2:{ANN},{BOB}"
    assert at_mesibo(product, gid) == {ANN, BOB}


def test_setgroup_keeps_the_name_when_it_is_empty_and_changes_it_when_not(
    product: Product, group: Group
) -> None:
    gid, ann, _bob, _cee = group
    for fields, wanted in (({}, "g"), ({"name": ""}, "g"), ({"name": "new"}, "new")):
        assert ann.ok("setgroup", gid=gid, m=f"{BOB},{CEE}", **fields)["name"] == wanted
    product.deliver()
    found = product.sandbox.store.group(gid)
    assert found is not None
    assert found.name == "new"


def test_setgroup_may_bring_a_photo_which_every_member_sees(group: Group) -> None:
    gid, ann, bob, _cee = group
    answer = ann.ok("setgroup", gid=gid, m=f"{BOB},{CEE}", photo=jpeg())
    seen = bob.ok("getgroup", gid=gid)
    assert answer["photo"]
    assert (seen["photo"], seen["tn"]) == (answer["photo"], answer["tn"])


def test_getgroup_answers_the_groups_state_to_members_only(product: Product, group: Group) -> None:
    gid, _ann, bob, _cee = group
    answer = bob.ok("getgroup", gid=gid)
    assert (answer["gid"], answer["name"], answer["status"], answer["photo"]) == (gid, "g", "", "")
    assert product.log_in("14155550124").call("getgroup", gid=gid)["error"] == "NOTMEMBER"
    assert bob.call("getgroup", gid=gid + 1)["error"] == "NOTMEMBER"


# Who may do what

CHANGES: dict[str, dict[str, Any]] = {
    "setgroup": {"name": "hacked", "m": ""},
    "editmembers": {"m": CEE, "delete": 1},
    "setadmin": {"m": BOB, "admin": 1},
    "profile": {"name": "hacked"},
    "upload": {"profile": 1, "photo": png()},
}


@pytest.mark.parametrize("op", CHANGES)
def test_only_admins_change_a_group(product: Product, group: Group, op: str) -> None:
    gid, ann, bob, _cee = group
    news = News(product)
    for phone in (bob, product.log_in("14155550124")):
        assert phone.call(op, gid=gid, **CHANGES[op])["error"] == "BADGROUP"
    state = ann.ok("getgroup", gid=gid)
    assert (state["name"], state["members"], state["photo"]) == ("g", f"1:{ANN},{BOB},{CEE}", "")
    assert [what for _to, what in news() if what["gid"]] == []


@pytest.mark.parametrize("op", CHANGES)
def test_an_admin_who_is_not_the_owner_changes_a_group_too(group: Group, op: str) -> None:
    gid, ann, bob, _cee = group
    ann.ok("setadmin", gid=gid, m=BOB, admin=1)
    bob.ok(op, gid=gid, **CHANGES[op])


def test_admins_can_neither_demote_nor_remove_the_owner(product: Product, group: Group) -> None:
    gid, ann, bob, _cee = group
    ann.ok("setadmin", gid=gid, m=BOB, admin=1)
    for op, fields in (("setadmin", {"admin": 0}), ("editmembers", {"delete": 1})):
        assert bob.ok(op, gid=gid, m=ANN, **fields)["members"] == f"2:{ANN},{BOB},{CEE}"
    assert ann.ok("setadmin", gid=gid, m=ANN, admin=0)["members"] == f"2:{ANN},{BOB},{CEE}"
    assert at_mesibo(product, gid) == {ANN, BOB, CEE}


def test_a_demoted_admin_is_a_member_again(group: Group) -> None:
    gid, ann, bob, _cee = group
    ann.ok("setadmin", gid=gid, m=f"{BOB},{CEE}", admin=1)
    assert ann.ok("setadmin", gid=gid, m=BOB, admin=0)["members"] == f"2:{ANN},{CEE},{BOB}"
    assert bob.call("editmembers", gid=gid, m=DAN)["error"] == "BADGROUP"


def test_a_stranger_is_made_no_admin(group: Group) -> None:
    gid, ann, _bob, _cee = group
    assert ann.ok("setadmin", gid=gid, m=DAN, admin=1)["members"] == f"1:{ANN},{BOB},{CEE}"


@pytest.mark.parametrize("op", ["getgroup", "editmembers", "setadmin", "delgroup"])
def test_a_missing_gid_is_missingpara(group: Group, op: str) -> None:
    _gid, ann, _bob, _cee = group
    for fields in ({}, {"gid": 0}, {"gid": ""}):
        assert ann.call(op, m=BOB, **fields)["error"] == "MISSINGPARA"


@pytest.mark.parametrize("op", ["editmembers", "setadmin"])
def test_missing_members_are_missingpara(group: Group, op: str) -> None:
    gid, ann, _bob, _cee = group
    for fields in ({}, {"m": ""}, {"m": " , "}):
        assert ann.call(op, gid=gid, **fields)["error"] == "MISSINGPARA"


# Who is told


def test_the_members_of_a_new_group_are_told(product: Product) -> None:
    ann, _bob, _cee = (product.log_in(number) for number in (ANN, BOB, CEE))
    news = News(product)
    gid = ann.ok("setgroup", name="Club", m=f"{BOB},{CEE}")["gid"]
    [(told, what)] = news()
    assert told == {BOB, CEE}
    assert what["subject"] == "You have been added to group Club"
    assert (what["gid"], what["name"], what["members"]) == (gid, "Club", f"1:{ANN},{BOB},{CEE}")


def test_a_rename_says_who_did_it(product: Product, group: Group) -> None:
    gid, ann, _bob, _cee = group
    news = News(product)
    answer = ann.ok("profile", gid=gid, name="Renamed")
    assert (answer["gid"], answer["name"]) == (gid, "Renamed")
    [(told, what)] = news()
    assert told == {BOB, CEE}
    assert (what["subject"], what["name"]) == ("Ann has changed group name to Renamed", "Renamed")
    found = product.sandbox.store.group(gid)
    assert found is not None
    assert found.name == "Renamed"


def test_an_empty_name_in_profile_keeps_the_groups_name_and_tells_nobody(
    product: Product, group: Group
) -> None:
    gid, ann, _bob, _cee = group
    news = News(product)
    for fields in ({}, {"name": ""}, {"name": "g", "status": "ignored"}):
        assert ann.ok("profile", gid=gid, **fields)["name"] == "g"
    assert news() == []


@pytest.mark.parametrize(
    ("op", "fields", "members"),
    [
        ("editmembers", {"m": DAN}, f"1:{ANN},{BOB},{CEE},{DAN}"),
        ("setadmin", {"m": CEE, "admin": 1}, f"2:{ANN},{CEE},{BOB}"),
        ("upload", {"profile": 1, "photo": png()}, f"1:{ANN},{BOB},{CEE}"),
    ],
)
def test_members_are_told_of_a_change_without_a_subject(
    product: Product, group: Group, op: str, fields: dict[str, Any], members: str
) -> None:
    gid, ann, _bob, _cee = group
    news = News(product)
    photo = ann.ok(op, gid=gid, **fields).get("photo", "")
    [(told, what)] = news()
    assert told == set(members.partition(":")[2].split(",")) - {ANN}
    assert (what["subject"], what["msg"], what["members"], what["photo"]) == ("", "", members, photo)


@pytest.mark.parametrize("op", ["editmembers", "setgroup"])
def test_a_removed_member_is_told_by_a_list_without_himself(product: Product, group: Group, op: str) -> None:
    gid, ann, bob, _cee = group
    news = News(product)
    ann.ok(op, gid=gid, m=BOB if op == "editmembers" else CEE, delete=1)
    told = {person: what for people, what in news() for person in people}
    assert told.keys() == {BOB, CEE}
    assert {what["members"] for what in told.values()} == {f"1:{ANN},{CEE}"}
    assert told[BOB]["subject"] == ""
    assert bob.call("getgroup", gid=gid)["error"] == "NOTMEMBER"
    assert [entry for entry in bob.contacts(ts=0) if entry["gid"] != "0"] == []
    assert at_mesibo(product, gid) == {ANN, CEE}


def test_whoever_leaves_is_gone_and_the_others_are_told(product: Product, group: Group) -> None:
    gid, ann, bob, _cee = group
    news = News(product)
    assert bob.ok("delgroup", gid=gid)["gid"] == gid
    [(told, what)] = news()
    assert told == {ANN, CEE}
    assert what["members"] == f"1:{ANN},{CEE}" == roster(ann, gid)
    assert at_mesibo(product, gid) == {ANN, CEE}


def test_the_owner_deletes_the_group_and_its_former_members_are_told(product: Product, group: Group) -> None:
    gid, ann, bob, _cee = group
    news = News(product)
    assert ann.ok("delgroup", gid=gid)["gid"] == gid
    [(told, what)] = news()
    assert told == {BOB, CEE}
    assert (what["gid"], what["subject"], what["msg"]) == (gid, "", "")
    admins, colon, people = what["members"].partition(":")
    assert (admins, colon) == ("0", ":")
    assert not {ANN, BOB, CEE} & set(people.split(","))
    assert bob.contacts(ts=0) == []
    assert at_mesibo(product, gid) is None
    for table in ("chat_groups", "group_members"):
        assert product.rows(f"SELECT * FROM {table}") == []


def test_a_stranger_neither_leaves_nor_deletes(product: Product, group: Group) -> None:
    gid, ann, _bob, _cee = group
    stranger = product.log_in("14155550124")
    assert stranger.call("delgroup", gid=gid)["error"] in ("NOTMEMBER", "BADGROUP")
    assert roster(ann, gid) == f"1:{ANN},{BOB},{CEE}"


def test_a_change_that_changes_nothing_tells_nobody(product: Product, group: Group) -> None:
    gid, ann, _bob, _cee = group
    news = News(product)
    ann.ok("editmembers", gid=gid, m=BOB)
    ann.ok("editmembers", gid=gid, m=DAN, delete=1)
    ann.ok("setadmin", gid=gid, m=BOB, admin=0)
    ann.ok("upload", gid=gid, profile=1, delete=1)
    assert news() == []


# Photos


def test_a_groups_photo_answers_with_all_that_the_apps_read(group: Group) -> None:
    gid, ann, _bob, _cee = group
    answer = ann.ok("upload", gid=gid, profile=1, photo=jpeg())
    assert (answer["phone"], answer["gid"], answer["profile"]) == ("", gid, 1)
    assert (answer["name"], answer["status"], answer["members"]) == ("g", "", f"1:{ANN},{BOB},{CEE}")
    assert answer["tn"]
    assert answer["file"] == answer["url"] == answer["urls"]["download"] + answer["photo"]


def test_a_groups_photo_can_be_removed(product: Product, group: Group) -> None:
    gid, ann, bob, _cee = group
    ann.ok("upload", gid=gid, profile=1, photo=jpeg())
    news = News(product)
    answer = ann.ok("upload", gid=gid, profile=1, delete=1)
    assert answer["photo"] == ""
    [(told, what)] = news()
    assert told == {BOB, CEE}
    assert what["photo"] == ""
    assert "tn" not in what
    assert bob.ok("getgroup", gid=gid)["photo"] == ""


@pytest.mark.parametrize("end", ["replaced", "removed", "deleted"])
def test_a_groups_old_photo_is_removed_from_disk_and_table(product: Product, group: Group, end: str) -> None:
    gid, ann, _bob, _cee = group
    old = ann.ok("setgroup", gid=gid, m=f"{BOB},{CEE}", photo=jpeg())["photo"]
    steps: dict[str, Callable[[], Answer]] = {
        "replaced": lambda: ann.ok("upload", gid=gid, profile=1, photo=png()),
        "removed": lambda: ann.ok("upload", gid=gid, profile=1, delete=1),
        "deleted": lambda: ann.ok("delgroup", gid=gid),
    }
    steps[end]()
    product.deliver()
    left = [path.stem for folder in product.folders for path in folder.glob("*.*")]
    assert old.partition(".")[0] not in left
    assert len(left) == (2 if end == "replaced" else 0)
    assert old not in [row[0] for row in product.rows("SELECT photo FROM thumbnails")]
    assert product.http.get(f"/files/{old}").status_code == 404


# Both sides agree


def test_mesibos_silence_is_trylater_and_its_refusal_keeps_its_code(product: Product, group: Group) -> None:
    gid, ann, _bob, _cee = group
    for fault, error in (({"drop": True}, "TRYLATER"), ({"error": "BADVALUE"}, "BADVALUE")):
        product.sandbox.faults.add("groupeditmembers", **fault)
        answer = ann.call("editmembers", gid=gid, m=DAN)
        product.sandbox.faults.clear()
        assert (answer["result"], answer["error"]) == ("FAIL", error)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("fields", [{"m": DAN}, {"m": BOB, "delete": 1}])
def test_a_failed_edit_leaves_both_sides_as_they_were(
    product: Product, group: Group, fields: dict[str, Any], after: bool
) -> None:
    gid, ann, _bob, _cee = group
    news = News(product)
    product.sandbox.faults.add("groupeditmembers", drop=True, after=after)
    assert ann.call("editmembers", gid=gid, **fields)["error"] == "TRYLATER"
    product.sandbox.faults.clear()
    product.clock.advance(600)
    assert news() == []
    assert roster(ann, gid) == f"1:{ANN},{BOB},{CEE}"
    assert at_mesibo(product, gid) == {ANN, BOB, CEE}


@pytest.mark.parametrize("fault", [{"drop": True}, {"error": "BADVALUE"}])
def test_a_group_that_mesibo_did_not_make_exists_nowhere(product: Product, fault: dict[str, Any]) -> None:
    ann = product.log_in(ANN)
    product.sandbox.faults.add("groupadd", **fault)
    assert ann.call("setgroup", name="g", photo=jpeg())["result"] == "FAIL"
    product.sandbox.faults.clear()
    product.deliver()
    assert ann.contacts(ts=0) == []
    assert product.sandbox.store.groups() == []
    assert list(product.folders[0].glob("*.*")) == []

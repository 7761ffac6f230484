"""What the sandbox remembers, and for whom."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from messenger_api.domain.errors import TooMany
from messenger_api.domain.limits import Window
from messenger_api.sandbox import Fault, Faults, SandboxStore, UnknownAddressError, UnknownGroupError
from messenger_api.sandbox.store import KEEP_TOKENS
from messenger_api.services.limits import HOUR, Claim
from tests.product import APPID, Product
from tests.sandbox.conftest import ADA, BOB, CHI, in_processes

ANOTHER = {
    "sms_providers": ["console", "http"],
    "sms_http_url": "https://sms.example.com/?to={to}&text={text}",
    "sms_countries": ["US"],
}


def test_a_group_id_is_never_given_twice(people: SandboxStore) -> None:
    first = people.add_group("one", [ADA])
    assert first.gid == 5001
    assert people.delete_group(first.gid)
    assert people.add_group("two").gid == 5002


def test_after_a_reset_nothing_is_left_and_no_number_comes_twice(people: SandboxStore) -> None:
    token = people.mint_token(ADA, "app").token
    gid = people.add_group("one", [ADA]).gid
    message, text = people.add_message(ADA, [BOB], "hello"), people.record_sms(BOB, "1 is your code")
    Faults(people).add("*", drop=True)
    people.reset()
    tables = [name for (name,) in people.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    kept = {name for name in tables if people.rows(f"SELECT 1 FROM {name} LIMIT 1")}
    assert kept == {"sqlite_sequence"}
    assert people.token(token) is None
    people.put_user(ADA)
    people.put_user(BOB)
    assert people.add_group("two", [ADA]).gid > gid
    assert people.add_message(ADA, [BOB], "hello").mid > message.mid
    assert people.record_sms(BOB, "2 is your code").id > text.id


def test_after_a_reset_nobody_waits_for_a_code(make_product: Callable[..., Product]) -> None:
    """Five codes an hour are soon asked for by whoever follows the pages of the guide."""
    product = make_product()
    for _ in range(8):
        product.ok("login", phone=BOB, appid=APPID)
        assert product.http.post("/sandbox/reset", json={}).json == {"result": True}
    product.log_in(BOB)


@pytest.mark.parametrize("of_theirs", [ANOTHER, {"login_method": "password"}], ids=["provider", "password"])
def test_a_reset_lifts_no_limit_where_not_all_codes_go_to_the_sandbox(
    make_product: Callable[..., Product], of_theirs: dict[str, object]
) -> None:
    product = make_product(**of_theirs)
    claim = Claim("sms_per_hour", "all", Window(1, HOUR))
    product.services.limits.take([claim])
    assert product.http.post("/sandbox/reset", json={}).json == {"result": True}
    with pytest.raises(TooMany):
        product.services.limits.take([claim])


def test_a_group_with_a_stranger_is_not_made(people: SandboxStore) -> None:
    with pytest.raises(UnknownAddressError) as error:
        people.add_group("g", [ADA, "4477"])
    assert error.value.addresses == ("4477",)
    assert "4477" not in str(error.value)
    assert people.groups() == []


def test_members_keep_their_order_and_a_double_counts_once(people: SandboxStore) -> None:
    group = people.add_group("g", [BOB, ADA, BOB])
    assert group.members == (BOB, ADA)


def test_an_edit_with_a_stranger_changes_nothing(people: SandboxStore) -> None:
    gid = people.add_group("old", [ADA]).gid
    with pytest.raises(UnknownAddressError):
        people.edit_group(gid, name="new", add=[BOB, "4477"])
    group = people.group(gid)
    assert group is not None
    assert (group.name, group.members) == ("old", (ADA,))


def test_an_edit_of_no_group_is_refused(people: SandboxStore) -> None:
    with pytest.raises(UnknownGroupError):
        people.edit_group(5001, name="x")
    assert people.group(5001) is None
    assert not people.delete_group(5001)


def test_a_deleted_user_leaves_groups_and_loses_tokens(people: SandboxStore) -> None:
    token = people.mint_token(ADA, "app").token
    gid = people.add_group("g", [ADA, BOB]).gid
    assert people.delete_user(ADA)
    assert people.user(ADA) is None
    assert people.token(token) is None
    group = people.group(gid)
    assert group is not None
    assert group.members == (BOB,)
    assert not people.delete_user(ADA)


def test_the_last_few_tokens_of_an_app_stay_valid(people: SandboxStore) -> None:
    other = people.mint_token(ADA, "other").token
    tokens = [people.mint_token(ADA, "app").token for _ in range(KEEP_TOKENS + 2)]
    valid = [token for token in tokens if people.token(token)]
    assert valid == tokens[2:]
    assert people.token(other)
    assert people.delete_tokens(ADA, "app") == KEEP_TOKENS
    assert [token.token for token in people.tokens(ADA)] == [other]


def test_only_a_user_gets_a_token(people: SandboxStore) -> None:
    with pytest.raises(UnknownAddressError):
        people.mint_token("4477", "app")


def test_lists_are_newest_first_limited_and_capped() -> None:
    with SandboxStore(keep=3) as store:
        for number in range(5):
            store.record_sms("+491", str(number))
            store.add_message("491", ["492", "493"], str(number))
        assert [sms.text for sms in store.texts()] == ["4", "3", "2"]
        assert [message.text for message in store.messages(limit=2)] == ["4", "3"]
        assert [sms.text for sms in store.texts(after=store.texts()[1].id)] == ["4"]
        assert store.messages()[0].to == ("492", "493")
        assert store.texts()[0].to == "491"


def test_a_search_takes_only_the_star_for_a_wildcard(people: SandboxStore) -> None:
    people.put_user("a_b")
    people.put_user("axb")
    assert [user.address for user in people.users("a_*")] == ["a_b"]
    assert {user.address for user in people.users("9198*")} == {BOB, CHI}


def test_two_stores_on_one_file_see_the_same(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "sandbox.sqlite3"
    with SandboxStore(path) as one, SandboxStore(path) as two:
        one.put_user(ADA, name="Ada")
        two.add_group("g", [ADA])
        one.record_sms(ADA, "hello")
        Faults(one).set(Fault("message", times=1))
        assert two.user(ADA) == one.user(ADA)
        assert one.groups() == two.groups()
        assert two.texts()[0].text == "hello"
        assert Faults(two).take("message") == Fault("message", times=1)
        assert Faults(one).take("message") is None
    with SandboxStore(path) as again:
        assert again.user(ADA) is not None


def _write(path: Path, name: str) -> None:
    with SandboxStore(path) as store:
        for number in range(20):
            store.record_sms("491", f"{name} {number}")


@pytest.mark.server
def test_processes_that_start_at_once_share_a_file_and_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite3"
    in_processes(_write, [(path, str(number)) for number in range(3)])
    with SandboxStore(path) as store:
        assert len({sms.text for sms in store.texts()}) == 60


def test_threads_share_a_store_and_lose_nothing(store: SandboxStore) -> None:
    def write() -> None:
        for _ in range(50):
            store.record_sms("491", "x")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.texts(limit=1000)) == 200


def test_a_private_file_goes_with_the_store() -> None:
    store = SandboxStore()
    assert store.path.exists()
    store.close()
    store.close()
    assert not store.path.parent.exists()


def test_a_file_of_another_version_is_started_anew(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite3"
    with SandboxStore(path) as store:
        store.put_user(ADA)
        store.add_group("old", [ADA])
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA user_version = 999")
    db.close()
    with SandboxStore(path) as store:
        assert store.users() == []
        assert store.add_group("new").gid == 5001

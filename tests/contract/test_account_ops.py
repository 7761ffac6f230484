"""Accounts that end, move or are handed over: nothing is left behind, and nobody meets a stranger's past."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from messenger_api.domain.errors import BadPhone, BadUser, TooMany, TryLater
from messenger_api.domain.phone import Phone as Number
from messenger_api.domain.secrets import Keys
from messenger_api.services.account.exports import Exports
from messenger_api.services.account.number_change import NewLogin
from messenger_api.services.account.tasks import CONTACTS_AT_ONCE
from messenger_api.storage.steps import MARKED_SECONDS
from messenger_api.worker import SWEEPING_SECONDS
from tests.product import APPID, Answer, Phone, Product, jpeg
from tests.properties.secrets_scan import cells, files, numbers_in, texts_in

ANN, BOB, CEE, DAN, NEW = "919876543210", "919876543211", "919876543212", "14155550123", "4915112345678"
OTHER_APP = "com.example.other"
DAY = 24 * 3600
NAME, STATUS, GROUP = "Annapurna the Unforgettable", "Gone fishing for good", "The hikers of old"
# Longer than anything waits in the outbox.
HOUR = 3600

MakeProduct = Callable[..., Product]


def key_of(number: str) -> bytes:
    return Keys.derive("a test's own secret key").contact_key(Number(number))


def settle(product: Product) -> None:
    """Let everything that waits in the outbox be done; all of it within the hour."""
    for _ in range(30):
        assert product.deliver()
        if not product.rows("SELECT id FROM outbox"):
            return
        product.clock.advance(HOUR / 30)
    raise AssertionError(product.rows("SELECT lane, kind, state, last_error FROM outbox"))


class News:
    """The update messages that leave from now on."""

    def __init__(self, product: Product) -> None:
        self._product = product
        product.deliver()
        self._seen = max((message.mid for message in product.sandbox.store.messages()), default=0)

    def __call__(self) -> list[tuple[str, set[str], Answer]]:
        """Sender, recipients and text of each, in the order in which they left."""
        settle(self._product)
        found = reversed(self._product.sandbox.store.messages(1000, self._seen))
        return [(m.sender, set(m.to), msgspec.json.decode(m.text)) for m in found]

    def about(self, number: str) -> list[tuple[set[str], Answer]]:
        """What was said about a user: recipients and text."""
        return [(to, text) for _sender, to, text in self() if text["phone"] == number]


def at_mesibo(product: Product, gid: int) -> set[str] | None:
    found = product.sandbox.store.group(gid)
    return None if found is None else set(found.members)


def is_dead(phone: Phone) -> bool:
    return bool(phone.call("getcontacts").get("error") == "AUTHFAIL")


def roster(phone: Phone, gid: int) -> str:
    members: str = phone.ok("getgroup", gid=gid)["members"]
    return members


Friends = tuple[Phone, Phone, Phone]


@pytest.fixture
def friends(product: Product) -> Friends:
    """Ann with all that an account may have, Bob who knows her, Cee who knows her and is blocked by her."""
    ann, bob, cee = (product.log_in(n, name=n) for n in (ANN, BOB, CEE))
    ann.ok("profile", name=NAME, status=STATUS, photo=jpeg())
    for phone in (ann, bob, cee):
        phone.ok("getcontacts", phones=f"{ANN},{BOB},{CEE},{DAN}")
    ann.ok("setnotify", notifytoken="anns-push-token")
    ann.ok("block", phones=f"{CEE},{DAN}")
    ann.ok("report", phone=BOB, reason="spam", text="what Ann said of Bob")
    bob.ok("report", phone=ANN, reason="spam", text="what Bob said of Ann")
    settle(product)
    return ann, bob, cee


# Deleting


def test_a_deleted_account_is_unusable_at_once_on_every_device(product: Product, friends: Friends) -> None:
    ann, bob, _cee = friends
    product.clock.advance(60)
    tablet = product.log_in(ANN, device="tablet", appid=OTHER_APP)
    ann.ok("deleteaccount")
    assert is_dead(ann)
    assert is_dead(tablet)
    assert product.rows("SELECT * FROM push_tokens") == []
    assert ANN not in [entry["phone"] for entry in bob.contacts(ts=0)]
    assert bob.contacts(phones=ANN) == []
    assert bob.ok("setgroup", name="without Ann", m=ANN)["members"] == f"1:{BOB}"


def test_within_the_hour_nothing_of_the_person_is_left(product: Product, friends: Friends) -> None:
    ann, bob, _cee = friends
    gid = ann.ok("setgroup", name=GROUP, photo=jpeg("red"))["gid"]
    bob.ok("setgroup", name="with Ann", m=ANN)
    product.ok("login", phone=ANN, appid=APPID, name=NAME)
    settle(product)
    photo = ann.ok("profile")["photo"]
    group_photo = ann.ok("getgroup", gid=gid)["photo"]
    wanted = [NAME, STATUS, photo, group_photo, GROUP, "what Ann said of Bob", "what Bob said of Ann"]
    assert len(remains(product, wanted)) >= len(wanted)

    began = product.clock()
    ann.ok("deleteaccount")
    settle(product)
    product.clock.advance(MARKED_SECONDS + SWEEPING_SECONDS)
    product.parts.worker.housekeeping.keep()

    assert product.clock() - began < HOUR
    assert remains(product, wanted) == set()
    stored = files(*product.folders)
    assert [path for path in stored if photo in path or photo.partition(".")[0] in path] == []
    assert stored == {}
    assert product.sandbox.store.user(ANN) is None


def remains(product: Product, texts: list[str]) -> set[str]:
    """What can still be read of Ann, in the tables and in the files."""
    found: set[str] = set()
    tables = cells(product.services.database.engine)
    # That others have the number in their phone books is theirs to say.
    own = {name: data for name, data in tables.items() if name != "contacts.contact_key"}
    for data in (*own.values(), *files(*product.folders).values()):
        found |= numbers_in(data, [ANN])
        found |= texts_in(data, texts)
    key = key_of(ANN)
    if any(key in data or key.hex().encode() in data.lower() for data in own.values()):
        found.add("contact key")
    return found


def test_whoever_has_the_number_is_told_and_whom_the_person_blocked_is_not(
    product: Product, friends: Friends
) -> None:
    ann, _bob, _cee = friends
    news = News(product)
    ann.ok("deleteaccount")
    [(to, text)] = news.about(ANN)
    assert to == {BOB}
    assert (text["name"], text["status"], text["photo"], text["gid"]) == ("", "", "", 0)
    assert "tn" not in text


def test_the_message_leaves_in_the_persons_name_before_mesibo_deletes_the_user(
    product: Product, friends: Friends
) -> None:
    ann, bob, _cee = friends
    gid = bob.ok("setgroup", name="g", m=ANN)["gid"]
    news = News(product)
    ann.ok("deleteaccount")
    senders = {(sender, text["gid"]) for sender, _to, text in news()}
    # mesibo refuses a message of somebody whom it does not know.
    assert senders == {(ANN, gid), (ANN, 0)}
    assert product.sandbox.store.user(ANN) is None
    assert product.rows("SELECT * FROM outbox") == []


def test_its_groups_go_on_without_it_on_both_sides_and_their_members_are_told(
    product: Product, friends: Friends
) -> None:
    ann, bob, _cee = friends
    gid = bob.ok("setgroup", name="g", m=f"{ANN},{CEE}")["gid"]
    news = News(product)
    ann.ok("deleteaccount")
    told = [(to, text["members"]) for _sender, to, text in news() if text["gid"] == gid]
    assert told == [({BOB, CEE}, f"1:{BOB},{CEE}")]
    assert roster(bob, gid) == f"1:{BOB},{CEE}"
    assert at_mesibo(product, gid) == {BOB, CEE}


def test_the_oldest_admin_takes_over_and_without_one_the_oldest_member(
    product: Product, friends: Friends
) -> None:
    ann, bob, cee = friends
    plain = ann.ok("setgroup", name="plain", m=f"{BOB},{CEE}")["gid"]
    led = ann.ok("setgroup", name="led", m=f"{BOB},{CEE}")["gid"]
    ann.ok("setadmin", gid=led, m=CEE, admin=1)
    settle(product)
    ann.ok("deleteaccount")
    settle(product)
    assert roster(bob, plain) == f"1:{BOB},{CEE}"
    assert roster(cee, led) == f"1:{CEE},{BOB}"
    bob.ok("setgroup", gid=plain, name="Bob's now")
    cee.ok("delgroup", gid=led)
    settle(product)
    assert at_mesibo(product, led) is None


def test_the_last_one_out_closes_the_group_and_its_picture_goes(product: Product, friends: Friends) -> None:
    ann, _bob, _cee = friends
    gid = ann.ok("setgroup", name="alone", photo=jpeg("red"))["gid"]
    settle(product)
    ann.ok("deleteaccount")
    settle(product)
    assert product.rows("SELECT * FROM chat_groups") == []
    assert at_mesibo(product, gid) is None
    assert files(*product.folders) == {}


def test_a_large_phone_book_is_no_obstacle(product: Product, friends: Friends) -> None:
    ann, _bob, _cee = friends
    numbers = [f"9177{index:08}" for index in range(2 * CONTACTS_AT_ONCE + 7)]
    for start in range(0, len(numbers), 2_000):
        ann.ok("getcontacts", phones=",".join(numbers[start : start + 2_000]))
    ann.ok("deleteaccount")
    settle(product)
    assert product.rows("SELECT DISTINCT u.address FROM contacts c JOIN users u ON u.uid = c.owner") != []
    assert product.rows("SELECT count(*) FROM users WHERE address = '" + ANN + "'") == [(0,)]


def test_while_mesibo_is_down_the_rows_go_and_mesibos_part_waits(product: Product, friends: Friends) -> None:
    ann, bob, _cee = friends
    gid = bob.ok("setgroup", name="g", m=ANN)["gid"]
    settle(product)
    product.sandbox.faults.add("*", drop=True)
    ann.ok("deleteaccount")
    product.deliver()
    assert product.rows(f"SELECT * FROM users WHERE address = '{ANN}'") == []
    assert roster(bob, gid) == f"1:{BOB}"
    assert product.sandbox.store.user(ANN) is not None
    product.sandbox.faults.clear()
    product.clock.advance(10)
    settle(product)
    assert product.sandbox.store.user(ANN) is None
    assert at_mesibo(product, gid) == {BOB}


def test_a_message_that_mesibo_never_takes_does_not_hold_the_deletion_up(
    product: Product, friends: Friends
) -> None:
    ann, bob, _cee = friends
    bob.ok("setgroup", name="g", m=ANN)
    settle(product)
    product.sandbox.faults.add("message", html=True)
    ann.ok("deleteaccount")
    for _ in range(50):
        product.deliver()
        product.clock.advance(HOUR / 50)
    assert product.rows(f"SELECT * FROM users WHERE address = '{ANN}'") == []
    assert product.sandbox.store.user(ANN) is None
    assert product.rows("SELECT id FROM outbox WHERE lane LIKE 'gone:%%'") == []


@pytest.mark.parametrize("step", range(12))
def test_a_deletion_that_is_cut_short_anywhere_is_taken_up_again(
    product: Product, friends: Friends, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database refuses everything from its n-th transaction on, as if the process had died there."""
    ann, bob, _cee = friends
    gids = [ann.ok("setgroup", name=name, m=BOB)["gid"] for name in ("one", "two")]
    settle(product)
    ann.ok("deleteaccount")
    database, left = product.services.database, step

    def dying(work: Callable[..., object]) -> Any:
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1
        return type(database).write(database, work)

    with monkeypatch.context() as broken:
        broken.setattr(database, "write", dying)
        broken.setattr(product.services.runner, "_put_back", _die)
        try:
            product.deliver()
        except KeyboardInterrupt:
            product.clock.advance(product.services.settings.outbox_lease + 1)
    settle(product)
    assert product.rows(f"SELECT * FROM users WHERE address = '{ANN}'") == []
    assert product.sandbox.store.user(ANN) is None
    for gid in gids:
        assert roster(bob, gid) == f"1:{BOB}"
        assert at_mesibo(product, gid) == {BOB}


def _die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_somebody_who_adds_the_person_meanwhile_does_not_keep_the_account_alive(
    product: Product, friends: Friends
) -> None:
    ann, bob, _cee = friends
    gid = bob.ok("setgroup", name="g")["gid"]
    [(uid,)] = product.rows(f"SELECT uid FROM users WHERE address = '{ANN}'")
    ann.ok("deleteaccount")
    with product.services.database.engine.connect() as connection:
        connection.exec_driver_sql(f"INSERT INTO group_members (gid, uid, role) VALUES ({gid}, {uid}, 0)")
    settle(product)
    assert roster(bob, gid) == f"1:{BOB}"
    assert product.rows(f"SELECT * FROM users WHERE uid = {uid}") == []


# The number afterwards


def make_room(product: Product, number: str = ANN) -> None:
    product.services.closing.make_room(key_of(number))


def test_the_number_logs_in_anew_and_meets_a_fresh_account(product: Product, friends: Friends) -> None:
    ann, bob, _cee = friends
    gid = bob.ok("setgroup", name="g", m=ANN)["gid"]
    ann.ok("deleteaccount")
    make_room(product)
    product.clock.advance(60)
    again = product.log_in(ANN)
    assert [again.login[member] for member in ("name", "status", "photo")] == ["", "", ""]
    assert again.contacts(ts=0) == []
    assert again.ok("blocked")["count"] == 0
    assert len(again.ok("sessions")["sessions"]) == 1
    assert again.call("getgroup", gid=gid)["error"] == "NOTMEMBER"
    settle(product)
    assert product.sandbox.store.user(ANN) is not None
    assert not is_dead(again)


def test_a_login_during_the_deletion_has_to_wait_when_it_cannot_be_finished(
    product: Product, friends: Friends
) -> None:
    ann, _bob, _cee = friends
    ann.ok("deleteaccount")
    product.sandbox.faults.add("*", drop=True)
    with pytest.raises(TryLater) as refusal:
        make_room(product)
    assert refusal.value.retry_after == 5
    product.sandbox.faults.clear()
    product.clock.advance(5)
    make_room(product)
    assert product.sandbox.store.user(ANN) is None


def test_room_costs_one_statement_where_the_account_stays_and_two_where_there_is_none(
    product: Product, friends: Friends
) -> None:
    for number, wanted in ((ANN, 1), (NEW, 2)):
        with product.statements() as statements:
            make_room(product, number)
        assert len(statements) == wanted
    assert not is_dead(friends[0])


def test_who_comes_back_within_the_time_of_a_recycled_number_finds_everything(
    product: Product, friends: Friends
) -> None:
    product.clock.advance(44 * DAY)
    make_room(product)
    assert product.log_in(ANN).login["name"] == NAME


def test_a_recycled_number_never_shows_the_former_owner(product: Product, friends: Friends) -> None:
    ann, bob, _cee = friends
    gid = ann.ok("setgroup", name=GROUP, m=BOB)["gid"]
    settle(product)
    product.clock.advance(46 * DAY)
    make_room(product)
    stranger = product.log_in(ANN)
    assert [stranger.login[member] for member in ("name", "status", "photo")] == ["", "", ""]
    assert stranger.contacts(ts=0) == []
    assert is_dead(ann)
    assert roster(bob, gid) == f"1:{BOB}"
    assert NAME.encode() not in b"".join(cells(product.services.database.engine).values())


def test_use_on_any_device_keeps_an_account_from_being_taken_for_recycled(
    product: Product, friends: Friends
) -> None:
    ann, _bob, _cee = friends
    for _ in range(3):
        product.clock.advance(30 * DAY)
        assert not is_dead(ann)
    make_room(product)
    assert not is_dead(ann)


def test_zero_days_means_never(make_product: MakeProduct) -> None:
    product = make_product(account_recycled_after_days=0)
    product.log_in(ANN, name=NAME)
    product.clock.advance(3000 * DAY)
    make_room(product)
    assert product.log_in(ANN).login["name"] == NAME


def test_there_is_no_room_for_whom_the_operator_keeps_out(product: Product, friends: Friends) -> None:
    [(uid,)] = product.rows(f"SELECT uid FROM users WHERE address = '{ANN}'")
    product.services.closing.keep_out(uid)
    product.clock.advance(100 * DAY)
    with pytest.raises(BadUser):
        make_room(product)
    product.services.closing.let_in(uid)
    make_room(product)


# Exporting


def test_an_export_tells_all_that_is_kept(product: Product, friends: Friends) -> None:
    ann, _bob, _cee = friends
    gid = ann.ok("setgroup", name=GROUP, m=BOB)["gid"]
    account = ann.ok("exportaccount")["account"]
    assert list(account) == [
        *("profile", "sessions", "groups", "contacts", "blocked", "blocked_count", "reports", "push_tokens")
    ]
    profile = account["profile"]
    assert (profile["phone"], profile["name"], profile["status"]) == (ANN, NAME, STATUS)
    assert profile["country"] == "IN"
    with product.http.get(profile["photo"]) as response:
        assert response.status_code == 200
    [session] = account["sessions"]
    assert (session["appid"], session["push"]) == (APPID, 1)
    [group] = account["groups"]
    assert (group["gid"], group["name"], group["role"], group["size"]) == (gid, GROUP, "owner", 2)
    assert (account["contacts"], account["blocked"], account["blocked_count"]) == (4, [CEE], 2)
    [report] = account["reports"]
    assert (report["phone"], report["reason"], report["text"]) == (BOB, "spam", "what Ann said of Bob")


def test_its_dates_are_iso_8601(friends: Friends) -> None:
    account = friends[0].ok("exportaccount")["account"]
    dates = [account["profile"]["created"], account["sessions"][0]["seen"], account["reports"][0]["created"]]
    now = dt.datetime.now(dt.UTC)
    assert all(abs(now - dt.datetime.fromisoformat(date)) < dt.timedelta(hours=2) for date in dates)


def test_an_export_holds_no_token(friends: Friends) -> None:
    text = str(friends[0].ok("exportaccount"))
    assert friends[0].token not in text
    assert "anns-push-token" not in text


def test_a_limit_that_says_no_keeps_an_export_in(product: Product, friends: Friends) -> None:
    def never(_caller: object) -> None:
        raise TooMany(retry_after=7)

    caller = product.services.callers.find(friends[0].token)
    with pytest.raises(TooMany):
        Exports(product.services.database, never).own(caller, "")


# Changing the number


def move(phone: Phone, number: str = NEW) -> NewLogin:
    services = phone.product.services
    caller = services.callers.find(phone.token)
    moved = services.number_change.change(caller, number, key_of(number), "DE")
    phone.number, phone.token = number, moved.token
    return moved


def test_the_account_goes_on_under_the_new_number(product: Product, friends: Friends) -> None:
    ann, bob, _cee = friends
    old_token = ann.token
    moved = move(ann)
    assert (moved.profile.address, moved.profile.name) == (NEW, NAME)
    assert moved.token not in repr(moved)
    assert product.call("getcontacts", token=old_token)["error"] == "AUTHFAIL"
    answer = ann.ok("getcontacts", ts=0)
    assert (answer["u"]["phone"], answer["u"]["name"]) == (NEW, NAME)
    assert [entry["phone"] for entry in answer["contacts"]] == [BOB]
    assert bob.contacts(phones=ANN) == []
    assert [entry["name"] for entry in bob.contacts(phones=NEW)] == [NAME]
    assert product.rows(f"SELECT country FROM users WHERE address = '{NEW}'") == [("DE",)]


def test_mesibo_knows_the_new_number_and_forgets_the_old_one_last(product: Product, friends: Friends) -> None:
    ann, bob, _cee = friends
    gid = bob.ok("setgroup", name="g", m=f"{ANN},{CEE}")["gid"]
    own = ann.ok("setgroup", name="own", m=BOB)["gid"]
    settle(product)
    move(ann)
    assert product.sandbox.store.user(ANN) is not None
    settle(product)
    assert product.sandbox.store.user(ANN) is None
    assert [token.token for token in product.sandbox.store.tokens(NEW)] == [ann.token]
    assert at_mesibo(product, gid) == {BOB, NEW, CEE}
    assert at_mesibo(product, own) == {NEW, BOB}
    assert roster(ann, own) == f"1:{NEW},{BOB}"
    assert roster(bob, gid) == f"1:{BOB},{NEW},{CEE}"


def test_those_with_the_old_and_those_with_the_new_number_and_the_groups_are_told(
    product: Product, friends: Friends
) -> None:
    ann, bob, _cee = friends
    dan = product.log_in(DAN)
    ann.ok("unblock", phones=DAN)
    dan.ok("getcontacts", phones=NEW)
    gid = bob.ok("setgroup", name="g", m=f"{ANN},{CEE}")["gid"]
    news = News(product)
    move(ann)
    told = news()
    gone = [(sender, to, text["name"]) for sender, to, text in told if text["phone"] == ANN]
    here = [(sender, to, text["name"]) for sender, to, text in told if text["phone"] == NEW]
    assert gone == [(ANN, {BOB}, "")]
    assert here == [(NEW, {DAN}, NAME)]
    group = [(sender, to, text["members"]) for sender, to, text in told if text["gid"] == gid]
    assert group == [(NEW, {BOB, CEE}, f"1:{BOB},{NEW},{CEE}")]


def test_all_other_sessions_end(product: Product, friends: Friends) -> None:
    ann, _bob, _cee = friends
    product.clock.advance(60)
    tablet = product.log_in(ANN, device="tablet")
    move(ann)
    assert is_dead(tablet)
    assert not is_dead(ann)


def test_an_edit_of_a_group_that_read_the_old_number_starts_over(product: Product, friends: Friends) -> None:
    ann, bob, _cee = friends
    gid = bob.ok("setgroup", name="g", m=ANN)["gid"]
    [(before,)] = product.rows(f"SELECT version FROM chat_groups WHERE gid = {gid}")
    move(ann)
    [(after,)] = product.rows(f"SELECT version FROM chat_groups WHERE gid = {gid}")
    assert after > before


def test_whoever_had_the_new_number_loses_that_account_first(product: Product, friends: Friends) -> None:
    ann, bob, cee = friends
    gid = cee.ok("setgroup", name="g", m=BOB)["gid"]
    settle(product)
    move(ann, CEE)
    assert is_dead(cee)
    settle(product)
    assert roster(bob, gid) == f"1:{BOB}"
    assert [entry["name"] for entry in bob.contacts(phones=CEE)] == [NAME]
    assert not is_dead(ann)
    assert product.sandbox.store.user(CEE) is not None


def test_while_mesibo_is_down_nothing_changes(product: Product, friends: Friends) -> None:
    ann, _bob, cee = friends
    settle(product)
    token = ann.token
    before = cells(product.services.database.engine)
    product.sandbox.faults.add("*", drop=True)
    for number in (NEW, CEE):
        with pytest.raises(TryLater):
            move(ann, number)
    after = cells(product.services.database.engine)
    changed = {name for name in before if before[name] != after[name]}
    assert {name.partition(".")[0] for name in changed} <= {"outbox"}
    assert (ann.number, ann.token) == (ANN, token)
    product.sandbox.faults.clear()
    assert not is_dead(ann)
    assert not is_dead(cee)
    settle(product)
    assert product.sandbox.store.user(NEW) is None


def test_a_user_that_mesibo_made_for_nothing_is_deleted_there(
    product: Product, friends: Friends, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, _bob, _cee = friends
    with monkeypatch.context() as broken:
        broken.setattr(product.services.database, "write", _refuse)
        with pytest.raises(TryLater):
            move(ann)
    assert product.sandbox.store.user(NEW) is not None
    assert not is_dead(ann)
    settle(product)
    assert product.sandbox.store.user(NEW) is None
    move(ann)
    settle(product)
    assert product.sandbox.store.user(NEW) is not None


def _refuse(_work: object) -> None:
    raise TryLater


def test_ones_own_number_and_one_that_the_operator_keeps_out_are_refused(
    product: Product, friends: Friends
) -> None:
    ann, _bob, _cee = friends
    [(uid,)] = product.rows(f"SELECT uid FROM users WHERE address = '{CEE}'")
    product.services.closing.keep_out(uid)
    for number, wanted in ((ANN, BadPhone), (CEE, BadUser)):
        with pytest.raises(wanted):
            move(ann, number)
    assert not is_dead(ann)


def test_the_old_number_logs_in_as_somebody_new(product: Product, friends: Friends) -> None:
    ann, _bob, _cee = friends
    move(ann)
    settle(product)
    make_room(product)
    stranger = product.log_in(ANN)
    assert stranger.login["name"] == ""
    assert stranger.contacts(ts=0) == []
    assert not is_dead(ann)


def change_number(phone: Phone, number: str, **fields: object) -> Answer:
    """Both steps, as the app makes them."""
    phone.ok("changenumber", phone=number)
    code = phone.product.code(number.lstrip("+"))
    return phone.call("changenumber", phone=number, otp=code, **fields)


def test_an_app_changes_the_number_by_a_code_to_the_new_one(product: Product) -> None:
    ann, bob = product.log_in(ANN, name=NAME), product.log_in(BOB)
    bob.ok("getcontacts", phones=f"{ANN},{NEW}")
    gid = ann.ok("setgroup", gid=0, name=GROUP, m=BOB)["gid"]
    news = News(product)
    answer = change_number(ann, f"+{NEW}")
    assert (answer["result"], answer["phone"], answer["cc"], answer["name"]) == ("OK", NEW, "49", NAME)
    assert ann.call("profile")["error"] == "AUTHFAIL", "the old token is mesibo's for the old number"
    moved = Phone(product, NEW, answer["token"], answer)
    assert moved.ok("getgroup", gid=gid)["members"] == f"1:{NEW},{BOB}"
    told = news()
    assert any(text["phone"] == ANN and text["name"] == "" for _from, to, text in told if BOB in to)
    assert any(text["phone"] == NEW and text["name"] == NAME for _from, to, text in told if BOB in to)
    assert any(text["gid"] == gid and NEW in text["members"] for _from, to, text in told if BOB in to)
    assert [entry["phone"] for entry in bob.contacts(ts=0) if entry["gid"] == "0"] == [NEW]


def test_a_wrong_code_changes_no_number(product: Product) -> None:
    ann = product.log_in(ANN)
    ann.ok("changenumber", phone=NEW)
    wrong = f"{(int(product.code(NEW)) + 1) % 10**6:06d}"
    assert ann.call("changenumber", phone=NEW, otp=wrong)["error"] == "BADCODE"
    assert ann.ok("profile")["phone"] == ANN


def test_ones_own_number_is_said_to_be_that(product: Product) -> None:
    ann = product.log_in(ANN)
    product.clock.advance(60)
    answer = change_number(ann, ANN)
    assert (answer["error"], answer["properties"]) == ("BADPHONE", ["phone"])
    assert "already" in answer["errmsg"]


def test_while_mesibo_is_down_nothing_changes_and_the_code_stays_good(product: Product) -> None:
    ann = product.log_in(ANN)
    product.sandbox.faults.add("*", drop=True)
    assert change_number(ann, NEW)["error"] == "TRYLATER"
    product.sandbox.faults.clear()
    again = ann.call("changenumber", phone=NEW, otp=product.code(NEW))
    assert (again["result"], again["phone"]) == ("OK", NEW)


def test_a_code_that_opened_a_session_does_not_move_another_account_too(product: Product) -> None:
    ann = product.log_in(ANN)
    product.log_in(NEW)
    assert ann.call("changenumber", phone=NEW, otp=product.code(NEW))["error"] == "BADCODE"
    assert ann.ok("profile")["phone"] == ANN


def test_numbers_are_changed_twice_a_day_at_most(product: Product) -> None:
    ann = product.log_in(ANN)
    for number in (NEW, DAN):
        ann = Phone(product, number, change_number(ann, number)["token"], {})
        settle(product)
    answer = change_number(ann, CEE)
    assert (answer["error"], answer["retry_after"] > 3600) == ("TOOMANY", True)


def test_an_idle_accounts_number_that_logs_in_meets_nothing_of_the_former_owner(product: Product) -> None:
    ann, bob = product.log_in(ANN, name=NAME, device="old"), product.log_in(BOB)
    ann.ok("profile", status=STATUS, photo=jpeg())
    gid = ann.ok("setgroup", gid=0, name=GROUP, m=BOB)["gid"]
    settle(product)
    product.clock.advance(46 * DAY)
    new = product.log_in(ANN)
    assert (new.login["name"], new.login["status"], new.login["photo"]) == ("", "", "")
    assert new.contacts(ts=0) == []
    assert new.call("getgroup", gid=gid)["error"] == "NOTMEMBER"
    assert len(new.ok("sessions")["sessions"]) == 1
    assert ann.call("profile")["error"] == "AUTHFAIL"
    assert bob.number == BOB


def test_whom_the_operator_keeps_out_does_not_log_in(product: Product) -> None:
    ann = product.log_in(ANN)
    [(uid,)] = product.rows("SELECT uid FROM users")
    product.services.closing.keep_out(uid)
    assert ann.call("profile")["error"] == "AUTHFAIL"
    product.clock.advance(60)
    product.ok("login", phone=ANN, appid=APPID)
    answer = product.call("login", phone=ANN, appid=APPID, otp=product.code(ANN))
    assert answer["error"] == "BADUSER"
    product.services.closing.let_in(uid)
    assert product.call("login", phone=ANN, appid=APPID, otp=product.code(ANN))["result"] == "OK"


def test_an_export_is_made_once_a_day(product: Product) -> None:
    ann = product.log_in(ANN)
    assert ann.ok("exportaccount")["account"]["profile"]["phone"] == ANN
    assert ann.call("exportaccount")["error"] == "TOOMANY"
    product.clock.advance(DAY + HOUR)
    ann.ok("exportaccount")

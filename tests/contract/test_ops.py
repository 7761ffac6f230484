"""Section 3 of the contract, op by op, for people: login, phone books, profiles, push tokens."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from messenger_api.domain.errors import TryLater
from messenger_api.storage import sessions
from tests.conftest import WITH_EVERY_DRIVER
from tests.contract.shapes import png
from tests.product import APPID, Answer, Phone, Product, jpeg

pytestmark = WITH_EVERY_DRIVER

ANN, BOB, CEE, DAN = "919876543210", "919876543211", "919876543212", "14155550123"


@pytest.fixture
def ann(product: Product) -> Phone:
    return product.log_in(ANN, name="Ann")


@pytest.fixture
def bob(product: Product) -> Phone:
    bob = product.log_in(BOB, name="Bob")
    product.deliver()  # he joined before anybody had his number
    return bob


def numbers(entries: list[Answer]) -> list[str]:
    return [entry["phone"] for entry in entries]


def newest(entries: list[Answer]) -> int:
    """What an app sends as `ts` the next time."""
    return max(int(entry["ts"]) for entry in entries)


# login


def test_the_first_step_answers_the_same_for_known_and_unknown_numbers(product: Product, ann: Phone) -> None:
    product.clock.advance(60)
    known, unknown = (product.ok("login", phone=number, appid=APPID) for number in (ann.number, BOB))
    assert {**known, "ts": 0} == {**unknown, "ts": 0}


@pytest.mark.parametrize("field", ["otp", "code"])
def test_the_second_step_takes_the_code_under_both_names(product: Product, field: str) -> None:
    product.ok("login", phone=ANN, appid=APPID, name="Ann")
    answer = product.ok("login", phone=ANN, appid=APPID, **{field: product.code(ANN)})
    assert answer["token"]
    assert (answer["phone"], answer["name"], answer["status"], answer["photo"]) == (ANN, "Ann", "", "")


@pytest.mark.parametrize(
    ("number", "cc"), [(ANN, "91"), (DAN, "1"), ("447700900123", "44"), ("3581234567890", "358")]
)
def test_cc_is_the_numbers_own_country_calling_code(product: Product, number: str, cc: str) -> None:
    assert product.log_in(number).login["cc"] == cc


@pytest.mark.parametrize(
    "written", ["+91 98765-43210", "0091 98765 43210", "(91) 98765.43210", " 919876543210 "]
)
def test_a_number_is_read_however_it_is_written(product: Product, written: str) -> None:
    product.ok("login", phone=written, appid=APPID)
    answer = product.ok("login", phone=written, appid=APPID, otp=product.code(ANN))
    assert answer["phone"] == ANN


def test_an_unusable_number_is_badphone(product: Product) -> None:
    for phone in ("", "12345", "12345678", "no number", "9" * 16, "+1 415"):
        answer = product.call("login", phone=phone, appid=APPID)
        assert (answer["error"], answer["properties"]) == ("BADPHONE", ["phone"])
    assert product.sandbox.store.texts() == []


def test_the_name_belongs_to_a_new_user_and_mesibo_is_told(product: Product, ann: Phone) -> None:
    user = product.sandbox.store.user(ANN)
    assert user is not None
    assert user.name == "Ann"
    product.clock.advance(60)
    assert product.log_in(ANN, name="Somebody").login["name"] == "Ann"


def test_login_answers_with_the_photo_and_its_thumbnail(product: Product, ann: Phone) -> None:
    assert "tn" not in ann.login
    photo = ann.ok("upload", profile=1, photo=jpeg())
    product.clock.advance(60)
    again = product.log_in(ANN).login
    assert (again["photo"], again["tn"]) == (photo["photo"], photo["tn"])


def test_the_token_is_mesibos_token_of_the_app_for_a_year(product: Product, ann: Phone) -> None:
    minted = product.sandbox.store.token(ann.token)
    assert minted is not None
    assert (minted.address, minted.appid) == (ANN, APPID)


def test_a_code_is_good_once_and_only_for_its_number(product: Product, ann: Phone) -> None:
    product.clock.advance(60)
    product.ok("login", phone=ANN, appid=APPID)
    product.ok("login", phone=BOB, appid=APPID)
    code = product.code(ANN)
    if product.code(BOB) != code:
        assert product.call("login", phone=BOB, appid=APPID, otp=code)["error"] == "BADCODE"
    assert product.ok("login", phone=ANN, appid=APPID, otp=code)["token"]
    assert product.call("login", phone=ANN, appid=APPID, otp=code, device="another")["error"] == "BADCODE"
    product.clock.advance(60)  # until then the same phone gets the same answer
    assert product.call("login", phone=ANN, appid=APPID, otp=code)["error"] == "BADCODE"


def test_the_demos_fixed_code_opens_nothing(product: Product) -> None:
    product.ok("login", phone=ANN, appid=APPID)
    if product.code(ANN) != "123456":
        assert product.call("login", phone=ANN, appid=APPID, otp="123456")["error"] == "BADCODE"


def test_fixed_codes_are_for_configured_numbers_until_their_date(
    make_product: Callable[..., Product],
) -> None:
    product = make_product(otp_test_numbers={f"+{ANN}": "482913"}, otp_test_numbers_until="2099-12-31")
    product.ok("login", phone=ANN, appid=APPID, otp="482913")
    assert product.call("login", phone=BOB, appid=APPID, otp="482913")["error"] == "BADCODE"
    assert product.sandbox.store.texts() == []
    product.clock.advance(100 * 366 * 24 * 3600)
    assert product.call("login", phone=ANN, appid=APPID, otp="482913")["error"] == "BADCODE"


def test_no_appid_is_missingappid(product: Product) -> None:
    assert product.call("login", phone=ANN)["error"] == "MISSINGAPPID"


# Sessions


def enter(product: Product, **fields: str) -> Phone:
    """Another login of Ann, after the wait between two codes."""
    product.clock.advance(60)
    return product.log_in(ANN, **fields)


def is_in(phone: Phone) -> bool:
    answer = phone.call("getcontacts")
    assert answer.get("error", "AUTHFAIL") == "AUTHFAIL"
    return bool(answer["result"] == "OK")


def test_a_login_on_one_device_leaves_the_others_in(product: Product) -> None:
    first, second = enter(product, device="phone"), enter(product, device="tablet")
    assert is_in(first)
    assert is_in(second)


def test_the_next_login_of_a_device_replaces_its_session(product: Product) -> None:
    first, second = enter(product, device="phone"), enter(product, device="phone")
    assert not is_in(first)
    assert is_in(second)


def test_the_same_device_has_a_session_in_each_app(product: Product) -> None:
    first, second = enter(product, device="phone"), enter(product, device="phone", appid="com.example.web")
    assert is_in(first)
    assert is_in(second)


def test_beyond_max_sessions_the_newest_replaces_the_oldest(make_product: Callable[..., Product]) -> None:
    product = make_product(max_sessions=2)
    phones = [enter(product, device=name) for name in ("a", "b", "c")]
    assert [is_in(phone) for phone in phones] == [False, True, True]


def test_beyond_max_sessions_phones_that_name_no_device_are_replaced_too(
    make_product: Callable[..., Product],
) -> None:
    product = make_product(max_sessions=2)
    phones = [enter(product) for _ in range(4)]
    assert [is_in(phone) for phone in phones] == [False, False, True, True]


def test_logout_ends_our_record_the_push_token_and_mesibos_token(product: Product, ann: Phone) -> None:
    ann.ok("setnotify", notifytoken="fcm-token", fcm=1)
    ann.ok("logout")
    product.deliver()
    assert not is_in(ann)
    assert product.rows("SELECT * FROM sessions") == product.rows("SELECT * FROM push_tokens") == []
    assert product.sandbox.store.tokens(ANN) == []


def test_logout_ends_this_session_and_no_other(product: Product) -> None:
    first, second = enter(product, device="phone"), enter(product, device="tablet")
    first.ok("logout")
    product.deliver()
    assert not is_in(first)
    assert is_in(second)
    assert product.sandbox.store.token(second.token) is not None


# getcontacts, delcontacts


def test_numbers_are_matched_in_any_spelling_and_the_unreadable_skipped(
    product: Product, ann: Phone, bob: Phone
) -> None:
    product.log_in(DAN)
    spellings = ["+91 98765-43211", "0091 9876543211", "+1 (415) 555-0123", "abc", "12", "+", "9" * 99]
    assert sorted(numbers(ann.contacts(phones=",".join(spellings)))) == sorted([BOB, DAN])


@pytest.mark.parametrize(
    "local", ["9876543211", "09876543211", "98765 43211", "null9876543211", "null09876543211"]
)
def test_a_local_number_is_read_in_the_callers_country(
    product: Product, ann: Phone, bob: Phone, local: str
) -> None:
    assert numbers(ann.contacts(phones=local)) == [BOB]
    assert product.log_in(DAN).contacts(phones=local) == []


def test_null_in_front_of_a_number_stands_for_the_callers_country_code(product: Product) -> None:
    dan = product.log_in(DAN)
    product.log_in("14155550124")
    assert numbers(dan.contacts(phones="null4155550124")) == ["14155550124"]


def test_the_caller_is_never_a_contact_of_his_own(product: Product, ann: Phone, bob: Phone) -> None:
    assert numbers(ann.contacts(phones=f"{ANN},{BOB},9876543210")) == [BOB]
    ann.ok("profile", status="changed")
    assert numbers(ann.contacts(ts=0)) == [BOB]
    assert ann.received() == []


def test_the_own_profile_comes_as_u(ann: Phone) -> None:
    ann.ok("profile", status="hi", photo=jpeg())
    own = ann.ok("getcontacts", ts=0)["u"]
    assert (own["name"], own["status"], own["phone"]) == ("Ann", "hi", ANN)
    assert own["photo"]
    assert own["tn"]
    assert own["connection_status"] == ""


def test_numbers_sent_once_are_remembered(product: Product, ann: Phone, bob: Phone) -> None:
    ann.ok("getcontacts", phones=f"{BOB},{CEE}")
    assert numbers(ann.contacts(ts=0)) == [BOB]
    product.log_in(CEE)
    assert sorted(numbers(ann.contacts(ts=0))) == [BOB, CEE]


def test_reset_forgets_the_phone_book_sent_earlier(product: Product, ann: Phone, bob: Phone) -> None:
    product.log_in(CEE)
    ann.ok("getcontacts", phones=BOB)
    assert numbers(ann.contacts(reset=1, phones=CEE)) == [CEE]
    assert numbers(ann.contacts(ts=0)) == [CEE]
    assert ann.contacts(ts=0, reset=1) == []
    assert ann.contacts(ts=0) == []


def test_delcontacts_forgets_these_numbers(product: Product, ann: Phone, bob: Phone) -> None:
    product.log_in(CEE)
    product.deliver()
    ann.ok("getcontacts", phones=f"{BOB},{CEE}")
    ann.ok("delcontacts", phones="+91 98765 43211,nonsense")
    assert numbers(ann.contacts(ts=0)) == [CEE]
    bob.ok("profile", status="unseen")
    assert ann.received() == []


def test_with_phones_every_account_is_returned_whatever_its_ts_and_no_group(
    product: Product, ann: Phone, bob: Phone
) -> None:
    ann.ok("setgroup", name="g", m=BOB)
    entries = ann.contacts(phones=BOB, ts=product.services.database.now() + 100)
    assert [(entry["phone"], entry["gid"]) for entry in entries] == [(BOB, "0")]


def test_without_phones_only_what_changed_since_ts_is_returned(
    product: Product, ann: Phone, bob: Phone
) -> None:
    product.log_in(CEE)
    ann.ok("getcontacts", phones=f"{BOB},{CEE}")
    product.clock.advance(30)
    since = newest(ann.contacts(ts=0))
    assert ann.contacts(ts=since) == []
    bob.ok("profile", status="new")
    product.clock.advance(30)
    assert [(entry["phone"], entry["status"]) for entry in ann.contacts(ts=since)] == [(BOB, "new")]


def test_contacts_come_before_groups_and_the_oldest_change_first(
    product: Product, ann: Phone, bob: Phone
) -> None:
    cee = product.log_in(CEE)
    ann.ok("getcontacts", phones=f"{BOB},{CEE}")
    gids = [ann.ok("setgroup", name=name, m=BOB)["gid"] for name in ("one", "two")]
    for phone, change in (
        (cee, {"status": "first"}),
        (bob, {"status": "second"}),
        (ann, {"gid": gids[1], "name": "two!"}),
        (ann, {"gid": gids[0], "name": "one!"}),
    ):
        product.clock.advance(10)
        phone.ok("profile", **change)
    product.clock.advance(10)
    order = [entry["phone"] or entry["name"] for entry in ann.contacts(ts=0)]
    assert order == [CEE, BOB, "two!", "one!"]


def test_a_change_in_the_second_of_the_last_sync_is_not_lost(
    product: Product, ann: Phone, bob: Phone
) -> None:
    now = float(product.services.database.now())
    product.services.database.clock = lambda: now
    ann.ok("getcontacts", phones=BOB)
    gid = ann.ok("setgroup", name="g", m=BOB)["gid"]
    since = newest(ann.contacts(ts=0))
    bob.ok("profile", status="same second")
    ann.ok("profile", gid=gid, name="same second")
    found = ann.contacts(ts=since)
    assert [entry["status"] or entry["name"] for entry in found] == ["same second", "same second"]


def test_a_sync_reports_no_ts_of_the_last_five_seconds(product: Product, ann: Phone, bob: Phone) -> None:
    ann.ok("getcontacts", phones=BOB)
    ann.ok("setgroup", name="g", m=BOB)
    answer = ann.ok("getcontacts", ts=0)
    reported = [int(entry["ts"]) for entry in [*answer["contacts"], answer["u"]]]
    assert max(reported) <= answer["ts"] - 8


def test_an_answer_with_phones_hides_no_change_of_other_contacts(
    product: Product, ann: Phone, bob: Phone
) -> None:
    cee = product.log_in(CEE)
    ann.ok("getcontacts", phones=f"{BOB},{CEE}")
    product.clock.advance(100)
    since = newest(ann.contacts(ts=0))
    cee.ok("profile", status="changed")
    product.clock.advance(10)
    bob.ok("profile", status="changed later")
    product.clock.advance(10)
    since = max(since, newest(ann.contacts(phones=BOB, ts=since)))
    assert CEE in numbers(ann.contacts(ts=since))


def test_an_update_message_hides_no_change_of_other_contacts(
    product: Product, ann: Phone, bob: Phone
) -> None:
    cee = product.log_in(CEE)
    product.deliver()
    ann.ok("getcontacts", phones=f"{BOB},{CEE}")
    product.clock.advance(100)
    since = newest(ann.contacts(ts=0))
    product.sandbox.faults.add("message", error="BADVALUE")
    cee.ok("profile", status="a message that never comes")
    product.deliver()
    product.sandbox.faults.clear()
    product.clock.advance(10)
    bob.ok("profile", status="a message that comes")
    since = max(since, ann.received()[-1]["ts"])
    assert CEE in numbers(ann.contacts(ts=since))


def test_a_script_may_send_thousands_of_numbers(product: Product, ann: Phone, bob: Phone) -> None:
    crowd = [str(918000000000 + index) for index in range(1900)]
    assert numbers(ann.contacts(phones=",".join([*crowd, BOB]))) == [BOB]
    assert (
        ann.call("getcontacts", phones=",".join(map(str, range(9_000_000_000, 9_000_002_001))))["error"]
        == "TOOMANY"
    )


def test_hidden_is_ignored(ann: Phone, bob: Phone) -> None:
    for hidden in ("0", "1", "yes"):
        assert numbers(ann.contacts(phones=BOB, hidden=hidden)) == [BOB]


def test_phone_books_are_stored_so_that_nobody_can_read_them(product: Product, ann: Phone) -> None:
    ann.ok("getcontacts", phones=f"{BOB},{CEE}")
    rows = product.rows("SELECT * FROM contacts")
    assert len(rows) == 2
    stored = repr([tuple(bytes(v) if isinstance(v, bytes) else v for v in row) for row in rows])
    assert BOB not in stored
    assert CEE[-8:] not in stored


# profile


def test_absent_is_unchanged_and_empty_is_cleared(ann: Phone) -> None:
    ann.ok("profile", name="Ann", status="here")
    for fields, wanted in (
        ({}, ("Ann", "here")),
        ({"status": "there"}, ("Ann", "there")),
        ({"name": "Anna"}, ("Anna", "there")),
        ({"status": ""}, ("Anna", "")),
        ({"name": ""}, ("", "")),
    ):
        answer = ann.ok("profile", **fields)
        assert (answer["name"], answer["status"]) == wanted


def test_an_exact_text_stays_exact(ann: Phone, bob: Phone) -> None:
    name = 'O\'Neil "x" \\ y 👩🏽\u200d💻 %s {0} <b>'
    status = f"{name}\n{name}"
    bob.ok("getcontacts", phones=ANN)
    assert ann.ok("profile", name=name, status=status)["name"] == name
    [entry] = bob.contacts(ts=0)
    assert (entry["name"], entry["status"]) == (name, status)
    update = bob.received()[-1]
    assert (update["name"], update["status"]) == (name, status)


def test_the_longest_name_and_status_are_kept_and_longer_ones_refused(ann: Phone) -> None:
    answer = ann.ok("profile", name="é" * 128, status="😀" * 255)
    assert (answer["name"], answer["status"]) == ("é" * 128, "😀" * 255)
    assert ann.call("profile", name="x" * 129)["error"] == "BADVALUE"
    assert ann.call("profile", status="x" * 256)["error"] == "BADVALUE"


def test_a_profile_may_bring_its_photo(ann: Phone) -> None:
    answer = ann.ok("profile", name="Ann", photo=jpeg())
    assert answer["photo"].endswith(".jpg")
    assert answer["tn"]
    assert ann.ok("profile", status="later")["photo"] == answer["photo"]


# upload


def test_a_profile_photo_answers_with_all_that_the_apps_read(ann: Phone) -> None:
    answer = ann.ok("upload", profile=1, gid=0, mid=0, photo=jpeg())
    assert (answer["phone"], answer["gid"], answer["profile"]) == (ANN, 0, 1)
    assert (answer["name"], answer["status"]) == ("Ann", "")
    assert answer["file"] == answer["url"] == answer["urls"]["download"] + answer["photo"]


@pytest.mark.parametrize("part", ["photo", "file", "anything"])
def test_the_file_part_may_have_any_name(ann: Phone, part: str) -> None:
    assert ann.ok("upload", profile=1, **{part: jpeg()})["photo"]


def test_the_content_decides_the_type_and_the_server_the_name(product: Product, ann: Phone) -> None:
    photo = ann.ok("upload", profile=1, photo=(png(), "../../evil.php"))["photo"]
    with product.http.get(f"/files/{photo}") as response:
        kinds = {"jpg": b"\xff\xd8\xff", "png": b"\x89PNG"}
        assert response.data.startswith(kinds[photo.rpartition(".")[2]])
    assert "evil" not in photo
    assert ann.call("upload", profile=1, photo=(b"<?php ?>", "me.jpg"))["error"] == "BADIMAGE"
    assert ann.ok("upload", file=(b"<?php ?>", "run.php"))["file"].endswith(".bin")


def test_an_attachment_is_fetched_as_it_was_sent(product: Product, ann: Phone) -> None:
    answer = ann.ok("upload", mid=3, file=(b"some text", "note.txt"))
    assert answer["url"] == answer["file"]
    assert answer["url"].startswith("http://localhost/files/")
    assert "photo" not in answer
    with product.http.get(answer["url"].removeprefix("http://localhost")) as response:
        assert response.data == b"some text"


def test_delete_removes_the_photo(product: Product, ann: Phone, bob: Phone) -> None:
    bob.ok("getcontacts", phones=ANN)
    ann.ok("upload", profile=1, photo=jpeg())
    answer = ann.ok("upload", profile=1, delete=1)
    assert (answer["photo"], answer["file"], answer["url"]) == ("", "", "")
    assert "tn" not in answer
    assert ann.ok("upload", profile=1, delete=1)["photo"] == ""
    update = bob.received()[-1]
    assert update["photo"] == ""
    assert "tn" not in update


def stored_files(product: Product) -> set[str]:
    """The names, without extension, of what the folder of files and that of thumbnails hold."""
    return {path.stem for folder in product.folders for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("last", [{"photo": png()}, {"delete": 1}])
def test_a_replaced_photo_leaves_nothing_behind(
    product: Product, ann: Phone, last: dict[str, object]
) -> None:
    ann.ok("upload", profile=1, photo=jpeg("red"))
    ann.ok("profile", photo=jpeg("blue"))
    photo = ann.ok("upload", profile=1, **last)["photo"]
    product.deliver()
    left = {photo.partition(".")[0]} - {""}
    assert stored_files(product) == left
    assert {row[0].partition(".")[0] for row in product.rows("SELECT photo FROM thumbnails")} == left


def test_a_photo_that_is_refused_leaves_nothing_behind(product: Product, ann: Phone) -> None:
    assert ann.call("upload", profile=1, gid=77, photo=jpeg())["error"] == "BADGROUP"
    assert ann.call("upload", profile=1, photo=b"no picture")["error"] == "BADIMAGE"
    assert stored_files(product) == set()


# setnotify


def push_tokens(product: Product) -> list[tuple[str, str]]:
    rows = product.rows(
        "SELECT users.address, push_tokens.token FROM push_tokens "
        "JOIN sessions ON sessions.sid = push_tokens.sid JOIN users ON users.uid = sessions.uid "
        "ORDER BY users.address"
    )
    return [(row[0], row[1]) for row in rows]


def test_setnotify_stores_the_sessions_push_token(product: Product, ann: Phone) -> None:
    ann.ok("setnotify", notifytoken="t" * 4096, dt=1, prod=1, fcm=1)
    assert push_tokens(product) == [(ANN, "t" * 4096)]
    [row] = product.rows("SELECT device_type, production, fcm FROM push_tokens")
    assert tuple(row) == (1, 1, 1)


def test_a_newer_push_token_replaces_the_sessions_older_one(product: Product, ann: Phone) -> None:
    for token in ("old", "new", "new"):
        ann.ok("setnotify", notifytoken=token)
    assert push_tokens(product) == [(ANN, "new")]


def test_a_push_token_moves_to_the_session_that_brought_it_last(
    product: Product, ann: Phone, bob: Phone
) -> None:
    ann.ok("setnotify", notifytoken="one phone")
    bob.ok("setnotify", notifytoken="one phone")
    assert push_tokens(product) == [(BOB, "one phone")]


@pytest.mark.parametrize("empty", [{}, {"notifytoken": ""}, {"notifytoken": " "}])
def test_an_empty_push_token_removes_it(
    product: Product, ann: Phone, bob: Phone, empty: dict[str, str]
) -> None:
    ann.ok("setnotify", notifytoken="a")
    bob.ok("setnotify", notifytoken="b")
    ann.ok("setnotify", **empty)
    assert push_tokens(product) == [(BOB, "b")]


def test_setnotify_of_an_app_that_was_silent_for_days_stores_the_token_and_notes_the_use(
    product: Product, ann: Phone
) -> None:
    product.clock.advance(3 * 24 * 3600)
    ann.ok("setnotify", notifytoken="after a holiday")
    assert push_tokens(product) == [(ANN, "after a holiday")]
    [[seen]] = product.rows("SELECT seen_at FROM sessions")
    assert seen >= product.services.database.now() - 60


@pytest.mark.parametrize(
    "shut_out",
    [
        "UPDATE users SET blocked = 1",
        "UPDATE users SET closed_at = 1",
        "UPDATE sessions SET seen_at = 1",
        "UPDATE sessions SET token_hash = REVERSE(token_hash)",
        "DELETE FROM sessions",
    ],
)
def test_who_may_not_come_in_stores_no_push_token(product: Product, ann: Phone, shut_out: str) -> None:
    if "REVERSE" in shut_out and product.services.settings.is_sqlite:
        shut_out = "UPDATE sessions SET token_hash = zeroblob(32)"
    with product.services.database.engine.connect() as connection:
        connection.exec_driver_sql(shut_out)
    assert ann.call("setnotify", notifytoken="mine")["error"] == "AUTHFAIL"
    assert push_tokens(product) == []


def test_who_has_no_session_is_told_that_before_what_else_is_wrong(product: Product, ann: Phone) -> None:
    wrong = {"notifytoken": "x" * 5000, "dt": "no number"}
    assert product.call("setnotify", token="0" * 48, **wrong)["error"] == "AUTHFAIL"
    assert product.call("setnotify", notifytoken="mine")["error"] == "AUTHFAIL"
    assert ann.call("setnotify", **wrong)["error"] == "BADVALUE"


def test_a_push_token_that_was_not_stored_is_never_said_to_be(
    product: Product, ann: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    product.clock.advance(3 * 24 * 3600)

    def fail(*_: object, **_since: int) -> None:
        raise TryLater

    with monkeypatch.context() as broken:
        broken.setattr(sessions, "note_seen", fail)
        assert ann.call("setnotify", notifytoken="mine")["error"] == "TRYLATER"
        assert push_tokens(product) == []
    ann.ok("setnotify", notifytoken="mine")
    assert push_tokens(product) == [(ANN, "mine")]

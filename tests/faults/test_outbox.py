"""The outbox: order, patience, exact recipients, and claims that outlive the worker that made them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import delete, insert, select, update

from messenger_api.domain.phone import Phone as PhoneNumber
from messenger_api.domain.secrets import Keys
from messenger_api.gateways.mesibo import MesiboClient
from messenger_api.outbox.runner import Runner
from messenger_api.services.groups.tasks import GroupGone, MirrorGroup, TellMembers, tell
from messenger_api.services.groups.upkeep import GROUPS_AT_ONCE, Upkeep
from messenger_api.services.people.tasks import UserChanged, file_gone
from messenger_api.storage import claims, outbox
from messenger_api.storage.claims import Item
from messenger_api.storage.models import Contact, Group, GroupMember, Thumbnail, User
from messenger_api.storage.outbox import Draft
from tests.faults.outside import (
    INTENT_TIME,
    LATE,
    TIMEOUT,
    Mesibo,
    log_in,
    mesibos_groups,
    our_groups,
    settings_for,
    settle,
)
from tests.product import APPID, Answer, Product, jpeg
from tests.servers import wait_for

ANA, BEN, CAT = "14155550101", "14155550102", "14155550103"
SECRET = "a test's own secret key"
# More than 100 x 100 pixels of pure noise come to.
THUMBNAIL = "A" * 3600

Make = Callable[..., Product]


def queue(product: Product, *drafts: Draft) -> None:
    product.services.database.write(lambda tx, now: outbox.add(tx, now, drafts))


def claim(product: Product) -> list[Item]:
    """What a worker claims that dies with it."""
    now = product.services.database.now()
    kinds = [TellMembers.kind]
    return product.services.database.run(lambda tx: claims.claim(tx, now, kinds=kinds, most=20, lease=2))


def texts(mesibo: Mesibo) -> list[str]:
    return [message.text for message in reversed(mesibo.store.messages(limit=2000))]


def recipients(mesibo: Mesibo) -> Counter[str]:
    return Counter(to for message in mesibo.store.messages(limit=2000) for to in message.to)


def waiting(product: Product) -> list[tuple[int, int, str]]:
    return [tuple(row) for row in product.rows("SELECT state, attempts, last_error FROM outbox ORDER BY id")]


@pytest.fixture
def sender(connected: Product) -> str:
    """Somebody whom mesibo knows, as the sender of messages."""
    return log_in(connected, ANA).number


class TestOutages:
    def test_after_an_outage_a_changed_profile_is_told_once_as_it_is_by_then(
        self, connected: Product, mesibo: Mesibo
    ) -> None:
        ana, ben = log_in(connected, ANA), log_in(connected, BEN)
        ben.ok("getcontacts", phones=ANA)
        settle(connected)
        before = len(texts(mesibo))
        mesibo.down()
        for n in range(10):
            ana.ok("profile", name=f"Ana {n}")
            connected.deliver()
            connected.clock.advance(12)
        mesibo.up()
        settle(connected)
        [told] = texts(mesibo)[before:]
        assert '"name":"Ana 9"' in told

    def test_changes_in_a_row_while_mesibo_is_away_cost_no_more_messages_than_one(
        self, connected: Product, mesibo: Mesibo
    ) -> None:
        friends = [BEN, CAT, "14155550104"]
        ana = log_in(connected, ANA)
        for number in friends:
            log_in(connected, number).ok("getcontacts", phones=ANA)
        settle(connected)
        before = len(texts(mesibo))
        told = recipients(mesibo)
        ana.ok("profile", name="Ana")
        settle(connected)
        one_change = len(texts(mesibo)) - before
        told_once = recipients(mesibo) - told

        mesibo.down()
        for n in range(10):
            ana.ok("profile", name=f"Ana {n}", status=f"away {n}")
        connected.deliver()
        mesibo.up()
        settle(connected)

        later = texts(mesibo)[before + one_change :]
        assert len(later) == one_change
        assert recipients(mesibo) - told - told_once == told_once == Counter(friends)
        assert all('"name":"Ana 9"' in text and '"status":"away 9"' in text for text in later)

    def test_two_changes_in_a_second_are_told_once_and_the_first_one_reads_nothing(
        self, connected: Product, mesibo: Mesibo
    ) -> None:
        ana, ben = log_in(connected, ANA), log_in(connected, BEN)
        ben.ok("getcontacts", phones=ANA)
        ana.ok("upload", profile=1, photo=jpeg())
        settle(connected)
        before = len(texts(mesibo))

        def statements_of(*names: str) -> list[str]:
            for name in names:
                ana.ok("profile", name=name)
            with connected.statements() as seen:
                settle(connected)
            return [statement for statement in seen if "thumbnails" in statement]

        assert len(statements_of("one")) == len(statements_of("two", "three")) == 1
        one, three = texts(mesibo)[before:]
        assert '"name":"one"' in one
        assert '"name":"three"' in three

    def test_that_somebody_joined_is_told_although_the_profile_changed_since(
        self, connected: Product, mesibo: Mesibo
    ) -> None:
        log_in(connected, BEN).ok("getcontacts", phones=ANA)
        settle(connected)
        ana = log_in(connected, ANA)
        connected.clock.advance(60)
        ana.ok("profile", name="Ana")
        connected.clock.advance(60)
        settle(connected)
        joined, changed = texts(mesibo)
        assert "is on Mesibo now" in joined
        assert '"name":"Ana"' in changed

    def test_changes_of_others_do_not_outdate_ones_own(self, connected: Product, mesibo: Mesibo) -> None:
        ana, ben = log_in(connected, ANA), log_in(connected, BEN)
        ana.ok("getcontacts", phones=BEN)
        ben.ok("getcontacts", phones=ANA)
        settle(connected)
        before = len(texts(mesibo))
        ana.ok("profile", name="Ana")
        ben.ok("profile", name="Ben")
        connected.clock.advance(60)
        settle(connected)
        assert len(texts(mesibo)) - before == 2


class TestGroupsLife:
    def test_mesibo_is_told_once_of_groups_that_were_made_before_a_few_a_minute(
        self, connected: Product, mesibo: Mesibo
    ) -> None:
        ana = log_in(connected, ANA)
        gids = [ana.ok("setgroup", gid=0, name=f"g{n}")["gid"] for n in range(GROUPS_AT_ONCE * 2 + 1)]
        settle(connected)
        with connected.services.database.engine.connect() as connection:
            connection.execute(update(Group).values(life_told=0))
        mesibo.faults.add("groupset", error="BADVALUE")  # and those that fail are met again
        upkeep = Upkeep(connected.services.database, connected.services.mesibo)
        told = []
        for _ in range(3):
            upkeep.pass_over()
            told.append(connected.rows("SELECT count(*) FROM outbox WHERE kind = 'mirror_group'")[0][0])
        assert told == [GROUPS_AT_ONCE, GROUPS_AT_ONCE * 2, len(gids)]
        mesibo.faults.clear()
        settle(connected)
        assert connected.rows("SELECT count(*) FROM chat_groups WHERE life_told = 0") == [(0,)]
        connected.clock.advance(2 * 3600)
        upkeep.pass_over()
        assert connected.rows("SELECT count(*) FROM outbox") == [(0,)]


class TestOrder:
    def test_messages_of_one_lane_leave_in_the_order_of_their_making(
        self, connected: Product, mesibo: Mesibo, sender: str
    ) -> None:
        queue(connected, *(draft for n in range(30) for draft in tell(1, sender, [BEN], str(n))))
        settle(connected)
        assert texts(mesibo) == [str(n) for n in range(30)]

    def test_a_message_that_waits_holds_up_its_own_lane_and_no_other(
        self, connected: Product, mesibo: Mesibo, sender: str
    ) -> None:
        mesibo.faults.add("message", error="BADVALUE", times=1)
        queue(connected, *tell(1, sender, [BEN], "first"), *tell(1, sender, [BEN], "second"))
        queue(connected, *tell(2, sender, [BEN], "other"))
        connected.deliver()
        assert texts(mesibo) == ["other"]
        settle(connected)
        assert texts(mesibo) == ["other", "first", "second"]

    def test_items_in_a_lane_wait_for_one_that_is_not_due(
        self, connected: Product, mesibo: Mesibo, sender: str
    ) -> None:
        [late] = tell(1, sender, [BEN], "late")
        queue(connected, Draft(late.lane, late.kind, late.payload, delay=60))
        queue(connected, *tell(1, sender, [BEN], "later"))
        connected.deliver()
        assert texts(mesibo) == []
        connected.clock.advance(61)
        connected.deliver()
        assert texts(mesibo) == ["late", "later"]


class TestPatience:
    @pytest.fixture
    def impatient(self, mesibo: Mesibo, tmp_path: Path) -> Iterator[Product]:
        """A product that gives up on an item after three tries."""
        uri = f"sqlite:///{tmp_path / 'impatient.sqlite3'}"
        product = Product(uri, tmp_path, **settings_for(mesibo), outbox_max_attempts=3)
        yield product
        product.close()

    def test_what_mesibo_refuses_is_dead_after_three_tries_and_can_be_seen(
        self, connected: Product, mesibo: Mesibo, sender: str
    ) -> None:
        mesibo.faults.add("message", error="BADVALUE")
        queue(connected, *tell(1, sender, [BEN], "never"))
        tries = []
        for _ in range(6):
            before = connected.clock()
            connected.deliver()
            tries.append(waiting(connected)[0][:2])
            assert connected.clock() - before < 5
            connected.clock.advance(10)
        assert tries == [(0, 1), (0, 2), (1, 3), (1, 3), (1, 3), (1, 3)]
        [dead] = connected.services.database.run(lambda tx: outbox.dead(tx, 10))
        assert (dead.kind, dead.lane, dead.attempts) == ("tell_members", "group:1", 3)
        assert "BADVALUE" in dead.last_error
        status = connected.services.database.run(
            lambda tx: outbox.status(tx, connected.services.database.now())
        )
        assert (status.queued, status.dead) == (0, 1)

    def test_a_dead_item_lets_its_lane_go_on(self, connected: Product, mesibo: Mesibo, sender: str) -> None:
        mesibo.faults.add("message", error="BADVALUE", times=3)
        queue(connected, *tell(1, sender, [BEN], "dead"), *tell(1, sender, [BEN], "alive"))
        settle(connected)
        assert texts(mesibo) == ["alive"]

    def test_tries_come_at_growing_intervals(self, connected: Product, mesibo: Mesibo, sender: str) -> None:
        mesibo.faults.add("message", drop=True)
        queue(connected, *tell(1, sender, [BEN], "again"))
        tried_at: list[int] = []
        attempts = 0
        start = connected.services.database.now()
        while len(tried_at) < 7:
            connected.deliver()
            if waiting(connected)[0][1] > attempts:
                attempts = waiting(connected)[0][1]
                tried_at.append(connected.services.database.now() - start)
            connected.clock.advance(1)
        gaps = [b - a for a, b in pairwise(tried_at)]
        assert all(later > earlier for earlier, later in pairwise(gaps)), gaps
        assert gaps[-1] >= 32

    @pytest.mark.parametrize(
        "fault",
        [{"drop": True}, {"html": True}, {"error": "AUTHFAIL"}],
        ids=["hung up on", "500", "app token"],
    )
    def test_an_outage_of_days_kills_nothing(
        self, impatient: Product, mesibo: Mesibo, fault: dict[str, object]
    ) -> None:
        sender = log_in(impatient, ANA).number
        mesibo.faults.add("*", **fault)  # type: ignore[arg-type]
        queue(impatient, *tell(1, sender, [BEN], "one"), *tell(2, sender, [BEN], "two"))
        for _ in range(10):
            assert not impatient.deliver()
            impatient.clock.advance(400)
        assert [state for state, *_ in waiting(impatient)][-2:] == [0, 0]
        mesibo.faults.clear()
        settle(impatient)
        assert sorted(texts(mesibo)) == ["one", "two"]

    def test_a_refused_connection_kills_nothing(self, impatient: Product, mesibo: Mesibo) -> None:
        sender = log_in(impatient, ANA).number
        mesibo.down()
        queue(impatient, *tell(1, sender, [BEN], "one"))
        for _ in range(10):
            assert not impatient.deliver()
            impatient.clock.advance(400)
        mesibo.up()
        settle(impatient)
        assert texts(mesibo) == ["one"]

    def test_one_message_that_mesibo_cannot_take_does_not_hold_up_the_others(
        self, make_product: Make, mesibo: Mesibo
    ) -> None:
        # The web server's limit is smaller than MESIBO_MAX_BODY says: it answers 413, which is no refusal.
        product = make_product(**settings_for(mesibo), mesibo_max_body=16384)
        sender = log_in(product, ANA).number
        queue(product, *tell(1, sender, [BEN], "x" * 9000))
        queue(product, *(draft for n in range(2, 30) for draft in tell(n, sender, [BEN], str(n))))
        for _ in range(3):
            product.deliver()
            product.clock.advance(5)
        assert texts(mesibo) == [str(n) for n in range(2, 30)]
        product.clock.advance(60)
        product.deliver()
        assert [state for state, *_ in waiting(product)] == [1]

    def test_one_message_that_is_never_answered_does_not_hold_up_the_others(
        self, connected: Product, mesibo: Mesibo, sender: str
    ) -> None:
        mesibo.faults.add("message", drop=True, times=1)
        queue(connected, *(draft for n in range(5) for draft in tell(n, sender, [BEN], str(n))))
        connected.deliver()
        assert texts(mesibo) == ["1", "2", "3", "4"]
        settle(connected)
        assert texts(mesibo) == ["1", "2", "3", "4", "0"]

    def test_a_message_that_no_request_can_hold_is_kept_for_a_person_to_see(
        self, connected: Product, mesibo: Mesibo, sender: str
    ) -> None:
        text = msgspec.json.encode({"name": "Walks", "members": "1:" + "1" * 9000}).decode()
        queue(connected, *tell(1, sender, [BEN], text), *tell(1, sender, [BEN], "next"))
        settle(connected)
        assert texts(mesibo) == ["next"]
        [(state, _attempts, reason)] = waiting(connected)
        assert (state, "MESIBO_MAX_BODY" in reason) == (1, True)

    def test_one_file_that_cannot_be_removed_does_not_hold_up_the_others(
        self, connected: Product, mesibo: Mesibo, sender: str
    ) -> None:
        name = f"1-{'0' * 32}.jpg"
        (Path(connected.services.settings.files_path) / name).mkdir()
        queue(connected, *file_gone(name), *tell(1, sender, [BEN], "one"))
        for _ in range(3):
            connected.deliver()
            connected.clock.advance(5)
        assert texts(mesibo) == ["one"]

    def test_an_item_that_a_newer_version_wrote_is_left_to_that_version(
        self, connected: Product, mesibo: Mesibo, sender: str
    ) -> None:
        queue(connected, Draft("x:1", "unheard_of", UserChanged(1)), *tell(1, sender, [BEN], "one"))
        connected.deliver()
        assert texts(mesibo) == ["one"]
        [(kind, state, claim)] = connected.rows("SELECT kind, state, claim FROM outbox")
        assert (kind, state, claim) == ("unheard_of", 0, "")


class TestMirrors:
    def test_a_group_that_lives_here_is_never_deleted_at_mesibo(
        self, connected: Product, mesibo: Mesibo
    ) -> None:
        gid = log_in(connected, ANA).ok("setgroup", gid=0, name="Walks")["gid"]
        queue(connected, GroupGone(gid).draft())
        settle(connected)
        assert our_groups(connected) == mesibos_groups(mesibo.store) == {gid: ("Walks", {ANA})}

    @pytest.mark.parametrize("op", ["groupdel", "groupset", "groupeditmembers", "usertoken"])
    def test_a_passing_refusal_is_tried_again(self, connected: Product, mesibo: Mesibo, op: str) -> None:
        ana, ben = log_in(connected, ANA), log_in(connected, BEN)
        gids = [ana.ok("setgroup", gid=0, name=name, m=BEN)["gid"] for name in ("Walks", "Cooks")]
        settle(connected)
        mesibo.faults.add(op, error="BADVALUE", times=2)
        ana.ok("profile", gid=gids[0], name="Long walks")
        ben.ok("delgroup", gid=gids[0])
        ana.ok("delgroup", gid=gids[1])
        ben.ok("logout")
        settle(connected)
        assert our_groups(connected) == mesibos_groups(mesibo.store) == {gids[0]: ("Long walks", {ANA})}
        assert mesibo.store.tokens(BEN) == []

    @pytest.mark.parametrize("op", ["groupdel", "groupeditmembers", "usertoken", "userdel"])
    def test_a_removal_that_mesibo_refuses_without_saying_that_it_is_done_is_never_taken_for_done(
        self, connected: Product, mesibo: Mesibo, op: str
    ) -> None:
        ana, ben = log_in(connected, ANA), log_in(connected, BEN)
        gids = [ana.ok("setgroup", gid=0, name=name, m=BEN)["gid"] for name in ("Walks", "Cooks")]
        settle(connected)
        mesibo.faults.add(op, error="FORBIDDEN")
        ben.ok("delgroup", gid=gids[0])
        ana.ok("delgroup", gid=gids[1])
        ben.ok("deleteaccount" if op == "userdel" else "logout")
        for _ in range(60):
            connected.deliver()
            connected.clock.advance(INTENT_TIME * 3)
        [dead] = connected.rows("SELECT attempts FROM outbox WHERE state = 1")
        assert dead[0] == connected.services.settings.outbox_max_attempts
        mesibo.faults.clear()
        connected.services.database.run(lambda tx: outbox.retry(tx, connected.services.database.now()))
        settle(connected)
        assert our_groups(connected) == mesibos_groups(mesibo.store) == {gids[0]: ("Walks", {ANA})}
        assert mesibo.store.tokens(BEN) == []
        assert (mesibo.store.user(BEN) is None) == (op == "userdel")

    def test_one_whom_mesibo_does_not_know_keeps_no_other_in_a_group(
        self, connected: Product, mesibo: Mesibo
    ) -> None:
        ana = log_in(connected, ANA)
        for number in (BEN, CAT):
            log_in(connected, number)
        gid = ana.ok("setgroup", gid=0, name="Walks", m=f"{BEN},{CAT}")["gid"]
        settle(connected)
        ben = select(User.uid).where(User.address == BEN).scalar_subquery()
        with connected.services.database.engine.connect() as connection:
            connection.execute(delete(GroupMember).where(GroupMember.uid == ben))
        mesibo.faults.add("groupeditmembers", error="BADVALUE", times=1)
        queue(connected, MirrorGroup(gid, [BEN, "14155559999"]).draft())
        settle(connected)
        assert mesibos_groups(mesibo.store) == {gid: ("Walks", {ANA, CAT})}

    @pytest.mark.parametrize("outage", [{"error": "SERVERERROR", "code": 500}, {"error": "OOPS"}])
    def test_an_outage_that_mesibo_tells_of_in_json_kills_nothing(
        self, connected: Product, mesibo: Mesibo, outage: Answer
    ) -> None:
        ana, ben = log_in(connected, ANA), log_in(connected, BEN)
        ana.ok("getcontacts", phones=BEN)
        gid = ana.ok("setgroup", gid=0, name="Walks", m=BEN)["gid"]
        settle(connected)
        with mesibo.replaced(200, msgspec.json.encode({"op": "x", "result": False, **outage})):
            ben.ok("profile", name="Ben")
            ben.ok("delgroup", gid=gid)
            ben.ok("logout")
            for _ in range(10):
                assert not connected.deliver()
                connected.clock.advance(INTENT_TIME)
        assert {state for state, _tries, _error in waiting(connected)} == {0}
        settle(connected)
        assert our_groups(connected) == mesibos_groups(mesibo.store) == {gid: ("Walks", {ANA})}
        assert mesibo.store.tokens(BEN) == []
        assert any('"name":"Ben"' in text for text in texts(mesibo))

    def test_what_mesibo_does_late_is_put_right_although_the_group_was_changed_again_meanwhile(
        self, connected: Product, mesibo: Mesibo
    ) -> None:
        ana = log_in(connected, ANA)
        gid = ana.ok("setgroup", gid=0, name="Walks")["gid"]
        settle(connected)
        mesibo.faults.add("groupset", delay=TIMEOUT + 1, times=1)
        ana.ok("profile", gid=gid, name="Cooks")
        connected.deliver()
        ana.ok("profile", gid=gid, name="Reads")
        connected.clock.advance(5)
        connected.deliver()
        assert mesibos_groups(mesibo.store)[gid][0] == "Reads"
        wait_for(lambda: mesibos_groups(mesibo.store)[gid][0] == "Cooks", 5, "mesibo's late edit")
        settle(connected)
        assert our_groups(connected) == mesibos_groups(mesibo.store) == {gid: ("Reads", {ANA})}

    def test_a_group_that_mesibo_does_not_know_leaves_nothing_queued(
        self, connected: Product, mesibo: Mesibo
    ) -> None:
        ana = log_in(connected, ANA)
        gid = ana.ok("setgroup", gid=0, name="Walks")["gid"]
        mesibo.store.delete_group(gid)
        ana.ok("delgroup", gid=gid)
        settle(connected)
        assert waiting(connected) == []


def add_people(product: Product, numbers: list[str], *, following: str = "") -> None:
    """Accounts that never logged in here, with `following` in their phone books."""
    rows = [
        {"address": n, "contact_key": key_of(n), "country": "US", "created_at": 1, "changed_at": 1}
        for n in numbers
    ]
    with product.services.database.engine.connect() as connection:
        connection.execute(insert(User).values(rows))
        if following:
            uids = connection.execute(select(User.uid).where(User.address.in_(numbers))).scalars().all()
            entries = [{"owner": uid, "contact_key": key_of(following)} for uid in uids]
            connection.execute(insert(Contact).values(entries))


def key_of(number: str) -> bytes:
    return Keys.derive(SECRET).contact_key(PhoneNumber(number))


class TestLongLists:
    """The stand-in refuses bodies over 8,192 bytes with 413, as on-premise mesibo does."""

    @pytest.fixture(params=["/backend", "/api.php"], ids=["json", "form"])
    def product(self, request: pytest.FixtureRequest, mesibo: Mesibo, tmp_path: Path) -> Iterator[Product]:
        """The product, speaking either wire style."""
        settings = {**settings_for(mesibo), "mesibo_timeout": 10.0}
        settings["mesibo_api_url"] = mesibo.url.replace("/backend", request.param)
        made = Product(f"sqlite:///{tmp_path / 'styled.sqlite3'}", tmp_path, **settings)
        yield made
        made.close()

    def test_each_of_1500_followers_is_told_exactly_once(self, product: Product, mesibo: Mesibo) -> None:
        ana = log_in(product, ANA)
        settle(product)
        followers = [f"1415{5560000 + n}" for n in range(1500)]
        add_people(product, followers, following=ANA)
        photo = "1-" + "0" * 32 + ".jpg"
        with product.services.database.engine.connect() as connection:
            connection.execute(insert(Thumbnail).values(photo=photo, tn=THUMBNAIL))
            connection.execute(update(User).where(User.address == ANA).values(photo=photo))
        ana.ok("profile", status="there are many of you")
        assert product.deliver()
        assert recipients(mesibo) == Counter(followers)
        sent = mesibo.store.messages(limit=100)
        assert 3 <= len(sent) <= 12
        assert all(msgspec.json.decode(message.text)["tn"] == THUMBNAIL for message in sent)
        assert waiting(product) == []

    def test_the_largest_group_with_the_longest_name_is_told_exactly_once(
        self, product: Product, mesibo: Mesibo
    ) -> None:
        ana = log_in(product, ANA)
        # Fifteen digits are E.164's longest; a name has at most 128 characters, here of four bytes.
        numbers = [f"491512345678{n:03d}" for n in range(255)]
        add_people(product, numbers)
        for number in numbers:
            mesibo.store.put_user(number)
        name = "\N{GRINNING FACE}" * 128
        answer = ana.ok("setgroup", gid=0, name=name, m=",".join(f"+{number}" for number in numbers))
        assert len(answer["members"].split(",")) == 256
        assert product.deliver()
        assert recipients(mesibo) == Counter(numbers)
        for message in mesibo.store.messages(limit=1000):
            told = msgspec.json.decode(message.text)
            assert (told["name"], told["members"]) == (name, answer["members"])
        assert waiting(product) == []

    def test_a_thumbnail_that_does_not_fit_is_left_out(self, product: Product, mesibo: Mesibo) -> None:
        ana = log_in(product, ANA)
        text = msgspec.json.encode({"name": "Walks", "members": "1:x", "tn": "A" * 9000}).decode()
        queue(product, *tell(1, ana.number, [BEN, CAT], text))
        assert product.deliver()
        [message] = mesibo.store.messages()
        assert message.to == (BEN, CAT)
        assert msgspec.json.decode(message.text) == {"name": "Walks", "members": "1:x"}

    def test_nobody_is_told_twice_and_nobody_forgotten_when_mesibo_dies_between_two_parts(
        self, product: Product, mesibo: Mesibo
    ) -> None:
        ana = log_in(product, ANA)
        people = [f"1415{5560000 + n}" for n in range(1200)]
        queue(product, *tell(1, ana.number, people, "x" * 3000))
        parts = 0
        while product.rows("SELECT id FROM outbox"):
            # One part is told, at the next mesibo is away.
            mesibo.faults.add("message", delay=0.0, times=1)
            mesibo.faults.add("*", html=True)
            product.deliver()
            mesibo.faults.clear()
            product.clock.advance(INTENT_TIME)
            assert parts < len(mesibo.store.messages(limit=100)), "no progress"
            parts = len(mesibo.store.messages(limit=100))
        assert parts >= 3
        assert recipients(mesibo) == Counter(people)


class TestFollowers:
    def test_progress_among_followers_is_kept(self, connected: Product, mesibo: Mesibo) -> None:
        log_in(connected, ANA)
        settle(connected)
        followers = [f"1415{5560000 + n}" for n in range(1100)]
        add_people(connected, followers, following=ANA)
        [(uid,)] = connected.rows(f"SELECT uid FROM users WHERE address = '{ANA}'")
        queue(connected, UserChanged(uid).draft())
        mesibo.faults.add("message", times=1)
        mesibo.faults.add("*", drop=True)
        assert not connected.deliver()
        assert 0 < sum(recipients(mesibo).values()) < 1100
        mesibo.faults.clear()
        settle(connected)
        assert recipients(mesibo) == Counter(followers)

    def test_nothing_is_sent_when_there_is_nobody_to_tell(self, connected: Product, mesibo: Mesibo) -> None:
        ana = log_in(connected, ANA)
        ana.ok("profile", name="Ana")
        ana.ok("setgroup", gid=0, name="Alone")
        settle(connected)
        assert texts(mesibo) == []


class TestClaims:
    @pytest.fixture
    def second(self, make_product: Make, mesibo: Mesibo) -> tuple[Product, Runner]:
        """A product and, on the same database, the worker of another machine."""
        product = make_product(**settings_for(mesibo), outbox_lease=2)
        return product, product.runner()

    def test_what_a_dead_worker_claimed_another_does_when_the_claim_has_run_out(
        self, second: tuple[Product, Runner], mesibo: Mesibo
    ) -> None:
        product, _worker = second
        ana = log_in(product, ANA)
        settle(product)
        queue(product, *tell(1, ana.number, [BEN], "one"))
        claimed = claim(product)
        assert len(claimed) == 1
        assert product.deliver()
        assert texts(mesibo) == []
        product.clock.advance(3)
        assert product.deliver()
        assert texts(mesibo) == ["one"]

    def test_a_long_list_is_claimed_as_a_run_up_to_the_first_item_that_waits(
        self, second: tuple[Product, Runner], mesibo: Mesibo
    ) -> None:
        product, _worker = second
        ana = log_in(product, ANA)
        settle(product)
        drafts = [draft for n in range(5) for draft in tell(1, ana.number, [BEN], str(n))]
        queue(product, *drafts[:3], replace(drafts[3], delay=60), drafts[4])
        claimed = claim(product)
        assert [msgspec.json.decode(item.payload)["text"] for item in claimed] == ["0", "1", "2"]
        assert claim(product) == []

    def test_what_stands_behind_a_failure_waits_although_it_was_claimed_with_it(
        self, second: tuple[Product, Runner], mesibo: Mesibo
    ) -> None:
        product, _worker = second
        ana = log_in(product, ANA)
        settle(product)
        queue(product, *(draft for n in range(4) for draft in tell(1, ana.number, [BEN], str(n))))
        mesibo.faults.add("message", error="BADVALUE", times=1)
        product.deliver()
        assert texts(mesibo) == []
        product.clock.advance(3)
        product.deliver()
        assert texts(mesibo) == ["0", "1", "2", "3"]

    def test_two_workers_never_claim_the_same(self, second: tuple[Product, Runner], mesibo: Mesibo) -> None:
        product, _worker = second
        ana = log_in(product, ANA)
        settle(product)
        queue(product, *(draft for n in range(60) for draft in tell(n % 12, ana.number, [BEN], str(n))))
        start = threading.Barrier(4)

        def work() -> None:
            start.wait()
            while product.rows("SELECT id FROM outbox"):
                product.deliver()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Counter(texts(mesibo)) == Counter(str(n) for n in range(60))
        for lane in range(12):
            in_lane = [int(text) for text in texts(mesibo) if int(text) % 12 == lane]
            assert in_lane == sorted(in_lane)

    def test_a_worker_that_works_off_a_long_batch_slowly_keeps_its_claims(
        self, second: tuple[Product, Runner], mesibo: Mesibo
    ) -> None:
        product, other = second
        ana = log_in(product, ANA)
        settle(product)
        # Each call is quicker than the lease of 2 s, all together take much longer.
        mesibo.faults.add("message", delay=0.3)
        queue(product, *(draft for n in range(9) for draft in tell(n, ana.number, [BEN], str(n))))
        first = threading.Thread(target=product.deliver)
        first.start()
        while first.is_alive():
            other.drain()
            time.sleep(0.05)
        first.join()
        settle(product)
        assert Counter(texts(mesibo)) == Counter(str(n) for n in range(9))

    def test_a_worker_that_lost_its_claim_sends_no_further_part(
        self, second: tuple[Product, Runner], mesibo: Mesibo
    ) -> None:
        product, other = second
        ana = log_in(product, ANA)
        settle(product)
        people = [f"1415{5560000 + n}" for n in range(1200)]
        queue(product, *tell(1, ana.number, people, "x" * 3000))
        mesibo.faults.add("message", delay=LATE, times=1)
        mesibo.faults.add("message", delay=0.05)
        product_slow = threading.Thread(target=_drain_patiently, args=(product,))
        product_slow.start()
        wait_for(lambda: len(mesibo.faults.current()) == 1, 5, "the first part to be under way")
        product.clock.advance(3)
        assert other.drain()
        product_slow.join()
        settle(product)
        # The first part, under way when the claim ran out, may come twice; nothing else does.
        told = recipients(mesibo)
        assert set(told) == set(people)
        assert sum(told.values()) - len(people) <= 500
        assert max(told.values()) <= 2
        assert waiting(product) == []


def _drain_patiently(product: Product) -> None:
    """A worker whose mesibo client waits longer than the claim lasts."""
    s = product.services
    client = MesiboClient(s.settings.mesibo_api_url, s.settings.mesibo_app_token)
    product.runner(client).drain()
    client.close()


def test_the_messages_are_sent_in_the_persons_name(connected: Product, mesibo: Mesibo) -> None:
    ana, ben = log_in(connected, ANA), log_in(connected, BEN)
    settle(connected)
    ben.ok("getcontacts", ts=0, phones=ANA)
    ana.ok("profile", name="Ana")
    settle(connected)
    [message] = mesibo.store.messages()
    assert (message.sender, message.to, message.type, message.flag) == (ANA, (BEN,), 1, 4)
    assert (message.expiry, message.forced) == (3600, True)
    assert msgspec.json.decode(message.text)["name"] == "Ana"
    assert APPID not in message.text

"""Tasks: each is handled, each kind keeps its shape, and nobody claims what another version queued."""

from __future__ import annotations

from typing import ClassVar

import msgspec
import pytest
import structlog
from sqlalchemy import insert

from messenger_api.outbox.run import Run
from messenger_api.outbox.runner import BATCH, Runner
from messenger_api.outbox.tasks import Handled, Task, Tasks, handled
from messenger_api.services.account.tasks import AccountClosed, MesiboUserGone, TokenGone, UserGone
from messenger_api.services.groups.tasks import GroupGone, GroupNews, MirrorGroup, TellMembers, tell
from messenger_api.services.people.tasks import FileGone, UserChanged
from messenger_api.services.sms.tasks import WatchText
from messenger_api.storage import outbox
from messenger_api.storage.models import OutboxItem
from messenger_api.storage.outbox import Draft
from tests.product import Product
from tests.tasks import every_task

ANA, BEN = "14155550101", "14155550102"
KEY = bytes(range(16))
HEX = KEY.hex()

WRITTEN: list[tuple[Draft, str, str, str]] = [
    (
        UserChanged(7, "Ana", "is here").draft(),
        "user:7",
        "user_changed",
        '{"uid":7,"subject":"Ana","msg":"is here","after":0}',
    ),
    (FileGone("1-a.jpg").draft(), "file:1-a.jpg", "file_gone", '{"name":"1-a.jpg"}'),
    (
        tell(5, ANA, [BEN], "{}")[0],
        "group:5",
        "tell_members",
        f'{{"sender":"{ANA}","to":["{BEN}"],"text":"{{}}"}}',
    ),
    (
        MirrorGroup(5, [ANA], rename=True).draft(),
        "group:5",
        "mirror_group",
        f'{{"gid":5,"addresses":["{ANA}"],"rename":true,"again":false}}',
    ),
    (
        MirrorGroup(5, [ANA]).intention(),
        "intent:5",
        "mirror_group",
        f'{{"gid":5,"addresses":["{ANA}"],"rename":false,"again":false}}',
    ),
    (GroupGone(5).draft(), "group:5", "group_gone", '{"gid":5}'),
    (GroupNews(5, 7).draft(), "group:5", "group_news", '{"gid":5,"uid":7,"sender":""}'),
    (AccountClosed(7).draft(), "user:7", "account_closed", '{"uid":7}'),
    (
        UserGone(ANA, HEX, 9, [8]).draft(),
        f"gone:{HEX}",
        "user_gone",
        f'{{"address":"{ANA}","contact_key":"{HEX}","at":9,"but":[8],"after":0}}',
    ),
    (
        MesiboUserGone(7, ANA, 3, 9).draft(KEY),
        f"gone:{HEX}",
        "mesibo_user_gone",
        f'{{"uid":7,"address":"{ANA}","mesibo_uid":3,"latest":9,"renewed_for":"","again":false}}',
    ),
    (
        MesiboUserGone(0, ANA, 0, 9).intention(KEY),
        f"intent:{HEX}",
        "mesibo_user_gone",
        f'{{"uid":0,"address":"{ANA}","mesibo_uid":0,"latest":9,"renewed_for":"","again":false}}',
    ),
    (
        TokenGone(7, ANA, 3, "app").draft(KEY),
        f"gone:{HEX}",
        "token_gone",
        f'{{"uid":7,"address":"{ANA}","mesibo_uid":3,"appid":"app","again":false}}',
    ),
    (
        WatchText(4, "sealed", "c0de").draft(60),
        "text:4",
        "watch_text",
        '{"text_id":4,"sealed":"sealed","code_hash":"c0de"}',
    ),
]
# What version 0.3 wrote where it wrote less.
WRITTEN_BEFORE: dict[type[Task], str] = {
    GroupNews: '{"gid":5,"uid":7}',
    MesiboUserGone: f'{{"uid":7,"address":"{ANA}","mesibo_uid":3,"latest":9}}',
    TokenGone: f'{{"uid":7,"address":"{ANA}","mesibo_uid":3,"appid":"app"}}',
}


def test_every_task_has_a_line_in_the_table(product: Product) -> None:
    assert {line.task for line in product.runner().tasks} == set(every_task())


@pytest.mark.parametrize(("draft", "lane", "kind", "payload"), WRITTEN, ids=lambda value: "")
def test_a_kind_keeps_its_shape(draft: Draft, lane: str, kind: str, payload: str) -> None:
    """Whoever changes a shape makes another kind: servers of other versions read these rows."""
    assert (draft.lane, draft.kind) == (lane, kind)
    assert msgspec.json.encode(draft.payload).decode() == payload
    assert msgspec.json.decode(payload, type=type(draft.payload)) == draft.payload


def test_the_shapes_of_all_kinds_stand_here() -> None:
    assert {kind for _draft, _lane, kind, _payload in WRITTEN} == {task.kind for task in every_task()}


@pytest.mark.parametrize("task", WRITTEN_BEFORE, ids=lambda task: task.kind)
def test_rows_of_the_version_before_are_read(task: type[Task]) -> None:
    read = msgspec.json.decode(WRITTEN_BEFORE[task], type=task)
    members = msgspec.json.decode(WRITTEN_BEFORE[task])
    assert {name: getattr(read, name) for name in members} == members


class OfTheNext(Task):
    """A kind that the version after this one brings."""

    kind: ClassVar[str] = "of_the_next_version"
    needs_mesibo: ClassVar[bool] = False

    number: int


class TestTheTable:
    @staticmethod
    def line(name: str) -> Handled:
        named = type("Named", (OfTheNext,), {"kind": name})
        return handled(named, lambda _task, _run: None)

    @pytest.mark.parametrize("names", [("twice", "twice"), ("",), ("x" * 25,)])
    def test_refuses_a_name_twice_or_one_that_its_column_does_not_hold(self, names: tuple[str, ...]) -> None:
        with pytest.raises(ValueError, match="kind"):
            Tasks(*map(self.line, names))


class TestOtherVersions:
    """What the next version queues, on one database with this one."""

    def queue(self, product: Product, *drafts: Draft) -> None:
        product.services.database.write(lambda tx, now: outbox.add(tx, now, drafts))

    def next_version(self, product: Product, done: list[int]) -> Runner:
        """A worker that knows one kind more."""

        def do(task: OfTheNext, _run: Run) -> None:
            done.append(task.number)

        s = product.services
        return Runner(
            s.settings,
            s.database,
            s.mesibo,
            s.figures,
            Tasks(*product.runner().tasks, handled(OfTheNext, do)),
        )

    def test_a_row_of_a_new_kind_is_never_touched(self, product: Product) -> None:
        self.queue(product, OfTheNext(1).in_lane("theirs"))
        [before] = product.rows("SELECT * FROM outbox")
        for _ in range(20):
            assert product.deliver()
            product.clock.advance(400)
        with product.statements() as sent:
            product.deliver()
        assert [statement for statement in sent if not statement.startswith("SELECT")] == []
        assert product.rows("SELECT * FROM outbox") == [before]

    def test_more_of_them_than_a_batch_hold_up_no_other_lane(self, product: Product) -> None:
        phone = product.log_in(ANA)
        product.deliver()
        self.queue(product, *(OfTheNext(n).in_lane(f"theirs:{n}") for n in range(BATCH * 2)))
        self.queue(product, *tell(1, phone.number, [BEN], "ours"))
        product.deliver()
        assert product.rows("SELECT DISTINCT kind FROM outbox") == [(OfTheNext.kind,)]
        assert [message.text for message in product.sandbox.store.messages()] == ["ours"]

    def test_what_stands_behind_one_in_its_lane_waits_for_whoever_does_it(self, product: Product) -> None:
        phone = product.log_in(ANA)
        product.deliver()
        texts = [tell(1, phone.number, [BEN], text)[0] for text in ("before", "after")]
        self.queue(product, texts[0], OfTheNext(1).in_lane("group:1"), texts[1])
        for _ in range(3):
            product.deliver()
            product.clock.advance(400)
        assert [message.text for message in product.sandbox.store.messages()] == ["before"]
        done: list[int] = []
        self.next_version(product, done).drain()
        assert done == [1]
        assert [message.text for message in product.sandbox.store.messages()] == ["after", "before"]
        assert product.rows("SELECT id FROM outbox") == []

    def test_the_log_names_what_waits_for_another_version(self, product: Product) -> None:
        self.queue(product, OfTheNext(1).in_lane("theirs"))
        with structlog.testing.capture_logs() as log:
            product.services.runner.name_others()
        assert [(line["event"], line["kinds"]) for line in log] == [
            ("outbox.left_to_others", [OfTheNext.kind])
        ]

    def test_a_row_of_a_new_shape_is_put_back_untried(self, product: Product) -> None:
        now = int(product.clock())
        row = {"lane": "x", "kind": TellMembers.kind, "payload": "{}", "created_at": now, "due_at": now}
        with product.services.database.engine.connect() as connection:
            connection.execute(insert(OutboxItem).values(row))
        product.deliver()
        assert product.rows("SELECT state, attempts, payload, claim FROM outbox") == [(0, 0, "{}", "")]

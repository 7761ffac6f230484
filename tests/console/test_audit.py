"""The audit: what was done is told, whoever alters it is found out, and it does not keep the person."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import msgspec
import pytest
from sqlalchemy import delete, insert, select, text, update
from structlog.testing import capture_logs

from messenger_api.domain import audit as rules
from messenger_api.services.operator.events import EVENTS, OutboxRetried, UserDeleted
from messenger_api.storage import facts
from messenger_api.storage.models import AuditRow, Fact
from tests.console.driver import logged_in
from tests.product import Product

ROWS = 10_000
NUMBER = "14155550101"


def filled(product: Product, rows: int) -> None:
    """Rows as `Audit.note` writes them, made at once."""
    audit = product.parts.audit
    audit.note(OutboxRetried(item=1), by="ana")
    last, before = product.parts.database.run(lambda tx: (1, tx.execute(select(AuditRow.chain)).scalar_one()))
    values, chain = [], bytes(before)
    for number in range(last + 1, rows + 1):
        fields = msgspec.json.encode(OutboxRetried(item=number)).decode()
        row = rules.Row(
            number,
            1_700_000_000 + number,
            audit._key.person("administrator", "ana"),
            None,
            "OutboxRetried",
            fields,
        )
        chain = audit._key.chain(chain, row)
        values.append({**msgspec.structs.asdict(row), "chain": chain})
    with product.parts.database.engine.connect() as connection:
        connection.execute(insert(AuditRow), values)
        facts.write(connection, facts.AUDIT, f"{rows}:{chain.hex()}")


def test_any_altered_removed_or_reordered_row_of_ten_thousand_is_found(product: Product) -> None:
    filled(product, ROWS)
    audit, database = product.parts.audit, product.parts.database
    whole = audit.verify()
    assert (whole.rows, whole.faults) == (ROWS, [])

    def at(number: int) -> dict[str, object]:
        return dict(
            database.run(
                lambda tx: tx.execute(select(AuditRow.__table__).where(AuditRow.id == number)).one()
            )._mapping
        )

    def put(number: int, **values: object) -> None:
        database.run(lambda tx: tx.execute(update(AuditRow).where(AuditRow.id == number).values(**values)))

    # Each kind of change once, at the ends and somewhere between: looking through all takes its time.
    places = [1, ROWS, *random.Random(7).sample(range(2, ROWS), 4)]
    changes: list[dict[str, object]] = [
        {"at": 0},
        {"fields": '{"item":0}'},
        {"actor": bytes(16)},
        {"subject": bytes(16)},
        {"event": "OutboxPurged"},
        {"chain": bytes(32)},
    ]
    for number, change in zip(places, changes, strict=True):
        row = at(number)
        put(number, **change)
        assert audit.verify().faults, (number, change)
        put(number, **{name: row[name] for name in change})
    for number in places[:3]:
        row = at(number)
        database.run(lambda tx, number=number: tx.execute(delete(AuditRow).where(AuditRow.id == number)))  # type: ignore[misc]
        assert audit.verify().faults, f"row {number} is gone"
        database.run(lambda tx, row=row: tx.execute(insert(AuditRow).values(**row)))  # type: ignore[misc]
    first, second = at(500), at(501)
    put(500, **{**second, "id": 500})
    put(501, **{**first, "id": 501})
    assert audit.verify().faults, "two rows have changed their places"
    put(500, **first)
    put(501, **second)
    assert audit.verify().faults == []


def test_rows_cut_off_with_their_note_are_told_by_the_log(product: Product) -> None:
    filled(product, 20)
    with capture_logs() as events:
        product.parts.audit.tell_last()
    [told] = events
    database = product.parts.database
    database.run(lambda tx: tx.execute(delete(AuditRow).where(AuditRow.id > 15)))
    assert product.parts.audit.verify().faults
    chain = database.run(lambda tx: tx.execute(select(AuditRow.chain).where(AuditRow.id == 15)).scalar_one())
    database.run(lambda tx: facts.write(tx, facts.AUDIT, f"15:{bytes(chain).hex()}"))
    found = product.parts.audit.verify()
    assert found.faults == [], "whoever also puts the note back is found by the log alone"
    assert (told["event"], told["row"]) == ("audit.last", 20)
    assert found.last < told["row"]


def test_two_that_write_at_once_keep_one_chain(product: Product) -> None:
    product.parts.audit.note(OutboxRetried(item=0), by=None)
    faults: list[BaseException] = []

    def write(name: str) -> None:
        try:
            for item in range(15):
                product.parts.audit.note(OutboxRetried(item=item), by=name)
        except BaseException as error:  # noqa: BLE001
            faults.append(error)

    writers = [threading.Thread(target=write, args=(name,)) for name in ("ana", "ben", "cat", "dan")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert faults == []
    found = product.parts.audit.verify()
    assert (found.rows, found.faults) == (61, [])


def test_a_row_outlives_the_account_and_does_not_hold_the_number(product: Product) -> None:
    phone = product.log_in(NUMBER)
    uid = product.parts.operator.users.find(NUMBER).uid  # type: ignore[union-attr]
    assert product.parts.acts.delete(uid, by="ana", reason="asked for by letter")
    assert product.parts.operator.users.find(NUMBER) is None
    [row] = product.parts.audit.page(user=NUMBER, most=10)
    assert (row.event, row.fields) == ("UserDeleted", {"uid": uid, "reason": "asked for by letter"})
    assert row.actor == product.parts.audit.name_of("ana")
    with product.parts.database.engine.connect() as connection:
        everything = str(connection.execute(select(AuditRow.__table__)).all())
    assert NUMBER not in everything
    assert phone.token not in everything


def test_every_kind_of_act_is_told_with_old_and_new(product: Product) -> None:
    product.log_in(NUMBER)
    uid = product.parts.operator.users.find(NUMBER).uid  # type: ignore[union-attr]
    acts = product.parts.acts
    acts.keep_out(uid, by="ana", reason="spam")
    acts.let_in(uid)
    acts.end_sessions(uid, by="ana", reason="lost phone")
    product.parts.outbox.retry(None, by="ana")
    product.parts.outbox.purge(7)
    told = [(row.event, row.fields, bool(row.actor)) for row in reversed(product.parts.audit.page(most=10))]
    assert told == [
        ("UserAccess", {"uid": uid, "old": "open", "new": "blocked", "reason": "spam"}, True),
        (
            "UserAccess",
            {"uid": uid, "old": "blocked", "new": "open", "reason": "by a command on the server"},
            False,
        ),
        ("SessionsEnded", {"uid": uid, "sid": 0, "reason": "lost phone"}, True),
        ("OutboxRetried", {"item": 0}, True),
        ("OutboxPurged", {"item": 7}, False),
    ]


def test_logging_in_and_out_is_told(product: Product) -> None:
    ana = logged_in(product)
    ana.act("/logout")
    told = [row.event for row in product.parts.audit.page(most=10)]
    assert told == ["LoggedOut", "LoggedIn", "AdministratorMade"]


def test_an_event_has_its_fields_and_no_others() -> None:
    with pytest.raises(TypeError):
        UserDeleted(uid=1, reason="x", by="ana")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        UserDeleted(uid=1)  # type: ignore[call-arg]
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"uid":1,"reason":"x","more":1}', type=UserDeleted)
    assert len(EVENTS) > 8


def test_the_key_is_the_audits_own_and_sealed(product: Product, make_product: Callable[..., Product]) -> None:
    product.parts.audit.note(OutboxRetried(item=1), by=None)
    key = product.parts.audit._key.secret
    with product.parts.database.engine.connect() as connection:
        kept = connection.execute(select(Fact.value).where(Fact.name == "audit_key")).scalar_one()
        assert connection.execute(text("SELECT count(*) FROM audit")).scalar_one() == 1
    assert key.hex() not in kept
    again = make_product()
    assert again.parts.audit._key.secret == key
    other = make_product(secret_key="another secret key of a test")
    with pytest.raises(ValueError, match="sealed by somebody else"):
        other.parts.audit.verify()

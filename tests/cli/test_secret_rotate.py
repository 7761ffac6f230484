"""`messenger-api secret rotate`: on both databases, killed at its stages, and what it leaves behind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyotp
import pytest

from messenger_api.domain.phone import Phone
from messenger_api.domain.secrets import Keys
from messenger_api.services.account.tasks import UserGone
from tests.cli.commands import Cli
from tests.cli.test_admin import PASSWORD, run, secret_in
from tests.cli.test_backup import KEY, Place
from tests.product import Phone as App
from tests.product import Product

pytestmark = pytest.mark.server

ANA, BEN, CARL, GONE, NOBODY = (f"1415555010{n}" for n in range(1, 6))
PREFIX = Phone(ANA).prefix
# Counters whose names hold no keyed hash.
PLAIN = {"sms_budget_month:2026-11", "sms_per_hour:all", "sms_per_country:US", "groups_per_day:1"}
HASHED = re.compile(r":[0-9a-f]{32}$")
GO = ("secret", "rotate", "--go", "--yes")


@dataclass
class Filled:
    """An installation in which everything under the key occurs; the server is stopped."""

    place: Place
    ana: App
    ben: App
    totp: str

    @property
    def next(self) -> Path:
        return self.place.folder / "instance" / "secret_key.next"

    def key_now(self) -> str:
        """The key that was given out, put where it belongs."""
        if not self.place.is_sqlite:
            assert self.next.stat().st_mode & 0o777 == 0o600
            self.place.give_key(self.next.read_text())
        key = self.place.key_file.read_text() if self.place.is_sqlite else self.place.cli.environment[KEY]
        assert key != self.place.key
        return key

    def start(self, key: str) -> Product:
        """The server again, with the phones at it."""
        product = Product(self.place.uri, self.place.folder, secret_key=key)
        product.parts.installation.check()
        self.ana.product = self.ben.product = product
        return product


def key_of(secret: str, number: str) -> bytes:
    return Keys.derive(secret).contact_key(Phone(number))


@pytest.fixture
def filled(cli: Cli, keys: dict[str, str], tmp_path: Path) -> Filled:
    place = Place(cli, keys, tmp_path)
    product = place.product()
    ana, ben, *_ = (product.log_in(number) for number in (ANA, BEN, CARL, GONE))
    ana.ok("getcontacts", phones=[BEN, CARL, NOBODY])
    ben.ok("getcontacts", phones=[ANA, GONE])
    ana.ok("block", phones=[CARL, NOBODY])
    ben.ok("delcontacts", phones=[GONE])
    ana.ok("setnotify", notifytoken="first token", fcm=1)
    ana.ok("setnotify", notifytoken="second token", fcm=1)
    ben.ok("setnotify", notifytoken="first token", fcm=1)
    product.deliver()
    cli.ok("users", "delete", GONE, "--yes")
    product.ok("login", phone=NOBODY, appid="app")
    made = run(cli, "create", "ana", "--role", "own", "--stdin")
    product.close()
    key = key_of(place.key, GONE).hex()
    subject = Keys.derive(place.key).subject
    counting = [*PLAIN, f"sms_per_prefix:{subject(PREFIX)}", f"sms_per_ip:{subject('192.0.2.1')}"]
    values = ", ".join(f"('{name}', '1 1', 4000000000)" for name in counting)
    keys_of = [(key_of(place.key, number).hex(), number[-1]) for number in (ANA, NOBODY)]
    texts = ", ".join(f"(x'{key}', 'p', 'text {n}', 'sms', 7, 1)" for key, n in keys_of)
    steps = ", ".join(f"(x'{key}', 'asked', 1, 1, 1)" for key, _n in keys_of)
    payload = msgspec.json.encode(UserGone(GONE, key, 1)).decode()
    place.execute(
        "UPDATE figures SET last_at = 0",
        "DELETE FROM facts WHERE name = 'worker'",
        f"INSERT INTO limit_counters (name, slots, expires_at) VALUES {values}",
        "DELETE FROM sent_texts",
        f"INSERT INTO sent_texts (contact_key, provider, provider_id, channel, cost, sent_at) VALUES {texts}",
        f"INSERT INTO login_steps (contact_key, step, times, at, last_at) VALUES {steps}",
        # What follows the end of an account waits in a lane that the key names.
        "INSERT INTO outbox (lane, kind, payload, created_at, due_at)"
        f" VALUES ('gone:{key}', 'user_gone', '{payload}', 1, 1)",
    )
    return Filled(place, ana, ben, secret_in(made.output))


def counters(product: Product) -> dict[str, str]:
    return dict(product.rows("SELECT name, slots FROM limit_counters"))


def test_people_stay_logged_in_found_and_blocked_and_the_console_and_audit_go_on(filled: Filled) -> None:
    place = filled.place
    before = place.product()
    waiting = before.rows("SELECT id, kind FROM outbox WHERE kind = 'user_gone' ORDER BY id")
    counted, old = counters(before), Keys.derive(place.key)
    before.close()
    assert waiting
    said = place.cli.ok(*GO)
    assert re.search(r"^users +3 +3 +0$", said, re.MULTILINE), said
    assert re.search(r"^contacts +3 +2 +1$|^contacts +\d+ +\d+ +1$", said, re.MULTILINE), said
    assert re.search(r"^blocks +2 +1 +1$", said, re.MULTILINE), said
    assert "LIFTED" in said
    key = filled.key_now()
    assert key not in said
    assert place.key not in said

    product = filled.start(key)
    assert product.rows("SELECT COUNT(*) FROM contacts") == [(3,)]
    assert {contact["phone"] for contact in filled.ana.contacts(phones=[BEN, CARL, NOBODY])} == {BEN}
    assert {contact["phone"] for contact in filled.ben.contacts(ts=0)} == {ANA}
    assert filled.ana.ok("blocked")["phones"] == [CARL]
    now, kept = Keys.derive(key), counters(product)
    for former, made in ((old.subject(ANA), now.subject(ANA)), (old.subject(PREFIX), now.subject(PREFIX))):
        mine = [name for name in counted if name.endswith(former)]
        assert mine
        assert all(kept[name.replace(former, made)] == counted[name] for name in mine)
    assert kept.keys() >= PLAIN
    assert [name for name in counted if name.startswith("new_numbers:")]
    # Of the rest, what counts networks and strangers, nothing is left.
    assert not [name for name in kept if name in counted and name not in PLAIN and HASHED.search(name)]

    texts = product.rows("SELECT provider_id, contact_key, cost FROM sent_texts ORDER BY id")
    assert [tuple(row) for row in texts] == [("text 1", key_of(key, ANA), 7), ("text 5", bytes(16), 7)]
    assert product.rows("SELECT contact_key FROM login_steps WHERE at = 1") == [(key_of(key, ANA),)]

    tokens = dict(product.rows("SELECT token, token_key FROM push_tokens"))
    expected = Keys.derive(key).push_token_key
    assert {token: bytes(found) for token, found in tokens.items()} == {t: expected(t) for t in tokens}
    gone = [bytes(k) for (k,) in product.rows("SELECT token_key FROM gone_push_tokens") if k]
    assert expected("first token") in gone

    lane = f"gone:{key_of(key, GONE).hex()}"
    moved = product.rows("SELECT id, kind FROM outbox WHERE kind = 'user_gone' ORDER BY id")
    assert moved == waiting
    assert {lane} == {name for (name,) in product.rows("SELECT lane FROM outbox WHERE kind = 'user_gone'")}
    assert product.deliver()
    assert product.rows("SELECT id FROM outbox") == []
    code = pyotp.TOTP(filled.totp).now()
    assert product.parts.console.sessions.log_in("ana", PASSWORD, code, "127.0.0.1")
    product.log_in(NOBODY)
    product.close()
    assert "rows" in place.cli.ok("audit", "verify")
    assert [row["event"] for row in place.cli.json("audit", "list")].count("SecretKeyRotated") == 1
    assert place.cli.json("audit", "list", "--user", f"+{GONE}")


def test_nothing_under_the_former_key_is_left(filled: Filled) -> None:
    """Whoever has the former key and reads the database finds no number by it."""
    place = filled.place
    place.cli.ok(*GO)
    product = filled.start(filled.key_now())
    former = {key_of(place.key, number) for number in (ANA, BEN, CARL, GONE, NOBODY)}
    for table in ("users", "contacts", "former_contacts", "blocks", "one_time_codes", "sent_texts"):
        found = {bytes(key) for (key,) in product.rows(f"SELECT contact_key FROM {table}")}
        assert not found & former, table
    assert not {bytes(key) for (key,) in product.rows("SELECT contact_key FROM login_steps")} & former
    assert place.key not in str(product.rows("SELECT * FROM facts"))
    tables = "sqlite_master WHERE name" if place.is_sqlite else "information_schema.tables WHERE table_name"
    assert product.rows(f"SELECT 1 FROM {tables} = 'rotation'") == []
    product.close()


def test_without_go_nothing_is_written(filled: Filled) -> None:
    place = filled.place
    said = place.cli.ok("secret", "rotate")
    assert "Nothing was written" in said
    assert not filled.next.exists()
    assert "SecretKeyRotated" not in place.cli.ok("audit", "list", "--json")
    product = filled.start(place.key)
    assert filled.ana.ok("blocked")["count"] == 2
    product.close()


def test_without_yes_it_asks_and_no_answer_is_a_no(filled: Filled) -> None:
    result = filled.place.cli.run("secret", "rotate", "--go")
    assert result.exit_code == 1
    assert "Are all servers and workers of this database stopped?" in result.stderr
    assert not filled.next.exists()


def test_while_a_worker_runs_it_is_refused(filled: Filled) -> None:
    place = filled.place
    product = filled.start(place.key)
    now = product.services.database.now()
    product.close()
    place.execute(f"INSERT INTO facts (name, value) VALUES ('worker', '{now}')")
    assert "stop it" in place.refusal(*GO)
    place.execute(
        "DELETE FROM facts WHERE name = 'worker'",
        f"INSERT INTO figures (name, bucket, labels, value, last_at) VALUES ('of a test', 0, '', 1, {now})",
    )
    assert "stop it" in place.refusal(*GO)
    assert not filled.next.exists()


@pytest.mark.parametrize("stage", ["rows", "commit", "key"])
def test_killed_and_run_again_it_is_finished(filled: Filled, stage: str) -> None:
    place = filled.place
    place.cut_short(stage, *GO)
    if stage == "key":
        assert "run that again" in place.refusal("users", "list")
        interrupted = filled.next.read_text()
        assert "under the new key already" in place.cli.ok("secret", "rotate")
        place.cli.ok(*GO)
        assert filled.key_now() == interrupted
    else:
        product = filled.start(place.key)
        assert filled.ana.ok("blocked")["count"] == 2
        product.close()
        place.execute("UPDATE figures SET last_at = 0")
        place.cli.ok(*GO)
    product = filled.start(filled.key_now())
    assert {contact["phone"] for contact in filled.ana.contacts(ts=0)} == {BEN}
    assert filled.ana.ok("blocked")["phones"] == [CARL]
    product.close()


def test_it_can_be_done_again(filled: Filled) -> None:
    place = filled.place
    place.cli.ok(*GO)
    first = filled.key_now()
    if place.is_sqlite:
        assert (place.folder / "instance" / "secret_key.former").read_text() == place.key
        assert place.key_file.stat().st_mode & 0o777 == 0o600
    place.cli.ok(*GO)
    second = filled.key_now()
    assert second != first
    filled.start(second).close()


def test_accounts_of_another_key_are_named_and_nothing_is_changed(filled: Filled) -> None:
    place = filled.place
    place.execute(f"UPDATE users SET address = '14155550999' WHERE address = '{BEN}'")
    assert "1 rows were not made with this SECRET_KEY" in place.refusal(*GO)
    assert not filled.next.exists()


def test_who_has_a_placeholder_as_the_key_can_upgrade_back_up_and_rotate_and_not_serve(
    cli: Cli, keys: dict[str, str], tmp_path: Path
) -> None:
    """As README's snippet has it: an older version served with it."""
    cli.environment.update({**keys, "MESSENGER_SECRET_KEY": "..."})
    cli.ok("db", "upgrade")
    Product(keys["MESSENGER_SQLALCHEMY_DATABASE_URI"], tmp_path, secret_key="...").close()
    cli.ok("backup", str(tmp_path / "backup"))
    cli.ok("restore", str(tmp_path / "backup"), "--check")
    for command in (("serve", "--port", "1"), ("worker",)):
        refused = cli.run(*command)
        assert refused.exit_code == 1
        assert "SECRET_KEY: what stands there is from the documentation" in refused.stderr
    assert "messenger-api secret rotate" in cli.run("check").stdout
    assert "SECRET_KEY" in cli.ok("secret", "rotate", "--go", "--yes")

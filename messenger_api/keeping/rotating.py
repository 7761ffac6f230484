"""Another SECRET_KEY: every keyed hash that can be made anew is, everything sealed is sealed anew.

The new key lies in `secret_key.next` before anything is changed, and the transaction that changes the data
writes its fingerprint (`facts.KEY`). So after a kill the database says which key is the good one, and a
second run goes on: it begins anew, or puts the key into its place.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection

from messenger_api import keyfile
from messenger_api.domain.identity import Identity
from messenger_api.domain.phone import Phone
from messenger_api.domain.secrets import Keys, new_secret_key
from messenger_api.keeping.manifest import KeepingError, Tell
from messenger_api.operating import OperatorParts
from messenger_api.services.operator.administrators import about
from messenger_api.services.operator.audit import SEALED_ABOUT
from messenger_api.services.operator.events import COMMAND, SecretKeyRotated
from messenger_api.storage import administrators, facts, gone_push_tokens, moved, rekeying, signs
from messenger_api.storage.rekeying import Counted, Task
from messenger_api.storage.upgrading import InUse

LOCK = "rotate.lock"
NAMED_AT_MOST = 5


@dataclass(frozen=True)
class Known:
    """Whose hashes can be made anew: by the former contact key, who it is."""

    people: dict[bytes, Identity]
    tasks: Sequence[Task]


class _Addressed(msgspec.Struct):
    """What every task about a number says."""

    address: str = ""


class Rotation:
    """Puts the data of an installation under another key. `parts` have the former one."""

    def __init__(self, parts: OperatorParts, tell: Tell, *, key_in_file: bool) -> None:
        """`key_in_file`: the key is the one that was made on the first start; none is configured."""
        self._parts = parts
        self._key_in_file = key_in_file
        self._database = parts.database
        self._tell = tell

    @property
    def is_to_be_finished(self) -> bool:
        """Whether the data are under the key in `secret_key.next`, and the configuration has the former one.

        Raises TryLater.
        """
        key = keyfile.next_key(self._parts.settings)
        if not key or key == self._parts.settings.secret_key:
            return False
        return self._database.run(lambda tx: facts.read(tx, facts.KEY)) == Keys.derive(key).fingerprint

    def look(self) -> list[Counted]:
        """What there is, and what can be put under another key; nothing is written.

        Raises:
            SettingsError: this is not the key of the data.
            KeepingError: accounts or tasks that cannot be read.
        """
        self._parts.installation.check()
        self._known()
        return self._database.run(rekeying.counted)

    def go(self) -> None:
        """Do it, or finish what a run that was killed has begun.

        Raises:
            SettingsError, KeepingError: as `look`, or a server runs.
            TryLater, SQLAlchemyError, OSError: as those say. The data are whole, under one of both keys.
        """
        settings = self._parts.settings
        with self._alone():
            if not self.is_to_be_finished:
                self._parts.installation.check()
                self._parts.audit.note(SecretKeyRotated(reason=COMMAND), by=None)
                key = new_secret_key()
                keyfile.keep_next(settings, key)
                self._change(Keys.derive(key))
            rekeying.forget_pairs(self._database.engine)
            self._tell("key", 0, 0)
            if self._key_in_file:
                keyfile.take_next(settings)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._database.run(lambda tx: signs.are_young(tx, self._database.now())):
            raise KeepingError(signs.RUNS)
        try:
            with (
                self._parts.schema.patiently(),
                moved.exclusive(self._database.engine, self._parts.settings.in_instance(LOCK)),
            ):
                yield
        except InUse as held:
            raise KeepingError(f"{held}") from None

    def _known(self) -> Known:
        """Raises KeepingError: there are hashes that were not made of what stands beside them."""
        read_as = self._parts.installation.read_as
        people, strange = {}, []
        for uid, address, key in self._database.run(lambda tx: list(rekeying.accounts(tx))):
            if who := read_as(address, key):
                people[key] = who
            else:
                strange.append(f"uid {uid}")
        waiting = self._database.run(rekeying.tasks)
        for task in waiting:
            address = msgspec.json.decode(task.payload, type=_Addressed).address
            if who := read_as(address, task.key):
                people[task.key] = who
            else:
                strange.append(f"task {task.id} of the outbox")
        if strange:
            raise KeepingError(
                f"{len(strange)} rows were not made with this SECRET_KEY, nobody could find them afterwards:"
                f" {', '.join(strange[:NAMED_AT_MOST])}. Nothing was changed"
            )
        return Known(people, waiting)

    def _change(self, new: Keys) -> None:
        engine, known = self._database.engine, self._known()
        rekeying.make_pairs(engine)
        try:
            with engine.connect() as connection:
                self._put_under(connection, new, known)
        finally:
            rekeying.forget_pairs(engine)

    def _put_under(self, connection: Connection, new: Keys, known: Known) -> None:
        old, keys = self._parts.keys, {key: new.contact_key(who) for key, who in known.people.items()}
        tokens = rekeying.push_tokens(connection)
        pushes = ((old.push_token_key(token), new.push_token_key(token)) for token in tokens)
        rekeying.add_pairs(connection, [*keys.items(), *pushes])
        counters = rekeying.hashed_subjects(connection)
        subjects = {former: made for former, made in _subjects(old, new, known) if former in counters}

        def work() -> None:
            if facts.lock(connection, facts.KEY) not in ("", old.fingerprint):
                raise KeepingError("Somebody else has changed the key meanwhile")
            self._tell("rows", 0, 0)
            while gone_push_tokens.gather(connection, self._database.now()):
                pass
            rekeying.put_under(connection)
            rekeying.rename_counters(connection, subjects)
            rekeying.rename_tasks(connection, known.tasks, keys)
            _seal_anew(connection, old, new)
            facts.write(connection, facts.KEY, new.fingerprint)
            self._tell("commit", 0, 0)

        rekeying.in_one_transaction(connection, work)


def _subjects(old: Keys, new: Keys, known: Known) -> Iterator[tuple[str, str]]:
    """Former and new hashes under which limits count people and ranges of numbers (`domain.pseudonyms`)."""
    for key, who in known.people.items():
        yield old.subject(who.match), new.subject(who.match)
        yield old.subject(key), new.subject(new.contact_key(who))
        if isinstance(who, Phone):
            yield old.subject(who.prefix), new.subject(who.prefix)


def _seal_anew(connection: Connection, old: Keys, new: Keys) -> None:
    """The audit's key, and the secrets of administrators. Raises ValueError: something else sealed them."""
    if kept := facts.read(connection, facts.AUDIT_KEY):
        plain = old.unseal(base64.b64decode(kept), SEALED_ABOUT)
        facts.write(connection, facts.AUDIT_KEY, base64.b64encode(new.seal(plain, SEALED_ABOUT)).decode())
    for each in administrators.every(connection):
        if each.totp:
            bound = about(each.id)
            rekeying.set_totp(connection, each.id, new.seal(old.unseal(bytes(each.totp), bound), bound))

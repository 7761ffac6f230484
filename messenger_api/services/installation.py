"""Whether the SECRET_KEY is the one that the data were made with.

With another one nobody who has an account could log in, each trial would cost a text, and phone books would
match nobody. The data tell: an account's blind key is made of its address. Where there is no account yet, the
fingerprint tells that the first start left; older versions leave none.
"""

from __future__ import annotations

from collections.abc import Iterator

from messenger_api.domain import phone, secrets
from messenger_api.domain.identity import Identity, LoginName
from messenger_api.domain.secrets import Keys
from messenger_api.services.identities import Identities
from messenger_api.settings import SettingsError
from messenger_api.storage import facts, moved
from messenger_api.storage.db import Database

# One of the oldest is enough; some may have come by a login method that is no longer in use.
LOOKED_AT = 50

WRONG_KEY = (
    "SECRET_KEY: is not the one that this database's data were made with: nobody who has an account could log"
    " in. Put the old key back (SECRET_KEY in the configuration, or the file secret_key in INSTANCE_PATH), or"
    " take the database that belongs to this one. After messenger-api secret rotate, run that again: it"
    " says where the new key is. docs/operations/secrets.md, Lost, says where a key may be"
)

HALF_MOVED = (
    "A move from {source} was cut short: phones whose sessions are still to come would be logged out. Run"
    " messenger-api move php --go again, which begins it anew"
)


class Installation:
    """Compares the key with the data, and knows whether these are whole."""

    def __init__(self, database: Database, keys: Keys, identities: Identities) -> None:
        self._database = database
        self._keys = keys
        self._identities = identities

    def key_fits(self) -> bool:
        """Whether this is the key of the data. Raises TryLater."""
        known = self._database.run(lambda tx: facts.read(tx, facts.KEY))
        if known == self._keys.fingerprint:
            return True
        accounts = self._database.run(lambda tx: facts.oldest_accounts(tx, LOOKED_AT))
        return any(self.read_as(*account) for account in accounts) if accounts else not known

    def check_key(self) -> None:
        """Refuse to go on with another key, and remember this one.

        Raises:
            SettingsError: it is another one.
            TryLater: the database does not answer.
        """
        ours = self._keys.fingerprint
        if not self.key_fits():
            raise SettingsError([WRONG_KEY])
        known = self._database.run(lambda tx: facts.read(tx, facts.KEY))
        # Of servers that begin an empty database at once the first one's key is its key.
        if (known or self._database.run(lambda tx: facts.begin(tx, facts.KEY, ours))) == ours:
            return
        if not self.key_fits():
            raise SettingsError([WRONG_KEY])
        self._database.run(lambda tx: facts.write(tx, facts.KEY, ours))

    def check(self) -> None:
        """Refuse to go on with another key, or on the half of a move. Raises as `check_key` does."""
        if half := self.half_moved():
            raise SettingsError([half])
        self.check_key()

    def half_moved(self) -> str:
        """What to say of a move that was cut short; "" where none was. Raises TryLater."""
        state, _began, source = self._database.run(moved.state)
        return HALF_MOVED.format(source=source) if state == moved.UNDER_WAY else ""

    def read_as(self, address: str, key: bytes) -> Identity | None:
        """What an address was read as when this blind key was made of it; None: it was another key's."""
        readings = self._readings(address)
        return next((who for who in readings if secrets.same(self._keys.contact_key(who), key)), None)

    def _readings(self, address: str) -> Iterator[Identity]:
        """All that an address may have been read as, by this login method or an earlier one."""
        for who in (self._identities.read(address), phone.read(address), phone.read(f"+{address}")):
            if who is not None:
                yield who
        yield LoginName(address)

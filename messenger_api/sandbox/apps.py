"""Apps of the sandbox's account, and what belongs to an app: credentials, scripts, access control."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from messenger_api.sandbox.memory import Memory
from messenger_api.sandbox.records import Access, App, Credential, Script

OWN_NAME = "Sandbox"
"""The name of the app that a store is of, until appset gives it another."""
# mesibo's app tokens are 64 letters and digits in lower case.
_TOKEN_BYTES = 32
_OF_AN_APP = ("users", "tokens", "otps", "groups", "members", "messages", "deliveries")
_SETTINGS = ("credentials", "scripts", "access")


class AppStore(Memory):
    """The app that this store is of is the one without a token in `apps`: its token stands outside."""

    def app(self) -> App:
        """The app that this store is of."""
        found = self._apps("WHERE token = ''")
        return found[0] if found else App(0, OWN_NAME, "", {}, 0)

    def set_app(self, settings: Mapping[str, str | int]) -> App:
        """Change settings of this app; `name` is its name."""
        app = self.app()
        kept = {**app.settings, **{key: value for key, value in settings.items() if key != "name"}}
        values = (str(settings.get("name", app.name)), json.dumps(kept), self.now())
        with self.writing() as db:
            db.execute(
                "INSERT INTO apps (name, settings, created, token) VALUES (?, ?, ?, '')"
                " ON CONFLICT (token) DO UPDATE SET name = excluded.name, settings = excluded.settings",
                values,
            )
        return self.app()

    def empty(self) -> None:
        """Forget all of this app."""
        with self.writing() as db:
            for table in (*_OF_AN_APP, *_SETTINGS):
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
            db.execute("DELETE FROM apps WHERE token = ''")

    # Further apps of the account

    def add_app(self, name: str) -> App:
        """Make an app with a token of its own."""
        values = (name, secrets.token_hex(_TOKEN_BYTES), self.now())
        with self.writing() as db:
            db.execute("INSERT INTO apps (name, token, created) VALUES (?, ?, ?)", values)
        return self._apps("WHERE token = ?", values[1])[0]

    def added_apps(self) -> list[App]:
        """The apps that were made, oldest first."""
        return self._apps("WHERE token <> '' ORDER BY id")

    def delete_app(self, token: str) -> None:
        """The app's token ends."""
        with self.writing() as db:
            db.execute("DELETE FROM apps WHERE token = ? AND token <> ''", (token,))

    def _apps(self, where: str, *values: object) -> list[App]:
        sql = f"SELECT id, name, token, settings, created FROM apps {where}"  # noqa: S608 - texts of ours
        return [
            App(row["id"], row["name"], row["token"], json.loads(row["settings"]), row["created"])
            for row in self.rows(sql, *values)
        ]

    # Credentials, scripts, access control

    def add_credential(self, kind: str, name: str, content: bytes, project: str = "") -> Credential:
        """Keep that a credential came, not what is in it. The one of fcm replaces the one before."""
        digest = hashlib.sha256(content).hexdigest()
        values = (kind, name, len(content), digest, project, self.now())
        if kind == "fcm":
            with self.writing() as db:
                db.execute("DELETE FROM credentials WHERE kind = 'fcm'")
        return Credential(
            *self.append("credentials", "id", "kind, name, bytes, sha256, project, time", values)
        )

    def credentials(self) -> list[Credential]:
        """All of them, newest first."""
        return [Credential(*row) for row in self.rows("SELECT * FROM credentials ORDER BY id DESC")]

    def put_script(self, name: str, content: str, description: str = "", sid: int = 0) -> Script | None:
        """Keep a script, or replace the one of this `sid`; None where there is none to replace."""
        values = (name, description, content, self.now())
        if not sid:
            return Script(*self.append("scripts", "sid", "name, description, content, time", values))
        change = (
            "UPDATE scripts SET name = ?, description = ?, content = ?, time = ? WHERE sid = ? RETURNING *"
        )
        with self.writing() as db:
            rows = db.execute(change, (*values, sid)).fetchall()
        return Script(*rows[0]) if rows else None

    def scripts(self) -> list[Script]:
        """All of them, newest first."""
        return [Script(*row) for row in self.rows("SELECT * FROM scripts ORDER BY sid DESC")]

    def put_access(self, number: int, fields: Mapping[str, Any], *, update: bool = False) -> Access | None:
        """Make or replace a set of features, or change what is named of one (`update`); None where there is
        none to change. The number 0 takes the next."""
        with self.writing() as db:
            row = db.execute("SELECT fields FROM access WHERE id = ?", (number,)).fetchone()
            if update and row is None:
                return None
            kept = {**(json.loads(row["fields"]) if update else {}), **fields}
            sql = "INSERT OR REPLACE INTO access (id, fields) VALUES (?, ?) RETURNING id"
            made = db.execute(sql, (number or None, json.dumps(kept))).fetchall()[0][0]
        return Access(made, kept)

    def access(self) -> list[Access]:
        """All sets of features, by their numbers."""
        return [Access(row["id"], json.loads(row["fields"])) for row in self.rows("SELECT * FROM access")]

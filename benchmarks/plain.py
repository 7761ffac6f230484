"""The plain way: what anybody would write first, in Flask, text statements of SQLAlchemy's and PyMySQL.

It finds sessions, contacts and groups in the product's tables and answers no more than that. No block is
looked at, no number is read with a numbering plan, nothing is limited or logged.

Called with a port, the number of workers and the database's address.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec
from flask import Flask, Response, request
from sqlalchemy import Connection, create_engine, text

from benchmarks.dataset import SECRET_KEY
from benchmarks.serving import serve
from messenger_api.domain.capacity import CALLS_AT_ONCE
from messenger_api.domain.phone import Phone
from messenger_api.domain.secrets import Keys, token_hash

SESSION = text(
    "SELECT s.uid FROM sessions s JOIN users u ON u.uid = s.uid WHERE s.token_hash = :hash AND u.blocked = 0"
)
BOOK = text("SELECT contact_key FROM contacts WHERE owner = :owner")
CONTACTS = text(
    "SELECT u.address, u.name, u.status, u.photo, u.changed_at, t.tn FROM contacts c"
    " JOIN users u ON u.contact_key = c.contact_key LEFT JOIN thumbnails t ON t.photo = u.photo"
    " WHERE c.owner = :owner AND u.changed_at > :since"
)
GROUPS = text(
    "SELECT g.gid, g.name, g.photo, g.changed_at, g.roster FROM chat_groups g"
    " JOIN group_members m ON m.gid = g.gid WHERE m.uid = :owner AND g.changed_at > :since"
)


def plain_app(uri: str) -> Flask:
    """The application."""
    app = Flask(__name__)
    engine = create_engine(
        uri, pool_size=CALLS_AT_ONCE, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True
    )
    keys = Keys.derive(SECRET_KEY)

    @app.route("/api.php", methods=["GET", "POST"])
    def api() -> Response:
        given = msgspec.json.decode(request.get_data() or b"{}")
        if "op" not in given:
            return _json({"code": "NOOP", "result": "FAIL"})
        with engine.connect() as connection:
            hashed = token_hash(given["token"])
            uid = connection.execute(SESSION, {"hash": hashed}).scalar()
            if uid is None:
                return _json({"op": given["op"], "error": "AUTHFAIL", "result": "FAIL"})
            since = int(given.get("ts", 0))
            if phones := given.get("phones"):
                book = set(connection.execute(BOOK, {"owner": uid}).scalars())
                assert book.issuperset(keys.contact_key(Phone(number)) for number in phones)
                found = _contacts(connection, uid, 0)
            else:
                found = _contacts(connection, uid, since) + _groups(connection, uid, since)
            return _json({"op": given["op"], "contacts": found, "result": "OK"})

    return app


def _contacts(connection: Connection, uid: int, since: int) -> list[dict[str, Any]]:
    return [
        {
            "name": row.name,
            "status": row.status,
            "phone": row.address,
            "photo": row.photo,
            "gid": "0",
            "ts": str(row.changed_at),
            **({"tn": row.tn} if row.tn else {}),
        }
        for row in connection.execute(CONTACTS, {"owner": uid, "since": since})
    ]


def _groups(connection: Connection, uid: int, since: int) -> list[dict[str, Any]]:
    return [
        {
            "name": row.name,
            "status": "",
            "phone": "",
            "photo": row.photo,
            "gid": str(row.gid),
            "ts": str(row.changed_at),
            "members": row.roster,
        }
        for row in connection.execute(GROUPS, {"owner": uid, "since": since})
    ]


def _json(answer: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(answer), mimetype="application/json")


if __name__ == "__main__":
    serve("benchmarks.plain", lambda: plain_app(sys.argv[3]))

"""What the installation remembers of itself."""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select, text, update

from messenger_api.storage.db import ignoring_known
from messenger_api.storage.models import Base, Fact, User

KEY = "key"
"""The fingerprint of the SECRET_KEY that the data were made with."""

WORKER = "worker"
"""The second in which a worker last looked into the outbox."""

PROBE = "probe"
"""The second in which somebody last looked whether the database takes writes."""

MOVE = "move"
"""What became of a move from the PHP demo (`storage.moved`)."""

NEWS = "news"
"""How far changes of accounts are noted for those who have their numbers (`storage.news`)."""

AUDIT = "audit"
"""The last row of the audit, its id and its chain (`storage.audit`)."""

AUDIT_KEY = "audit_key"
"""The key of the audit, sealed under the SECRET_KEY; a change of that seals it anew."""


def read(connection: Connection, name: str) -> str:
    """A fact; "" when there is none."""
    return str(connection.execute(select(Fact.value).where(Fact.name == name)).scalar() or "")


def write(connection: Connection, name: str, value: str) -> None:
    """Put a fact in the place of the former one."""
    connection.execute(ignoring_known(insert(Fact).values(name=name, value=value)))
    connection.execute(update(Fact).where(Fact.name == name).values(value=value))


def move(connection: Connection, name: str, former: str, value: str) -> bool:
    """Put a fact in the place of this former one, "" for none; False where it is another by now."""
    if not former:
        connection.execute(ignoring_known(insert(Fact).values(name=name, value="")))
    mine = update(Fact).where(Fact.name == name, Fact.value == former).values(value=value)
    return connection.execute(mine).rowcount == 1


def begin(connection: Connection, name: str, value: str) -> str:
    """Put a fact where there is none; the fact that there is then, which another may have put there first."""
    connection.execute(ignoring_known(insert(Fact).values(name=name, value=value)))
    return str(connection.execute(select(Fact.value).where(Fact.name == name).with_for_update()).scalar_one())


def lock(connection: Connection, name: str) -> str:
    """A fact, which nobody else changes before this transaction ends; made, as "", when there is none."""
    query = select(Fact.value).where(Fact.name == name).with_for_update()
    found = connection.execute(query).scalar()
    if found is None:
        connection.execute(ignoring_known(insert(Fact).values(name=name, value="")))
        found = connection.execute(query).scalar_one()
    return str(found)


def server_version(connection: Connection) -> str:
    """The version of the database server."""
    function = "sqlite_version" if connection.dialect.name == "sqlite" else "version"
    return str(connection.exec_driver_sql(f"SELECT {function}()").scalar_one())


def oldest_accounts(connection: Connection, most: int) -> list[tuple[str, bytes]]:
    """Addresses and blind keys of those who came first."""
    query = select(User.address, User.contact_key).order_by(User.uid).limit(most)
    return [(address, bytes(key)) for address, key in connection.execute(query)]


def rows(connection: Connection) -> dict[str, int]:
    """The rows of each table: counted in SQLite, and as the server estimates them in MySQL."""
    if connection.dialect.name == "sqlite":
        tables = Base.metadata.sorted_tables
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables
        }
    query = "SELECT table_name, table_rows FROM information_schema.tables WHERE table_schema = DATABASE()"
    return {str(name): int(count or 0) for name, count in connection.execute(text(query))}

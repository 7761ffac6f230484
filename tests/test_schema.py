"""The tables: models, migrations and schema/mysql-schema.sql make the same ones, on both databases."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import BINARY, NUMERIC, Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from messenger_api import configuration
from messenger_api.domain.errors import UpgradeRefused
from messenger_api.settings import Settings
from messenger_api.storage import db as databases
from messenger_api.storage import groups, sessions, syncs
from messenger_api.storage.db import Database
from messenger_api.storage.models import Base
from messenger_api.storage.schema import MIGRATIONS, Schema
from tests.processes import LOOPBACK, program
from tests.servers import ROOT, MariaDB

FILE = ROOT / "schema" / "mysql-schema.sql"

FACTS = {
    "tables": "SELECT table_name, engine, table_collation, row_format FROM tables WHERE table_schema = %s",
    "columns": """
        SELECT table_name, ordinal_position, column_name, column_type, is_nullable, column_default,
            collation_name, extra
        FROM columns WHERE table_schema = %s""",
    "indexes": """
        SELECT table_name, index_name, seq_in_index, column_name, non_unique, sub_part, index_type
        FROM statistics WHERE table_schema = %s""",
    "foreign keys": """
        SELECT k.table_name, k.constraint_name, k.column_name, k.referenced_table_name,
            k.referenced_column_name, r.delete_rule, r.update_rule
        FROM key_column_usage k JOIN referential_constraints r
            ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name
        WHERE k.table_schema = %s""",
}

Facts = dict[str, list[tuple[object, ...]]]


def facts(server: MariaDB, name: str) -> Facts:
    """All that the database says of its own tables."""
    return {
        what: sorted(server.query(query, name, database="information_schema"), key=repr)
        for what, query in FACTS.items()
    }


def without_revision(found: Facts) -> Facts:
    return {what: [row for row in rows if row[0] != "alembic_version"] for what, rows in found.items()}


@pytest.fixture
def engine(database_uri: str) -> Iterator[Engine]:
    made = product_engine(database_uri)
    yield made
    made.dispose()


def product_engine(uri: str) -> Engine:
    """An engine with the product's own options."""
    settings: Settings = configuration.build(sqlalchemy_database_uri=uri, secret_key="k" * 32)
    made = create_engine(settings.database_uri, **databases.engine_options(settings))
    databases.prepare(made, settings)
    return made


def migrated(uri: str) -> None:
    engine = product_engine(uri)
    Schema(Database(engine)).upgrade()
    engine.dispose()


def migrations_on(engine: Engine) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = engine
    return config


def upgrade_to(engine: Engine, revision: str) -> None:
    command.upgrade(migrations_on(engine), revision)


def downgrade(engine: Engine) -> None:
    command.downgrade(migrations_on(engine), "base")


def load_by_hand(server: MariaDB, name: str) -> subprocess.CompletedProcess[str]:
    """As the file's own head says."""
    with FILE.open() as file:
        return subprocess.run(
            [
                program("mariadb", "mysql"),
                "--no-defaults",
                f"--host={LOOPBACK}",
                f"--port={server.port}",
                "--user=root",
                name,
            ],
            stdin=file,
            capture_output=True,
            text=True,
            check=False,
        )


def test_models_migrations_and_the_file_make_the_same_tables_in_mariadb(
    mariadb: MariaDB, new_database: Callable[[], str]
) -> None:
    by_models, by_migrations, by_file = new_database(), new_database(), new_database()
    engine = product_engine(mariadb.uri(by_models))
    Base.metadata.create_all(engine)
    engine.dispose()
    migrated(mariadb.uri(by_migrations))
    loaded = load_by_hand(mariadb, by_file)
    assert (loaded.returncode, loaded.stderr) == (0, "")

    models, migrations, file = (facts(mariadb, name) for name in (by_models, by_migrations, by_file))

    assert {row[0] for row in models["tables"]} == set(Base.metadata.tables)
    assert models == without_revision(migrations)
    assert migrations == file


def test_the_comparison_sees_a_difference(mariadb: MariaDB, new_database: Callable[[], str]) -> None:
    name = new_database()
    migrated(mariadb.uri(name))
    before = facts(mariadb, name)
    mariadb.query("ALTER TABLE users MODIFY country VARCHAR(2) NOT NULL DEFAULT ''", database=name)
    mariadb.query("ALTER TABLE contacts DROP FOREIGN KEY fk_contacts_owner", database=name)
    after = facts(mariadb, name)
    assert {what for what in FACTS if before[what] != after[what]} == {"columns", "foreign keys"}


def test_tables_loaded_from_the_file_are_of_the_newest_revision(
    mariadb: MariaDB, new_database: Callable[[], str]
) -> None:
    name = new_database()
    load_by_hand(mariadb, name)
    engine = product_engine(mariadb.uri(name))
    schema = Schema(Database(engine))
    assert schema.is_current()
    schema.upgrade()
    assert schema.current() == schema.newest
    engine.dispose()


def test_the_file_says_of_every_table_what_it_is_for() -> None:
    lines = FILE.read_text().splitlines()
    tables = [number for number, line in enumerate(lines) if line.startswith("CREATE TABLE")]
    assert len(tables) == len(Base.metadata.tables) + 1
    assert all(lines[number - 1].startswith("-- ") for number in tables)


def other_type(
    context: MigrationContext, _column: object, _wanted: object, found: object, wanted: object
) -> bool | None:
    """SQLAlchemy does not know BINARY(16) when it reads SQLite's tables, and takes it for NUMERIC(16)."""
    if context.dialect.name == "sqlite" and isinstance(wanted, BINARY):
        return not isinstance(found, NUMERIC) or found.precision != wanted.length
    return None  # as Alembic compares


def test_the_migrations_lead_to_the_models(engine: Engine) -> None:
    Schema(Database(engine)).upgrade()
    with engine.connect() as connection:
        options = {"compare_server_default": True, "compare_type": other_type}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_the_way_down_and_up_again_loses_no_table(engine: Engine) -> None:
    schema = Schema(Database(engine))
    schema.upgrade()
    tables = set(inspect(engine).get_table_names())
    downgrade(engine)
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    assert schema.current() == ""

    schema.upgrade()

    assert set(inspect(engine).get_table_names()) == tables == {*Base.metadata.tables, "alembic_version"}
    assert schema.current() == schema.newest


def test_an_upgrade_keeps_the_rows_and_may_be_repeated(engine: Engine) -> None:
    schema = Schema(Database(engine))
    schema.upgrade()
    with engine.connect() as connection:
        connection.exec_driver_sql("INSERT INTO thumbnails (photo, tn) VALUES ('1-a.jpg', 'data')")
    schema.upgrade()
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT photo FROM thumbnails").scalars().all() == ["1-a.jpg"]


KEY, TOKEN = b"0123456789abcdef", b"0123456789abcdef0123456789abcdef"


def test_whoever_was_logged_in_before_the_upgrade_stays_so(engine: Engine) -> None:
    """Sessions that know nothing of when they were last used are not taken for idle ones."""
    upgrade_to(engine, "0001")
    with engine.connect() as connection:
        for statement in (
            "INSERT INTO users (uid, address, contact_key, created_at, changed_at)"
            f" VALUES (7, '14155550101', X'{KEY.hex()}', 1, 1)",
            "INSERT INTO sessions (uid, token_hash, appid, created_at)"
            f" VALUES (7, X'{TOKEN.hex()}', 'app', 1)",
        ):
            connection.exec_driver_sql(statement)
    Schema(Database(engine)).upgrade()
    database = Database(engine)
    caller = database.run(lambda tx: sessions.caller(tx, TOKEN, seen_since=int(time.time()) - 60))
    assert caller is not None
    assert caller.uid == 7


def test_groups_made_before_the_upgrade_are_told_as_before(engine: Engine) -> None:
    upgrade_to(engine, "0002")
    with engine.connect() as connection:
        for uid, role, position in ((1, 0, 3), (2, 2, 1), (3, 1, 9), (4, 1, 2), (5, 0, 3)):
            connection.exec_driver_sql(
                "INSERT INTO users (uid, address, contact_key, created_at, changed_at)"
                f" VALUES ({uid}, '1415555010{uid}', X'{KEY.hex()[:-1]}{uid}', 1, 1)"
            )
            if uid == 1:
                connection.exec_driver_sql(
                    "INSERT INTO chat_groups (gid, name, created_at, changed_at)"
                    " VALUES (7, 'Walks', 1, 1), (8, 'Empty', 1, 1)"
                )
            connection.exec_driver_sql(
                f"INSERT INTO group_members (gid, uid, role, position) VALUES (7, {uid}, {role}, {position})"
            )
    Schema(Database(engine)).upgrade()
    database = Database(engine)
    [told] = database.run(lambda tx: syncs.groups(tx, 5, 0))
    alone = database.run(lambda tx: groups.find(tx, 7))
    assert alone
    assert (
        told.members
        == alone.roster.wire()
        == ("3:14155550102,14155550104,14155550103,14155550101,14155550105")
    )


@pytest.mark.parametrize("hosts", [False, True], ids=["one address", "DB_HOST"])
def test_an_upgrade_may_take_longer_than_a_request(
    mariadb: MariaDB, new_database: Callable[[], str], hosts: bool
) -> None:
    uri = mariadb.uri(new_database())
    url = make_url(uri)
    names = {"db_name": url.database, "db_user": url.username, "db_pass": url.password or ""}
    where = {"db_host": f"{url.host}:{url.port}", **names} if hosts else {"sqlalchemy_database_uri": uri}
    settings = configuration.build(**where, secret_key="k" * 32)
    options = databases.engine_options(settings)
    options["connect_args"]["read_timeout"] = 1
    engine = create_engine(settings.database_uri, **options)
    databases.prepare(engine, settings)
    schema = Schema(Database(engine))
    schema.current()  # a connection with the short patience is in the pool
    with schema.patiently(), engine.connect() as connection:
        connection.exec_driver_sql("SELECT SLEEP(1.5)")
    with engine.connect() as connection, pytest.raises(OperationalError):
        connection.exec_driver_sql("SELECT SLEEP(1.5)")
    engine.dispose()


def test_tables_of_a_newer_version_are_left_alone(engine: Engine) -> None:
    schema = Schema(Database(engine))
    schema.upgrade()
    with engine.connect() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert not schema.is_current()
    with pytest.raises(UpgradeRefused, match="9999"):
        schema.upgrade()
    assert schema.current() == "9999"


def sqlite_engine(folder: Path) -> Engine:
    return product_engine(f"sqlite:///{folder / 'messenger.sqlite3'}")


def test_an_upgrade_of_sqlite_that_fails_leaves_no_trace(tmp_path: Path) -> None:
    engine = sqlite_engine(tmp_path)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE mine (id TEXT)")
        # In SQLite the names of indexes are one space: the migration will meet this one halfway.
        connection.exec_driver_sql("CREATE INDEX ix_outbox_lane_id ON mine (id)")
    schema = Schema(Database(engine))
    with pytest.raises(OperationalError, match="ix_outbox_lane_id already exists"):
        schema.upgrade()
    assert inspect(engine).get_table_names() == ["mine"]

    with engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE mine")
    schema.upgrade()
    assert schema.current() == schema.newest
    engine.dispose()


@pytest.mark.server
def test_an_upgrade_of_sqlite_has_no_gap_in_which_another_could_do_its_next_step(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'messenger.sqlite3'}"
    engine = product_engine(uri)
    begun: list[Connection] = []

    @event.listens_for(engine, "begin")
    def let_another_go_first(connection: Connection) -> None:
        if begun:
            other = f"from tests.test_schema import migrated; migrated({uri!r})"
            subprocess.run([sys.executable, "-c", other], cwd=ROOT, check=True)
        begun.append(connection)

    Schema(Database(engine)).upgrade()
    assert begun
    assert Schema(Database(engine)).is_current()
    engine.dispose()


RACER = """
import sys
from tests.test_schema import migrated
print("ready", flush=True)
sys.stdin.readline()
migrated(sys.argv[1])
"""


@pytest.mark.server
def test_processes_that_start_at_once_on_a_new_sqlite_file_all_find_its_tables(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'messenger.sqlite3'}"
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, uri],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    assert [(racer.communicate()[1], racer.returncode) for racer in racers] == [("", 0)] * 3

    engine = product_engine(uri)
    assert Schema(Database(engine)).is_current()
    engine.dispose()

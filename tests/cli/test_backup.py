"""`messenger-api backup` and `restore`: the drill, on both databases, and all that speaks against it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tests.cli.commands import NEWEST, Cli
from tests.processes import LOOPBACK
from tests.product import Phone, Product, jpeg
from tests.servers import ROOT, MariaDB
from tests.test_deploy import unit, words_of
from tests.test_schema import upgrade_to

pytestmark = pytest.mark.server

PAGE = (ROOT / "docs" / "operations" / "backup.md").read_text()
ANA, BEN = "14155550101", "14155550102"
URI, KEY = "MESSENGER_SQLALCHEMY_DATABASE_URI", "MESSENGER_SECRET_KEY"
PASSPHRASE = "correct horse battery"

# A command that dies as a power cut has it, when it tells of the stage that is named first.
CUT_SHORT = """
import os, sys
from messenger_api.cli import main, progress
def die(self, what, done, expected):
    if what == sys.argv[1]:
        os.kill(os.getpid(), 9)
progress.Progress.__call__ = die
main(sys.argv[2:])
"""


class Place:
    """An installation whose key is kept in its folder, and its backup."""

    def __init__(self, cli: Cli, keys: dict[str, str], folder: Path) -> None:
        self.cli, self.folder, self.uri = cli, folder, keys[URI]
        self.key = keys[KEY]
        self.key_file = folder / "instance" / "secret_key"
        self.backup = folder / "backups" / "monday"
        self.passphrase = folder / "passphrase"
        self.passphrase.write_text(PASSPHRASE + "\n")
        self.sealing = ("--passphrase-file", str(self.passphrase))
        self.name = self.uri.rpartition("/")[2].partition("?")[0]
        self.is_sqlite = self.uri.startswith("sqlite")
        cli.environment.update({name: value for name, value in keys.items() if name != KEY})
        self.key_file.parent.mkdir(mode=0o700)
        self.give_key(self.key)
        cli.upgrade()

    def give_key(self, key: str) -> None:
        """As SQLite keeps a key, and as MySQL demands it."""
        if self.is_sqlite:
            self.key_file.write_text(key)
        else:
            self.cli.environment[KEY] = key

    def recover_key(self) -> None:
        """With MySQL, have the sealed key in the configuration; with SQLite, `restore` does so itself."""
        if not self.is_sqlite:
            file = self.folder / "recovered"
            self.cli.ok("restore", str(self.backup), "--key-into", str(file), *self.sealing)
            assert file.stat().st_mode & 0o777 == 0o600
            self.give_key(file.read_text())

    def product(self) -> Product:
        return Product(self.uri, self.folder, secret_key=self.key)

    def destroy(self) -> None:
        """Database, files and key."""
        shutil.rmtree(self.folder / "files")
        self.key_file.unlink(missing_ok=True)
        self.cli.environment.pop(KEY, None)
        self.empty()

    def empty(self) -> None:
        if self.is_sqlite:
            for path in self.folder.glob("messenger.sqlite3*"):
                path.unlink()
            return
        self.execute(f"DROP DATABASE `{self.name}`", f"CREATE DATABASE `{self.name}` CHARACTER SET utf8mb4")

    def execute(self, *statements: str) -> None:
        engine = create_engine(self.uri, poolclass=NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def count(self, table: str) -> int:
        """The rows of a table."""
        with closing(create_engine(self.uri, poolclass=NullPool).connect()) as connection:
            return int(connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar_one())

    def keep(self) -> str:
        return self.cli.ok("backup", str(self.backup), *self.sealing)

    def refusal(self, *arguments: str, **environment: str) -> str:
        """What a command says that fails."""
        result = self.cli.run(*arguments, **environment)
        assert result.exit_code == 1, result.output
        return result.stderr

    def cut_short(self, stage: str, *arguments: str) -> None:
        """Run a command that is killed at a stage."""
        machine = {name: value for name, value in os.environ.items() if not name.startswith("MESSENGER_")}
        ran = subprocess.run(
            [sys.executable, "-c", CUT_SHORT, stage, *arguments],
            cwd=self.folder,
            env={**machine, "PYTHONPATH": str(ROOT), **self.cli.environment},
            capture_output=True,
            check=False,
        )
        assert ran.returncode == -9, ran.stderr


@pytest.fixture
def place(cli: Cli, keys: dict[str, str], tmp_path: Path) -> Place:
    return Place(cli, keys, tmp_path)


@pytest.fixture
def filled(place: Place) -> Iterator[tuple[Place, Product, Phone]]:
    """One account with a picture, and news of it that is still in the outbox."""
    product = place.product()
    ana = product.log_in(ANA)
    ana.ok("profile", photo=jpeg())
    yield place, product, ana
    product.close()


def served(product: Product, photo: str) -> bool:
    with product.http.get(f"/files/{photo}") as answer:
        return answer.status_code == 200


def photos(product: Product) -> list[str]:
    return [photo for (photo,) in product.rows("SELECT photo FROM users WHERE photo <> ''")]


def test_drill_everybody_is_still_logged_in_after_all_was_destroyed(place: Place) -> None:
    product = place.product()
    ana, ben = product.log_in(ANA), product.log_in(BEN)
    ana.ok("getcontacts", phones=[BEN])
    ben.ok("getcontacts", phones=[ANA])
    product.deliver()
    ana.ok("profile", name="Ana 🏔", status="it's \"quoted\" (1),\n(\\ and 'more'", photo=jpeg("navy"))
    [before] = product.rows(f"SELECT name, status, photo, contact_key FROM users WHERE address = '{ANA}'")
    waiting = product.rows("SELECT id, payload FROM outbox ORDER BY id")
    assert waiting
    stopped, written = threading.Event(), threading.Event()

    def write() -> None:
        while not stopped.is_set():
            ben.call("profile", photo=jpeg("teal"))
            written.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert written.wait(60)
        said = place.keep()
    finally:
        stopped.set()
        writer.join()
    product.close()
    assert "2 accounts, 2 sessions, " in said
    assert f"tables {NEWEST}." in said

    place.destroy()
    place.recover_key()
    said = place.cli.ok("restore", str(place.backup), *place.sealing)
    assert "Whoever was logged in still is" in said
    if place.is_sqlite:
        assert place.key_file.read_text() == place.key
        assert place.key_file.stat().st_mode & 0o777 == 0o600

    again = place.product()
    assert again.rows(f"SELECT name, status, photo, contact_key FROM users WHERE address = '{ANA}'") == [
        before
    ]
    assert set(waiting) <= set(again.rows("SELECT id, payload FROM outbox ORDER BY id"))
    for phone in (ana, ben):
        phone.product = again
        phone.ok("getcontacts", phones=[ANA, BEN])
    assert served(again, before[2])
    assert again.deliver()
    assert again.rows("SELECT id FROM outbox") == []
    assert any(each.get("photo") == before[2] for each in ben.received()), "what waited is not told"
    again.log_in("14155550103")
    again.close()


def test_a_backup_is_for_its_owner_alone_and_holds_no_key_in_the_open(
    filled: tuple[Place, Product, Phone],
) -> None:
    place, *_ = filled
    place.keep()
    modes = {path: path.stat().st_mode & 0o777 for path in (place.backup, *place.backup.rglob("*"))}
    assert {path: mode for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)} == {}
    for path in filter(Path.is_file, place.backup.rglob("*")):
        assert place.key.encode() not in path.read_bytes()
        assert PASSPHRASE.encode() not in path.read_bytes()
    assert [path.name for path in place.backup.parent.iterdir()] == ["monday"]


def test_without_a_passphrase_it_is_said_that_the_key_is_missing_and_where_it_is(
    filled: tuple[Place, Product, Phone],
) -> None:
    place, product, ana = filled
    result = place.cli.run("backup", str(place.backup))
    assert result.exit_code == 0
    where = str(place.key_file) if place.is_sqlite else "in the configuration"
    assert f"({where}) is NOT in this backup" in result.stderr
    product.close()
    place.destroy()
    assert "SECRET_KEY" in place.refusal("restore", str(place.backup))
    place.give_key("another key, which is long enough for it")
    assert "not the one of the backup" in place.refusal("restore", str(place.backup))
    place.give_key(place.key)
    place.cli.ok("restore", str(place.backup))
    ana.product = place.product()
    ana.ok("getcontacts")
    ana.product.close()


def test_a_wrong_passphrase_or_a_missing_one_changes_nothing(filled: tuple[Place, Product, Phone]) -> None:
    place, product, _ = filled
    place.keep()
    product.close()
    place.destroy()
    into = () if place.is_sqlite else ("--key-into", str(place.folder / "recovered"))
    assert "--passphrase-file" in place.refusal("restore", str(place.backup), *into)
    place.passphrase.write_text("another passphrase")
    assert "not the one that" in place.refusal("restore", str(place.backup), *place.sealing, *into)
    assert not place.key_file.exists()
    assert not (place.folder / "recovered").exists()
    assert not (place.folder / "files").exists()
    place.passphrase.write_text("too short")
    assert place.cli.run("backup", str(place.backup), *place.sealing).exit_code == 2


def test_a_passphrase_that_is_given_is_tried_also_where_the_key_is_there(
    filled: tuple[Place, Product, Phone],
) -> None:
    place, product, _ = filled
    place.keep()
    product.close()
    opened = "SECRET_KEY: in the backup, and the passphrase opens it."
    assert opened in place.cli.ok("restore", str(place.backup), "--check", *place.sealing)
    place.passphrase.write_text("another passphrase")
    place.empty()
    for checking in (("--check",), ()):
        said = place.refusal("restore", str(place.backup), *checking, *place.sealing)
        assert "not the one that" in said
    assert "Whole" in place.cli.ok("restore", str(place.backup), "--check")
    place.passphrase.write_text(PASSPHRASE)
    assert opened in place.cli.ok("restore", str(place.backup), *place.sealing)


def test_a_passphrase_for_a_backup_without_a_key_is_said_to_open_nothing(
    filled: tuple[Place, Product, Phone],
) -> None:
    place, product, _ = filled
    place.cli.ok("backup", str(place.backup))
    product.close()
    result = place.cli.run("restore", str(place.backup), "--check", *place.sealing)
    assert (result.exit_code, "SECRET_KEY: NOT in the backup" in result.stderr) == (0, True)


def test_one_changed_byte_anywhere_is_found_and_nothing_restored(
    filled: tuple[Place, Product, Phone],
) -> None:
    place, *_ = filled
    place.keep()
    place.cli.ok("restore", str(place.backup), "--check")
    for path in filter(Path.is_file, place.backup.rglob("*")):
        whole = path.read_bytes()
        middle = len(whole) // 2 if path.name != "manifest.sha256" else 0
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        assert "changed" in place.refusal("restore", str(place.backup), "--replace", place.name), path
        path.unlink()
        assert place.refusal("restore", str(place.backup), "--check"), path
        path.write_bytes(whole)
    place.cli.ok("restore", str(place.backup), "--check")


def test_a_database_that_holds_something_goes_only_when_it_is_named(
    filled: tuple[Place, Product, Phone],
) -> None:
    place, product, ana = filled
    place.keep()
    product.log_in(BEN)
    product.close()
    assert f"--replace {place.name}" in place.refusal("restore", str(place.backup))
    assert place.refusal("restore", str(place.backup), "--replace", "other")
    place.cli.ok("restore", str(place.backup), "--replace", place.name)
    ana.product = place.product()
    ana.ok("getcontacts")
    assert ana.product.rows("SELECT address FROM users") == [(ANA,)]
    ana.product.close()
    assert "holds something" in place.refusal("backup", str(place.backup))


@pytest.mark.parametrize("stage", ["files", "database"])
def test_a_backup_that_was_killed_is_never_taken_for_a_whole_one(
    filled: tuple[Place, Product, Phone], stage: str
) -> None:
    place, *_ = filled
    place.cut_short(stage, "backup", str(place.backup), *place.sealing)
    assert not place.backup.exists()
    part = place.backup.with_name(".monday.part")
    assert "no whole backup" in place.refusal("restore", str(part), "--check")
    place.keep()
    assert not part.exists()
    place.cli.ok("restore", str(place.backup), "--check")


@pytest.mark.parametrize("stage", ["files", "database"])
def test_a_restore_that_was_killed_is_no_installation_and_is_run_again(
    filled: tuple[Place, Product, Phone], stage: str
) -> None:
    place, product, ana = filled
    place.keep()
    product.close()
    place.destroy()
    place.recover_key()
    place.cut_short(stage, "restore", str(place.backup), *place.sealing)
    if stage == "database" and not place.is_sqlite:
        assert "cut short" in place.refusal("db", "upgrade")
        assert "Run: messenger-api db upgrade" in place.refusal("users", "list")
    place.cli.ok("restore", str(place.backup), *place.sealing)
    ana.product = place.product()
    ana.ok("getcontacts")
    assert all(served(ana.product, photo) for photo in photos(ana.product))
    ana.product.close()


def test_a_dump_of_somebody_elses_runs_no_program_and_reads_no_file_here(
    filled: tuple[Place, Product, Phone],
) -> None:
    place, product, _ = filled
    if place.is_sqlite:
        return  # no client reads a dump
    place.keep()
    product.close()
    whole = (place.backup / "database.sql").read_bytes()
    here = place.folder / "here"
    here.write_text("1\n")
    ran = place.folder / "ran"
    reading = f"LOAD DATA LOCAL INFILE '{here}' INTO TABLE read_here"
    for foreign in (
        f"\\! touch {ran}\n",
        f"SELECT 1; \\! touch {ran}\n",
        f"system touch {ran}\n",
        f"pager touch {ran}\nSELECT 1;\n",
        f"tee {ran}\nSELECT 1;\n",
        f"CREATE TABLE read_here (line TEXT);\n{reading};\n",
    ):
        put_into(place.backup, "database.sql", foreign.encode() + whole)
        place.refusal("restore", str(place.backup), "--replace", place.name)
        assert not ran.exists(), foreign
    assert place.count("read_here") == 0


def put_into(backup: Path, name: str, data: bytes) -> None:
    """Change a file of a backup as whoever holds the folder can: with the sums of it."""
    (backup / name).write_bytes(data)
    manifest = json.loads((backup / "manifest.json").read_text())
    manifest["sums"][name] = hashlib.sha256(data).hexdigest()
    (backup / "manifest.json").write_text(json.dumps(manifest))
    noted = hashlib.sha256((backup / "manifest.json").read_bytes()).hexdigest()
    (backup / "manifest.sha256").write_text(f"{noted}  manifest.json\n")


def test_a_link_or_a_pipe_in_the_place_of_a_file_is_refused_also_with_the_right_bytes(
    filled: tuple[Place, Product, Phone],
) -> None:
    place, product, _ = filled
    place.keep()
    product.close()
    latest, elsewhere, files = place.folder / "latest", place.folder / "elsewhere", place.backup / "files"
    latest.symlink_to(place.backup)
    for path in sorted(filter(Path.is_file, place.backup.rglob("*"))):
        whole = path.read_bytes()
        path.rename(elsewhere)
        path.symlink_to(elsewhere)
        for way in ("--check",), ("--replace", place.name):
            assert "is a link" in place.refusal("restore", str(latest), *way), path
        path.unlink()
        with piped(path, whole):
            assert "is no file" in place.refusal("restore", str(latest), "--check"), path
        elsewhere.rename(path)
    files.rename(elsewhere)
    files.symlink_to(elsewhere)
    assert "is a link" in place.refusal("restore", str(latest), "--check")
    files.unlink()
    elsewhere.rename(files)
    place.cli.ok("restore", str(latest), "--check")


@contextmanager
def piped(path: Path, data: bytes) -> Iterator[None]:
    """A pipe that gives whoever reads it these bytes."""

    def give() -> None:
        with suppress(BrokenPipeError):
            path.write_bytes(data)

    os.mkfifo(path)
    giver = threading.Thread(target=give)
    giver.start()
    yield
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    while giver.is_alive():  # it may still wait for somebody who reads
        os.read(reader, len(data))
    os.close(reader)
    path.unlink()


def test_a_link_in_the_place_of_a_backup_under_way_leads_nowhere(
    filled: tuple[Place, Product, Phone],
) -> None:
    place, *_ = filled
    elsewhere = place.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    place.backup.parent.mkdir()
    part = place.backup.with_name(".monday.part")
    part.symlink_to(elsewhere)
    assert "own folder" in place.refusal("backup", str(place.backup))
    part.unlink()
    part.mkdir()
    (part / "files").symlink_to(elsewhere)
    place.keep()
    assert [path.name for path in elsewhere.iterdir()] == ["precious"]


def test_tables_of_a_newer_version_are_refused(filled: tuple[Place, Product, Phone]) -> None:
    place, product, _ = filled
    product.close()
    place.execute("UPDATE alembic_version SET version_num = '9999'")
    place.keep()
    assert "newer version" in place.refusal("restore", str(place.backup), "--replace", place.name)


def test_tables_of_an_older_version_are_upgraded(place: Place) -> None:
    place.empty()
    engine = create_engine(place.uri, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    upgrade_to(engine, "0009")
    engine.dispose()
    assert "tables 0009." in place.keep()
    place.cli.ok("restore", str(place.backup), "--replace", place.name)
    assert place.cli.ok("db", "current") == f"{NEWEST}\n"


def test_files_in_a_bucket_are_said_to_stay_there(filled: tuple[Place, Product, Phone]) -> None:
    place, *_ = filled
    said = place.cli.ok("backup", str(place.backup), MESSENGER_FILES_PATH="s3://example-chat/files")
    assert "Files: kept in the bucket s3://example-chat/files, not copied." in said
    assert "Thumbnails: 1." in said


def test_a_running_server_keeps_its_sqlite_file(filled: tuple[Place, Product, Phone]) -> None:
    place, product, _ = filled
    if not place.is_sqlite:
        return  # MySQL replaces tables and not a file
    place.keep()
    with product.services.database.engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1 FROM users")
        assert "stop the server" in place.refusal("restore", str(place.backup), "--replace", place.name)


def test_while_a_server_or_worker_runs_its_tables_are_not_replaced(
    filled: tuple[Place, Product, Phone],
) -> None:
    place, product, _ = filled
    if place.is_sqlite:
        return  # SQLite knows who has its file open
    place.keep()
    product.log_in(BEN)
    now = product.services.database.now()
    product.close()
    place.execute("DELETE FROM facts WHERE name = 'worker'", "DELETE FROM figures")
    again = ("restore", str(place.backup), "--replace", place.name)
    for sign in (
        f"INSERT INTO facts (name, value) VALUES ('worker', '{now}')",
        f"INSERT INTO figures (name, bucket, labels, value, last_at) VALUES ('of a test', 0, '', 1, {now})",
    ):
        place.execute(sign)
        assert "stop it" in place.refusal(*again)
        assert place.count("users") == 2
        place.execute("DELETE FROM facts WHERE name = 'worker'", "DELETE FROM figures")
    place.execute(f"INSERT INTO facts (name, value) VALUES ('worker', '{now - 3600}')")
    place.cli.ok(*again)
    assert place.count("users") == 1


def test_where_there_is_nothing_nothing_is_kept(place: Place) -> None:
    place.empty()
    assert place.refusal("backup", str(place.backup))
    assert not place.backup.exists()


def test_the_page_works_word_for_word(filled: tuple[Place, Product, Phone]) -> None:
    """Typed in an installation as going-live.md makes it; what root and systemd do is played."""
    place, product, _ = filled
    machine = Machine(place)
    once, nightly, by_hand, brought_back = re.findall(r"^```bash\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)

    machine.types(once + nightly + by_hand)

    in_etc, backups = place.folder / "etc", place.folder / "var/backups/messenger"
    assert {path.name for path in (in_etc / "systemd/system").iterdir()} == {
        *("messenger-api-backup.service", "messenger-api-backup.timer"),
    }
    place.passphrase = in_etc / "messenger-api/backup.passphrase"
    assert [path.stat().st_mode & 0o777 for path in (place.passphrase, backups)] == [0o640, 0o700]
    newest, named = sorted(path.name for path in backups.iterdir())
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-\d{6}", newest)
    assert named == "before-upgrade"

    product.close()
    place.backup, place.sealing = backups / newest, ("--passphrase-file", str(place.passphrase))
    [finds] = re.findall(r"^NEWEST=.*\n", nightly, re.MULTILINE)
    place.destroy()
    place.recover_key()
    machine.types(finds + brought_back)
    assert place.count("users") == 1


class Machine:
    """Where a page is typed as root: a place as the folder of the program, with other folders in it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        (place.folder / "deploy").symlink_to(ROOT / "deploy")
        (place.folder / "etc/systemd/system").mkdir(parents=True)
        programs = place.folder / ".venv/bin"
        programs.mkdir(parents=True)
        (programs / "messenger-api").symlink_to(Path(sys.executable).parent / "messenger-api")

    def types(self, text: str) -> None:
        """Type lines of a page in the folder; one that fails ends the test."""
        service = unit("messenger-api-backup.service")["Service"]
        nightly = shlex.join(self._here(word) for word in words_of(service["ExecStart"]))
        played = f"""
            set -eu
            runuser() {{ [ "$1 $2 $3" = "-u messenger-api --" ]; shift 3; "$@"; }}
            systemctl() {{ [ "$*" != "start messenger-api-backup" ] || {nightly}; }}
        """
        typed = re.sub(r"--(owner|group)=messenger-api ", "", self._here(text))
        machine = {name: value for name, value in os.environ.items() if not name.startswith("MESSENGER_")}
        ran = subprocess.run(
            ["bash", "-c", played + typed],
            cwd=self.place.folder,
            env={**machine, "PYTHONPATH": str(ROOT), **self.place.cli.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr

    def _here(self, text: str) -> str:
        text = text.replace("/srv/messenger-api", str(self.place.folder))
        return re.sub(r"(?<![\w/])/(?=etc/|var/backups)", f"{self.place.folder}/", text)


class TestClients:
    """MariaDB's own programs."""

    # All that option files treat specially.
    PASSWORD = "p \"#';=\\n\\ $x"

    @pytest.fixture(params=["mariadb"])
    def database_kind(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def test_a_client_that_is_missing_is_named_with_its_package(self, place: Place) -> None:
        said = place.refusal("backup", str(place.backup), PATH="/nowhere")
        assert "mariadb-client" in said
        assert not place.backup.exists()

    def test_the_password_stands_in_a_private_file_and_in_no_argument(
        self, place: Place, mariadb: MariaDB, tmp_path: Path
    ) -> None:
        user = f"u_{place.name[-8:]}"
        mariadb.query(f"CREATE USER '{user}'@'%%' IDENTIFIED BY %s", self.PASSWORD)
        mariadb.query(f"GRANT ALL ON `{place.name}`.* TO '{user}'@'%%'")
        seen, real = tmp_path / "seen", shutil.which("mariadb-dump")
        (tmp_path / "bin").mkdir()
        spy = tmp_path / "bin" / "mariadb-dump"
        spy.write_text(
            f'#!/bin/sh\necho "$@" >> {seen}\n'
            f'case $1 in --defaults-file=*) stat -c %a "${{1#*=}}" >> {seen};; esac\nexec {real} "$@"\n'
        )
        spy.chmod(0o755)
        named = {
            URI: "",
            "MESSENGER_DB_HOST": f"{LOOPBACK}:{mariadb.port}",
            "MESSENGER_DB_NAME": place.name,
            "MESSENGER_DB_USER": user,
            "MESSENGER_DB_PASS": self.PASSWORD,
            "PATH": f"{spy.parent}:{os.environ['PATH']}",
        }
        place.cli.ok("backup", str(place.backup), **named)
        assert "--defaults-file=" in seen.read_text()
        assert self.PASSWORD not in seen.read_text()
        assert "\n600\n" in seen.read_text()
        place.cli.ok("restore", str(place.backup), "--replace", place.name, **named)
        mariadb.query(f"DROP USER '{user}'@'%%'")

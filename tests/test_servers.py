"""The frame of the tests keeps its own promises: servers start, survive and go, the network is closed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.processes import ServerProcess, program
from tests.servers import LOOPBACK, ROOT, MariaDB, ProductServer, ServerError, free_port, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.server

PUBLIC_ADDRESS = ("192.0.2.1", 80)  # set aside for documentation (RFC 5737): nobody answers there


def test_a_free_port_can_be_listened_on() -> None:
    with socket.create_server((LOOPBACK, free_port())) as server:
        assert server.getsockname()[0] == LOOPBACK


def test_waiting_returns_what_was_waited_for() -> None:
    answers = iter(["", "", "ready"])
    assert wait_for(lambda: next(answers), 5, "an answer") == "ready"


def test_waiting_in_vain_says_for_what_and_how_long() -> None:
    with pytest.raises(TimeoutError, match=r"waited 0\.05 s for a miracle; the last answer was 0"):
        wait_for(lambda: 0, 0.05, "a miracle")


def test_a_missing_program_is_named_with_what_helps() -> None:
    with pytest.raises(ServerError, match="no-such-program is not installed; scripts/system-packages"):
        program("no-such-program")


def test_a_server_that_ends_at_once_is_reported_with_its_output(tmp_path: Path) -> None:
    server = ServerProcess([sys.executable, "-c", "print('the reason')"], tmp_path / "log")
    with pytest.raises(ServerError, match="did not start:\nthe reason"):
        server.wait_until(lambda: False)


def listener(port: int) -> str:
    """A shell command that listens on a port; an open port is a sign of life that no dead process gives."""
    return f"'{sys.executable}' -m http.server --bind {LOOPBACK} {port}"


def test_killing_a_server_takes_its_workers_along(tmp_path: Path) -> None:
    port = free_port()
    server = ServerProcess(["/bin/sh", "-c", f"{listener(port)} & wait"], tmp_path / "log")
    server.wait_until(lambda: is_open(port))

    server.kill()

    assert not is_open(port)
    with pytest.raises(ProcessLookupError):  # not even a zombie
        os.killpg(server.pid, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_server_does_not_outlive_the_tests_that_started_it(tmp_path: Path) -> None:
    port = free_port()
    program = f"""
        import os, pathlib, signal
        from tests.processes import ServerProcess
        from tests.test_servers import is_open, listener
        log = pathlib.Path({str(tmp_path / "log")!r})
        server = ServerProcess(["/bin/sh", "-c", "exec " + listener({port})], log)
        server.wait_until(lambda: is_open({port}))
        print(server.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    tests = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    assert tests.returncode == -signal.SIGKILL
    try:
        wait_for(lambda: not is_open(port), 5, "the server to be gone")
    except TimeoutError:
        os.kill(int(tests.stdout), signal.SIGKILL)
        raise


def test_mariadb_keeps_an_emoji_as_it_was(mariadb: MariaDB) -> None:
    mariadb.create_database("emoji")
    engine = create_engine(mariadb.uri("emoji"), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE note (body VARCHAR(9))"))
        connection.execute(text("INSERT INTO note VALUES (:body)"), {"body": "ok 👩‍🚀"})
        kept = connection.execute(text("SELECT body, length(body) FROM note")).one()
    mariadb.drop_database("emoji")
    assert tuple(kept) == ("ok 👩‍🚀", len("ok 👩‍🚀".encode()))


def test_a_database_that_a_test_left_locked_is_an_error_and_no_wait_without_end(mariadb: MariaDB) -> None:
    mariadb.create_database("locked")
    mariadb.query("CREATE TABLE note (body VARCHAR(9))", database="locked")
    engine = create_engine(mariadb.uri("locked"), poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT * FROM note"))
        with pytest.raises(Exception, match="Lock wait timeout exceeded"):
            mariadb.drop_database("locked", patience=1)
    mariadb.drop_database("locked")


@pytest.mark.server
def test_mariadb_keeps_what_was_committed_when_it_is_killed_and_is_gone_when_stopped() -> None:
    with MariaDB() as server:
        server.create_database("kept")
        server.query("CREATE TABLE note (body VARCHAR(9))", database="kept")
        server.query("INSERT INTO note VALUES (%s)", "here", database="kept")
        server.kill()
        assert not is_open(server.port)

        server.restart()

        assert server.query("SELECT body FROM note", database="kept") == [("here",)]
        server.stop()
        assert not is_open(server.port)
        folder = server.folder
    assert not folder.exists()


def test_the_product_starts_again_in_its_folder_when_it_was_killed_and_is_gone_when_stopped(
    product_server: Callable[..., ProductServer],
) -> None:
    server = product_server()
    database = server.folder / "instance" / "messenger.sqlite3"
    made = database.stat().st_ino
    server.kill()
    assert not is_open(server.port)

    server.restart()

    assert is_open(server.port)
    assert database.stat().st_ino == made
    server.stop()
    assert not is_open(server.port)
    assert server.log().count(f"{server.url}/api.php") == 2, "once for each start"


def test_a_product_that_refuses_to_start_is_reported_with_its_reason(
    product_server: Callable[..., ProductServer],
) -> None:
    with pytest.raises(ServerError, match="NO_SUCH_KEY"):
        product_server(MESSENGER_NO_SUCH_KEY="1")


@pytest.mark.parametrize("turn", ["first", "second"])
def test_every_test_has_an_empty_database_of_its_own(database_uri: str, turn: str) -> None:
    engine = create_engine(database_uri, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE note (body VARCHAR(9))"))


def test_the_browser_shows_pages_of_this_machine_and_no_others(browser: Browser) -> None:
    with page_served("<title>here</title>") as port, closing(browser.new_context()) as context:
        page = context.new_page()
        page.goto(f"http://{LOOPBACK}:{port}/")
        assert page.title() == "here"
        with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
            page.goto("http://{}:{}/".format(*PUBLIC_ADDRESS))


def connect(address: tuple[str, int]) -> None:
    with socket.socket() as client:
        client.connect(address)


def connect_ex(address: tuple[str, int]) -> None:
    with socket.socket() as client:
        client.connect_ex(address)


def create_connection(address: tuple[str, int]) -> None:
    with socket.create_connection(("example.org", address[1])):
        pass


@pytest.mark.parametrize("reach", [connect, connect_ex, create_connection])
def test_no_test_reaches_another_machine(reach: Callable[[tuple[str, int]], None]) -> None:
    with pytest.raises(RuntimeError, match=r"nothing but the loopback address; this one tried (192|example)"):
        reach(PUBLIC_ADDRESS)


FILES = {
    "test_whole_file.py": "pytest.skip('as a file', allow_module_level=True)",
    "test_it.py": """
        import os

        @pytest.mark.skip(reason="by a mark")
        def test_marked(): pass

        def test_calling(): pytest.skip("by a call")

        @pytest.fixture
        def tired(): pytest.skip("in a fixture")
        def test_tired(tired): pass

        @pytest.mark.xfail
        def test_expected_to_fail(): assert False

        def test_settings(): assert "MESSENGER_LOG_LEVEL" not in os.environ

        @pytest.fixture
        def mine(mariadb): pass
        def test_database(mine): pass

        def test_browser(browser): pass

        def test_product(product_server): pass
    """,
}


def run_pytest(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A quick run of pytest by itself, with this frame and the files above."""
    for name, body in FILES.items():
        (folder / name).write_text(f"import pytest\n{textwrap.dedent(body)}\n")
    machine = {key: value for key, value in os.environ.items() if key != "CI"}
    frame = [f"-c{ROOT / 'setup.cfg'}", f"--rootdir={folder}", "-ptests.conftest", "-pno:cacheprovider"]
    quick = ["-m", "not server", "--continue-on-collection-errors"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *frame, *quick, str(folder)],
        cwd=folder,
        env={**machine, "PYTHONPATH": str(ROOT), "MESSENGER_LOG_LEVEL": "debug", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def run_at_home(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    return run_pytest(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module", params=["CI=true", "MESSENGER_NO_SKIPS=1"])
def run_in_full(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> subprocess.CompletedProcess[str]:
    name, _, value = request.param.partition("=")
    return run_pytest(tmp_path_factory.mktemp("full"), **{name: value})


@pytest.mark.parametrize("how", ["as a file", "by a mark", "by a call", "in a fixture"])
def test_a_skipped_test_is_a_failed_one_where_every_test_must_run(
    run_in_full: subprocess.CompletedProcess[str], how: str
) -> None:
    printed = run_in_full.stdout.replace("Skipped: ", "")
    assert f"Skipped where every test must run (CI or MESSENGER_NO_SKIPS): {how}" in printed
    assert run_in_full.returncode == pytest.ExitCode.TESTS_FAILED


def test_no_other_test_fails_for_that(run_in_full: subprocess.CompletedProcess[str]) -> None:
    assert "= 1 failed, 1 passed, 3 deselected, 1 xfailed, 3 errors in " in run_in_full.stdout


def test_skipping_is_allowed_at_home(run_at_home: subprocess.CompletedProcess[str]) -> None:
    assert run_at_home.returncode == pytest.ExitCode.OK


def test_a_quick_run_leaves_out_servers_and_tests_do_not_see_the_settings_of_the_shell(
    run_at_home: subprocess.CompletedProcess[str],
) -> None:
    assert "= 1 passed, 4 skipped, 3 deselected, 1 xfailed in " in run_at_home.stdout


def is_open(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((LOOPBACK, port)) == 0


@contextmanager
def page_served(html: str) -> Iterator[int]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
            """Quiet."""

    with ThreadingHTTPServer((LOOPBACK, 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()

"""What every test gets: servers on demand, a closed network, and no skips where all must run."""

from __future__ import annotations

import gc
import ipaddress
import os
import shutil
import socket
import sys
import tempfile
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import hypothesis
import pytest
import structlog
from sqlalchemy import NullPool, create_engine

from messenger_api.storage.models import Base
from tests.compiled import build_addresses_when_asked, read_addresses_once, share_compiled
from tests.product import Product, make_tables
from tests.servers import MariaDB, ProductServer, open_browser
from tests.whole_log import WholeLog, follow

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A test that uses one of these, through other fixtures too, is marked `server`.
SERVER_FIXTURES = {"mariadb", "own_mariadb", "browser", "product_server", "cluster"}

IN_CI = os.environ.get("CI", "").lower() in {"true", "1"}
EVERY_TEST_MUST_RUN = IN_CI or os.environ.get("MESSENGER_NO_SKIPS") == "1"

# CI tries the same inputs for the same code, so that it never fails for what an earlier change brought;
# `make fuzz` and every run by hand try others each time.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, max_examples=200)
hypothesis.settings.register_profile("fuzz", deadline=None, max_examples=2_000, print_blob=True)
hypothesis.settings.register_profile("dev", deadline=None, max_examples=40)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=5)
hypothesis.settings.load_profile("ci" if IN_CI else "dev")

PRODUCT_DATABASE = "product"

# SQLAlchemy's names of the drivers, by the kind of database that a test may ask for.
DRIVERS = {"mariadb": "pymysql", "mariadb-mysqlclient": "mysqldb"}

# For `pytestmark` of modules that shall run with mysqlclient too, the extra `mysql-fast`.
WITH_EVERY_DRIVER = pytest.mark.parametrize(
    "database_kind",
    ["sqlite", *(pytest.param(kind, marks=pytest.mark.server) for kind in DRIVERS)],
    indirect=True,
)
THE_LOG = WholeLog()

# The test that runs now, if it is one that starts no process.
QUICK_TEST: list[str] = []
STARTS_A_PROCESS = {"subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty", "os.system"}

# A run holds a gigabyte of files at a time.
ENOUGH_MEMORY = 4 * 1024**3

# Folders whose tests run the same lines for any input and in any order. To trace them doubles their time, and
# the gate of `make test` asks that the others reach the lines.
UNTRACED = {"faults", "properties", "races", "trust"}
HERE = Path(__file__).parent

AnyReport = TypeVar("AnyReport", pytest.TestReport, pytest.CollectReport)


def pytest_configure() -> None:
    """Tests see the product's defaults, whatever the shell that started them says."""
    for key in [key for key in os.environ if key.startswith("MESSENGER_")]:
        del os.environ[key]
    # Every product's first connection by PyMySQL reads all of the machine's certificates: 30 ms for nothing,
    # since no test speaks with a server that has one of theirs.
    os.environ["SSL_CERT_FILE"] = os.devnull
    os.environ.pop("SSL_CERT_DIR", None)
    # Rings of objects are looked for seldom: a tenth of a run's time.
    gc.set_threshold(50_000)
    _use_memory_for_files()


def _use_memory_for_files() -> None:
    """Keep temporary files in memory, where a flush takes no time, unless `TMPDIR` says where."""
    memory = Path("/dev/shm")
    if "TMPDIR" not in os.environ and memory.is_dir() and shutil.disk_usage(memory).free > ENOUGH_MEMORY:
        os.environ["TMPDIR"] = tempfile.tempdir = str(memory)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if SERVER_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.server)
        if UNTRACED.intersection(item.path.parts) and item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.no_cover)


def pytest_collection_finish() -> None:
    """Rings of objects are not looked for among what is loaded."""
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Look for what was never closed once: pytest does so twice, which takes seconds after so many tests."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _failed_if_skipped((yield))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _failed_if_skipped((yield))


def _failed_if_skipped(report: AnyReport) -> AnyReport:
    expected_to_fail = hasattr(report, "wasxfail")
    if EVERY_TEST_MUST_RUN and report.skipped and not expected_to_fail:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"Skipped where every test must run (CI or MESSENGER_NO_SKIPS): {reason}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """In CI, say which files take the time."""
    if not IN_CI:
        return
    seconds: defaultdict[str, float] = defaultdict(float)
    tests: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                file = report.nodeid.partition("::")[0]
                seconds[file] += report.duration
                tests[file] += report.when == "call"
    terminalreporter.section("seconds, tests and file")
    for file, spent in sorted(seconds.items(), key=lambda pair: -pair[1]):
        terminalreporter.write_line(f"{spent:8.1f} {tests[file]:5} {file}")


class ProcessStartedError(RuntimeError):
    """A test that is not marked `server` started a process."""


def _keep_quick_tests_quick(event: str, _: tuple[Any, ...]) -> None:
    """Python tells of every process before it starts. `make test-quick` is for tests that start none."""
    if QUICK_TEST and event in STARTS_A_PROCESS:
        raise ProcessStartedError(f"{event}: mark {QUICK_TEST[0]} with pytest.mark.server")


sys.addaudithook(_keep_quick_tests_quick)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool | None, bool | None]:
    """Say which test runs, if it is one of those that start no process."""
    if item.get_closest_marker("server") is None:
        QUICK_TEST.append(item.nodeid)
    try:
        return (yield)
    finally:
        QUICK_TEST.clear()


class NetworkClosedError(RuntimeError):
    """A test reached for another machine. No OSError, so that no retry in the product swallows it."""


def _only_loopback(call: Callable[..., Any], host_of: Callable[..., object]) -> Callable[..., Any]:
    def guarded(*args: Any, **kwargs: Any) -> Any:
        host = host_of(*args)
        if not _is_loopback(host):
            raise NetworkClosedError(f"tests reach nothing but the loopback address; this one tried {host}")
        return call(*args, **kwargs)

    return guarded


def _is_loopback(host: object) -> bool:
    if host in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


def _host_of_address(_socket: socket.socket, address: object) -> object:
    return address[0] if isinstance(address, tuple) else None  # a path: a socket of this machine


def _host_looked_up(host: object, *_: object) -> object:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else host


@pytest.fixture(scope="session", autouse=True)
def closed_network() -> Iterator[None]:
    """This process speaks with itself and its servers alone."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _only_loopback(getattr(socket.socket, name), _host_of_address))
        patch.setattr(socket, "getaddrinfo", _only_loopback(socket.getaddrinfo, _host_looked_up))
        yield


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """No test compiles the statements and addresses that the test before it compiled (tests/compiled.py)."""
    with pytest.MonkeyPatch.context() as patch:
        share_compiled(patch)
        build_addresses_when_asked(patch)
        read_addresses_once(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def whole_log() -> Iterator[WholeLog]:
    """Reads every line that the product logs in this run; at its end, no secret may have been among them."""
    with pytest.MonkeyPatch.context() as patch:
        follow(patch, THE_LOG)
        yield THE_LOG
    assert THE_LOG.found == []


@pytest.fixture(autouse=True)
def log_as_it_was(request: pytest.FixtureRequest) -> Iterator[None]:
    """What one test configures, another does not meet."""
    THE_LOG.begin(request.node.nodeid)
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """One MariaDB for the whole run. A test that stops or kills a server makes a `MariaDB()` of its own."""
    with MariaDB() as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole run; a test opens its pages in a `new_context()` of its own."""
    with open_browser() as chromium:
        yield chromium


@pytest.fixture
def product_server(tmp_path: Path) -> Iterator[Callable[..., ProductServer]]:
    """Starts the product with the given `MESSENGER_*` keys, as often as asked, in one folder."""
    started: list[ProductServer] = []
    with ExitStack() as servers:

        def start(**environment: str) -> ProductServer:
            started.append(servers.enter_context(ProductServer(tmp_path, environment)))
            return started[-1]

        yield start
    for server in started:
        THE_LOG.read_server(server.log(), tmp_path)


@pytest.fixture
def new_database(mariadb: MariaDB) -> Iterator[Callable[[], str]]:
    """Makes MariaDB databases without tables, as often as asked; returns their names."""
    names: list[str] = []

    def make() -> str:
        names.append(f"test_{uuid.uuid4().hex[:12]}")
        mariadb.create_database(names[-1])
        return names[-1]

    yield make
    for name in names:
        mariadb.drop_database(name)


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.server)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """A test that needs a database runs once with SQLite and once with MariaDB."""
    return str(request.param)


@pytest.fixture(params=DRIVERS.values())
def mysql_driver(request: pytest.FixtureRequest) -> str:
    """A test of what drivers do differently runs with each of them."""
    return str(request.param)


@pytest.fixture
def database_uri(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a new database without tables."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'messenger.sqlite3'}"
        return
    server: MariaDB = request.getfixturevalue("mariadb")
    name = f"test_{uuid.uuid4().hex[:12]}"
    server.create_database(name)
    yield server.uri(name, DRIVERS[database_kind])
    server.drop_database(name)


@pytest.fixture
def product_uri(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with the product's tables, all empty.

    On MariaDB it is one database for the whole run, since making tables there costs more than most tests.
    """
    if database_kind == "sqlite":
        return f"sqlite:///{tmp_path / 'messenger.sqlite3'}"
    server: MariaDB = request.getfixturevalue("mariadb")
    if not server.query("SHOW DATABASES LIKE %s", PRODUCT_DATABASE):
        server.create_database(PRODUCT_DATABASE)
    uri = server.uri(PRODUCT_DATABASE, DRIVERS[database_kind])
    engine = create_engine(uri, poolclass=NullPool)
    make_tables(engine)
    server.run([f"DELETE FROM {table}" for table in reversed(Base.metadata.sorted_tables)], PRODUCT_DATABASE)
    return uri


@pytest.fixture
def product(product_uri: str, tmp_path: Path) -> Iterator[Product]:
    """The product on an empty database, once with SQLite and once with MariaDB."""
    instance = Product(product_uri, tmp_path)
    yield instance
    instance.close()


@pytest.fixture
def make_product(product_uri: str, tmp_path: Path) -> Iterator[Callable[..., Product]]:
    """Makes the product with settings of the test's own."""
    made: list[Product] = []

    def make(**settings: object) -> Product:
        made.append(Product(product_uri, tmp_path, **settings))
        return made[-1]

    yield make
    for instance in made:
        instance.close()

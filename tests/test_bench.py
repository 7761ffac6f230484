"""The benchmark works: every op is driven, and what its cases ask for is answered rightly."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from sqlalchemy import select

from benchmarks import anywhere, programs, report, versions
from benchmarks.cases import CASES, call, covered
from benchmarks.databases import OnSQLite
from benchmarks.dataset import Dataset, Size
from benchmarks.programs import Program
from benchmarks.report import Results, drops
from benchmarks.reset import reset, sandbox_file
from benchmarks.run import Row
from benchmarks.versions import Cost
from messenger_api.ops import OPERATIONS
from messenger_api.storage import facts
from messenger_api.storage.models import Session, User
from messenger_api.storage.news import noted_to
from tests.servers import ROOT


def test_every_op_is_measured() -> None:
    assert set(covered()) == set(OPERATIONS)


@pytest.mark.server
def test_a_tiny_run_measures_every_case_and_the_plain_way_without_an_error() -> None:
    rows, printed = tiny_run("sqlite", "--plain")
    assert [row.name for row in rows] == [case.name for case in CASES]
    for row in rows:
        assert row.name in printed
        assert row.errors == 0, row
        assert row.rate > 0, row
        assert row.memory > 0, row
    assert {row.name for row in rows if not row.statements} == {"no op", "loginui"}
    plain = {row.name for row in rows if (row.plain or 0) > 0}
    assert plain == {case.name for case in CASES if case.plain}
    assert len(plain) == 5
    assert "plain Y" in printed
    assert report.machine() in printed


@pytest.mark.server
def test_the_first_table_on_mariadb_is_measured_with_mysqlclient_too() -> None:
    chosen = ["--only", "unknown token", "--only", "login, step two"]
    (first, other), printed = tiny_run("mariadb", "--fast", *chosen)
    assert (first.name, first.errors, other.fast, other.fast_cpu) == ("unknown token", 0, None, None)
    assert (first.fast or 0) > 0
    table, others = (block.splitlines() for block in printed.split("\n\n")[2:4])
    heads, cells = (re.split(r"  +", line.strip()) for line in table[:2])
    # The file rounds to four digits, what is printed to three.
    assert float(cells[heads.index("fast Y")]) == pytest.approx(first.fast, abs=0.0006)
    assert "fast Y" not in others[0], "a column with nothing in it is left out"


@pytest.mark.server
@pytest.mark.parametrize("encoding", ["json", "form"])
def test_any_private_api_is_driven_at_its_url_with_tokens_and_left_as_it_was(
    strange_api: tuple[Dataset, Program, Path], encoding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data, product, tokens = strange_api
    pid = product.process.pid if product.process else 0
    url, options = f"{product.url}/api.php", ["--seconds", "0", "--rounds", "1", "--pid", str(pid)]
    target, before = anywhere.Target(url), []
    for token in tokens.read_text().split():
        target.answer(call("profile", token, name="Ana"))
        before.append(anywhere.caller(target, token))
    more = ["--writes"] if encoding == "json" else ["--form"]
    assert anywhere.main([url, str(tokens), *options, *more]) == 0
    head, *lines = capsys.readouterr().out.strip().splitlines()
    assert head == f"{url}: 2 callers, 8 connections; load from {report.machine()}"
    rows = {line.split("  ")[0]: line.split() for line in lines[2:]}
    wanted = [case.name for case in anywhere.CASES if encoding == "json" or not case.writes]
    assert list(rows) == wanted
    assert all(float(cells[-3]) > 0 for cells in rows.values()), "processor time"
    after = [anywhere.caller(target, who.token) for who in before]
    assert [(who.name, who.gid, len(who.friends)) for who in after] == [
        ("Ana", data.gid(uid, 0), data.size.matched) for uid in data.callers[:2]
    ]


@pytest.mark.server
def test_an_api_that_answers_wrongly_fails_the_run(
    strange_api: tuple[Dataset, Program, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _data, product, tokens = strange_api
    options = ["--seconds", "0", "--rounds", "1"]
    assert anywhere.main([f"{product.url}/healthz", str(tokens), *options, "--only", "no op"]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("no op")
    nobody = tmp_path / "nobody"
    nobody.write_text("a-token-of-nobody")
    with pytest.raises(SystemExit, match="does not know a token that ends in body"):
        anywhere.main([f"{product.url}/api.php", str(nobody), *options])


@pytest.fixture(scope="module")
def strange_api() -> Iterator[tuple[Dataset, Program, Path]]:
    """The product, with a data set whose first two callers' tokens stand in a file."""
    with TemporaryDirectory(prefix="bench-") as name, ExitStack() as stack:
        folder, data = Path(name), Dataset(replace(Size.small(), photos=0))
        database = stack.enter_context(closing(OnSQLite(data, folder)))
        database.fill()
        reset(database)
        sandbox_file(data, database.folder, folder / "mesibo")
        sandbox = stack.enter_context(programs.sandbox(folder / "mesibo", folder / "s"))
        product = stack.enter_context(programs.product(database.uri, sandbox, folder / "p", 1))
        tokens = folder / "tokens"
        tokens.write_text("\n".join(map(data.token, data.callers[:2])))
        yield data, product, tokens


@pytest.mark.server
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="versions are compared where git has them")
def test_a_version_of_the_repository_is_compared_with_the_working_tree() -> None:
    chosen = ["HEAD", "--small", "--only", "profile, a new name"]
    command = [sys.executable, "-m", "benchmarks.versions", *chosen]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    machine, _empty, head, _line, row, _blank, over = done.stdout.strip().splitlines()
    assert machine == report.machine()
    assert "HEAD" in head
    _, call, calls, before, now, ratio, *_ = (cell.strip(" *") for cell in row.split("|"))
    assert (call, calls) == ("profile, a new name", "16")
    assert all(float(figure) > 0 for cost in (before, now) for figure in cost.split("+"))
    assert float(ratio) > 0
    assert over.startswith("over 1.05: ")


def test_what_costs_more_than_noise_is_listed() -> None:
    same = versions.Compared("same", 1, [Cost(2.0, 1.0)] * 3, [Cost(1.0, 2.1)] * 3, [])
    more = versions.Compared("more", 1, [Cost(2.0, 1.0)] * 3, [Cost(9, 9), Cost(2.2, 1), Cost(2.2, 1)], [])
    assert versions.table(("v1", "tree"), [same, more]).splitlines()[2:] == [
        "| same | 1 | 2.000 + 1.000 | 1.000 + 2.100 | 1.03 | 1.03 to 1.03 |",
        "| more | 1 | 2.000 + 1.000 | 2.200 + 1.000 | **1.07** | 1.07 to 6.00 |",
        "",
        "over 1.05: more (1.07)",
    ]


@pytest.mark.server
def test_growth_is_the_tree_beside_itself_with_ten_times_the_users() -> None:
    chosen = ["--grown", "--small", "--only", "unknown token", "--only", "setgroup"]
    command = [sys.executable, "-m", "benchmarks.versions", *chosen]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    _machine, _empty, head, _line, *rows, _blank, over = done.stdout.strip().splitlines()
    assert "| 300 users: server + db | 3,000 users: server + db |" in head
    assert [row.split(" | ")[0] for row in rows] == ["| unknown token", "| setgroup, a new group"]
    assert over.startswith("over 1.1: ")


def test_the_data_set_is_an_installation_at_work(tmp_path: Path) -> None:
    """Each account has a session, and everybody was told of everything."""
    data = Dataset(replace(Size.small(), photos=0))
    with closing(OnSQLite(data, tmp_path)) as database:
        database.fill()
        for _ in range(2):
            reset(database)
            with database.engine.connect() as connection:
                found = connection.execute(select(Session.uid).order_by(Session.uid)).scalars().all()
                untold = connection.execute(select(User.uid).where(User.news_at < User.changed_at)).all()
                place = noted_to(facts.read(connection, facts.NEWS))
                later = connection.execute(select(User.uid).where(User.changed_at > place)).all()
            assert found == list(range(1, data.size.users + 1))
            assert (untold, later) == ([], [])


@pytest.mark.server
def test_what_a_line_costs_is_told_of_each_call() -> None:
    chosen = ["--line", "self._observe(", "--line", "counted_op =", "--small", "--only", "no op"]
    command = [sys.executable, "-m", "benchmarks.versions", *chosen]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "20 more: server + db" in done.stdout
    assert re.search(r"^\| no op \| -?[0-9.]+ \| -?[0-9.]+% \|$", done.stdout, re.MULTILINE)


def test_a_line_that_is_repeated_costs_its_share() -> None:
    one = versions.Compared("one", 1, [Cost(0.06, 0.0)] * 3, [Cost(0.05, 0.0)] * 3, [])
    assert versions.costs_of_lines([one]).splitlines()[2] == "| one | 0.50 | 1.0% |"


def test_what_is_compared_are_cases_of_the_benchmark() -> None:
    assert versions.CALLS.keys() <= {case.name for case in CASES}


def tiny_run(database: str, *chosen: str) -> tuple[list[Row], str]:
    """What a run on one database found, and what it printed."""
    # Not in pytest's folder, whose long name leaves MariaDB's socket no room.
    with TemporaryDirectory(prefix="bench-") as folder:
        output = Path(folder) / "figures.json"
        places = ["--data", folder, "--output", str(output)]
        command = [sys.executable, "-m", "benchmarks", "--small", "--database", database, *chosen, *places]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return msgspec.json.decode(output.read_bytes(), type=Results).databases[database], done.stdout


def test_only_a_drop_beyond_noise_is_shown() -> None:
    before = msgspec.json.decode(_results(0.100), type=Results)
    assert drops(msgspec.json.decode(_results(0.090), type=Results), before) == []
    assert drops(msgspec.json.decode(_results(0.080), type=Results), before) == [
        "mariadb, a call: 0.080 Y, was 0.100 Y (-20%)"
    ]


def _results(ratio: float) -> bytes:
    rates = ("yardstick", "rate", "p50", "p99", "cpu", "database_cpu", "cpu_ratio", "reach", "aim")
    figures = dict.fromkeys((*rates, "bytes", "memory", "shared_memory"), 1.0)
    counts = dict.fromkeys(("errors", "statements", "control", "left_in_outbox"), 0)
    nothing = dict.fromkeys(("replay", "replay_alone", "share"))
    row = {"name": "a call", "op": "", "wrong": "", "ratio": ratio, **figures, **counts, **nothing}
    head = {"taken_at": "", "machine": "", "users": 1, "rows": 1}
    return msgspec.json.encode({**head, "databases": {"mariadb": [row]}})

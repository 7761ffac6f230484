"""The files of deploy/ that start the product: units of systemd, the image, and what compose puts around it.

Neither systemd nor Docker is started: what they would run is run here, and what they would read is judged.
"""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import click
import msgspec
import pytest

from messenger_api.cli import main
from messenger_api.settings import Settings
from tests.processes import LOOPBACK, ServerProcess, free_port, program

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
UNITS = ["messenger-api.service", "messenger-api-worker.service", "messenger-api-backup.service"]
TIMER = "messenger-api-backup.timer"
# Of 10: what systemd-analyze calls OK.
MOST_EXPOSED = 1.5
DOCKERFILE = DEPLOY / "Dockerfile"


def command_line(words: list[str]) -> click.Context:
    """`messenger-api` with these words, as click reads them; nothing is run. Raises click.UsageError."""
    command: click.Command = main
    while isinstance(command, click.Group):
        _, found, words = command.resolve_command(click.Context(command), list(words))
        assert found
        command = found
    return command.make_context(command.name, list(words))


# Units


def unit(name: str) -> configparser.ConfigParser:
    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str  # type: ignore[assignment, method-assign]
    read.read(DEPLOY / name)
    return read


def words_of(line: str) -> list[str]:
    """A command of a unit as systemd reads it: two of its own signs are one of the command's."""
    return shlex.split(line.replace("$$", "$").replace("%%", "%"))


@pytest.mark.server
@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_hardened_as_systemd_judges_it(name: str) -> None:
    judge = [program("systemd-analyze"), "security", "--offline=true", "--no-pager"]
    threshold = f"--threshold={MOST_EXPOSED * 10:.0f}"
    judged = subprocess.run([*judge, threshold, DEPLOY / name], capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert re.search(rf"Overall exposure level for {re.escape(name)}: \d", judged.stdout)
    # It complains of lines that it does not know, and passes them over.
    assert judged.stderr == ""


@pytest.mark.server
@pytest.mark.parametrize("name", [*UNITS, TIMER])
def test_systemd_understands_every_line_of_a_unit(name: str, tmp_path: Path) -> None:
    for path in (DEPLOY / each for each in [*UNITS, TIMER]):
        text = re.sub(r"^(ExecStart=)\S+", rf"\1{shutil.which('true')}", path.read_text(), flags=re.M)
        (tmp_path / path.name).write_text(text)
    known = "mariadb.service|mysql.service|redis-server.service"
    judged = subprocess.run(
        [program("systemd-analyze"), "verify", "--man=no", "--recursive-errors=no", tmp_path / name],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in judged.stderr.splitlines() if name in line and not re.search(known, line)]
    assert said == []


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_runs_a_command_that_there_is_in_the_folder_of_the_configuration(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / "passphrase").write_text("correct horse battery")
    service = unit(name)["Service"]
    program, *words = words_of(service["ExecStart"])
    if program == "/bin/sh":
        command = words[1].replace("/etc/messenger-api/backup.passphrase", f"{tmp_path}/passphrase")
        program, *words = words_of(command.removeprefix("exec "))
    assert program == f"{service['WorkingDirectory']}/.venv/bin/messenger-api"
    assert command_line(words)


def test_the_units_harden_alike_and_let_the_folders_of_a_plain_configuration_be_written() -> None:
    server, worker, backup = (dict(unit(name)["Service"]) for name in UNITS)

    def different(other: dict[str, str]) -> set[str]:
        return {key for key in server | other if server.get(key) != other.get(key)}

    assert different(worker) == {"ExecStart", "LimitNOFILE"}
    of_one_run = {"Type", "ExecStart", "ExecStartPost", "ReadWritePaths"}
    assert different(backup) == of_one_run | {"LimitNOFILE", "Restart", "RestartSec", "TimeoutStopSec"}
    assert backup["ReadWritePaths"] == f"/var/backups/messenger {server['ReadWritePaths']}"
    for name in ("uploads", "instance"):
        assert f"{server['WorkingDirectory']}/{name}" in server["ReadWritePaths"]
    plain = Settings()
    assert (plain.files_path, plain.instance_path) == ("uploads", "instance")


@pytest.mark.server
def test_backups_of_the_timer_go_after_two_weeks_and_no_others(tmp_path: Path) -> None:
    days = {
        "2026-11-01-032000": 20,
        ".2026-11-02-032000.part": 19,
        "before-upgrade": 90,
        "2026-11-20-032000": 13,
    }
    for name, age in days.items():
        (tmp_path / name / "files").mkdir(parents=True)
        os.utime(tmp_path / name, times=(time.time() - age * 86_400,) * 2)
    words = words_of(unit("messenger-api-backup.service")["Service"]["ExecStartPost"])
    subprocess.run(
        [str(tmp_path) if word == "/var/backups/messenger" else word for word in words], check=True
    )
    assert {path.name for path in tmp_path.iterdir()} == {"before-upgrade", "2026-11-20-032000"}


# The image


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile and their arguments, in order."""
    lines = re.sub(r"^#.*\n", "", text, flags=re.M)
    joined = re.sub(r"\\\n\s*", "", lines)
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in joined.splitlines() if line.strip()]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for word, rest in instructions(DOCKERFILE.read_text()):
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found


def last(word: str) -> str:
    """What the image has of this."""
    return [rest for name, rest in stages()[-1] if name == word][-1]


def test_the_image_has_two_stages_of_one_named_version_and_no_builder_in_the_last() -> None:
    bases = [stage[0][1].split()[0] for stage in stages()]
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", bases[0])
    known = {
        "FROM",
        "WORKDIR",
        "COPY",
        "RUN",
        "ENV",
        "VOLUME",
        "USER",
        "EXPOSE",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    }
    assert {word for stage in stages() for word, _ in stage} <= known
    assert not any("pip" in rest for word, rest in stages()[-1] if word == "RUN")


def test_the_image_runs_as_a_user_of_its_own_who_is_made_before() -> None:
    user = last("USER")
    assert user.isdigit()
    assert int(user) > 0
    assert f"--uid {user}" in last("RUN")
    names = [word for word, _ in stages()[-1]]
    assert names.index("USER") > names.index("RUN")


def test_the_image_takes_the_versions_of_the_lock_file() -> None:
    assert "--constraint requirements.lock" in dict(stages()[0])["RUN"]


def test_the_image_starts_the_server_by_a_command_that_there_is() -> None:
    assert json.loads(last("ENTRYPOINT")) == ["messenger-api"]
    found = command_line(json.loads(last("CMD"))).params
    assert (found["host"], str(found["port"])) == ("0.0.0.0", last("EXPOSE"))


@pytest.mark.server
def test_what_the_image_copies_is_a_whole_product_which_its_health_check_finds_well(tmp_path: Path) -> None:
    """As the steps do, without the fetching of packages: those of this environment stand in for them."""
    source, made, data = (tmp_path / name for name in ("src", "made", "data"))
    source.mkdir()
    data.mkdir()
    for word, rest in stages()[0]:
        if word == "COPY":
            *names, _ = rest.split()
            for name in names:
                copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
                copy(ROOT / name, source / name)
    setup = [sys.executable, "-c", "from setuptools import setup; setup()"]
    build = [*setup, "--quiet", "build", "--build-lib", str(made)]
    ran = subprocess.run(build, cwd=source, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    port = free_port()
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MESSENGER_")}
    environment = {
        **clean,
        "PYTHONPATH": str(made),
        "MESSENGER_SANDBOX": "true",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    words = [LOOPBACK if word == "0.0.0.0" else word for word in json.loads(last("CMD"))]
    started = [sys.executable, "-m", "messenger_api", *words, "--port", str(port)]
    server = ServerProcess(started, tmp_path / "log", orphan_signal="TERM", cwd=data, environment=environment)
    try:
        server.wait_until(lambda: is_healthy(port))
        assert (data / "instance").is_dir()
        assert str(made) in where_it_is(environment, data)
    finally:
        server.stop()
    assert not is_healthy(port)


def is_healthy(port: int) -> bool:
    _, _, check = last("HEALTHCHECK").partition("CMD ")
    _, *words = json.loads(check)
    asked = [word.replace(":8080", f":{port}") for word in words]
    return subprocess.run([sys.executable, *asked], capture_output=True, check=False).returncode == 0


def where_it_is(environment: Mapping[str, str], folder: Path) -> str:
    asked = [sys.executable, "-c", "import messenger_api; print(messenger_api.__file__)"]
    return subprocess.run(
        asked, cwd=folder, env=environment, capture_output=True, text=True, check=True
    ).stdout


# Compose


class Condition(msgspec.Struct, forbid_unknown_fields=True):
    """When another service is enough of what is waited for."""

    condition: str


class HealthCheck(msgspec.Struct, forbid_unknown_fields=True):
    """How a service is known to be well."""

    test: list[str] = []
    interval: str = "30s"
    timeout: str = "30s"
    retries: int = 3
    disable: bool = False


class Build(msgspec.Struct, forbid_unknown_fields=True):
    """Of what an image is made."""

    context: str
    dockerfile: str


class Service(msgspec.Struct, forbid_unknown_fields=True):
    """The keys of a service that are in use here, of the Compose Specification."""

    image: str
    networks: list[str]
    restart: str
    security_opt: list[str]
    read_only: bool = False
    build: Build | None = None
    user: str = ""
    command: list[str] = []
    cap_add: list[str] = []
    cap_drop: list[str] = []
    tmpfs: list[str] = []
    env_file: list[str] = []
    environment: dict[str, str] = {}
    ports: list[str] = []
    volumes: list[str] = []
    depends_on: dict[str, Condition] = {}
    healthcheck: HealthCheck | None = None


class Network(msgspec.Struct, forbid_unknown_fields=True):
    """A network between services."""

    internal: bool = False


class Compose(msgspec.Struct):
    """A compose file."""

    name: str
    services: dict[str, Service]
    volumes: dict[str, None]
    networks: dict[str, Network | None]


@pytest.fixture
def compose() -> Compose:
    return msgspec.yaml.decode((DEPLOY / "compose.yaml").read_bytes(), type=Compose)


def test_compose_names_nothing_that_there_is_not(compose: Compose) -> None:
    for service in compose.services.values():
        assert set(service.networks) <= set(compose.networks)
        assert set(service.depends_on) <= set(compose.services)
        for mounted in service.volumes:
            source = mounted.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in compose.volumes
        if service.build:
            assert (DEPLOY / service.build.context / service.build.dockerfile).resolve() == DOCKERFILE
        for name, needed in service.depends_on.items():
            check = compose.services[name].healthcheck
            own = name == "api" or (check is not None and bool(check.test))
            assert needed.condition != "service_healthy" or own


def test_compose_keeps_the_database_inside_and_opens_nothing_but_https(compose: Compose) -> None:
    inside = compose.networks["inside"]
    assert inside
    assert inside.internal
    assert {name: service.ports for name, service in compose.services.items() if service.ports} == {
        "caddy": ["80:80", "443:443"]
    }
    assert compose.services["db"].networks == compose.services["redis"].networks == ["inside"]


def test_compose_lets_our_services_write_to_their_volume_alone_and_gain_no_rights(compose: Compose) -> None:
    for name, service in compose.services.items():
        assert "no-new-privileges:true" in service.security_opt
        if name != "db":
            assert service.read_only
            assert service.cap_drop == ["ALL"]
    assert compose.services["api"].volumes == [f"data:{last('VOLUME')}"]


def test_compose_gives_settings_that_there_are_and_no_secret(compose: Compose) -> None:
    known = {f"MESSENGER_{name.upper()}" for name in Settings.__dataclass_fields__}
    given = compose.services["api"].environment
    assert set(given) <= known
    assert given["MESSENGER_DB_PASS"] == compose.services["db"].environment["MARIADB_PASSWORD"]
    assert given["MESSENGER_DB_PASS"].startswith("${DB_PASS:?")
    assert given["MESSENGER_DB_HOST"] in compose.services
    assert f"//{'redis'}:6379" in given["MESSENGER_REDIS_URL"]
    said = (DEPLOY / "compose.yaml").read_text()
    assert set(re.findall(r"MESSENGER_[A-Z_]+(?==)", said)) <= known


def test_compose_runs_commands_that_there_are(compose: Compose) -> None:
    assert command_line(compose.services["tables"].command).command.name == "upgrade"
    assert compose.services["api"].command == []


def test_compose_has_the_caddyfile_that_the_proxies_are_tested_with() -> None:
    """But for what differs there: name, address, and the buffer's name, new to Debian's Caddy."""
    tested = re.sub(r"\A(#.*\n)+", "", (DEPLOY / "Caddyfile").read_text())
    for old, new in (
        ("chat.example.com {", "{$DOMAIN} {"),
        ("127.0.0.1:8080", "api:8080"),
        (" From Caddy 2.7 on, these two lines are: request_buffers 64KiB\n\t\tbuffer_requests\n", "\n"),
        ("max_buffer_size 64KiB", "request_buffers 64KiB"),
    ):
        assert tested.count(old) == 1
        tested = tested.replace(old, new)
    assert re.sub(r"\A(#.*\n)+", "", (DEPLOY / "compose.Caddyfile").read_text()) == tested

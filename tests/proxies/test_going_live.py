"""README.md, "Going live", is done as it stands: its SQL, settings, commands, the unit's, real proxies.

Left out is what is not this machine's to do: a user and systemd. The sandbox plays mesibo.
"""

from __future__ import annotations

import json
import re
import shlex
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from messenger_api.sandbox.server import APP_TOKEN, SandboxServer
from messenger_api.sandbox.store import SandboxStore
from tests.cli.commands import Process
from tests.processes import LOOPBACK, free_port
from tests.proxies.fronts import Certificates, Front
from tests.servers import ROOT, MariaDB

pytestmark = pytest.mark.server

README = (ROOT / "README.md").read_text()
SECTION = README.split("## Going live\n")[1].split("\n## ")[0]
OURS = "runuser -u messenger-api -- .venv/bin/messenger-api "


def blocks(language: str) -> list[str]:
    """The blocks of the section in a language, as who copies them has them."""
    found = re.findall(rf"^( *)```{language}\n(.*?)```", SECTION, re.M | re.S)
    return [re.sub(rf"^{indent}", "", text, flags=re.M) for indent, text in found]


def commands() -> list[list[str]]:
    """The words of our own commands in the section, in order."""
    lines = "".join(blocks("sh")).splitlines()
    return [shlex.split(line.removeprefix(OURS)) for line in lines if line.startswith(OURS)]


@pytest.fixture
def database() -> Iterator[MariaDB]:
    """A MariaDB in which the statements of the README were run."""
    with MariaDB() as mariadb:
        [statements] = blocks("sql")
        for statement in filter(str.strip, statements.split(";")):
            mariadb.query(statement)
        # It resolves no names here, so that who comes from the loopback address is not localhost.
        mariadb.query("RENAME USER messenger@localhost TO messenger@'127.0.0.1'")
        yield mariadb


@pytest.fixture
def folder(tmp_path: Path, database: MariaDB) -> Path:
    """What is at /srv/messenger-api: the settings of the README, their blanks filled in."""
    [settings] = blocks("python")
    made = settings.replace('SECRET_KEY = "..."', f'SECRET_KEY = "{"k" * 64}"')
    made = made.replace('MESIBO_APP_TOKEN = "..."', f'MESIBO_APP_TOKEN = "{APP_TOKEN}"')
    made = made.replace('"AC...", "..."', f'"AC{"0" * 32}", "{"0" * 32}"')
    (tmp_path / "config.py").write_text(f"{made}DB_PORT = {database.port}\n")
    (tmp_path / "config.py").chmod(0o640)
    for name in ("uploads", "uploads/tn", "instance"):
        assert name in "".join(blocks("sh"))
        (tmp_path / name).mkdir(mode=0o700)
    return tmp_path


def test_the_steps_lead_to_a_server_that_answers_through_caddy_and_nginx(
    folder: Path, front: Callable[..., Front], certificates: Certificates
) -> None:
    port = free_port()
    with SandboxStore(folder / "mesibo.sqlite3") as store, SandboxServer(store) as mesibo:
        environment = {"MESSENGER_MESIBO_API_URL": f"{mesibo.url}/backend"}
        upgrade, check = commands()
        assert run(folder, upgrade, environment).ends() == 0

        unit = (ROOT / "deploy" / "messenger-api.service").read_text()
        [served] = re.findall(r"^ExecStart=\S+/messenger-api (.*)$", unit, re.M)
        server = run(folder, [*shlex.split(served), "--port", str(port)], environment)
        try:
            server.says("The private API answers at")
            for name in ("caddy", "nginx"):
                url = front(name, port).url
                server.wait_until(partial(works, url, certificates))
            examined = run(folder, [*check, "--json"], environment)
            assert examined.ends() == 1  # Twilio and the name are not there
            told = examined.output()
            state = {each["check"]: each["state"] for each in json.loads(told[told.index("[\n") :])}
            for name in (
                "configuration",
                "database",
                "schema",
                "mesibo",
                "files",
                "secret key",
                "config file",
            ):
                assert state[name] == "ok", told
        finally:
            server.stop()


def run(folder: Path, words: list[str], environment: dict[str, str]) -> Process:
    return Process(folder, words, environment)


def works(url: str, certificates: Certificates) -> bool:
    """Whether a call that needs no account is answered through the proxy."""
    context = ssl.create_default_context(cafile=str(certificates.authority))
    port = url.rpartition(":")[2]
    request = urllib.request.Request(f"https://{LOOPBACK}:{port}/api.php", data=b"op=loginui")
    with urllib.request.urlopen(request, timeout=30, context=context) as answer:
        return bool(json.load(answer)["result"] == "OK")

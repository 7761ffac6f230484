"""What holds for every command: help, JSON where something is listed, and faults in a line each."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from pkgutil import iter_modules

import click
import pytest

from messenger_api.cli import commands as found
from messenger_api.cli import main
from messenger_api.configuration import build
from messenger_api.storage.db import open_database
from messenger_api.storage.schema import Schema
from messenger_api.version import VERSION
from tests.cli.commands import Cli
from tests.servers import ROOT


def commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = dict(commands(main))
# One that serves never ends by itself and has tests of its own.
ONE_SHOT = [
    ("check",),
    ("db", "upgrade"),
    ("db", "current"),
    ("users", "list"),
    ("users", "show", "14155550101"),
    ("outbox", "status"),
]
LISTING = [("check",), ("users", "list"), ("users", "show"), ("outbox", "status")]


def test_the_commands_are_those_of_the_interface() -> None:
    leaves = {" ".join(path) for path, command in ALL.items() if not isinstance(command, click.Group)}
    assert leaves >= {
        "serve",
        "worker",
        "check",
        "db upgrade",
        "db current",
        "users list",
        "users show",
        "outbox status",
        "sandbox",
    }


def test_every_file_of_commands_adds_one_without_a_list() -> None:
    files = {module.name for module in iter_modules(found.__path__, f"{found.__name__}.")}
    assert {command.callback.__module__ for command in ALL.values() if command.callback} == files


def test_the_list_of_commands_says_what_each_says_of_itself(cli: Cli) -> None:
    listed = dict(re.findall(r"^  ([\w-]+) +(.+)$", cli.ok("--help").partition("Commands:")[2], re.MULTILINE))
    own = {path[0]: command for path, command in ALL.items() if len(path) == 1}
    assert listed.keys() == own.keys()
    assert all(
        own[name].get_short_help_str(200).startswith(said.rstrip(".")) for name, said in listed.items()
    )


NOBODY = "+14155550199"

# What commands that look need not have, and would wait for: libraries, and rooms of the product.
SERVING = {"flask", "granian", "twilio", "jinja2", "alembic", "PIL", "limits", "urllib3", "prometheus_client"}
SERVING |= {"sqlalchemy.orm", "phonenumbers"}
SERVING |= {f"messenger_api.{room}" for room in ("composition", "mesibo", "outbox", "ops", "transport")}
SERVING |= {f"messenger_api.{room}" for room in ("gateways.sms", "storage.files", "services.record")}


@pytest.mark.server
@pytest.mark.parametrize(
    ("arguments", "spared"),
    [
        (("--help",), {"flask", "sqlalchemy", "alembic", "structlog", "messenger_api.operating"}),
        (("users", "--help"), {"flask", "granian", "twilio"}),
        (("status",), SERVING),
        (("status", "--help"), SERVING),
        (("users", "list"), SERVING),
        (("users", "reports"), SERVING),
        (("users", "export"), SERVING),
        (("groups", "list"), SERVING),
        (("outbox", "status"), SERVING),
        (("sms", "status"), SERVING),
        (("db", "current"), SERVING),
        (("sessions", "list", NOBODY), SERVING - {"phonenumbers"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_command_loads_nothing_that_it_has_no_use_for(
    arguments: tuple[str, ...], spared: set[str], tmp_path: Path
) -> None:
    script = (
        "import atexit, sys; from messenger_api.cli import main\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        "main(sys.argv[1:], standalone_mode=False)"
    )
    uri = f"sqlite:///{tmp_path / 'messenger.sqlite3'}"
    environment = {
        "PYTHONPATH": str(ROOT),
        "MESSENGER_SANDBOX": "true",
        "MESSENGER_SECRET_KEY": "k" * 32,
        "MESSENGER_SQLALCHEMY_DATABASE_URI": uri,
        "MESSENGER_INSTANCE_PATH": str(tmp_path / "instance"),
    }
    Schema(open_database(build(sqlalchemy_database_uri=uri, secret_key="k" * 32))).upgrade()
    ran = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == int(NOBODY in arguments), ran.stderr
    loaded = set(ran.stderr.split())
    assert "click" in loaded
    assert not spared & loaded


@pytest.mark.server
def test_a_server_has_loaded_what_commands_leave_for_later() -> None:
    script = "import sys, messenger_api.composition; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "phonenumbers.phonenumberutil" in ran.stdout.split()


@pytest.mark.parametrize("path", [(), *ALL], ids=" ".join)
def test_every_command_explains_itself(cli: Cli, path: tuple[str, ...]) -> None:
    output = cli.ok(*path, "--help")
    assert output.startswith("Usage:")
    description = output.split("\n\n")[1].strip()
    assert description.endswith(".")


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_option_explains_itself(path: tuple[str, ...]) -> None:
    options = [parameter for parameter in ALL[path].params if isinstance(parameter, click.Option)]
    assert all(option.help for option in options)


@pytest.mark.parametrize("path", LISTING, ids=" ".join)
def test_what_lists_can_print_json(path: tuple[str, ...]) -> None:
    assert any("--json" in parameter.opts for parameter in ALL[path].params)


def test_it_says_its_version(cli: Cli) -> None:
    assert cli.ok("--version") == f"messenger-api, version {VERSION}\n"


@pytest.mark.parametrize("arguments", [*ONE_SHOT, ("serve",), ("worker",), ("sandbox",)], ids=" ".join)
def test_a_wrong_configuration_ends_every_command_with_a_line_for_each_fault(
    cli: Cli, arguments: tuple[str, ...]
) -> None:
    result = cli.run(*arguments, MESSENGER_OTP_LENGTH="4", MESSENGER_NO_SUCH_KEY="x")
    assert result.exit_code == 1
    assert "OTP_LENGTH = 4: accepted is a whole number from 6 to 10" in result.output
    assert "NO_SUCH_KEY: there is no such key" in result.output


@pytest.mark.parametrize(
    "arguments",
    [("users", "block", "14155550123"), ("users", "export", "14155550123"), ("sms", "test", "14155550123")],
    ids=" ".join,
)
def test_a_fault_that_only_shows_in_use_ends_a_command_with_a_sentence(
    cli: Cli, arguments: tuple[str, ...]
) -> None:
    result = cli.run(*arguments, MESSENGER_SMS_PROVIDERS="carrier_pigeon")
    assert result.exit_code == 1
    assert "SMS_PROVIDERS = 'carrier_pigeon'" in result.stderr


@pytest.mark.parametrize("arguments", ONE_SHOT[1:], ids=" ".join)
def test_a_database_that_is_down_ends_a_command_with_a_sentence(cli: Cli, arguments: tuple[str, ...]) -> None:
    result = cli.run(
        *arguments,
        MESSENGER_DB_HOST="127.0.0.1:9",
        MESSENGER_DB_PASS="hunter2",
        MESSENGER_SECRET_KEY="k" * 32,
    )
    assert result.exit_code == 1
    assert "The database cannot do it: OperationalError" in result.stderr
    assert "hunter2" not in result.output


def test_a_folder_that_cannot_be_made_ends_a_command_with_a_sentence(cli: Cli) -> None:
    with open("taken", "w") as file:  # noqa: PTH123 - in the working folder of the command
        file.write("a file where a folder should be")
    result = cli.run("users", "list", MESSENGER_INSTANCE_PATH="taken")
    assert result.exit_code == 1
    assert "taken" in result.stderr

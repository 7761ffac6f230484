"""`messenger-api mesibo`: every op of mesibo's backend API, a command each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import click

from messenger_api.cli.common import as_json, fail, print_json, say
from messenger_api.cli.credentials import Credential, Unusable, read_credential
from messenger_api.cli.kept_credentials import keep, tell_whom_it_wakes
from messenger_api.cli.mesibo import KEY_VARIABLE, mesibo_client, option_of, show, value_of
from messenger_api.cli.root import main
from messenger_api.mesibo import File, MesiboRefused, UserDel
from messenger_api.mesibo.building import build
from messenger_api.mesibo.specification import OpSpecification, operations
from messenger_api.mesibo.walking import ALPHABET, WILDCARD

# Fields that make of an op a deletion.
REMOVING = ("delete", "remove")
WALKED = {"usersget": "address", "groupsget": "name"}

yes = click.option("--yes", is_flag=True, help="Do not ask before something is deleted.")
walk_all = click.option("--all", "walks", is_flag=True, help="All, in as many calls of 20 as that takes.")
alphabet = click.option(
    "--alphabet",
    default=ALPHABET,
    help="With --all: the characters that names go on with; fewer are quicker.",
)
account_key = click.option("--key", envvar=KEY_VARIABLE, required=True, help="The account's API key.")
as_it_is = click.option("--unread", is_flag=True, help="Send a credential that cannot be read, too.")


@main.group()
def mesibo() -> None:
    """mesibo's backend API, op by op.

    mesibo disables an app whose token is used from more than five addresses of the internet: make these calls
    from where the server makes its own.
    """


def command_of(op: OpSpecification) -> click.Command:
    """The command for an op, with an option for each field."""

    def run(as_json: bool, yes: bool = False, key: str = "", unread: bool = False, **given: Any) -> None:
        walks, letters = given.pop("walks", False), given.pop("alphabet", "")
        values = _values(op, given)
        with mesibo_client(key=key, as_json=as_json) as client:
            if walks:
                walk = client.users if op.name == "usersget" else client.groups
                found = walk(str(values.get(WALKED[op.name], WILDCARD)), alphabet=letters)
                show(tuple(found), as_json=as_json)
            elif op.name == "userdel" and WILDCARD in str(values.get("address", "")):
                _delete_users(client, str(values["address"]), agreed=yes, as_json=as_json)
            else:
                _confirm(op, values, agreed=yes)
                credential = _read_credential(op, values, unread=unread)
                show(client.call(build(op.name, values)), as_json=as_json)
                if credential:
                    keep(credential)

    options: list[click.Parameter] = [option_of(field) for field in op.fields.values()]
    command: click.Command = as_json(click.Command(op.name, params=options, callback=run, help=_help(op)))
    for decorate in _extras(op):
        command = decorate(command)
    return command


def _extras(op: OpSpecification) -> Iterator[Callable[[Any], Any]]:
    """Options of an op's command beside those of its fields."""
    if op.deletes or set(REMOVING) & set(op.fields):
        yield yes
    if op.auth == "key":
        yield account_key
    if op.name == "pushupload":
        yield as_it_is
    if op.name in WALKED:
        yield alphabet
        yield walk_all


def _values(op: OpSpecification, given: dict[str, Any]) -> dict[str, object]:
    return {
        name: value_of(field, value)
        for name, field in op.fields.items()
        if (value := given.get(name.replace(".", "_") + "_")) is not None
    }


def _help(op: OpSpecification) -> str:
    facts = [op.about]
    if op.one_of:
        facts.append(f"Needs --{' or --'.join(op.one_of)}.")
    if op.name == "userdel":
        facts.append("With a `*` in --address: all users that match.")
    return " ".join(facts)


def _confirm(op: OpSpecification, values: dict[str, object], *, agreed: bool) -> None:
    removes = op.deletes or any(values.get(name) for name in REMOVING)
    if removes and not agreed:
        named = ", ".join(f"{name} {value}" for name, value in values.items())
        click.confirm(f"{op.name}: {named}?", abort=True, err=True)


def _read_credential(op: OpSpecification, values: dict[str, object], *, unread: bool) -> Credential | None:
    file = values.get("file")
    if op.name != "pushupload" or unread or not isinstance(file, File):
        return None
    try:
        found = read_credential(file.name, file.content, str(values.get("type", "")))
    except Unusable as fault:
        fail(f"Not sent. {file.name}: {fault}.")
    say(str(found), err=True)
    tell_whom_it_wakes(found)
    return found


def _delete_users(client: Any, pattern: str, *, agreed: bool, as_json: bool) -> None:
    found = sorted({user.address for user in client.users(pattern) if user.address})
    if found and not agreed:
        click.confirm(f"Delete {len(found)} users, {found[0]} to {found[-1]}?", abort=True, err=True)
    for address in found:
        try:
            client.call(UserDel(address=address))
        except MesiboRefused as refusal:
            if not refusal.is_not_there:
                raise
    if as_json:
        print_json({"deleted": len(found)})
    else:
        say(f"{len(found)} users deleted.")


for _op in operations().values():
    mesibo.add_command(command_of(_op))


@mesibo.command()
@click.argument("op")
@click.argument("fields", default="{}")
def raw(op: str, fields: str) -> None:
    """Call an OP of any name with FIELDS, a JSON object that stands beside op and token; print the answer."""
    try:
        found = json.loads(fields)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        fail("FIELDS must be a JSON object.")
    with mesibo_client(as_json=True) as client:
        print_json(client.raw(op, found))


@mesibo.command()
def ping() -> None:
    """Prove URL, style and app token with a call that changes nothing."""
    with mesibo_client() as client:
        client.ping()
    say("mesibo answers, and takes the app token.")

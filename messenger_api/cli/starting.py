"""How `serve` and `worker` start: they wait for the database, and `serve` says where it is to be found."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

import click

from messenger_api.operating import OperatorParts
from messenger_api.processes import database_of
from messenger_api.sandbox import MESIBO_PREFIX
from messenger_api.settings import OWN_MACHINE, Settings, origin

# A database server that starts with the machine, after a crash too, is mostly there in so many seconds.
DATABASE_SECONDS = 60
LOOK_SECONDS = 0.5

# Addresses kept for examples (RFC 5737, RFC 3849), with which the system is asked which of ours faces the
# network. Nothing is sent there.
_FAR = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
_ALL = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104


def wait_for_database(parts: OperatorParts) -> None:
    """Wait until the database's server answers, for at most `DATABASE_SECONDS`, and say so.

    A server that answers with a refusal (a password, a database that is not there) is not waited for.
    """
    until = time.monotonic() + DATABASE_SECONDS
    if parts.health.is_there():
        return
    click.echo(f"Waiting up to {DATABASE_SECONDS:g} s for the database at {database_of(parts.settings)}.")
    while not parts.health.is_there() and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)


def welcome(config: Settings, host: str, port: int, *, sandbox: bool = False) -> str:
    """What `serve` prints: its addresses, configuration and database. `sandbox`: it was asked for."""
    own = _ALL.get(host, f"[{host}]" if ":" in host else host)
    url = f"http://{own}:{port}"
    seen = [f"  See it, two phones          {url}/playground"] if config.uses_sandbox else []
    lines = ["", *seen, f"  The private API answers at  {url}/api.php"]
    if host in _ALL and (facing := _facing_the_network()):
        lines.append(f"  For phones in this network  http://{facing}:{port}/api.php")
    if config.public_url:
        lines.append(f"  For the apps (PUBLIC_URL)   {config.public_url.rstrip('/')}/api.php")
    lines += [
        f"  Is it well?                 {url}/readyz",
        f"  Configuration               {origin()}",
        f"  Database                    {database_of(config)}",
    ]
    if config.admin_listen:
        lines.append(f"  The console                 http://{config.admin_listen}/admin")
    if config.uses_sandbox:
        lines.append(f"  Text messages and mesibo    {url}/sandbox")
        lines.append(f"  mesibo's backend API        {url}{MESIBO_PREFIX}/backend")
        if config.shows_sandbox:
            lines.append("  SANDBOX = True: whoever reaches this server reads everyone's codes there")
    elif sandbox:
        lines.append(f"  No sandbox, no playground   {_no_sandbox(config)}")
    return "\n".join([*lines, "", "  Stop with Ctrl-C.", ""])


def _no_sandbox(config: Settings) -> str:
    if config.sandbox is False:
        return "SANDBOX is False; without that key --sandbox has one"
    return (
        f'MESIBO_APP_TOKEN is set, so mesibo itself is used; SANDBOX = "{OWN_MACHINE}" has one all the same'
    )


def _facing_the_network() -> str:
    """The address of this machine that others in its network can reach; "" without a network."""
    for family, far in _FAR.items():
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((far, 9))
            address = str(probe.getsockname()[0])
            return f"[{address}]" if family == socket.AF_INET6 else address
    return ""

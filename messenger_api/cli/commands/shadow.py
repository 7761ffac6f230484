"""`messenger-api shadow`: this product and a running PHP demo, side by side."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from messenger_api import logs
from messenger_api.cli.common import (
    as_json,
    check_port,
    prepare_schema,
    print_json,
    print_table,
    product,
    say,
    settings,
)
from messenger_api.cli.root import main
from messenger_api.cli.serving import serve_until_stopped
from messenger_api.keyfile import with_secret_key
from messenger_api.settings import Settings
from messenger_api.shadow.front import OURS, PHP, Shadow
from messenger_api.shadow.ours import Ours
from messenger_api.shadow.tally import Report, Tally, read
from messenger_api.transport.bodies import MAX_BODY_BYTES

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

THREADS = 64


@main.command()
@click.option("--php", "url", required=True, help="Where the PHP demo answers, without a path.")
@click.option(
    "--answers",
    "answering",
    type=click.Choice((PHP, OURS)),
    default=PHP,
    show_default=True,
    help="Whose answers go out. The demo is asked everything either way, so that this can be turned back.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8090, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on."
)
@click.option(
    "--report",
    "path",
    default="shadow-report.json",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the differences are written, all the time.",
)
@as_json
def shadow(url: str, answering: str, host: str, port: int, path: Path, as_json: bool) -> None:
    """Stand in front of a running PHP demo, and compare its answers with this product's.

    Ours works on the configured database, a moved copy, which it changes. It tells mesibo nothing and sends
    no texts. Ctrl-C ends it and prints what differed.
    """
    config = settings()
    check_port(host, port)
    with product(config) as parts:
        prepare_schema(parts)
    path.unlink(missing_ok=True)
    say(
        f"http://{host}:{port} hands out the answers of {'the demo' if answering == PHP else 'this product'}."
    )
    made = partial(_application, with_secret_key(config), url, answering, path.absolute())
    serve_until_stopped(made, host, port, threads=THREADS)
    found = read(path)
    if found is None:
        say("Nothing was asked.")
    elif as_json:
        print_json(found)
    else:
        _print(found, path)


def _application(config: Settings, url: str, answering: str, path: Path) -> WSGIApplication:
    """What the worker process serves."""
    logs.configure(config.log_level, config.log_format)
    tally = Tally(path, answering)
    largest = config.max_upload_bytes + MAX_BODY_BYTES
    return Shadow(url, Ours(config), tally, answering=answering, largest=largest)


def _print(found: Report, path: Path) -> None:
    say(f"{found.compared} answers were compared, {found.alike} of them alike but for what is meant.")
    for name, number in (
        ("missed", found.missed),
        ("handed back", found.handed_back),
        ("failed", found.failed),
    ):
        if number:
            say(f"{number} {name}.")
    heads = ("OP", "MEMBER", "TIMES", "DEMO", "HERE", "MEANT")
    rows = [(d.op, d.field, d.count, d.php, d.ours, d.known or "NO") for d in found.differences]
    if rows:
        print_table(heads, rows)
    say(f"All of it: {path}")

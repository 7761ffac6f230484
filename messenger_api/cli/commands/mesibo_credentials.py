"""`messenger-api mesibo credentials`: what mesibo was handed to wake phones with."""

from __future__ import annotations

from collections.abc import Sequence

import click
from msgspec import to_builtins

from messenger_api.cli.commands.mesibo import mesibo
from messenger_api.cli.common import as_json, fail, local_time, print_json, print_table, ready_product, say
from messenger_api.services.operator.push import KeptCredential, PushCredentials

# Digits of a fingerprint that are shown; it can be forgotten by them.
SHOWN = 16


@mesibo.command()
@click.option("--forget", "start", metavar="FINGERPRINT", help="Remember one no longer; mesibo keeps it.")
@as_json
def credentials(start: str | None, as_json: bool) -> None:
    """List the credentials for push that `mesibo pushupload` has handed over from here, and their ends."""
    with ready_product() as parts:
        push = parts.operator.push
        kept = push.kept()
        if start is not None:
            _forget(push, kept, start.lower())
            return
    if as_json:
        print_json([{**to_builtins(each), "fingerprint": each.fingerprint.hex()} for each in kept])
        return
    print_table(
        ("KIND", "APP", "PLACE", "ENDS", "HANDED OVER", "FINGERPRINT"),
        [
            (
                *(each.kind, each.app, each.place),
                local_time(each.ends_at) if each.ends_at else "never",
                *(local_time(each.uploaded_at), each.fingerprint.hex()[:SHOWN]),
            )
            for each in kept
        ],
    )


def _forget(push: PushCredentials, kept: Sequence[KeptCredential], start: str) -> None:
    found = [each for each in kept if start and each.fingerprint.hex().startswith(start)]
    if len(found) != 1:
        fail("Several fingerprints begin so." if found else "No fingerprint begins so.")
    push.forget(found[0].fingerprint)
    say(f"{found[0].app}: not remembered any more. At mesibo it stays until its console deletes it.")

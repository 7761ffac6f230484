"""`messenger-api`: the operator's commands. Each calls services or storage and prints."""

from __future__ import annotations

import click

from messenger_api.cli.check import check
from messenger_api.cli.database import db
from messenger_api.cli.groups import groups
from messenger_api.cli.moderation import add_to
from messenger_api.cli.outbox import outbox
from messenger_api.cli.passwords import password
from messenger_api.cli.sandbox import sandbox
from messenger_api.cli.serve import serve
from messenger_api.cli.sessions import sessions
from messenger_api.cli.sms import sms
from messenger_api.cli.spending import resume, status
from messenger_api.cli.users import users
from messenger_api.cli.worker import worker
from messenger_api.version import VERSION


@click.group()
@click.version_option(VERSION, prog_name="messenger-api")
def main() -> None:
    """The private API for mesibo's messenger apps."""


users.add_command(password)
sms.add_command(status)
sms.add_command(resume)
add_to(users)

for _command in (serve, worker, check, db, users, sessions, groups, outbox, sms, sandbox):
    main.add_command(_command)

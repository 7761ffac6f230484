"""The table of checks, each a function with a finding of its own, and their run, all at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from messenger_api.cli.common import reason
from messenger_api.cli.doctor.codes import sms, texts
from messenger_api.cli.doctor.configuration import config_file, extensions, fixed_codes, limits, public_url
from messenger_api.cli.doctor.database import database, schema
from messenger_api.cli.doctor.judged import log_ins, outbox
from messenger_api.cli.doctor.machine import files, secret_key
from messenger_api.cli.doctor.outside import login, mesibo, sandbox
from messenger_api.cli.doctor.proxy import proxy
from messenger_api.cli.doctor.push import push
from messenger_api.cli.doctor.verdicts import Check, Finding, Verdict
from messenger_api.composition import Parts
from messenger_api.gateways.threads import Calls, TooSlow, outcome
from messenger_api.settings import Settings

CHECKS: dict[str, Check] = {
    "database": database,
    "schema": schema,
    "log-ins": log_ins,
    "mesibo": mesibo,
    "sandbox": sandbox,
    "login": login,
    "extensions": extensions,
    "sms": sms,
    "texts": texts,
    "push": push,
    "files": files,
    "secret key": secret_key,
    "proxy": proxy,
    "limits": limits,
    "public url": public_url,
    "config file": config_file,
    "test numbers": fixed_codes,
    "outbox": outbox,
}
"""In the order in which their findings are told."""


def examine(settings: Settings, seconds: float) -> Iterator[Finding]:
    """Make every check at once; each has `seconds` and is a fault when it takes longer."""
    deadline, calls = time.monotonic() + seconds, Calls("check", len(CHECKS))
    parts = Parts.alone(settings)
    running = [
        (name, calls.start(partial(_verdicts, check, settings, parts))) for name, check in CHECKS.items()
    ]
    for name, future in running:
        try:
            verdicts = outcome(future, max(0.0, deadline - time.monotonic()))
        except TooSlow:
            verdicts = [("fault", f"no result within {seconds:g} s", "see what it waits for")]
        yield from (Finding(name, *verdict) for verdict in verdicts)
    parts.close()


def _verdicts(check: Check, settings: Settings, parts: Parts) -> list[Verdict]:
    try:
        return list(check(settings, parts))
    except Exception as error:  # noqa: BLE001 - whatever a check meets is what it has to report
        return [("fault", reason(error), "")]

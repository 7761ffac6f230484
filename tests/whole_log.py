"""Reads along in every line that the product logs in a test run, at its most talkative, and keeps what no log
may hold: codes, tokens, full phone numbers."""

from __future__ import annotations

import logging
import re
import sqlite3
import threading
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from structlog.typing import Processor

from messenger_api import logs
from messenger_api.domain import secrets
from messenger_api.gateways.mesibo import MesiboClient
from messenger_api.sandbox.server import APP_TOKEN

_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?Z?")
# Nine digits and more in a row, in no longer word: a number that could be called.
_NUMBER = re.compile(r"(?<![0-9A-Za-z._-])\+?[0-9]{9,15}(?![0-9A-Za-z_-])")
_CODE = re.compile(r"(?<![0-9A-Za-z.:_-])[0-9]{6,10}(?![0-9A-Za-z:_-]|\.[0-9])")
_TOKEN = re.compile(r"[0-9A-Za-z_.-]{16,}")
# What the console provider prints is no log: it is the text message.
_PRINTED = ">>>> SMS NOT SENT"


@dataclass
class WholeLog:
    """What was read, and what should not have been there."""

    lines: int = 0
    found: list[str] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    test: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, test: str) -> None:
        """A test begins: a code of an earlier one is any six digits by now."""
        self.test = test
        self.codes.clear()

    def read(self, text: str, *, codes: set[str] | None = None) -> None:
        """Look at some lines of the log."""
        for line in text.splitlines():
            if _PRINTED not in line:
                self._read(_TIME.sub("", line), self.codes if codes is None else codes)

    def _read(self, line: str, codes: set[str]) -> None:
        with self._lock:
            self.lines += 1
            wrong = [f"a number in {line!r}" for _ in _NUMBER.findall(line)]
            wrong += [f"a code in {line!r}" for word in _CODE.findall(line) if word in codes]
            wrong += [f"a token in {line!r}" for word in _TOKEN.findall(line) if word in self.tokens]
            self.found += [f"{self.test}: {what}" for what in wrong]

    def read_server(self, text: str, folder: Path) -> None:
        """Look at the log of a server in a process of its own; its sandbox remembers what it sent."""
        codes: set[str] = set()
        for path in folder.rglob("sandbox.sqlite3"):
            with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as sandbox:
                texts = [row[0] for row in sandbox.execute("SELECT text FROM texts")]
                codes |= {code for text in texts for code in re.findall(r"\d{6,10}", text)}
                self.tokens |= {row[0] for row in sandbox.execute("SELECT token FROM tokens")}
        self.read(text, codes=codes)


class _Handler(logging.Handler):
    """What libraries say through Python's own logging, as far as the product lets it through."""

    def __init__(self, log: WholeLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.read(self.format(record))


def follow(patch: Any, log: WholeLog) -> None:
    """Have `log` read every line of this process, those below the configured level too."""
    configure, new_code, add_user = logs.configure, secrets.new_code, MesiboClient.add_user

    def talkative(level: str, form: str, *more: Processor) -> None:
        configure(level, form, *more)
        settings = structlog.get_config()
        *others, render = settings["processors"]
        least = logs.LEVELS[level]

        def tee(logger: Any, name: str, event: Any) -> Any:
            log.read(str(render(logger, name, dict(event))))
            if logs.LEVELS.get(str(event.get("level", "error")), logs.LEVELS["error"]) < least:
                raise structlog.DropEvent
            return event

        structlog.configure(
            processors=[*others, tee, render],
            wrapper_class=structlog.make_filtering_bound_logger(logs.LEVELS["debug"]),
        )

    def noted_code(length: int) -> str:
        code = new_code(length)
        log.codes.add(code)
        return code

    def noted_token(self: MesiboClient, *args: Any, **kwargs: Any) -> Any:
        minted = add_user(self, *args, **kwargs)
        log.tokens.add(minted.token)
        return minted

    patch.setattr(logs, "configure", talkative)
    patch.setattr(secrets, "new_code", noted_code)
    patch.setattr(MesiboClient, "add_user", noted_token)
    logging.getLogger().addHandler(_Handler(log))
    log.tokens.discard(APP_TOKEN)  # the word "sandbox" is no secret

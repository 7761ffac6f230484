"""What each test would compile anew, is compiled once, or when it is wanted.

SQLAlchemy and `storage.statements` keep what they compiled under the dialect, of which each engine has its
own. Nearly every test makes an engine, and would compile anew what the test before it did.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from sqlalchemy import Dialect, Engine
from werkzeug.routing import Rule
from werkzeug.routing.rules import RulePart

from messenger_api.settings import Settings
from messenger_api.storage import db as databases

# By the address of the server, with the name of the driver in it.
_COMPILED: defaultdict[str, dict[Any, Any]] = defaultdict(dict)
_KINDS: dict[str, type[Dialect]] = {}


def share_compiled(patch: pytest.MonkeyPatch) -> None:
    """Have every engine that the product makes meanwhile take part."""
    prepare = databases.prepare

    def prepared(engine: Engine, settings: Settings) -> None:
        prepare(engine, settings)
        server = engine.url.set(database="").render_as_string(hide_password=False)
        if server not in _KINDS:
            _KINDS[server] = _same(type(engine.dialect), server)
        engine.dialect.__class__ = _KINDS[server]
        engine.update_execution_options(compiled_cache=_COMPILED[server])

    patch.setattr(databases, "prepare", prepared)


def _same(kind: type[Dialect], server: str) -> type[Dialect]:
    """The kind of dialect, of which any two for this server are the same key."""
    members: dict[str, Any] = {
        "__eq__": lambda one, other: type(one) is type(other),
        "__hash__": lambda _one: hash(server),
        "supports_statement_cache": True,  # SQLAlchemy asks every class for itself
    }
    return type(kind.__name__, (kind,), members)


def build_addresses_when_asked(patch: pytest.MonkeyPatch) -> None:
    """Have Werkzeug write the functions behind `url_for` at their first use: 15 ms an application."""
    write = Rule._compile_builder

    def when_asked(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        written: list[Callable[..., tuple[str, str]]] = []

        def build(own: Rule, **values: Any) -> tuple[str, str]:
            if not written:
                written.append(write(rule, append_unknown))
            return written[0](own, **values)

        return build

    patch.setattr(Rule, "_compile_builder", when_asked)


def read_addresses_once(patch: pytest.MonkeyPatch) -> None:
    """Have Werkzeug read each address without variables once: every application has some fifty of them."""
    parse = Rule._parse_rule
    known: dict[str, tuple[list[RulePart], list[tuple[bool, str]]]] = {}

    def parsed(rule: Rule, address: str) -> Iterable[RulePart]:
        if "<" in address:
            return parse(rule, address)
        if address not in known:
            before = len(rule._trace)
            known[address] = list(parse(rule, address)), rule._trace[before:]
            return known[address][0]
        parts, trace = known[address]
        rule._trace += trace
        return parts

    patch.setattr(Rule, "_parse_rule", parsed)

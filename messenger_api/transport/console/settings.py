"""The settings as they were read, without secrets, and what the doctor finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import render_template, request

from messenger_api.domain.administrators import Role
from messenger_api.settings import Keys, Settings, declared, origin, shown
from messenger_api.transport.console.pages import Pages


@dataclass(frozen=True)
class Section:
    """Keys that belong together: name, value as it may be shown, whether it is the default."""

    title: str
    keys: tuple[tuple[str, str, bool], ...]


def add(pages: Pages) -> None:
    """Register the screen."""
    console = pages.console

    @pages.screen("/settings", "settings", Role.OPERATE)
    def settings() -> str:
        findings = list(console.examine()) if "check" in request.args else None
        sections = list(sections_of(console.settings))
        return render_template("console/settings.html", sections=sections, findings=findings, origin=origin())


def sections_of(settings: Settings) -> Iterator[Section]:
    """Every key in the sections of config.example.py, and those of what was chosen."""
    for kind in Settings.__bases__:
        yield _section(kind, settings)
    for record in settings.chosen:
        yield _section(type(record), record)


def _section(kind: type[Keys], record: Keys) -> Section:
    title = (kind.__doc__ or kind.__name__).strip().partition("\n")[0]
    keys = (
        (name.upper(), shown(getattr(record, name), key.secret), getattr(record, name) == key.default)
        for name, key in declared(kind).items()
    )
    return Section(title, tuple(keys))

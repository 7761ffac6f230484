"""The first screen: how things are."""

from __future__ import annotations

from flask import render_template

from messenger_api.transport.console.pages import Pages


def add(pages: Pages) -> None:
    """Register the screen."""
    operator = pages.console.operator

    @pages.screen("", "overview")
    def overview() -> str:
        return render_template("console/overview.html", outbox=operator.health.outbox())

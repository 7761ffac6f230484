"""The first screen: whether people can log in, what is wrong, and how the last 24 hours were."""

from __future__ import annotations

from flask import render_template

from messenger_api.transport.console.pages import Pages
from messenger_api.transport.console.plots import drawn


def add(pages: Pages) -> None:
    """Register the screen."""
    console = pages.console

    @pages.screen("", "overview")
    def overview() -> str:
        shown = {
            "judged": console.operator.judge.recent(),
            "outbox": console.operator.health.outbox(),
            "plots": [drawn(trend) for trend in console.trends.day()],
        }
        return render_template("console/overview.html", **shown)

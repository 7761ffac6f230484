"""Money and limits: budgets with their forecast, pauses and ending them, and what limits refused."""

from __future__ import annotations

from flask import render_template

from messenger_api.domain.administrators import Role
from messenger_api.transport.console.notices import Notice
from messenger_api.transport.console.pages import Pages, me, reason

BACK = ("money",)


def add(pages: Pages) -> None:
    """Register the screen."""
    spending = pages.console.spending

    @pages.screen("/money", "money")
    def money() -> str:
        return render_template("console/money.html", spent=spending.read())

    @pages.act("/money/countries/<country>/resume", "resume_country", Role.OPERATE, BACK)
    def resume_country(country: str) -> Notice:
        done = spending.resume_country(country, by=me(), reason=reason())
        return Notice.RESUMED if done else Notice.NOT_THERE

    @pages.act("/money/ranges/<name>/resume", "resume_range", Role.OPERATE, BACK)
    def resume_range(name: str) -> Notice:
        done = spending.resume_range(name, by=me(), reason=reason())
        return Notice.RESUMED if done else Notice.NOT_THERE

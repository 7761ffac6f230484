"""Texts: the providers in their order, and how many of their texts are taken and arrive."""

from __future__ import annotations

from flask import render_template, request

from messenger_api.services.operator.providers import TOLERATED
from messenger_api.transport.console.pages import Pages

WEEK = 7


def add(pages: Pages) -> None:
    """Register the screen."""
    providers = pages.console.providers

    @pages.screen("/texts", "texts")
    def texts() -> str:
        days = WEEK if request.args.get("days", 1, type=int) == WEEK else 1
        return render_template("console/texts.html", seen=providers.of(days), days=days, tolerated=TOLERATED)

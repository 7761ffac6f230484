"""The audit: what was done, newest first, and whether all of it is as it was written."""

from __future__ import annotations

from flask import render_template, request

from messenger_api.domain.administrators import Role
from messenger_api.transport.console.pages import Pages, asked_number, shown

PAGE = 50


def add(pages: Pages) -> None:
    """Register the screen."""
    console = pages.console

    @pages.screen("/audit", "audit", Role.OPERATE)
    def listed() -> str:
        before = asked_number("before")
        page = shown(lambda most: console.audit.page(before=before, most=most), PAGE)
        verified = console.audit.verify() if "verify" in request.args else None
        return render_template("console/audit.html", verified=verified, **page)

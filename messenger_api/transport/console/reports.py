"""What users report about each other, and acting on it."""

from __future__ import annotations

from flask import render_template, request

from messenger_api.domain.administrators import Role
from messenger_api.transport.console.notices import Notice
from messenger_api.transport.console.pages import Pages, asked_number, me, reason, shown

PAGE = 30
BACK = ("reports",)


def add(pages: Pages) -> None:
    """Register the screen."""
    users, acts = pages.console.operator.users, pages.console.acts

    @pages.screen("/reports", "reports")
    def listed() -> str:
        before, closed = asked_number("before"), "closed" in request.args
        page = shown(lambda most: users.complaints(before=before, limit=most, closed=closed), PAGE)
        return render_template("console/reports.html", closed=closed, **page)

    @pages.act("/reports/<id:report>/block", "act_on_report", Role.OPERATE, BACK)
    def act_on_report(report: int) -> Notice:
        done = acts.act_on_report(report, by=me(), reason=reason())
        return Notice.BLOCKED if done else Notice.NOT_THERE

    @pages.act("/reports/<id:report>/dismiss", "dismiss_report", Role.OPERATE, BACK)
    def dismiss_report(report: int) -> Notice:
        done = acts.dismiss_report(report, by=me(), reason=reason())
        return Notice.DISMISSED if done else Notice.NOT_THERE

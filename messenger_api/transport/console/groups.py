"""Groups: a list, and one with its members."""

from __future__ import annotations

from flask import render_template

from messenger_api.transport.console.pages import Pages, asked_number, shown, there

PAGE = 50
MEMBERS = 200


def add(pages: Pages) -> None:
    """Register the screens."""
    groups = pages.console.operator.groups

    @pages.screen("/groups", "groups")
    def listed() -> str:
        after = asked_number("after")
        page = shown(lambda most: groups.page(after=after, limit=most), PAGE)
        return render_template("console/groups.html", **page)

    @pages.screen("/groups/<id:gid>", "group")
    def group(gid: int) -> str:
        found = there(groups.show(gid))
        return render_template("console/group.html", group=found, members=found.members[:MEMBERS])

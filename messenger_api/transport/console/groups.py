"""Groups: a list, and one with its members."""

from __future__ import annotations

from flask import render_template, request

from messenger_api.transport.console.pages import Pages, shown, there

PAGE = 50
MEMBERS = 200


def add(pages: Pages) -> None:
    """Register the screens."""
    groups = pages.console.operator.groups

    @pages.screen("/groups", "groups")
    def listed() -> str:
        after = request.args.get("after", 0, type=int)
        page = shown(lambda most: groups.page(after=after, limit=most), PAGE)
        return render_template("console/groups.html", **page)

    @pages.screen("/groups/<int:gid>", "group")
    def group(gid: int) -> str:
        found = there(groups.show(gid))
        return render_template("console/group.html", group=found, members=found.members[:MEMBERS])

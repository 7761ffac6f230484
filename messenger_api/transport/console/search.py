"""The search box: what is found alone is shown at once, else a list.

It is posted: numbers and names that are typed would else stand in addresses, and so in the log of a proxy.
"""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from messenger_api.services.operator.search import Hit
from messenger_api.transport.console.pages import Pages

LONGEST = 128


def add(pages: Pages) -> None:
    """Register the screen."""
    search = pages.console.search

    @pages.screen("/search", "nothing_searched")
    def nothing() -> str:
        return render_template("console/search.html", rows=[], q="")

    @pages.screen("/search", "search", posted=True)
    def found() -> str | Response:
        typed = request.form.get("q", "")[:LONGEST]
        hits = search.everything(typed)
        if len(hits) == 1:
            return redirect(address_of(hits[0]), 303)
        rows = [(hit, address_of(hit)) for hit in hits]
        return render_template("console/search.html", rows=rows, q=typed)


def address_of(hit: Hit) -> str:
    """The page of what was found."""
    if hit.kind == "group":
        return url_for("console.group", gid=hit.id)
    if hit.kind == "outbox":
        return url_for("console.outbox", item=hit.id)
    return url_for("console.user", uid=hit.id)

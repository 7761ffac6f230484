"""The outbox: what waits, what was given up, and trying it again."""

from __future__ import annotations

from flask import render_template

from messenger_api.domain.administrators import Role
from messenger_api.transport.console.notices import Notice
from messenger_api.transport.console.pages import Pages, asked_number, me, typed_name

SHOWN = 50
TO_TYPE = "purge"
BACK = ("outbox",)


def add(pages: Pages) -> None:
    """Register the screen."""
    outbox = pages.console.operator.outbox

    @pages.screen("/outbox", "outbox")
    def shown() -> str:
        number = asked_number("item")
        item = outbox.item(number) if number else None
        status = outbox.status(SHOWN)
        return render_template("console/outbox.html", status=status, number=number, item=item, typed=TO_TYPE)

    @pages.act("/outbox/<id:item>/retry", "retry", Role.OPERATE, BACK)
    def retry(item: int) -> Notice:
        return Notice.RETRIED if outbox.retry(item, by=me()) else Notice.NOT_THERE

    @pages.act("/outbox/retry", "retry_all", Role.OPERATE, BACK)
    def retry_all() -> Notice:
        outbox.retry(None, by=me())
        return Notice.RETRIED

    @pages.act("/outbox/purge", "purge", Role.OPERATE, BACK, proof=True)
    def purge() -> Notice:
        typed_name(TO_TYPE)
        outbox.purge(None, by=me())
        return Notice.PURGED

"""Money and limits: budgets with their forecast, raising limits, ending pauses, and what was refused."""

from __future__ import annotations

import datetime as dt

from flask import render_template, request

from messenger_api.domain.administrators import Role
from messenger_api.services.operator.raising import LONGEST_SECONDS, WrongAmount, WrongEnd, told
from messenger_api.transport.console.notices import Notice
from messenger_api.transport.console.pages import Pages, Refused, me, reason

BACK = ("money",)
# What a form of HTML sends as a time, which has no zone: the console's times are UTC.
TIME = "%Y-%m-%dT%H:%M"
# Until the end of the night, unless another time is chosen.
USUAL_HOURS = 6
MINUTE, HOUR = 60, 3600


def add(pages: Pages) -> None:
    """Register the screen."""
    spending, raising = pages.console.spending, pages.console.raising

    @pages.screen("/money", "money")
    def money() -> str:
        limits, times = raising.limits(), _times(raising.now())
        return render_template(
            "console/money.html", spent=spending.read(), limits=limits, amount=told, times=times
        )

    @pages.act("/money/countries/<country>/resume", "resume_country", Role.OPERATE, BACK)
    def resume_country(country: str) -> Notice:
        done = spending.resume_country(country, by=me(), reason=reason())
        return Notice.RESUMED if done else Notice.NOT_THERE

    @pages.act("/money/ranges/<name>/resume", "resume_range", Role.OPERATE, BACK)
    def resume_range(name: str) -> Notice:
        done = spending.resume_range(name, by=me(), reason=reason())
        return Notice.RESUMED if done else Notice.NOT_THERE

    _raises(pages)


def _raises(pages: Pages) -> None:
    """A limit is what holds off whoever spends other people's money: raising it takes a code."""
    raising = pages.console.raising

    @pages.act("/money/limits/<key>/raise", "raise_limit", Role.OPERATE, BACK, proof=True)
    def raise_limit(key: str) -> Notice:
        try:
            raising.raise_until(key, _amount(), _time(), by=me(), reason=reason())
        except LookupError:
            return Notice.NOT_THERE
        except WrongAmount:
            return Notice.WRONG_AMOUNT
        except WrongEnd:
            return Notice.WRONG_END
        return Notice.RAISED

    @pages.act("/money/limits/<key>/end", "end_raise", Role.OPERATE, BACK)
    def end_raise(key: str) -> Notice:
        try:
            done = raising.end(key, by=me(), reason=reason())
        except LookupError:
            return Notice.NOT_THERE
        return Notice.RAISE_ENDED if done else Notice.NOT_THERE


def _times(now: int) -> dict[str, str]:
    """The earliest, the latest and the usual time of the form."""
    usual = (now // HOUR + USUAL_HOURS) * HOUR
    times = {"first": now + MINUTE, "last": now + LONGEST_SECONDS, "usual": usual}
    return {name: f"{dt.datetime.fromtimestamp(second, dt.UTC):{TIME}}" for name, second in times.items()}


def _amount() -> float:
    try:
        return float(request.form.get("most", ""))
    except ValueError:
        raise Refused(Notice.WRONG_AMOUNT) from None


def _time() -> int:
    try:
        typed = dt.datetime.strptime(f"{request.form.get('ends_at', '')} +0000", f"{TIME} %z")
    except ValueError:
        raise Refused(Notice.WRONG_END) from None
    return int(typed.timestamp())

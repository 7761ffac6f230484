"""The unit in which money is counted, and the times for which there are budgets."""

from __future__ import annotations

import datetime as dt

from messenger_api.services.limits import DAY
from messenger_api.settings import Settings

# Money is counted in millionths, in whole numbers.
MILLION = 1_000_000
# The limits that count money: those of the day and of the month, as `periods` has them.
MONEY = ("sms_budget_day", "sms_budget_month")
# The counter of a month outlives it, so that the operator may look at the last one.
KEPT_DAYS = 62


def cheapest(settings: Settings) -> float:
    """What the cheapest text costs."""
    return min([settings.sms_price, *(price for _, price in settings.sms_prices)])


def begins(period: str, now: int) -> int:
    """The second in which the "day" or "month" of a second began, in UTC."""
    today = dt.datetime.fromtimestamp(now, dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((today if period == "day" else today.replace(day=1)).timestamp())


def periods(now: int) -> tuple[tuple[str, int, int], tuple[str, int, int]]:
    """The day and the month of a second, in UTC: name, end in unix seconds, and how long it is kept."""
    today = dt.datetime.fromtimestamp(now, dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow = today + dt.timedelta(days=1)
    next_month = (today.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    return (
        (f"{today:%Y-%m-%d}", int(tomorrow.timestamp()), KEPT_DAYS * DAY),
        (f"{today:%Y-%m}", int(next_month.timestamp()), KEPT_DAYS * DAY),
    )

"""An installation in which something went on, for screens to show."""

from __future__ import annotations

import math

from sqlalchemy import delete, insert

from messenger_api.domain.figures import (
    LOGINS_BEGUN,
    LOGINS_COMPLETED,
    MESIBO_CALLS,
    OUTBOX_DONE,
    REFUSALS,
    REQUEST_SECONDS,
    REQUESTS,
    SIGN_UPS,
    TEXT_RECEIPTS,
    TEXTS,
    USERS_ACTIVE,
)
from messenger_api.services.limits import DAY
from messenger_api.services.sms.money import MILLION, periods
from messenger_api.services.sms.networks import HOURLY
from messenger_api.storage.models import FigureRow, LimitCounter, OutboxItem
from tests.product import Product

# Codes go to the console, and texts cost something: twilio is never asked.
PAID: dict[str, object] = {
    "sms_providers": ("console", "twilio"),
    "sms_countries": ("*",),
    "twilio_account_sid": "AC" + "0" * 32,
    "twilio_auth_token": "token",
    "twilio_from": "+14155550100",
}
ANA, BEN, CAT = "14155550101", "447700900123", "919876543210"


def play(product: Product) -> None:
    """Three people, a group, a report, blocked and revealed numbers, and work that was given up."""
    ana = product.log_in(ANA, name="Ana Silva")
    ben = product.log_in(BEN, name="Ben Okafor")
    product.log_in(CAT, name="Chitra <b>Rao</b>")
    ana.ok("getcontacts", phones=f"{BEN},{CAT}")
    ana.ok("setgroup", name="Sunday walks", m=f"{BEN},{CAT}")
    ben.ok("report", phone=ANA, reason="spam", text="Sends the same link again and again.")
    acts, users = product.parts.acts, product.parts.operator.users
    uid = users.find(CAT).uid  # type: ignore[union-attr]
    acts.keep_out(uid, by="ana", reason="asked for by letter")
    acts.let_in(uid, by="ana", reason="it was somebody else")
    now = product.services.database.now()
    dead = {"lane": "group:1", "kind": "tell_members", "payload": "{}", "state": 1, "attempts": 48}
    times = {"created_at": now - 7200, "due_at": now - 60, "last_error": "mesibo: TRYLATER"}
    with product.services.database.engine.connect() as connection:
        connection.execute(insert(OutboxItem).values(**dead, **times))


# What is counted in the busiest hour of a day.
BUSIEST = (
    (LOGINS_BEGUN, "otp", 96),
    (LOGINS_COMPLETED, "otp", 84),
    (SIGN_UPS, "GB", 14),
    (SIGN_UPS, "IN", 9),
    (USERS_ACTIVE, "", 310),
    (TEXTS, "twilio,GB,sent", 62),
    (TEXTS, "twilio,IN,sent", 24),
    (TEXTS, "twilio,IN,unavailable", 3),
    (TEXTS, "vonage,GB,sent", 21),
    (TEXT_RECEIPTS, "twilio,GB,delivered", 61),
    (TEXT_RECEIPTS, "twilio,IN,delivered", 21),
    (TEXT_RECEIPTS, "twilio,IN,failed", 3),
    (TEXT_RECEIPTS, "vonage,GB,delivered", 21),
    (MESIBO_CALLS, "useradd,ok", 430),
    (MESIBO_CALLS, "message,unreachable", 6),
    (OUTBOX_DONE, "tell_members,done", 540),
    (OUTBOX_DONE, "tell_members,put_back", 9),
    (REFUSALS, "otp_per_number_hour,enforce", 7),
    (REFUSALS, "sms_per_prefix_hour,enforce", 3),
    (REFUSALS, "login_per_network,track", 2),
    (REQUESTS, "getcontacts,none", 4300),
    (REQUESTS, "login,TOOMANY", 38),
    (REQUEST_SECONDS, "getcontacts,0.01", 4120),
    (REQUEST_SECONDS, "getcontacts,0.1", 190),
    (REQUEST_SECONDS, "getcontacts,0.25", 60),
)


def _busy(hour: int) -> float:
    """What part of the busiest hour's use one of the day has: little at night, most in the evening."""
    by_day = max(0.0, math.sin(math.pi * (hour - 5) / 19))
    return 0.04 + 0.72 * by_day + 0.24 * math.exp(-(((hour - 18) / 2.5) ** 2))


def play_a_day(product: Product) -> None:
    """What processes would have counted in each hour of a day."""
    now = product.services.database.now()
    running = now - now % 3600
    rows = [
        {
            "name": figure.name,
            "labels": labels,
            "bucket": start,
            "value": round(most * _busy(start // 3600 % 24)),
            "last_at": start,
        }
        for start in range(running - 23 * 3600, running + 1, 3600)
        for figure, labels, most in BUSIEST
    ]
    with product.services.database.engine.connect() as connection:
        connection.execute(insert(FigureRow), rows)


def play_pauses(product: Product, spent: float = 1) -> None:
    """A country and a range where codes are not entered, and budgets: this part of the day's is spent."""
    now, pauses = product.services.database.now(), product.parts.pauses
    day, month = periods(now)
    settings = product.parts.settings
    watches = (pauses.country("IN"), pauses.of_range("5c0ffee5" * 4))
    states = {watch.networks.counter: watch.rule.take("", now - 700, 40).state for watch in watches}
    states["sms_sent_country:IN"] = HOURLY.take("", now - 700, 40).state
    states[f"sms_budget_day:{day[0]}"] = str(int(settings.sms_budget_day * spent * MILLION))
    states[f"sms_budget_month:{month[0]}"] = str(int(settings.sms_budget_month * spent / 2 * MILLION))
    rows = [{"name": name, "slots": state, "expires_at": now + DAY} for name, state in states.items()]
    with product.services.database.engine.connect() as connection:
        connection.execute(delete(LimitCounter).where(LimitCounter.name.in_(list(states))))
        connection.execute(insert(LimitCounter), rows)


def play_raise(product: Product) -> None:
    """A limit that somebody raised for the evening."""
    ends_at = (product.services.database.now() // 3600 + 4) * 3600
    why = "a concert in Leeds sells its tickets by our groups"
    product.parts.raising.raise_until("SMS_PER_HOUR", 400, ends_at, by="ana", reason=why)

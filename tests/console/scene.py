"""An installation in which something went on, for screens to show."""

from __future__ import annotations

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


def play_a_day(product: Product) -> None:
    """What processes would have counted in each hour of a day."""
    now = product.services.database.now()
    kinds = [
        (LOGINS_BEGUN, "otp", 9),
        (LOGINS_COMPLETED, "otp", 7),
        (SIGN_UPS, "GB", 3),
        (USERS_ACTIVE, "", 30),
        (TEXTS, "twilio,GB,sent", 9),
        (TEXTS, "twilio,GB,unavailable", 1),
        (TEXT_RECEIPTS, "twilio,GB,delivered", 8),
        (TEXT_RECEIPTS, "twilio,GB,failed", 1),
        (MESIBO_CALLS, "useradd,ok", 40),
        (MESIBO_CALLS, "message,unreachable", 2),
        (OUTBOX_DONE, "tell_members,done", 50),
        (OUTBOX_DONE, "tell_members,put_back", 4),
        (REFUSALS, "otp_per_number_hour,enforce", 1),
        (REQUESTS, "getcontacts,none", 400),
        (REQUESTS, "login,TOOMANY", 5),
        (REQUEST_SECONDS, "getcontacts,0.01", 390),
        (REQUEST_SECONDS, "getcontacts,0.25", 15),
    ]
    rows = [
        {
            "name": figure.name,
            "labels": labels,
            "bucket": start,
            "value": most * (1 + hour * 7 % 11),
            "last_at": start,
        }
        for hour in range(24)
        for start in [now - now % 3600 - hour * 3600]
        for figure, labels, most in kinds
    ]
    with product.services.database.engine.connect() as connection:
        connection.execute(insert(FigureRow), rows)


def play_pauses(product: Product) -> None:
    """A country and a range where codes are not entered, and a day's budget that will not last."""
    now, pauses = product.services.database.now(), product.parts.pauses
    day, _month = periods(now)
    watches = (pauses.country("IN"), pauses.of_range("5c0ffee5" * 4))
    states = {watch.networks.counter: watch.rule.take("", now - 700, 40).state for watch in watches}
    states["sms_sent_country:IN"] = HOURLY.take("", now - 700, 40).state
    states[f"sms_budget_day:{day[0]}"] = str(int(product.parts.settings.sms_budget_day * MILLION))
    rows = [{"name": name, "slots": state, "expires_at": now + DAY} for name, state in states.items()]
    with product.services.database.engine.connect() as connection:
        connection.execute(delete(LimitCounter).where(LimitCounter.name.in_(list(states))))
        connection.execute(insert(LimitCounter), rows)

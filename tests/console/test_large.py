"""Every screen is there at once among 100,000 users: no figure is made by counting a table that grows."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import pytest
from sqlalchemy import insert
from werkzeug.test import TestResponse

from messenger_api.domain.figures import (
    LOGINS_BEGUN,
    LOGINS_COMPLETED,
    MESIBO_CALLS,
    REFUSALS,
    REQUEST_SECONDS,
    REQUESTS,
    TEXTS,
)
from messenger_api.storage.figures import SPAN_SECONDS
from messenger_api.storage.models import (
    Contact,
    FigureRow,
    Group,
    GroupMember,
    OutboxItem,
    Report,
    Session,
    User,
)
from tests.console.driver import logged_in
from tests.console.test_audit import filled
from tests.product import Product
from tests.stopwatch import Stopwatch

pytestmark = pytest.mark.long

USERS, GROUPS, MEMBERS, BOOK = 100_000, 10_000, 10, 200
AT_ONCE = 5_000
LIMIT = 0.150
TIMES = 7
NOW = 1_700_000_000
PLACES = ("0.005", "0.01", "0.025", "0.05", "0.1", "sum")


def rows(kind: type, count: int) -> Iterator[dict[str, object]]:
    for number in range(1, count + 1):
        key = number.to_bytes(16)
        if kind is User:
            name = f"Person {number:06d}"
            yield {
                "uid": number,
                "address": f"1415{number:07d}",
                "contact_key": key,
                "name": name,
                "country": "US",
                "created_at": NOW,
                "changed_at": NOW,
                "seen_at": NOW,
            }
        elif kind is Session:
            yield {
                "uid": number,
                "token_hash": key * 2,
                "appid": "com.example.messenger",
                "created_at": NOW,
                "seen_at": NOW,
            }
        elif kind is Group:
            yield {"gid": number, "name": f"Group {number:05d}", "created_at": NOW, "changed_at": NOW}
        elif kind is GroupMember:
            yield {"gid": 1 + (number - 1) // MEMBERS, "uid": number, "role": 2 * (number % MEMBERS == 1)}
        elif kind is Contact:
            yield {"owner": 1, "contact_key": key}
        elif kind is Report:
            yield {
                "reporter": number,
                "reported": number % 50 + 1,
                "reason": "spam",
                "created_at": NOW,
                "closed_at": NOW * (number > 200),
            }
        else:
            yield {
                "lane": "x",
                "kind": "user_changed",
                "payload": "{}",
                "created_at": NOW,
                "due_at": NOW,
                "state": int(number <= 50),
            }


def fill(product: Product) -> None:
    wanted = {
        User: USERS,
        Session: USERS,
        Group: GROUPS,
        GroupMember: GROUPS * MEMBERS,
        Contact: BOOK,
        Report: 10_000,
        OutboxItem: 1_000,
    }
    with product.services.database.engine.connect() as connection:
        for kind, count in wanted.items():
            everything = list(rows(kind, count))
            connection.exec_driver_sql("BEGIN")
            for start in range(0, count, AT_ONCE):
                connection.execute(insert(kind), everything[start : start + AT_ONCE])
            connection.exec_driver_sql("COMMIT")
        connection.execute(insert(FigureRow), figures(product.services.database.now()))


def figures(now: int) -> list[dict[str, object]]:
    """A day of five-minute spans with 20 ops of mesibo, 30 countries and 20 limits in each."""
    last = now - now % SPAN_SECONDS
    series = [
        *((MESIBO_CALLS, f"op{number},ok") for number in range(20)),
        *((TEXTS, f"twilio,{number:02d},sent") for number in range(30)),
        *((REFUSALS, f"limit{number},enforce") for number in range(20)),
        *((REQUESTS, f"op{number},{error}") for number in range(22) for error in ("none", "TRYLATER")),
        *((REQUEST_SECONDS, f"op{number},{place}") for number in range(22) for place in PLACES),
        *((LOGINS_BEGUN, "otp"), (LOGINS_COMPLETED, "otp")),
    ]
    return [
        {
            "name": figure.name,
            "labels": labels,
            "bucket": last - span * SPAN_SECONDS,
            "value": 1,
            "last_at": now,
        }
        for span in range(288)
        for figure, labels in series
    ]


def test_every_screen_takes_less_than_150_ms_among_100_000_users(product: Product) -> None:
    fill(product)
    filled(product, 10_000)
    ana = logged_in(product)
    paths = [
        "",
        "/users",
        "/users?after=99000",
        "/users/50000",
        "/groups?after=5000",
        "/groups/5000",
        "/reports",
        "/reports?closed=1",
        "/texts",
        "/texts?days=7",
        "/money",
        "/outbox",
        "/audit",
        "/audit?before=5000",
        "/settings",
        *("/search " + typed for typed in ("+14150050000", "50000", "person 0999", "zzzz")),
    ]

    def ask(path: str) -> TestResponse:
        path, _, typed = path.partition(" ")
        return ana.post(path, q=typed) if typed else ana.get(path)

    slow = {}
    for path in paths:
        ask(path)
        seconds = []
        for _ in range(TIMES):
            watch = Stopwatch()
            answer = ask(path)
            seconds.append(watch.quiet_seconds)
            assert answer.status_code in (200, 303), path
            assert 'name="password"' not in answer.text, "logged in"
        took = statistics.median(seconds)
        print(f"{product.services.database.engine.dialect.name:8} {path:28} {took * 1000:6.1f} ms quiet")
        if took > LIMIT:
            slow[path] = took
    assert slow == {}

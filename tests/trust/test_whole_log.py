"""The log of a whole test run, at debug level, holds no code, no token and no full phone number.

The fixture `whole_log` looks when a run ends; here stands that it would see them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from messenger_api.sandbox import SandboxStore
from tests.product import Product
from tests.whole_log import WholeLog


@pytest.mark.parametrize(
    "line",
    [
        "2026-01-01T10:00:00.123456Z [info] login.asked code=481516",
        "2026-01-01T10:00:00Z [info] api.answer phone=919876543210",
        "2026-01-01T10:00:00Z [info] api.answer phone=+14155550123 ms=3",
        "text='481516 is your code for Messenger'",
        "Traceback: ValueError: token a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6",
        '{"event": "x", "to": "919876543210"}',
    ],
)
def test_a_secret_would_be_found(line: str) -> None:
    log = WholeLog(codes={"481516"}, tokens={"a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"})
    log.read(line)
    assert log.found


@pytest.mark.parametrize(
    "line",
    [
        "2026-01-01T10:00:00.481516Z [debug] api.answer op=login error= ms=481516.5",
        "sms.send outcome=sent to=9198******10 id=console-0123456789abcdef0123456789481516",
        ">>>> SMS NOT SENT (console: not for production) to +919876543210: 481516 is your code <<<<",
    ],
)
def test_what_is_none_would_not(line: str) -> None:
    log = WholeLog(codes={"481516"})
    log.read(line)
    assert log.found == []


def test_a_product_is_read_along_at_debug_level(product: Product, whole_log: WholeLog) -> None:
    before = whole_log.lines
    phone = product.log_in("14155550101")
    assert whole_log.lines > before + 2, "each answer is a line at debug level"
    assert phone.token in whole_log.tokens
    assert product.code("14155550101") in whole_log.codes


def test_a_servers_sandbox_tells_its_codes_and_tokens(tmp_path: Path) -> None:
    with SandboxStore(tmp_path / "sandbox.sqlite3") as store:
        store.record_sms("14155550101", "481516 is your code for Messenger.")
        store.put_user("14155550101")
    log = WholeLog()
    log.read_server("code=481516", tmp_path)
    assert len(log.found) == 1

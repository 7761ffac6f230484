"""Many requests at once for the first code of a number, which has no row yet that could be locked."""

from __future__ import annotations

from collections import Counter

import msgspec
from sqlalchemy import ExceptionContext, event

from tests.product import APPID, Product

AT_ONCE = 30
DEADLOCK = 1213


def ask_at_once(product: Product, number: str) -> Counter[str]:
    """The errors that so many requests at once were answered with; "OK" for none."""
    answers = product.at_once([{"op": "login", "phone": number, "appid": APPID}] * AT_ONCE)
    return Counter(answer.get("error", "OK") for answer in answers)


def test_one_is_sent_and_nobody_waits_for_another_in_a_circle(product: Product) -> None:
    deadlocks = []

    def note(context: ExceptionContext) -> None:
        code = getattr(context.original_exception, "args", (None,))[:1]
        if code == (DEADLOCK,):
            deadlocks.append(code)

    event.listen(product.services.database.engine, "handle_error", note)
    for last in range(3):
        answers = ask_at_once(product, f"1415555011{last}")
        assert answers == {"OK": 1, "TOOMANY": AT_ONCE - 1}
    assert not deadlocks
    rows = product.rows("SELECT name, slots FROM limit_counters")
    counted = [slots for name, slots in rows if name.startswith("sms_per_number_hour")]
    assert [sum(msgspec.json.decode(slots).values()) for slots in counted] == [1, 1, 1]

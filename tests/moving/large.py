"""A large installation of the PHP demo, the same for the same sizes."""

from __future__ import annotations

import random

from tests.moving.demo import Demo, token

LONG_AGO = 1_600_000_000
MEMBERS = 10
# An odd number that divides no power of ten: it spreads accounts over all numbers without a repetition.
_STRIDE = 61_803_399
_NUMBERS = 100_000_000


def number(uid: int) -> str:
    """The number of an account: an Indian mobile number."""
    return f"9198{uid * _STRIDE % _NUMBERS:08}"


def fill(demo: Demo, users: int, contacts: int) -> None:
    """So many accounts, each with a session and so many contacts, of which half have accounts; groups of ten.

    A tenth of the accounts has a push token.
    """
    chance = random.Random(users)
    uids = range(1, users + 1)
    demo.add("users", ((u, number(u), f"Person {u}".encode(), b"Hi", "", LONG_AGO + u) for u in uids))
    demo.add("tokens", ((u, token(u), "2020-11-05 10:00:00", 0) for u in uids))
    demo.add("notifytokens", ((u, 1 + u % 2, f"push-{u}", 1) for u in uids[::10]))
    demo.add("groups", ((5000 + at, f"Group {at}".encode(), "", LONG_AGO) for at in uids[::MEMBERS]))
    members = ((5000 + u - (u - 1) % MEMBERS, number(u), 2 if u % MEMBERS == 1 else 0) for u in uids)
    demo.add("members", members)
    for first in range(0, users, 1_000):
        rows = (row for uid in uids[first : first + 1_000] for row in _book(chance, uid, uids, contacts))
        # Written out: a driver would look at each of two million numbers.
        demo.run(f"INSERT INTO contacts (uid, phone) VALUES {','.join(rows)}")


def _book(chance: random.Random, uid: int, uids: range, contacts: int) -> list[str]:
    friends = {number(chance.choice(uids)) for _ in range(contacts // 2)}
    while len(friends) < contacts:
        friends.add(f"9197{chance.randrange(_NUMBERS):08}")
    return [f"({uid},{phone})" for phone in sorted(friends)]

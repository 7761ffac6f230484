"""The keys of accounts and their sessions."""

from __future__ import annotations

from dataclasses import dataclass

from messenger_api.settings.conversions import whole_number, zero_or
from messenger_api.settings.keys import Keys, key


@dataclass(frozen=True)
class AccountKeys(Keys):
    """Accounts

    How long sessions and accounts last that nobody uses.
    """

    session_idle_days: int = key(
        180,
        whole_number(1, 3650),
        "Days after which a session that no app has used is ended, 1 to 3650.",
        30,
    )
    account_recycled_after_days: int = key(
        45,
        zero_or(whole_number(30, 3650)),
        "Days without any use after which a login makes a new account, 0 or 30 to 3650: by then the"
        " number may be somebody else's, who must not meet the former owner's name, groups and sessions."
        " In the USA, carriers give a number to the next person after 45 days at the earliest (47 CFR"
        " 52.15). 0: never.",
        90,
    )
    max_blocked: int = key(
        10_000,
        whole_number(100, 50_000),
        "Numbers that a user may block, 100 to 50000.",
        1000,
    )

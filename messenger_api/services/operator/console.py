"""What the console asks: all that operators ask, who asks it, and what they may do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from messenger_api.services.operator import Operator
from messenger_api.services.operator.acts import Acts
from messenger_api.services.operator.admin_sessions import AdminSessions
from messenger_api.services.operator.administrators import Administrators
from messenger_api.services.operator.audit import Audit
from messenger_api.services.operator.providers import Providers
from messenger_api.services.operator.raising import Raising
from messenger_api.services.operator.search import Search
from messenger_api.services.operator.spending import Spending
from messenger_api.services.operator.trends import Trends
from messenger_api.services.operator.why import Why
from messenger_api.settings import Settings


class Finding(Protocol):
    """What the doctor found: `state` is ok, warning or fault; `to_do` "" where nothing is to be done."""

    @property
    def check(self) -> str:
        """What was looked at."""

    @property
    def state(self) -> str:
        """How it is: ok, warning or fault."""

    @property
    def found(self) -> str:
        """What was found."""

    @property
    def to_do(self) -> str:
        """What to do about it."""


@dataclass(frozen=True)
class Console:
    """Everything behind the pages at /admin."""

    operator: Operator
    administrators: Administrators
    sessions: AdminSessions
    audit: Audit
    acts: Acts
    search: Search
    trends: Trends
    providers: Providers
    spending: Spending
    raising: Raising
    why: Why
    settings: Settings
    examine: Callable[[], Iterable[Finding]]
    """Runs the doctor: some seconds."""

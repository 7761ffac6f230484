"""What the console asks: all that operators ask, and who asks it."""

from __future__ import annotations

from dataclasses import dataclass

from messenger_api.services.operator import Operator
from messenger_api.services.operator.admin_sessions import AdminSessions
from messenger_api.services.operator.administrators import Administrators


@dataclass(frozen=True)
class Console:
    """Everything behind the pages at /admin."""

    operator: Operator
    administrators: Administrators
    sessions: AdminSessions

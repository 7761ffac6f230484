"""What the console asks: all that operators ask, who asks it, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass

from messenger_api.services.operator import Operator
from messenger_api.services.operator.acts import Acts
from messenger_api.services.operator.admin_sessions import AdminSessions
from messenger_api.services.operator.administrators import Administrators
from messenger_api.services.operator.audit import Audit


@dataclass(frozen=True)
class Console:
    """Everything behind the pages at /admin."""

    operator: Operator
    administrators: Administrators
    sessions: AdminSessions
    audit: Audit
    acts: Acts

"""What operators ask, be it by a command or on a page: none of them reads storage itself."""

from __future__ import annotations

from dataclasses import dataclass

from messenger_api.services.operator.figures import Figures
from messenger_api.services.operator.groups import GroupQueries
from messenger_api.services.operator.health import Health
from messenger_api.services.operator.judgement import Judge
from messenger_api.services.operator.machine import Machine
from messenger_api.services.operator.outbox import OutboxControl
from messenger_api.services.operator.push import PushCredentials
from messenger_api.services.operator.users import UserQueries
from messenger_api.services.sms.report import TextReports


@dataclass(frozen=True)
class Operator:
    """Everything that an operator may ask; accounts are changed by the services of their owners."""

    users: UserQueries
    groups: GroupQueries
    outbox: OutboxControl
    texts: TextReports
    health: Health
    figures: Figures
    push: PushCredentials
    machine: Machine
    judge: Judge

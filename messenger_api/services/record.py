"""All that ops may ask for, in one record."""

from __future__ import annotations

from dataclasses import dataclass

from messenger_api.domain.counting import Accumulator
from messenger_api.gateways.mesibo import MesiboClient
from messenger_api.gateways.sms import SmsSender
from messenger_api.outbox.runner import Runner
from messenger_api.services.account.closing import Closing
from messenger_api.services.account.devices import Devices
from messenger_api.services.account.exports import Exports
from messenger_api.services.account.number_change import NumberChange
from messenger_api.services.account.push import Push
from messenger_api.services.account.sessions import Sessions
from messenger_api.services.callers import Callers
from messenger_api.services.groups.groups import Groups
from messenger_api.services.identities import Identities
from messenger_api.services.limits import Limits
from messenger_api.services.login.accounts import Accounts
from messenger_api.services.login.flow import LoginFlow
from messenger_api.services.login.tracing import Tracing
from messenger_api.services.people.blocks import Blocks, Reports
from messenger_api.services.people.contacts import Contacts
from messenger_api.services.people.media import Media
from messenger_api.services.people.profiles import Profiles
from messenger_api.services.sms.delivery import TextDelivery
from messenger_api.settings import Settings
from messenger_api.storage.db import Database
from messenger_api.storage.files import FileStore


@dataclass(frozen=True)
class Services:
    """Everything that ops may ask for; `composition` builds it, and what operators ask beside it."""

    settings: Settings
    database: Database
    figures: Accumulator
    files: FileStore
    mesibo: MesiboClient
    sms: SmsSender
    limits: Limits
    text_delivery: TextDelivery
    identities: Identities
    login: LoginFlow
    tracing: Tracing
    accounts: Accounts
    callers: Callers
    devices: Devices
    sessions: Sessions
    contacts: Contacts
    profiles: Profiles
    groups: Groups
    media: Media
    push: Push
    blocks: Blocks
    reports: Reports
    closing: Closing
    exports: Exports
    number_change: NumberChange
    runner: Runner

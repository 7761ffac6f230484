"""All that follows a change: the table beside `ops.OPERATIONS`, which has all that is asked."""

from __future__ import annotations

from collections.abc import Iterable

from messenger_api.gateways.mesibo import MesiboClient
from messenger_api.outbox.tasks import Handled, Tasks, handled
from messenger_api.services.account import tasks as account
from messenger_api.services.groups import tasks as groups
from messenger_api.services.groups.changes import GroupChanges
from messenger_api.services.people import tasks as people
from messenger_api.services.sms import tasks as texts
from messenger_api.services.sms.delivery import TextDelivery
from messenger_api.services.update_messages import UpdateMessages
from messenger_api.settings import Settings
from messenger_api.storage.db import Database
from messenger_api.storage.files import FileStore


def build_tasks(
    settings: Settings,
    database: Database,
    mesibo: MesiboClient,
    files: FileStore,
    text_delivery: TextDelivery,
    changes: GroupChanges,
    own: Iterable[Handled] = (),
) -> Tasks:
    """Each kind of task, and what does it; `own` are those of extensions."""
    messages = UpdateMessages(mesibo, settings.mesibo_max_body)
    of_people = people.PeopleTasks(database, files, messages)
    of_groups = groups.GroupTasks(database, mesibo, messages)
    of_accounts = account.AccountTasks(database, mesibo, messages, changes)
    return Tasks(
        handled(people.UserChanged, of_people.user_changed),
        handled(people.FileGone, of_people.file_gone),
        handled(groups.TellMembers, of_groups.tell_members),
        handled(groups.MirrorGroup, of_groups.mirror_group),
        handled(groups.GroupGone, of_groups.group_gone),
        handled(groups.GroupNews, of_groups.group_news),
        handled(account.AccountClosed, of_accounts.account_closed),
        handled(account.UserGone, of_accounts.user_gone),
        handled(account.MesiboUserGone, of_accounts.mesibo_user_gone),
        handled(account.TokenGone, of_accounts.token_gone),
        handled(texts.WatchText, text_delivery.look_after),
        *own,
    )

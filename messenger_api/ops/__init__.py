"""The ops of the private API: names on the wire, their parameters, and what they call."""

from __future__ import annotations

from collections.abc import Mapping

from messenger_api.ops import account, blocks, contacts, groups, media, profile, push, session, sessions
from messenger_api.ops.call import Operation, always

OPERATIONS: Mapping[str, Operation] = {
    "login": Operation(session.login, session.LoginParameters, needs_session=False),
    "loginui": Operation(session.loginui, session.LoginUiParameters, needs_session=False),
    "logout": Operation(session.logout, session.LogoutParameters, forgives_dead_token=True),
    "getcontacts": Operation(
        contacts.getcontacts, contacts.GetContactsParameters, asks_database_alone=always
    ),
    "delcontacts": Operation(
        contacts.delcontacts, contacts.DelContactsParameters, asks_database_alone=always
    ),
    "profile": Operation(
        profile.profile, profile.ProfileParameters, asks_database_alone=profile.of_texts_alone
    ),
    "upload": Operation(media.upload, media.UploadParameters),
    "setgroup": Operation(groups.setgroup, groups.SetGroupParameters),
    "getgroup": Operation(groups.getgroup, groups.GetGroupParameters, asks_database_alone=always),
    "editmembers": Operation(groups.editmembers, groups.EditMembersParameters),
    "setadmin": Operation(groups.setadmin, groups.SetAdminParameters),
    "delgroup": Operation(groups.delgroup, groups.DelGroupParameters),
    "sessions": Operation(sessions.sessions, sessions.SessionsParameters, asks_database_alone=always),
    "revoke": Operation(sessions.revoke, sessions.RevokeParameters, asks_database_alone=always),
    "deleteaccount": Operation(account.deleteaccount, account.DeleteAccountParameters),
    "changenumber": Operation(account.changenumber, account.ChangeNumberParameters),
    "exportaccount": Operation(
        account.exportaccount, account.ExportAccountParameters, asks_database_alone=always
    ),
    "block": Operation(blocks.block, blocks.BlockParameters, asks_database_alone=always),
    "unblock": Operation(blocks.unblock, blocks.UnblockParameters, asks_database_alone=always),
    "blocked": Operation(blocks.blocked, blocks.BlockedParameters, asks_database_alone=always),
    "report": Operation(blocks.report, blocks.ReportParameters, asks_database_alone=always),
    "setnotify": Operation(push.setnotify, push.SetNotifyParameters, finds_session=True),
}

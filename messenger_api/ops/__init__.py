"""The ops of the private API: names on the wire, their parameters, and what they call."""

from __future__ import annotations

from collections.abc import Mapping

from messenger_api.ops import account, blocks, contacts, groups, media, profile, push, session, sessions
from messenger_api.ops.call import Operation

OPERATIONS: Mapping[str, Operation] = {
    "login": Operation(session.login, session.LoginParameters, needs_session=False),
    "loginui": Operation(session.loginui, session.LoginUiParameters, needs_session=False),
    "logout": Operation(session.logout, session.LogoutParameters, forgives_dead_token=True),
    "getcontacts": Operation(contacts.getcontacts, contacts.GetContactsParameters, finds_session=True),
    "delcontacts": Operation(contacts.delcontacts, contacts.DelContactsParameters),
    "profile": Operation(profile.profile, profile.ProfileParameters),
    "upload": Operation(media.upload, media.UploadParameters),
    "setgroup": Operation(groups.setgroup, groups.SetGroupParameters),
    "getgroup": Operation(groups.getgroup, groups.GetGroupParameters, finds_session=True),
    "editmembers": Operation(groups.editmembers, groups.EditMembersParameters),
    "setadmin": Operation(groups.setadmin, groups.SetAdminParameters),
    "delgroup": Operation(groups.delgroup, groups.DelGroupParameters),
    "sessions": Operation(sessions.sessions, sessions.SessionsParameters),
    "revoke": Operation(sessions.revoke, sessions.RevokeParameters),
    "deleteaccount": Operation(account.deleteaccount, account.DeleteAccountParameters),
    "changenumber": Operation(account.changenumber, account.ChangeNumberParameters),
    "exportaccount": Operation(account.exportaccount, account.ExportAccountParameters),
    "block": Operation(blocks.block, blocks.BlockParameters),
    "unblock": Operation(blocks.unblock, blocks.UnblockParameters),
    "blocked": Operation(blocks.blocked, blocks.BlockedParameters),
    "report": Operation(blocks.report, blocks.ReportParameters),
    "setnotify": Operation(push.setnotify, push.SetNotifyParameters, finds_session=True),
}

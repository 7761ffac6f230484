"""The ops of the private API: names on the wire, their parameters, what they call, and their errors."""

from __future__ import annotations

from collections.abc import Mapping

from messenger_api.domain.errors import (
    ApiError,
    BadAkToken,
    BadCode,
    BadGroup,
    BadImage,
    BadPhone,
    BadUser,
    MissingAppId,
    MissingFile,
    MissingPara,
    NotMember,
    Refused,
    TooMany,
)
from messenger_api.ops import account, blocks, contacts, groups, media, profile, push, session, sessions
from messenger_api.ops.call import Operation


def _errors(*own: type[ApiError]) -> frozenset[type[ApiError]]:
    return frozenset(own)


_CODE = _errors(BadPhone, BadCode, BadUser, TooMany)
_BLOCK = _errors(MissingPara, TooMany)

OPERATIONS: Mapping[str, Operation] = {
    "login": Operation(
        session.login, session.LoginParameters, _CODE | {MissingAppId, BadAkToken}, needs_session=False
    ),
    "loginui": Operation(session.loginui, session.LoginUiParameters, needs_session=False),
    "logout": Operation(session.logout, session.LogoutParameters, forgives_dead_token=True),
    "getcontacts": Operation(
        contacts.getcontacts, contacts.GetContactsParameters, _errors(TooMany), finds_session=True
    ),
    "delcontacts": Operation(contacts.delcontacts, contacts.DelContactsParameters, _errors(TooMany)),
    "profile": Operation(
        profile.profile, profile.ProfileParameters, _errors(BadGroup, BadImage), file="The new photo."
    ),
    "upload": Operation(
        media.upload,
        media.UploadParameters,
        _errors(MissingFile, BadGroup, BadImage),
        file="The file, or the new photo.",
    ),
    "setgroup": Operation(
        groups.setgroup,
        groups.SetGroupParameters,
        _errors(BadGroup, BadImage, TooMany, Refused),
        file="The group's photo.",
    ),
    "getgroup": Operation(
        groups.getgroup, groups.GetGroupParameters, _errors(MissingPara, NotMember), finds_session=True
    ),
    "editmembers": Operation(
        groups.editmembers, groups.EditMembersParameters, _errors(MissingPara, BadGroup, TooMany, Refused)
    ),
    "setadmin": Operation(
        groups.setadmin, groups.SetAdminParameters, _errors(MissingPara, BadGroup, TooMany)
    ),
    "delgroup": Operation(groups.delgroup, groups.DelGroupParameters, _errors(MissingPara, NotMember)),
    "sessions": Operation(sessions.sessions, sessions.SessionsParameters),
    "revoke": Operation(sessions.revoke, sessions.RevokeParameters, _errors(MissingPara)),
    "deleteaccount": Operation(account.deleteaccount, account.DeleteAccountParameters),
    "changenumber": Operation(account.changenumber, account.ChangeNumberParameters, _CODE),
    "exportaccount": Operation(account.exportaccount, account.ExportAccountParameters, _errors(TooMany)),
    "block": Operation(blocks.block, blocks.BlockParameters, _BLOCK),
    "unblock": Operation(blocks.unblock, blocks.UnblockParameters, _BLOCK),
    "blocked": Operation(blocks.blocked, blocks.BlockedParameters),
    "report": Operation(blocks.report, blocks.ReportParameters, _BLOCK | {BadPhone, BadGroup, NotMember}),
    "setnotify": Operation(push.setnotify, push.SetNotifyParameters, finds_session=True),
}

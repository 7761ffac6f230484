"""What an op is given: the request as it was read, and who makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from messenger_api.domain.errors import ApiError, AuthFail, BadValue, TooLarge, TryLater
from messenger_api.domain.texts import known
from messenger_api.services.otp.requests import CodeRequest
from messenger_api.services.record import Services
from messenger_api.storage.sessions import Caller

T = TypeVar("T")

JsonObject = dict[str, object]
"""What an op answers that does not declare its members."""
EVERY_OP: frozenset[type[ApiError]] = frozenset({BadValue, TooLarge, TryLater})
"""The errors that every op can give."""
BOOLEAN_RESULTS = frozenset({"upload"})
"""The ops whose `result` may be true or false (`ApiRequest.wants_boolean`)."""


@dataclass(frozen=True)
class UploadedFile:
    """The first file part of a multipart request."""

    filename: str
    data: bytes


class ApiRequest(msgspec.Struct, frozen=True):
    """A request in any of the accepted encodings, read into one form."""

    op: str
    fields: Mapping[str, object]
    file: UploadedFile | None
    accept_language: str
    root: Callable[[], str]
    """Tells this server's address as the client wrote it; found out only where an answer names it."""
    network: str = ""
    """Where it comes from, as limits count it (`domain.network`)."""
    user_agent: str = ""

    @property
    def token(self) -> str:
        """The session token; mesibo's current uploader calls it `auth`."""
        token = self.fields.get("token") or (self.fields.get("auth") if self.op == "upload" else None)
        return token.strip() if isinstance(token, str) else ""

    @property
    def language(self) -> str:
        """The language for texts that a person reads: the first we have of `lang` and what the client
        prefers."""
        preferred = parse_accept_header(self.accept_language, LanguageAccept).values()
        tags = [str(self.fields.get("lang", "")), *preferred]
        return next(filter(None, map(known, tags)), "en")

    @property
    def from_ios(self) -> bool:
        """Whether the client is an app on iOS: URLSession says so, unless the app names itself otherwise."""
        return "CFNetwork/" in self.user_agent or "iPhone" in self.user_agent

    @property
    def wants_boolean(self) -> bool:
        """Whether `result` is to be true or false: mesibo's current uploaders, which call the token `auth` or
        send a file for a chat, read it so."""
        if self.op not in BOOLEAN_RESULTS:
            return False
        if not self.fields.get("token"):
            return "auth" in self.fields
        return str(self.fields.get("profile", "")).strip() not in ("1", "1.0", "True")


class Call(msgspec.Struct):
    """One run of an op."""

    services: Services
    request: ApiRequest
    found: Caller | None = None
    """Whose session it is, once `caller` was asked for."""

    @property
    def caller(self) -> Caller:
        """Whose session it is, looked up once.

        Raises:
            AuthFail: nobody's.
        """
        if self.found is None:
            self.found = self.services.callers.find(self.request.token)
        return self.found

    def authenticate(self) -> None:
        """Look the session up now. Raises AuthFail: there is none."""
        _ = self.caller

    def find_with(self, look: Callable[..., tuple[Caller, T] | None]) -> T:
        """Look the session up, and what `look` finds beside it (`Callers.find_with`). Raises AuthFail."""
        self.found, beside = self.services.callers.find_with(self.request.token, look)
        return beside

    def code_request(self, channel: str) -> CodeRequest:
        """How a one-time code is asked for; by text message where no channel is named."""
        request = self.request
        return CodeRequest(request.network, request.language, channel or "sms", request.from_ios)

    @property
    def download_url(self) -> str:
        """Where photos and attachments are fetched: this address and a file's name."""
        return self.services.settings.files_url(self.base_url)

    @property
    def base_url(self) -> str:
        """This server as the app knows it, without a slash at the end."""
        return (self.services.settings.public_url or self.request.root()).rstrip("/")


@dataclass(frozen=True)
class Operation:
    """An op as data: its function, its parameters, its errors, and whether it needs a session.

    `run` declares by its return type what is answered: a `TypedDict`, or one of several; an op that is not
    ours may have `JsonObject` there, or nothing. `own_errors` are those besides the ones that `errors` adds.
    `needs_session` has the session looked up before anything else, unless the op's own statement does it.
    `file` says what a file that comes with the call is; "" where none is looked at.
    """

    run: Callable[[Call, Any], Mapping[str, object]]
    parameters: type[msgspec.Struct]
    own_errors: frozenset[type[ApiError]] = frozenset()
    needs_session: bool = True
    finds_session: bool = False
    """Whether it looks for the session by itself, where it can in the statement that does its work."""
    forgives_dead_token: bool = False
    """Whether a token that is unknown by now is as good as success."""
    file: str = ""

    @property
    def answers(self) -> tuple[type, ...]:
        """The shapes of a success, of which it has one, without what all answers have."""
        declared = get_type_hints(self.run).get("return", JsonObject)
        return get_args(declared) if get_origin(declared) in (Union, UnionType) else (declared,)

    @property
    def errors(self) -> frozenset[type[ApiError]]:
        """All that it can answer with FAIL."""
        is_authenticated = self.needs_session and not self.forgives_dead_token
        return EVERY_OP | self.own_errors | ({AuthFail} if is_authenticated else frozenset())


def any_value(kind: type) -> dict[str, object]:
    """The schema of a member of `JsonObject`, as msgspec asks for it (`schema_hook`).

    Raises:
        NotImplementedError: of anything but `object`.
    """
    if kind is object:
        return {"description": "Any value."}  # msgspec takes an empty schema for none
    raise NotImplementedError

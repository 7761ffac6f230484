"""The keys of the login by e-mail, apart from it: its library may not be installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parseaddr

from messenger_api.settings.conversions import (
    Unacceptable,
    Verbatim,
    as_literal,
    as_text,
    as_texts,
    is_local,
    one_of,
    whole_number,
)
from messenger_api.settings.keys import Keys, key

_MAIL_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


@Verbatim
def as_mailbox(value: object) -> str:
    """A sender of e-mail, with a name if wanted, or ""."""
    text = as_text(value)
    address = parseaddr(text)[1]
    # No more than the form: what a sender's address may be, its own mail server decides.
    if text and not (re.fullmatch(r"[!-?A-~]+@[!-?A-~]+", address) and text.isprintable()):
        raise Unacceptable('an address such as "no-reply@example.com" or "Chat <no-reply@example.com>"')
    return text


def as_mail_domains(value: object) -> tuple[str, ...]:
    """Domains of e-mail addresses, also such as the world does not know."""
    domains = tuple(domain.lower().removeprefix("@") for domain in as_texts(value))
    if not all(_MAIL_DOMAIN.fullmatch(domain) for domain in domains):
        raise Unacceptable('a list of domains such as ["firma.local"]')
    return domains


@dataclass(frozen=True)
class EmailKeys(Keys):
    """Login by e-mail

    Only with LOGIN_METHOD = "email".
    """

    smtp_host: str = key(
        "",
        as_text,
        "The server that takes the messages.",
        "smtp.example.com",
        needed=True,
    )
    smtp_port: int = key(
        0,
        whole_number(0, 65535),
        "Its port. 0: the usual one, 587 with starttls, 465 with tls, 25 with none.",
        2525,
    )
    smtp_user: str = key(
        "",
        as_text,
        "The user at that server. Empty: it asks for none.",
        "chat@example.com",
    )
    smtp_pass: str = key(
        "",
        as_literal,
        "That user's password.",
        "a long password",
        secret=True,
    )
    smtp_tls: str = key(
        "starttls",
        one_of("starttls", "tls", "none"),
        'How the connection is protected, "starttls" or "tls" from its first byte. "none" is accepted for'
        " a server on this machine only.",
        "tls",
    )
    smtp_from: str = key(
        "",
        as_mailbox,
        "The sender of the messages, with a name if wanted.",
        "Example Chat <no-reply@example.com>",
        needed=True,
    )
    email_local_domains: tuple[str, ...] = key(
        (),
        as_mail_domains,
        "Domains of your own beside the public ones, such as the world does not know.",
        ["firma.local", "intranet"],
    )

    def faults(self) -> Iterator[str]:
        """A password that would travel in clear, and half a pair."""
        if self.smtp_tls == "none" and not is_local(f"//{self.smtp_host}"):
            yield "SMTP_TLS = 'none': accepted is that only with an SMTP_HOST on this machine"
        if bool(self.smtp_user) != bool(self.smtp_pass):
            yield "SMTP_USER: required with SMTP_PASS, and the other way round"

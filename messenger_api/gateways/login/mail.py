"""One-time codes by e-mail, handed to the mail server that the keys `SMTP_...` name."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, localtime, make_msgid, parseaddr
from html import escape
from typing import Any

from email_validator import EmailNotValidError, validate_email

from messenger_api.domain.address import is_address
from messenger_api.domain.texts import say
from messenger_api.gateways.keys.mail import EmailKeys
from messenger_api.gateways.login.base import CodeMethod, LoginFailed, Unavailable, Undeliverable
from messenger_api.mesibo.http.deadline import TIMED_OUT, Deadline, reader
from messenger_api.settings import Settings

# RFC 8314 (tls), RFC 6409 (starttls) and RFC 5321 (none).
USUAL_PORTS = {"tls": 465, "starttls": 587, "none": 25}

# RFC 5321, section 4.2.1: 4xx says "later", 5xx "no".
PERMANENT = 500

MINUTE = 60

# Longer than any that is_address takes, whatever letters its domain is written in.
LONGEST_ENTRY = 256
PUBLIC = "example.com"

# Seven bits and short lines: what every server takes.
_POLICY = policy.SMTP.clone(cte_type="7bit")


class EmailMethod(CodeMethod):
    """Sends codes by SMTP, over a connection of its own for each."""

    name = "email"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        keys = self._keys = settings.of(EmailKeys)
        self._port = keys.smtp_port or USUAL_PORTS[keys.smtp_tls]
        name, self._sender = parseaddr(keys.smtp_from)
        self._from = Address(name, addr_spec=self._sender)
        if not (keys.smtp_user + keys.smtp_pass).isascii():
            raise ValueError("SMTP_USER, SMTP_PASS: accepted are ASCII characters")
        self._tls = ssl.create_default_context()

    def read(self, entry: str) -> str | None:
        """An e-mail address in lower case; whether its domain exists is not asked."""
        name, at, domain = entry.strip().rpartition("@")
        # Looked at first: the library would make an ASCII "K" of the Kelvin sign, another person's name.
        if not name.isascii() or len(entry) > LONGEST_ENTRY:
            return None
        ours = self._local_domain(domain)
        try:
            # It refuses domains that the world does not know, so it sees the name alone with one of those.
            found = validate_email(
                f"{name}{at}{PUBLIC if ours else domain}", check_deliverability=False, allow_smtputf8=False
            )
        except EmailNotValidError:
            return None
        # A domain in other letters is written in ASCII (RFC 5891) there.
        address = f"{found.ascii_local_part}@{ours or found.ascii_domain}".lower()
        return address if is_address(address) else None

    def _local_domain(self, domain: str) -> str:
        """The domain in ASCII if it is one of EMAIL_LOCAL_DOMAINS, or ""."""
        if not self._keys.email_local_domains:
            return ""
        try:
            written = domain.encode("idna").decode().lower()
        except UnicodeError:
            return ""
        return written if written in self._keys.email_local_domains else ""

    def check(self) -> None:
        """Log in at the server, without a message."""
        self._with_server(lambda server: None)

    def _deliver(self, address: str, code: str, language: str) -> None:
        message = self._message(address, code, language)
        self._with_server(lambda server: server.send_message(message, self._sender, [address]))

    def _message(self, address: str, code: str, language: str) -> EmailMessage:
        settings = self._settings
        values: dict[str, str | int] = {
            "code": code,
            "app": settings.sms_app_name,
            "minutes": -(-settings.otp_ttl // MINUTE),
        }
        subject, body = (say(key, language, **values) for key in ("email_subject", "email_body"))
        message = EmailMessage(_POLICY)
        message["From"] = self._from
        message["To"] = Address(addr_spec=address)
        message["Subject"] = " ".join(subject.split())
        message["Date"] = format_datetime(localtime())
        message["Message-ID"] = make_msgid(domain=self._from.domain)
        # RFC 3834: no holiday notice is sent back to this.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(body)
        message.add_alternative(_html(body, code), subtype="html")
        return message

    def _with_server(self, work: Callable[[smtplib.SMTP], object]) -> None:
        """Do something with a server that we are logged in at."""
        deadline = Deadline(self._settings.login_timeout)
        server: _Server | None = None
        try:
            server = self._connect(deadline)
            try:
                self._log_in(server)
                work(server)
            finally:
                _quit(server)
        except (smtplib.SMTPException, OSError) as error:
            failure = Unavailable(TIMED_OUT) if deadline.is_over else _failure(error)
            if server and server.awaits_word:
                failure = Unavailable(failure.reason, may_be_sent=True)
            raise failure from None

    def _connect(self, deadline: Deadline) -> _Server:
        # The name to say in EHLO is given, or smtplib would look up this machine's.
        place = {"host": self._keys.smtp_host, "port": self._port, "local_hostname": self._from.domain}
        if self._keys.smtp_tls == "tls":
            return _TlsServer(deadline, **place, context=self._tls)
        return _Server(deadline, **place)

    def _log_in(self, server: smtplib.SMTP) -> None:
        if self._keys.smtp_tls == "starttls":
            server.starttls(context=self._tls)
        if self._keys.smtp_user:
            server.login(self._keys.smtp_user, self._keys.smtp_pass)
        else:
            server.ehlo_or_helo_if_needed()


class _Server(smtplib.SMTP):
    """A connection whose answers come in time, however slowly the server speaks."""

    awaits_word = False
    """Whether a message has left of which the server has not said that it takes it, or does not."""

    def __init__(self, deadline: Deadline, **options: Any) -> None:
        self._deadline = deadline
        super().__init__(**options, timeout=deadline.left())

    def send(self, s: Any) -> None:
        """Write a command, which is a text, or the message, which is bytes."""
        self.awaits_word = self.awaits_word or isinstance(s, bytes)
        super().send(s)

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Hand the message over."""
        answer = super().data(msg)
        self.awaits_word = False
        return answer

    def getreply(self) -> tuple[int, bytes]:
        """Read an answer."""
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("closed")
        if self.file is None:
            self.file = reader(self.sock, self._deadline)
        return super().getreply()


class _TlsServer(_Server, smtplib.SMTP_SSL):
    """The same with TLS from the first byte."""


def _html(body: str, code: str) -> str:
    big = f'<p style="font-size: 2em; letter-spacing: .2em"><b>{escape(code)}</b></p>'
    return f'<!doctype html>\n<html><body dir="auto">\n{big}\n<p>{escape(body)}</p>\n</body></html>\n'


def _quit(server: smtplib.SMTP) -> None:
    """Send QUIT without waiting for the answer, on which nothing depends."""
    with suppress(smtplib.SMTPException, OSError):
        server.putcmd("quit")
    server.close()


# With the code that the server answered.
_ANSWERED: tuple[tuple[type[smtplib.SMTPResponseException], str], ...] = (
    (smtplib.SMTPAuthenticationError, "SMTP_USER and SMTP_PASS were not accepted ({})"),
    (smtplib.SMTPSenderRefused, "SMTP_FROM was not accepted ({})"),
)
_BROKEN: tuple[tuple[type[Exception], str], ...] = (
    (smtplib.SMTPNotSupportedError, "the server does not offer what SMTP_TLS or SMTP_USER ask for"),
    (smtplib.SMTPServerDisconnected, "the server closed the connection"),
    (TimeoutError, TIMED_OUT),
)


def _failure(error: Exception) -> LoginFailed:
    """Sort what went wrong. What the server said may quote the address, so that only its code is kept."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = max((code for code, _ in error.recipients.values()), default=0)
        return (Undeliverable if code >= PERMANENT else Unavailable)(f"recipient refused ({code})")
    if isinstance(error, smtplib.SMTPResponseException):
        found = (words for kind, words in _ANSWERED if isinstance(error, kind))
        return Unavailable(next(found, "the server answered {}").format(error.smtp_code))
    if isinstance(error, ssl.SSLCertVerificationError):
        return Unavailable(f"the server's certificate was not accepted: {error.verify_message}")
    found = (words for kind, words in _BROKEN if isinstance(error, kind))
    return Unavailable(next(found, f"no connection to SMTP_HOST ({type(error).__name__})"))

"""Codes by e-mail: against a real SMTP server over real sockets, and against ones that misbehave."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from structlog.testing import capture_logs

from messenger_api.configuration import build
from messenger_api.gateways.login import CodeMethod, Unavailable, Undeliverable, method_from_settings
from messenger_api.gateways.login.mail import EmailMethod
from tests.login.standins import assert_hidden, drip, quick, silence, tcp_server
from tests.processes import free_port

ANA, CODE, PASSWORD = "anastasia@example.com", "481516", "the mail server's password"
WRONG = "not-the-password"


class Mailbox:
    """What the server took, and what it answers to a recipient or a message."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, list[str], EmailMessage]] = []
        self.raw = b""
        self.was_encrypted = False
        self.was_authenticated = False
        self.rcpt = ""
        self.data = "250 taken"

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.rcpt:
            return self.rcpt
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append((str(envelope.mail_from), list(envelope.rcpt_tos), message))
        self.raw = envelope.content
        self.was_encrypted = session.ssl is not None
        self.was_authenticated = session.authenticated is True
        return self.data


def authenticator(_s: SMTP, _session: Session, _e: Envelope, _mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and data == LoginPassword(b"chat", PASSWORD.encode())
    return AuthResult(success=right, handled=right)


def server_context(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


@contextmanager
def mail_server(mailbox: Mailbox, *, implicit: bool = False, **options: Any) -> Iterator[int]:
    context = options.pop("tls", None)
    if context:
        options["ssl_context" if implicit else "tls_context"] = context
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def method(port: int, **changes: object) -> EmailMethod:
    values: dict[str, object] = {
        "login_method": "email",
        "login_timeout": 2,
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_from": "Example Chat <no-reply@example.com>",
        "sms_app_name": "Chat",
        "smtp_tls": "none",
    }
    made = method_from_settings(build(**(values | changes)))
    assert isinstance(made, EmailMethod)
    return made


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def plain(mailbox: Mailbox) -> Iterator[int]:
    with mail_server(mailbox) as port:
        yield port


@pytest.fixture
def starttls(mailbox: Mailbox, authority: trustme.CA, trusted: None) -> Iterator[int]:
    context = server_context(authority)
    options: dict[str, Any] = {
        "require_starttls": True,
        "auth_required": True,
        "authenticator": authenticator,
    }
    with mail_server(mailbox, tls=context, **options) as port:
        yield port


def login(port: int, **changes: object) -> EmailMethod:
    return method(port, **{"smtp_tls": "starttls", "smtp_user": "chat", "smtp_pass": PASSWORD, **changes})


# --- Addresses


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (" Ana.Lee+x@Example.COM ", "ana.lee+x@example.com"), ("ana@example.org", "ana@example.org"),
        ("ana", None), ("ana@", None), ("@example.com", None), ("a@b@example.com", None),
        ("ana@example", None),
        ("ana@exa mple.com", None), ("ana@example.com\nBcc: b@example.com", None), ("", None),
        ("Ana <ana@example.com>", None), ("ana@[127.0.0.1]", None), ('"a,b"@example.com', None),
        ("añb@example.com", None), ("a" * 60 + "@example.com", None),
        ("ana@müller.de", "ana@xn--mller-kva.de"),
        ("\u212aai@example.com", None), ("Ana@MÜLLER.DE", "ana@xn--mller-kva.de"),
        ("ana@xn--mller-kva.de", "ana@xn--mller-kva.de"), ("ana@例え。jp", "ana@xn--r8jz45g.jp"),
        ("ana@" + "ü" * 60 + ".de", None), ("ana@firma.local", None), ("ana@localhost", None),
    ],
)  # fmt: skip
def test_an_address_is_read_into_lower_case_or_not_at_all(entry: str, expected: str | None) -> None:
    assert method(25).read(entry) == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("ana@firma.local", "ana@firma.local"),
        (" Ana@FIRMA.Local ", "ana@firma.local"),
        ("ana@intranet", "ana@intranet"),
        ("ana@büro.firma.local", "ana@xn--bro-hoa.firma.local"),
        ("ana@example.com", "ana@example.com"),
        ("ana@x.firma.local", None),
        ("ana@other.local", None),
        ("a,b@firma.local", None),
        ("a b@firma.local", None),
        ("a..b@firma.local", None),
        ("\u212ate@firma.local", None),
        ("@firma.local", None),
        ("firma.local", None),
        ("ana@ben@firma.local", None),
    ],
)
def test_domains_of_ones_own_are_as_good_as_public_ones(entry: str, expected: str | None) -> None:
    own = method(25, email_local_domains=["firma.local", "@Intranet", "xn--bro-hoa.firma.local"])
    assert own.read(entry) == expected


# --- The message


def test_the_message_says_the_code_as_text_and_as_html(plain: int, mailbox: Mailbox) -> None:
    method(plain).deliver(ANA, CODE, "en")
    ((sender, recipients, message),) = mailbox.taken
    assert (sender, recipients) == ("no-reply@example.com", [ANA])
    assert message["From"] == "Example Chat <no-reply@example.com>"
    assert message["To"] == ANA
    assert message["Subject"] == "481516 is your code for Chat"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@example.com>")
    assert parsedate_to_datetime(message["Date"]).tzinfo
    assert message.get_content_type() == "multipart/alternative"
    texts = {part.get_content_type(): part.get_content() for part in message.iter_parts()}
    assert set(texts) == {"text/plain", "text/html"}
    for text in texts.values():
        assert CODE in text
        assert "It is valid for 5 minutes" in text
        assert "Your code for Chat is" in text


@pytest.mark.parametrize("app", ["Chat\r\nBcc: eve@example.com", "<script>alert(1)</script> & Söhne"])
def test_the_name_of_the_app_is_a_name_and_nothing_else(plain: int, mailbox: Mailbox, app: str) -> None:
    method(plain, sms_app_name=app).deliver(ANA, CODE, "en")
    ((_, recipients, message),) = mailbox.taken
    assert recipients == [ANA]
    assert message["Bcc"] is None
    assert " ".join(app.split()) in message["Subject"]
    html = message.get_body(("html",))
    assert html
    assert "<script>" not in html.get_content()


@pytest.mark.parametrize(
    "address", ["a@example.com\r\nBcc: eve@example.com", "a@example.com,eve@example.com"]
)
def test_an_address_that_was_not_read_adds_no_header_and_no_recipient(
    plain: int, mailbox: Mailbox, address: str
) -> None:
    with pytest.raises(Unavailable):
        method(plain).deliver(address, CODE, "en")
    assert mailbox.taken == []


def test_every_line_is_short_and_of_seven_bits(plain: int, mailbox: Mailbox) -> None:
    method(plain, sms_app_name="Zażółć " * 50).deliver(ANA, CODE, "en")
    assert mailbox.raw.isascii()
    assert max(map(len, mailbox.raw.split(b"\r\n"))) <= 78


# --- The connection


def test_starttls_protects_the_login_and_the_message(starttls: int, mailbox: Mailbox) -> None:
    login(starttls).deliver(ANA, CODE, "en")
    assert len(mailbox.taken) == 1
    assert mailbox.was_encrypted
    assert mailbox.was_authenticated


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # TLS is there already
def test_implicit_tls_protects_from_the_first_byte(
    mailbox: Mailbox, authority: trustme.CA, trusted: None
) -> None:
    options: dict[str, Any] = {
        "auth_required": True,
        "auth_require_tls": False,
        "authenticator": authenticator,
    }
    with mail_server(mailbox, implicit=True, tls=server_context(authority), **options) as port:
        login(port, smtp_tls="tls").deliver(ANA, CODE, "en")
    assert mailbox.was_authenticated


def test_the_check_logs_in_and_sends_nothing(starttls: int, mailbox: Mailbox) -> None:
    login(starttls).check()
    assert mailbox.taken == []
    with pytest.raises(Unavailable, match=r"SMTP_USER and SMTP_PASS were not accepted \(535\)"):
        login(starttls, smtp_pass="wrong").check()


def test_a_wrong_password_is_a_fault_and_stands_nowhere(starttls: int, mailbox: Mailbox) -> None:
    with capture_logs() as events, pytest.raises(Unavailable) as caught:
        login(starttls, smtp_pass=WRONG).deliver(ANA, CODE, "en")
    assert mailbox.taken == []
    assert_hidden(caught.value, events, ANA, CODE, WRONG)


def test_a_server_without_starttls_gets_neither_password_nor_code(plain: int, mailbox: Mailbox) -> None:
    with pytest.raises(Unavailable, match="does not offer what SMTP_TLS"):
        login(plain).deliver(ANA, CODE, "en")
    assert mailbox.taken == []


@pytest.mark.parametrize("implicit", [True, False])
def test_a_certificate_of_somebody_else_is_not_accepted(
    mailbox: Mailbox, authority: trustme.CA, trusted: None, implicit: bool
) -> None:
    for context in (server_context(trustme.CA()), server_context(authority, "mail.example.org")):
        with mail_server(mailbox, implicit=implicit, tls=context) as port:
            tls = "tls" if implicit else "starttls"
            with pytest.raises(Unavailable, match="certificate was not accepted"):
                method(port, smtp_tls=tls).deliver(ANA, CODE, "en")
    assert mailbox.taken == []


# --- Servers that refuse, hang and drop


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(f"550 no {ANA} here", Undeliverable), ("553 no such box", Undeliverable), ("451 later", Unavailable)],
)
def test_a_recipient_that_is_refused_for_good_is_told_from_one_refused_for_now(
    plain: int, mailbox: Mailbox, answer: str, expected: type[Exception]
) -> None:
    mailbox.rcpt = answer
    with capture_logs() as events, pytest.raises(expected) as caught:
        method(plain).deliver(ANA, CODE, "en")
    assert isinstance(caught.value, (Undeliverable, Unavailable))
    assert caught.value.reason == f"recipient refused ({answer[:3]})"
    assert_hidden(caught.value, events, ANA, CODE)


@pytest.mark.parametrize("answer", ["554 looks like spam", "452 disk full"])
def test_a_message_that_is_refused_is_no_fault_of_the_address(
    plain: int, mailbox: Mailbox, answer: str
) -> None:
    mailbox.data = answer
    with pytest.raises(Unavailable, match=f"the server answered {answer[:3]}"):
        method(plain).deliver(ANA, CODE, "en")


@pytest.mark.parametrize("tls", ["none", "tls"])
@pytest.mark.parametrize("talk", [silence, drip])
def test_a_server_that_hangs_costs_no_more_than_the_time_limit(
    talk: Callable[[socket.socket], None], tls: str
) -> None:
    with tcp_server(talk) as port, quick(3), pytest.raises(Unavailable):
        method(port, login_timeout=0.5, smtp_tls=tls).deliver(ANA, CODE, "en")


def scripted(*answers: bytes, then: Callable[[socket.socket], None] | None = None) -> Any:
    """Answer line for line, then do something else, or close."""

    def talk(connection: socket.socket) -> None:
        lines = connection.makefile("rb")
        connection.sendall(b"220 here\r\n")
        for answer in answers:
            lines.readline()
            connection.sendall(answer + b"\r\n")
        lines.readline()
        if then:
            then(connection)

    return talk


TAKEN = (b"250 mail.example.com", b"250 sender", b"250 recipient", b"354 go on")


@pytest.mark.parametrize("step", range(5))
def test_a_server_that_drops_in_the_middle_is_a_fault(step: int) -> None:
    with (
        tcp_server(scripted(*TAKEN[:step])) as port,
        pytest.raises(Unavailable, match=r"closed|no connection"),
    ):
        method(port).deliver(ANA, CODE, "en")


@pytest.mark.parametrize("step", range(5))
@pytest.mark.parametrize("talk", [silence, drip])
def test_a_server_that_hangs_in_the_middle_is_cut_off(
    step: int, talk: Callable[[socket.socket], None]
) -> None:
    timed_out = pytest.raises(Unavailable, match="timed out")
    with tcp_server(scripted(*TAKEN[:step], then=talk)) as port, quick(3), timed_out:
        method(port, login_timeout=0.5).deliver(ANA, CODE, "en")


@pytest.mark.parametrize("step", range(5))
@pytest.mark.parametrize("talk", [None, silence])
def test_from_the_message_itself_on_it_may_have_been_sent(
    step: int, talk: Callable[[socket.socket], None] | None
) -> None:
    with tcp_server(scripted(*TAKEN[:step], then=talk)) as port, pytest.raises(Unavailable) as caught:
        method(port, login_timeout=0.5).deliver(ANA, CODE, "en")
    assert caught.value.may_be_sent is (step == len(TAKEN))


@pytest.mark.parametrize("answer", [b"554 spam", b"452 disk full"])
def test_but_not_where_the_server_refuses_it(answer: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        lines = connection.makefile("rb")
        connection.sendall(b"220 here\r\n")
        for each in TAKEN:
            lines.readline()
            connection.sendall(each + b"\r\n")
        while lines.readline() not in (b".\r\n", b""):
            pass
        connection.sendall(answer + b"\r\n")

    with tcp_server(talk) as port, pytest.raises(Unavailable) as caught:
        method(port).deliver(ANA, CODE, "en")
    assert not caught.value.may_be_sent


def test_nobody_listening_is_a_fault() -> None:
    with pytest.raises(Unavailable, match=r"no connection to SMTP_HOST \(ConnectionRefusedError\)"):
        method(free_port()).check()


def test_a_password_that_smtp_cannot_carry_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="SMTP_PASS: accepted are ASCII characters"):
        method(25, smtp_user="chat", smtp_pass="pässword")


def test_it_is_a_method_for_codes() -> None:
    assert isinstance(method(25), CodeMethod)

"""By page: what plays the accounts and servers that the page leaves to its reader, as `MESSENGER_*` keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import trustme
from aiosmtpd.smtp import SMTP, Envelope, Session

from messenger_api.sandbox import SandboxServer
from tests.gateways.gateway_standin import gateway
from tests.login import directory_server, radius_server
from tests.login.issuer import serving
from tests.login.people import people_service
from tests.login.test_email import Mailbox, mail_server
from tests.processes import LOOPBACK
from tests.typed_pages import Reader

Keys = Mapping[str, str]
Story = Callable[[Reader, SandboxServer], AbstractContextManager[Keys]]


@contextmanager
def alone(_reader: Reader, _sandbox: SandboxServer) -> Iterator[Keys]:
    """Nothing: the page names all that is needed."""
    yield {}


@contextmanager
def mesibo(_reader: Reader, sandbox: SandboxServer) -> Iterator[Keys]:
    """An account at mesibo."""
    yield account(sandbox)


def account(sandbox: SandboxServer) -> dict[str, str]:
    return {
        "MESSENGER_MESIBO_API_URL": sandbox.mesibo_json_url,
        "MESSENGER_MESIBO_APP_TOKEN": sandbox.app_token,
    }


@contextmanager
def twilio(_reader: Reader, sandbox: SandboxServer) -> Iterator[Keys]:
    """An account at Twilio beside that at mesibo. No name leads to this machine."""
    yield account(sandbox) | {
        "MESSENGER_PUBLIC_URL": "",
        "MESSENGER_TWILIO_API_URL": sandbox.twilio_url,
        "MESSENGER_TWILIO_ACCOUNT_SID": sandbox.twilio_sid,
        "MESSENGER_TWILIO_AUTH_TOKEN": sandbox.twilio_token,
    }


@contextmanager
def twilio_verify(reader: Reader, sandbox: SandboxServer) -> Iterator[Keys]:
    with twilio(reader, sandbox) as keys:
        yield {**keys, "MESSENGER_TWILIO_VERIFY_SID": sandbox.twilio_verify_sid}


@contextmanager
def vonage(_reader: Reader, sandbox: SandboxServer) -> Iterator[Keys]:
    yield account(sandbox) | {
        "MESSENGER_PUBLIC_URL": "",
        "MESSENGER_VONAGE_API_URL": sandbox.vonage_url,
        "MESSENGER_VONAGE_API_KEY": sandbox.vonage_key,
        "MESSENGER_VONAGE_API_SECRET": sandbox.vonage_secret,
    }


@contextmanager
def http_gateway(_reader: Reader, sandbox: SandboxServer) -> Iterator[Keys]:
    with gateway(status=202, answer={"messages": [{"id": "4711"}]}) as standin:
        yield account(sandbox) | {"MESSENGER_SMS_HTTP_URL": f"{standin.url}?{{to}}{{text}}"}


@contextmanager
def own_sms_provider(_reader: Reader, sandbox: SandboxServer) -> Iterator[Keys]:
    with gateway(answer={"id": 4711}) as standin:
        yield account(sandbox) | {"MESSENGER_EXAMPLE_SMS_URL": standin.url}


class ReadMailbox(Mailbox):
    """A mailbox whose owner types the code of each mail."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self._reader = reader

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        found = re.search(r"\b[0-9]{6}\b", str(self.taken[-1][2].get_body()))
        assert found, "no code in the mail"
        self._reader.types(found[0])
        return answer


@contextmanager
def email(reader: Reader, _sandbox: SandboxServer) -> Iterator[Keys]:
    with mail_server(ReadMailbox(reader)) as port:
        yield {
            "MESSENGER_SMTP_HOST": LOOPBACK,
            "MESSENGER_SMTP_PORT": str(port),
            "MESSENGER_SMTP_USER": "",
            "MESSENGER_SMTP_PASS": "",
            "MESSENGER_SMTP_TLS": "none",
        }


@contextmanager
def ldap(_reader: Reader, sandbox: SandboxServer) -> Iterator[Keys]:
    with directory_server.Slapd(trustme.CA().issue_cert(LOOPBACK)) as server:
        yield account(sandbox) | {
            "MESSENGER_LDAP_URL": server.url,
            "MESSENGER_LDAP_BIND_DN": directory_server.SEARCH_DN,
            "MESSENGER_LDAP_BIND_PASS": directory_server.SEARCH_PASSWORD,
            "MESSENGER_LDAP_BASE": directory_server.BASE,
            "MESSENGER_LDAP_FILTER": "(uid={address})",
            "MESSENGER_LDAP_CA_FILE": "",
        }


@contextmanager
def radius(_reader: Reader, sandbox: SandboxServer) -> Iterator[Keys]:
    with radius_server.FreeRadius() as server:
        yield account(sandbox) | {
            "MESSENGER_RADIUS_HOST": f"{LOOPBACK}:{server.port}",
            "MESSENGER_RADIUS_SECRET": radius_server.SECRET,
        }


@contextmanager
def oidc(reader: Reader, sandbox: SandboxServer) -> Iterator[Keys]:
    with serving() as issuer:
        reader.types(issuer.token())
        yield account(sandbox) | {"MESSENGER_OIDC_ISSUER": issuer.url}


@contextmanager
def own_login_method(_reader: Reader, sandbox: SandboxServer) -> Iterator[Keys]:
    with people_service() as url:
        yield account(sandbox) | {"MESSENGER_PEOPLE_SERVICE_URL": url}


STORIES: dict[str, Story] = {
    "do/login-email": email,
    "do/login-ldap": ldap,
    "do/login-oidc": oidc,
    "do/login-radius": radius,
    "do/own-login-method": own_login_method,
    "do/own-sms-provider": own_sms_provider,
    "do/sms-http": http_gateway,
    "do/sms-twilio": twilio,
    "do/sms-twilio-verify": twilio_verify,
    "do/sms-vonage": vonage,
    "learn/your-app": mesibo,
}

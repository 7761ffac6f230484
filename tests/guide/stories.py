"""By page: what plays the accounts and servers that the page leaves to its reader, as `MESSENGER_*` keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from messenger_api.sandbox import SandboxServer
from tests.gateways.gateway_standin import gateway
from tests.login.people import people_service

Keys = Mapping[str, str]
Story = Callable[[SandboxServer], AbstractContextManager[Keys]]


def mesibo(sandbox: SandboxServer) -> dict[str, str]:
    """An account at mesibo."""
    return {
        "MESSENGER_MESIBO_API_URL": sandbox.mesibo_json_url,
        "MESSENGER_MESIBO_APP_TOKEN": sandbox.app_token,
    }


@contextmanager
def alone(_sandbox: SandboxServer) -> Iterator[Keys]:
    """Nothing: the page names all that is needed."""
    yield {}


@contextmanager
def own_sms_provider(sandbox: SandboxServer) -> Iterator[Keys]:
    with gateway(answer={"id": 4711}) as standin:
        yield mesibo(sandbox) | {"MESSENGER_EXAMPLE_SMS_URL": standin.url}


@contextmanager
def own_login_method(sandbox: SandboxServer) -> Iterator[Keys]:
    with people_service() as url:
        yield mesibo(sandbox) | {"MESSENGER_PEOPLE_SERVICE_URL": url}


STORIES: dict[str, Story] = {
    "do/own-login-method": own_login_method,
    "do/own-sms-provider": own_sms_provider,
}

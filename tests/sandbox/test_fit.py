"""The product's own clients and the stand-ins understand each other."""

from __future__ import annotations

import pytest

from messenger_api.gateways.mesibo import MesiboClient, MesiboRefused, Message
from messenger_api.gateways.sms import SmsRefused, TextMessage
from messenger_api.gateways.sms.twilio import TwilioProvider
from messenger_api.sandbox import SandboxServer, SandboxStore
from messenger_api.settings import build
from tests.sandbox.conftest import ADA, BOB


@pytest.mark.parametrize("style", ["json", "form"])
def test_the_mesibo_client_does_all_its_calls(style: str, server: SandboxServer, store: SandboxStore) -> None:
    url = server.mesibo_json_url if style == "json" else server.mesibo_form_url
    client = MesiboClient(url, server.app_token)
    try:
        client.ping()
        ada = client.add_user(ADA, appid="app", name="Ada")
        client.add_user(BOB, appid="app")
        assert store.token(ada.token)
        gid = client.add_group("g", [ADA])
        client.edit_members(gid, [BOB])
        client.set_group(gid, "new")
        assert client.group_members(gid) == [ADA, BOB]
        client.edit_members(gid, [BOB], remove=True)
        client.send_message(Message(ADA, [BOB], "hello"))
        assert store.messages()[0].text == "hello"
        with pytest.raises(MesiboRefused):
            client.edit_members(gid, ["4477"])
        client.delete_group(gid)
        client.delete_token(ADA, uid=ada.uid, appid="app")
        assert store.token(ada.token) is None
        client.delete_user(ADA, uid=ada.uid)
        assert store.user(ADA) is None
    finally:
        client.close()


def test_the_twilio_provider_sends(server: SandboxServer, store: SandboxStore) -> None:
    settings = build(
        twilio_account_sid=server.twilio_sid,
        twilio_auth_token=server.twilio_token,
        twilio_from="+15005550006",
        twilio_api_url=server.twilio_url,
    )
    provider = TwilioProvider(settings)
    try:
        provider.check()
        provider.send(TextMessage(BOB, "482913 is your code"))
        assert store.texts()[0].text == "482913 is your code"
        with pytest.raises(SmsRefused):
            provider.send(TextMessage("15005550001", "x"))
    finally:
        provider.close()

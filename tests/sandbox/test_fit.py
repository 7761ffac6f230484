"""The product's own clients and the stand-ins understand each other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from messenger_api.configuration import build
from messenger_api.gateways.mesibo import MesiboClient, MesiboRefused, Message
from messenger_api.gateways.sms import (
    Channel,
    SmsFraud,
    SmsRefused,
    SmsSender,
    SmsWrongChannel,
    TextMessage,
    sender_from_settings,
)
from messenger_api.gateways.sms.twilio import TwilioProvider
from messenger_api.sandbox import SandboxServer, SandboxStore
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


@pytest.fixture
def sender(server: SandboxServer) -> Iterator[SmsSender]:
    """All providers that the sandbox plays."""
    settings = build(
        sms_providers=["twilio", "twilio_verify", "vonage"],
        sms_countries="*",
        public_url="https://chat.example.com",
        twilio_account_sid=server.twilio_sid,
        twilio_auth_token=server.twilio_token,
        twilio_from="+15005550006",
        twilio_verify_sid=server.twilio_verify_sid,
        twilio_api_url=server.twilio_url,
        vonage_api_key=server.vonage_key,
        vonage_api_secret=server.vonage_secret,
        vonage_from="Messenger",
        vonage_signature_secret="secret",
        vonage_api_url=server.vonage_url,
    )
    found = sender_from_settings(settings)
    yield found
    found.close()


def test_every_provider_passes_its_check(sender: SmsSender) -> None:
    sender.check()


def test_each_provider_takes_over_from_the_one_before(
    sender: SmsSender, server: SandboxServer, store: SandboxStore
) -> None:
    text = "482913 – код"
    message = TextMessage(BOB, text, code="482913", language="ru")
    assert sender.send(message).provider == "twilio"
    server.faults.add("twilio", html=True)
    assert sender.send(message).provider == "twilio_verify"
    server.faults.add("twilio_verify", drop=True)
    assert sender.send(message).provider == "vonage"
    assert [kept.provider for kept in store.texts()] == ["vonage", "twilio_verify", "twilio"]
    assert store.texts()[0].text == text


def test_a_call_says_the_code(sender: SmsSender, store: SandboxStore) -> None:
    message = TextMessage(BOB, "482913 is your code", code="482913", channel=Channel.VOICE)
    assert sender.send(message).provider == "twilio"
    assert store.texts()[0].text == "(call) 4, 8, 2, 9, 1, 3 is your code"


@pytest.mark.parametrize("channel", list(Channel))
def test_a_code_of_verify_is_right_once(sender: SmsSender, store: SandboxStore, channel: Channel) -> None:
    sent = sender.send(TextMessage(BOB, "", channel=channel), avoid=["twilio", "vonage"])
    assert (sent.provider, sent.makes_codes, sent.channel) == ("twilio_verify", True, channel)
    code = store.texts()[0].text[-6:]
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    asked = [sender.check_code(sent.provider, BOB, sent.id, each) for each in (wrong, code, code)]
    assert asked == [False, True, False]


@pytest.mark.parametrize(
    ("number", "avoid", "kind"),
    [
        ("15005550001", (), SmsRefused),
        ("15005550009", (), SmsWrongChannel),
        ("15005550004", ("twilio", "vonage"), SmsFraud),
        ("15005550001", ("twilio", "vonage"), SmsRefused),
        ("15005550009", ("twilio", "vonage"), SmsWrongChannel),
        ("15005550009", ("twilio", "twilio_verify"), SmsRefused),
    ],
)
def test_refusals_are_told_apart(
    sender: SmsSender, number: str, avoid: tuple[str, ...], kind: type[SmsRefused]
) -> None:
    with pytest.raises(kind) as caught:
        sender.send(TextMessage(number, "482913"), avoid=avoid)
    assert type(caught.value) is kind

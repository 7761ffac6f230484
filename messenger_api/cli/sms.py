"""`messenger-api sms`: the providers of one-time codes."""

from __future__ import annotations

import time

import click

from messenger_api import logs
from messenger_api.cli.common import fail, plainly, settings
from messenger_api.domain.phone import Phone, read
from messenger_api.gateways.sms import (
    Channel,
    Sent,
    SmsError,
    SmsSender,
    SmsUnavailable,
    TextMessage,
    sender_from_settings,
)
from messenger_api.settings import Settings, SettingsError

# Said on the phone, where a message needs something to say digit by digit. It opens nothing.
TEST_CODE = "123456"


@click.group()
def sms() -> None:
    """The providers that send one-time codes."""


@sms.command()
@click.argument("number")
@click.option(
    "--channel",
    default=Channel.SMS.value,
    show_default=True,
    type=click.Choice([channel.value for channel in Channel]),
    help="A text, or a call.",
)
@click.option("--provider", default="", help="Send by this one of SMS_PROVIDERS alone.")
def test(number: str, channel: str, provider: str) -> None:
    """Send a test message to NUMBER, which costs what a code costs; exit with 1 when it was not sent.

    It goes through the configured providers in their order, as a code does. A provider that makes codes
    itself sends one of its own.
    """
    config = settings()
    # Providers that fail before one takes it are warnings.
    logs.configure("warning", config.log_format)
    message = _message(config, number, Channel(channel))
    sender = _sender(config)
    started = time.monotonic()
    try:
        sent = _send(sender, message, provider)
    except SmsUnavailable as error:
        fail(f"Not sent. {error.reason}")
    except SmsError as error:
        fail(f"Not sent. {error}")
    finally:
        sender.close()
    ms = round((time.monotonic() - started) * 1000)
    click.echo(f"{sent.provider} took it in {ms} ms, id {sent.id}")


def _message(config: Settings, number: str, channel: Channel) -> TextMessage:
    phone = read(number, config.default_country)
    if not isinstance(phone, Phone):
        fail(f"{number} is no phone number. Write it with + and the country code, for example +14155550123.")
    text = f"This is a test from {config.sms_app_name}"
    code = "" if channel is Channel.SMS else TEST_CODE
    return TextMessage(phone.digits, f"{text} {code}".rstrip(), code=code, channel=channel)


def _sender(config: Settings) -> SmsSender:
    with plainly():
        try:
            return sender_from_settings(config)
        except ValueError as error:
            raise SettingsError([str(error)]) from error


def _send(sender: SmsSender, message: TextMessage, provider: str) -> Sent:
    if not provider:
        return sender.send(message)
    chosen = sender.get(provider)
    if chosen is None:
        names = ", ".join(each.name for each in sender.providers)
        fail(f"{provider} is none of SMS_PROVIDERS: {names}")
    return SmsSender([chosen], timeout=sender.timeout).send(message)

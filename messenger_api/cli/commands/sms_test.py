"""`messenger-api sms test`: a message through the providers of one-time codes."""

from __future__ import annotations

import time
from dataclasses import replace

import click

from messenger_api.cli.commands.sms import sms
from messenger_api.cli.common import built, fail, prepare_schema, printable, product, say, settings
from messenger_api.domain.errors import BadPhone, TooMany
from messenger_api.domain.phone import Phone, read
from messenger_api.gateways.sms import Channel, SmsError, SmsSender, SmsUnavailable, TextMessage
from messenger_api.settings import Settings

REFUSALS = {
    "phone_country": "The number's country is none of those that are texted: SMS_COUNTRIES, DEFAULT_COUNTRY.",
    "phone_kind": "Numbers of this kind get no texts and calls. See SMS_TO_VOIP and SMS_TO_SATELLITE.",
}
SPENT = "The budget has no room for it: messenger-api sms status shows it, SMS_BUDGET_DAY and _MONTH set it."
# Said on the phone, where a message needs something to say digit by digit. It opens nothing.
TEST_CODE = "123456"


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

    It goes through the configured providers in their order, as a code does, to the same countries, and counts
    in the budget. A provider that makes codes itself sends one of its own.
    """
    config = settings()
    phone = read(number, config.default_country)
    if not isinstance(phone, Phone):
        fail(f"{printable(number)} is no phone number. Write it internationally, for example +14155550123.")
    message = _message(config, phone, Channel(channel))
    # Providers that fail before one takes it are warnings.
    with product(replace(config, log_level="warning"), quiet=False) as parts:
        services = built(lambda: parts.services)
        delivery, sender = services.text_delivery, _sender(services.sms, provider)
        prepare_schema(parts)
        parts.allowed.refresh()
        started = time.monotonic()
        try:
            sent = delivery.send_test(phone, message, sender)
        except SmsUnavailable as error:
            told = "Not sent." if error.not_sent else "It may have been sent, and is booked."
            fail(f"{told} {error.reason}")
        except SmsError as error:
            fail(f"Not sent. {error}")
        except (BadPhone, TooMany) as error:
            fail(f"Not sent. {REFUSALS.get(error.message, SPENT)}")
        ms = round((time.monotonic() - started) * 1000)
    say(f"{sent.provider} took it in {ms} ms, id {printable(sent.id)}")


def _message(config: Settings, phone: Phone, channel: Channel) -> TextMessage:
    text = f"This is a test from {config.sms_app_name}"
    code = "" if channel is Channel.SMS else TEST_CODE
    return TextMessage(phone.digits, f"{text} {code}".rstrip(), code=code, channel=channel)


def _sender(sender: SmsSender, provider: str) -> SmsSender:
    if not provider:
        return sender
    chosen = sender.only(provider)
    if chosen is None:
        names = ", ".join(each.name for each in sender.providers)
        fail(f"{printable(provider)} is none of SMS_PROVIDERS: {names}")
    return chosen

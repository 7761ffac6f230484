"""docs/sms.md is run: its configurations are accepted, and its provider of one's own sends."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from messenger_api.configuration import build
from messenger_api.gateways.sms import (
    SmsFraud,
    SmsRefused,
    SmsUnavailable,
    SmsWrongChannel,
    sender_from_settings,
)
from messenger_api.gateways.sms.configured import NAMES
from tests.gateways.gateway_standin import Gateway, gateway
from tests.gateways.twilio_standin import MESSAGE, NUMBER, TEXT

PAGE = (Path(__file__).parent.parent / "docs" / "sms.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
CONFIGURATIONS = [block for block in BLOCKS if block.startswith("SMS_PROVIDERS") and block.count("\n") > 1]
(EXAMPLE,) = (block for block in BLOCKS if "class " in block)


def keys(block: str) -> dict[str, object]:
    found: dict[str, object] = {}
    exec(block, {}, found)
    return {name.lower(): value for name, value in found.items()}


@pytest.mark.parametrize("block", CONFIGURATIONS)
def test_every_configuration_of_the_page_is_complete(block: str) -> None:
    values = keys(block)
    sender = sender_from_settings(build(**values))
    assert [provider.name for provider in sender.providers] == values["sms_providers"]
    sender.close()


def test_every_provider_of_ours_has_a_row_and_a_configuration() -> None:
    rows = set(re.findall(r"^\| `(\w+)` \| (?:we|Twilio) \|", PAGE, re.MULTILINE))
    shown = {str(name) for block in CONFIGURATIONS for name in keys(block)["sms_providers"]}  # type: ignore[attr-defined]
    assert rows == set(NAMES)
    assert shown | {"console"} == set(NAMES)


def test_every_kind_of_failure_is_explained() -> None:
    for kind in (SmsRefused, SmsFraud, SmsWrongChannel, SmsUnavailable):
        assert f"| `{kind.__name__}` |" in PAGE


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """The page's own provider, installed, and the gateway that it sends to."""
    (tmp_path / "sms_example.py").write_text(EXAMPLE)
    monkeypatch.syspath_prepend(tmp_path)
    with gateway(answer={"id": 4711}) as standin:
        monkeypatch.setenv("EXAMPLE_SMS_URL", standin.url)
        monkeypatch.setenv("EXAMPLE_SMS_KEY", "k")
        yield standin
    sys.modules.pop("sms_example", None)


def test_the_provider_of_ones_own_sends_word_for_word(example: Gateway) -> None:
    (path,) = set(re.findall(r'"(sms_example\.\w+)"', PAGE))
    sender = sender_from_settings(build(sms_providers=[path], sms_app_name="Chat"))
    sent = sender.send(MESSAGE)
    assert (sent.provider, sent.id) == ("example", "4711")
    (call,) = example.calls
    assert call.headers["authorization"] == "Bearer k"
    assert f'"to": "{NUMBER}"' in call.body.decode()
    assert TEXT in call.body.decode()
    assert '"sender": "Chat"' in call.body.decode()
    example.status = 422
    with pytest.raises(SmsRefused):
        sender.send(MESSAGE)
    example.status = 500
    with pytest.raises(SmsUnavailable):
        sender.send(MESSAGE)
    sender.close()


def test_the_provider_of_ones_own_is_short() -> None:
    lines = [line for line in EXAMPLE.split("class ")[1].splitlines() if line.strip()]
    assert len(lines) <= 20

"""docs/sms.md and the pages of providers: configurations are accepted, and a provider of one's own sends."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from messenger_api.configuration import build, load
from messenger_api.gateways.keys.sms_providers import NAMES
from messenger_api.gateways.sms import (
    SmsFraud,
    SmsRefused,
    SmsUnavailable,
    SmsWrongChannel,
    sender_from_settings,
)
from messenger_api.settings import SettingsError
from tests.gateways.gateway_standin import gateway
from tests.gateways.twilio_standin import MESSAGE, NUMBER, TEXT

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "sms.md").read_text()
OWN_PAGE = (DOCS / "do" / "own-sms-provider.md").read_text()


def python_blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page, re.DOTALL)


BLOCKS = [
    block for page in sorted((DOCS / "do").glob("sms-*.md")) for block in python_blocks(page.read_text())
]
CONFIGURATIONS = [block for block in BLOCKS if block.startswith("SMS_PROVIDERS")]
EXAMPLE = (DOCS / "examples" / "own_sms_provider.py").read_text()
(OWN_CONFIGURATION,) = (block for block in python_blocks(OWN_PAGE) if "\nEXAMPLE_SMS_" in block)
OWN_PATH = "own_sms_provider.ExampleProvider"


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
    rows = set(re.findall(r"^\| \[`(\w+)`\]\(do/sms-[\w-]+\.md\) \| (?:we|Twilio) \|", PAGE, re.MULTILINE))
    shown = {str(name) for block in CONFIGURATIONS for name in keys(block)["sms_providers"]}  # type: ignore[attr-defined]
    assert rows == set(NAMES)
    assert shown == set(NAMES)


def test_every_kind_of_failure_is_explained() -> None:
    for kind in (SmsRefused, SmsFraud, SmsWrongChannel, SmsUnavailable):
        assert f"| `{kind.__name__}` |" in OWN_PAGE


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder with the page's own provider, word for word, on Python's path."""
    (tmp_path / "own_sms_provider.py").write_text(EXAMPLE)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("own_sms_provider", None)


@pytest.mark.usefixtures("installed")
def test_the_provider_of_ones_own_sends_word_for_word() -> None:
    with gateway(answer={"id": 4711}) as standin:
        mine = {"example_sms_url": standin.url, "example_sms_key": "k", "sms_countries": "*"}
        sender = sender_from_settings(build(sms_providers=[OWN_PATH], sms_app_name="Chat", **mine))
        sent = sender.send(MESSAGE)
        assert (sent.provider, sent.id) == ("example", "4711")
        (call,) = standin.calls
        assert call.headers["authorization"] == "Bearer k"
        assert f'"to": "{NUMBER}"' in call.body.decode()
        assert TEXT in call.body.decode()
        assert '"sender": "Chat"' in call.body.decode()
        standin.status = 422
        with pytest.raises(SmsRefused):
            sender.send(MESSAGE)
        standin.status = 500
        with pytest.raises(SmsUnavailable):
            sender.send(MESSAGE)
        sender.close()


def test_its_keys_are_read_from_the_file_and_the_environment(installed: Path) -> None:
    file = installed / "config.py"
    file.write_text(OWN_CONFIGURATION)
    settings = load({"MESSENGER_CONFIG": str(file), "MESSENGER_EXAMPLE_SMS_KEY": "1e5"})
    keys = settings.of(importlib.import_module("own_sms_provider").ExampleKeys)
    assert (keys.example_sms_url, keys.example_sms_key) == ("https://sms.example.com/", "1e5")
    assert "1e5" not in repr(settings) + repr(keys)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"example_sms_key": "k"}, f"EXAMPLE_SMS_URL: required with the SMS provider {OWN_PATH}"),
        (
            {"example_sms_url": "gateway", "example_sms_key": "k"},
            "EXAMPLE_SMS_URL = 'gateway': accepted is a URL that begins with http:// or https://",
        ),
        (
            {"example_sms_url": "https://x.example.com/", "example_sms_key": ["hunter2"]},
            "EXAMPLE_SMS_KEY = ***: accepted is a text",
        ),
        (
            {"example_sms_url": "http://x.example.com/", "example_sms_key": "k"},
            "EXAMPLE_SMS_URL: accepted is an https URL, for the key goes along",
        ),
    ],
)
def test_its_keys_are_checked_as_ours_are(values: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        build(sms_providers=[OWN_PATH], **values)
    assert refused.value.faults == [told]


@pytest.mark.usefixtures("installed")
def test_its_keys_are_no_keys_where_it_is_not_used() -> None:
    with pytest.raises(SettingsError, match="EXAMPLE_SMS_KEY: there is no such key"):
        build(example_sms_key="k")


def test_a_provider_that_cannot_be_loaded_is_named_beside_what_may_be_its_keys() -> None:
    with pytest.raises(SettingsError) as refused:
        build(sms_providers=["no_such_module.Own"], own_key="k")
    told = ["SMS_PROVIDERS = 'no_such_module.Own': cannot be imported", "OWN_KEY: there is no such key"]
    assert [fault.startswith(each) for fault, each in zip(refused.value.faults, told, strict=True)] == [
        True
    ] * 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("@dataclass(frozen=True)", ""), "ExampleKeys lacks @dataclass(frozen=True)"),
        (("keys = ExampleKeys", "keys = str"), "its `keys` is no subclass of messenger_api.settings.Keys"),
        (("example_sms_key: str", "sms_text: str"), "SMS_TEXT: declared by own_sms_provider.ExampleKeys"),
    ],
)
def test_keys_that_are_declared_wrongly_are_a_fault(
    installed: Path, change: tuple[str, str], told: str
) -> None:
    (installed / "own_sms_provider.py").write_text(EXAMPLE.replace(*change))
    with pytest.raises(SettingsError) as refused:
        build(sms_providers=[OWN_PATH], example_sms_url="https://x.example.com/")
    assert told in str(refused.value)


def test_the_provider_of_ones_own_is_short() -> None:
    lines = [line for line in EXAMPLE.split("class ")[-1].splitlines() if line.strip()]
    assert len(lines) <= 20

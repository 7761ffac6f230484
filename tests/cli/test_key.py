"""Another SECRET_KEY than the data were made with stops the start, and the way back is named."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messenger_api import configuration
from messenger_api.app import create_app, parts_of
from messenger_api.composition import Parts
from messenger_api.services.installation import WRONG_KEY
from messenger_api.settings import SettingsError
from tests.cli.commands import Cli, Start
from tests.product import Product
from tests.servers import ROOT

pytestmark = pytest.mark.server

ANA = "14155550101"
OTHER = "another secret key, of the same length!!"
WAY_BACK = "Put the old key back"


def doctor(cli: Cli) -> tuple[str, str]:
    findings = {found["check"]: found for found in json.loads(cli.run("check", "--json").stdout)}
    return findings["secret key"]["state"], findings["secret key"]["found"]


@pytest.mark.parametrize("command", [("serve",), ("worker",)])
@pytest.mark.parametrize("accounts", [True, False])
def test_another_key_is_refused_by_every_start_and_found_by_the_doctor(
    installation: Product, keys: dict[str, str], start: Start, cli: Cli, command: tuple[str], accounts: bool
) -> None:
    if accounts:
        installation.log_in(ANA)  # without a fingerprint, as an older version leaves it
    else:
        installation.parts.installation.check_key()
    assert doctor(cli)[0] == "ok"
    wrong = {**keys, "MESSENGER_SECRET_KEY": OTHER}
    process = start(*command, **wrong)
    assert process.ends(60) == 1
    assert WAY_BACK in process.output()
    assert OTHER not in process.output()
    assert keys["MESSENGER_SECRET_KEY"] not in process.output()

    cli.environment.update(wrong)
    state, found = doctor(cli)
    assert state == "fault"
    assert WAY_BACK in found
    given = {name.removeprefix("MESSENGER_").lower(): value for name, value in wrong.items()}
    with pytest.raises(SettingsError, match=WAY_BACK):
        create_app(configuration.build(**{**given, "sandbox": True}))


def test_the_right_key_goes_on_and_leaves_its_fingerprint(installation: Product) -> None:
    installation.log_in(ANA)
    assert installation.rows("SELECT value FROM facts WHERE name = 'key'") == []
    installation.parts.installation.check_key()
    [(value,)] = installation.rows("SELECT value FROM facts WHERE name = 'key'")
    assert len(value) == 32
    installation.parts.installation.check_key()


def test_a_fingerprint_that_the_accounts_contradict_is_put_right(installation: Product) -> None:
    """An older version beside does not know of fingerprints: the accounts are the truth."""
    installation.log_in(ANA)
    with installation.services.database.engine.connect() as connection:
        connection.exec_driver_sql("INSERT INTO facts (name, value) VALUES ('key', 'of nobody')")
    installation.parts.installation.check_key()
    assert installation.rows("SELECT value FROM facts WHERE name = 'key'") != [("of nobody",)]


def test_of_two_keys_that_begin_a_database_at_once_one_is_refused(
    installation: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = configuration.build(
        sqlalchemy_database_uri=installation.parts.settings.sqlalchemy_database_uri,
        secret_key=OTHER,
        sandbox=True,
    )
    with closing(Parts.alone(keys)) as other:
        looked = installation.parts.installation.key_fits

        def overtaken() -> bool:
            fits = looked()
            other.installation.check_key()
            return fits

        monkeypatch.setattr(installation.parts.installation, "key_fits", overtaken)
        with pytest.raises(SettingsError, match=WAY_BACK):
            installation.parts.installation.check_key()
        assert other.installation.key_fits()


def test_what_is_said_of_a_key_leads_to_where_a_lost_one_may_be() -> None:
    with pytest.raises(SettingsError, match="needs the key that it had") as missing:
        configuration.build(db_host="db", sandbox=True)
    assert "docs/operations/secrets.md, Lost" in str(missing.value)
    assert "docs/operations/secrets.md, Lost" in WRONG_KEY
    assert "### Lost\n" in (ROOT / "docs" / "operations" / "secrets.md").read_text()


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(key=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=64))
def test_no_other_key_passes(tmp_path_factory: pytest.TempPathFactory, key: str) -> None:
    folder = tmp_path_factory.mktemp("key")
    uri = f"sqlite:///{folder / 'm.sqlite3'}"
    first = Product(uri, folder)
    first.log_in(ANA)
    first.close()
    second = Product(uri, folder, secret_key=key)
    assert not second.parts.installation.key_fits()
    second.close()


def test_a_key_file_that_is_gone_is_not_made_anew_where_there_are_accounts(tmp_path: Path) -> None:
    keys = {"instance_path": str(tmp_path / "instance"), "files_path": str(tmp_path / "f"), "sandbox": True}
    parts_of(create_app(configuration.build(**keys, files_tn_path=str(tmp_path / "f" / "tn")))).close()
    first = Product("", tmp_path, secret_key="", files_tn_path=str(tmp_path / "f" / "tn"))
    first.log_in(ANA)
    first.close()
    file = tmp_path / "instance" / "secret_key"
    kept = file.read_text()
    for damage in (file.unlink, lambda: file.write_text("")):
        damage()
        with pytest.raises(SettingsError, match="secret_key"):
            create_app(configuration.build(**keys, files_tn_path=str(tmp_path / "f" / "tn")))
        assert not file.exists() or not file.read_text()
    file.write_text(kept)
    parts_of(create_app(configuration.build(**keys, files_tn_path=str(tmp_path / "f" / "tn")))).close()

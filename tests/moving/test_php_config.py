"""`messenger-api move config`: config.py from the PHP demo's config.php, which is never run."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger_api import configuration
from messenger_api.moving.php_config import assignments
from tests.cli.commands import Cli

PHP = r"""<?php
/* $mesibo_apptoken = "of a comment"; */
// $db_host = "commented out";
$db_host = "db.example.com:3307";
$db_name = 'mesibo';
$db_user='php';  $db_pass = 'it\'s $ecret\\';
$google_map_key = "AIza";
$mesibo_apikey = "old";
$mesibo_apptoken  =  "app\"token";
$downloadurl = "https://appimages.example.com/";
$files_path = "../files/";
$files_tn_path = '/srv/tn';
$gcm_key = "";
$apn_pem = "x.pem";
$computed = getenv("HOME") . "/x";
system("touch ran");
"""


@pytest.fixture
def php(tmp_path: Path) -> Path:
    """The demo's folder."""
    folder = tmp_path / "www" / "api"
    folder.mkdir(parents=True)
    (folder / "config.php").write_text(PHP)
    return folder / "config.php"


def test_the_keys_are_taken_and_the_configuration_is_one_that_starts(cli: Cli, php: Path) -> None:
    told = cli.ok("move", "config", str(php), "--database", "chat")
    settings = configuration.load({})
    assert (settings.db_host, settings.db_port, settings.db_name) == ("db.example.com", 3307, "chat")
    assert (settings.db_user, settings.db_pass) == ("php", "it's $ecret\\")
    assert settings.mesibo_app_token == 'app"token'
    assert settings.google_map_key == "AIza"
    assert settings.download_url == "https://appimages.example.com/"
    assert settings.files_path == str(php.parent.parent / "files")
    assert settings.files_tn_path == "/srv/tn"
    assert len(settings.secret_key) == 64
    assert Path("config.py").stat().st_mode & 0o077 == 0
    assert "$mesibo_apikey: no longer needed" in told
    assert "$apn_pem: no longer needed" in told
    assert "$gcm_key" not in told
    assert "ecret" not in told
    assert not list(Path.cwd().rglob("ran"))


def test_the_file_above_wins(cli: Cli, php: Path) -> None:
    (php.parent.parent / "config.php").write_text('<?php\n$mesibo_apptoken = "above";\n')
    cli.ok("move", "config", str(php))
    settings = configuration.load({})
    assert (settings.mesibo_app_token, settings.google_map_key) == ("above", "AIza")


def test_a_config_py_that_is_there_stays(cli: Cli, php: Path) -> None:
    Path("config.py").write_text("# mine\n")
    refused = cli.run("move", "config", str(php))
    assert refused.exit_code == 1
    assert "stays as it is" in refused.output
    assert Path("config.py").read_text() == "# mine\n"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r")))
def test_texts_are_read_as_php_reads_them(text: str) -> None:
    single = text.replace("\\", "\\\\").replace("'", "\\'")
    double = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    assert assignments(f"<?php\n$a = '{single}';\n$b = \"{double}\";\n") == {"a": text, "b": text}

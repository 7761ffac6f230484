"""Tools of others read what is drawn: a linter of OpenAPI, a generator of types, the compiler of TypeScript.

scripts/install brings them, at the versions of package-lock.json; they ask nobody on the network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import requests

from messenger_api.reference.described import Reference
from messenger_api.reference.openapi import openapi, openapi_ops
from tests.servers import ProductServer

HERE = Path(__file__).parent
TOOLS = HERE / "node_modules" / ".bin"
# example.com, the linter says, is nobody's server.
SERVER = "https://chat.mesibo.test"
OFFLINE = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "CI": "true"}
LANGUAGES = {"typescript": "api.ts", "kotlin": "Api.kt", "swift": "Api.swift"}

pytestmark = pytest.mark.server


def node(*arguments: str | Path, folder: Path) -> str:
    """What a program says that node runs. Raises AssertionError: it failed."""
    program = [Path(sys.executable).with_name("node"), *arguments]
    environment = {**os.environ, **OFFLINE}
    done = subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def types(language: str, folder: Path) -> Path:
    """The types of all calls and answers, made by quicktype."""
    schemas, made = folder / "all.json", folder / LANGUAGES[language]
    schemas.write_bytes(msgspec.json.encode(Reference().schemas.document()))
    node(
        *(TOOLS / "quicktype", "--telemetry", "disable", "--src-lang", "schema"),
        *("--src", f"{schemas}#/$defs/", "--lang", language, "--out", made),
        folder=folder,
    )
    return made


@pytest.mark.parametrize("draw", [openapi, openapi_ops])
def test_a_linter_finds_nothing_in_openapi(draw: Callable[[Reference, str], object], tmp_path: Path) -> None:
    file = tmp_path / "openapi.json"
    file.write_bytes(msgspec.json.encode(draw(Reference(), SERVER)))
    told = node(TOOLS / "redocly", "lint", "--config", HERE / "redocly.yaml", file, folder=tmp_path)
    assert "Your API description is valid" in told
    assert "warning" not in told


def test_a_linter_finds_what_is_wrong(tmp_path: Path) -> None:
    broken = openapi(Reference(), SERVER)
    del broken["components"]["schemas"]["Failure"]
    file = tmp_path / "openapi.json"
    file.write_bytes(msgspec.json.encode(broken))
    with pytest.raises(AssertionError, match="no-unresolved-refs"):
        node(TOOLS / "redocly", "lint", "--config", HERE / "redocly.yaml", file, folder=tmp_path)


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        ("kotlin", ["data class LoginAnswer (", "data class UpdateText (", "val errmsg: String? = null"]),
        ("swift", ["struct LoginAnswer", "struct UpdateText", "errmsg: String?"]),
    ],
)
def test_types_of_other_languages_are_made(language: str, wanted: list[str], tmp_path: Path) -> None:
    made = types(language, tmp_path).read_text()
    assert [text for text in wanted if text not in made] == []


def test_a_program_with_the_types_for_typescript_logs_in(
    product_server: Callable[..., ProductServer], tmp_path: Path
) -> None:
    server = product_server()
    folder = tmp_path / "client"
    folder.mkdir()
    types("typescript", folder)
    for name in ("login.ts", "tsconfig.json"):
        shutil.copy(HERE / name, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(HERE / "node_modules")
    node(TOOLS / "tsc", "--project", folder, folder=folder)
    token = node(folder / "login.js", server.url, "14155550123", folder=folder).strip()
    call = {"op": "profile", "token": token}
    answer = requests.post(f"{server.url}/api.php", json=call, timeout=10).json()
    assert (answer["result"], answer["phone"]) == ("OK", "14155550123")

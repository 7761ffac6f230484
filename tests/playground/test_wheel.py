"""The wheel has all that the pages are made of."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.servers import ROOT

pytestmark = pytest.mark.server

MADE_FROM = ("setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")


def test_the_wheel_has_every_template_script_and_style(tmp_path: Path) -> None:
    source, made = tmp_path / "source", tmp_path / "made"
    shutil.copytree(
        ROOT / "messenger_api", source / "messenger_api", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in MADE_FROM:
        shutil.copy(ROOT / name, source / name)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        f"--wheel-dir={made}",
        str(source),
    ]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    with ZipFile(next(made.glob("*.whl"))) as wheel:
        packed = set(wheel.namelist())
    wanted = {
        path.relative_to(ROOT).as_posix()
        for folder in ("static", "templates", "sandbox/templates")
        for path in (ROOT / "messenger_api" / folder).rglob("*")
        if path.is_file()
    }
    assert "messenger_api/templates/playground/phones.html" in wanted
    wanted.add("messenger_api/reference/samples.json")
    assert wanted - packed == set()

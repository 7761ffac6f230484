"""A copy of what the guide is made of, in which a test may build it and break it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.servers import ROOT

# Of a checkout's folders, what neither pages nor the wheel are made of.
LEFT_OUT = {"build", "dist", "instance", "uploads"}
NOT_COPIED = shutil.ignore_patterns("__pycache__", "node_modules")


def checkout(folder: Path) -> Path:
    """The copy; the guide is not built there."""
    folder.mkdir(exist_ok=True)
    for path in ROOT.iterdir():
        if path.name.startswith(".") or path.name in LEFT_OUT or path.suffix == ".egg-info":
            continue
        if path.is_dir():
            shutil.copytree(path, folder / path.name, ignore=NOT_COPIED)
        else:
            shutil.copy(path, folder / path.name)
    shutil.rmtree(site_of(folder), ignore_errors=True)
    return folder


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the guide of a copy; what it printed, and its exit code."""
    program = [sys.executable, str(folder / "scripts" / "guide")]
    return subprocess.run(program, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def site_of(folder: Path) -> Path:
    """Where the guide of a copy is built."""
    return folder / "messenger_api" / "guide"

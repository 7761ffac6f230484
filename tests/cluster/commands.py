"""The product's commands, run as its operator runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.servers import ROOT


def machine_environment() -> dict[str, str]:
    """This machine's variables without the product's keys."""
    machine = {key: value for key, value in os.environ.items() if not key.startswith("MESSENGER_")}
    return {**machine, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def run_command(folder: Path, environment: Mapping[str, str], *arguments: str) -> str:
    """Run a command that must succeed; returns what it printed."""
    command = [sys.executable, "-m", "messenger_api", *arguments]
    environment = {**machine_environment(), **environment}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

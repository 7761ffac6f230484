"""The operator's commands, as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.servers import ROOT


def run_command(folder: Path, environment: Mapping[str, str], *arguments: str) -> str:
    """What `messenger-api` printed to standard output, whatever its exit code."""
    machine = {key: value for key, value in os.environ.items() if not key.startswith("MESSENGER_")}
    done = subprocess.run(
        [sys.executable, "-m", "messenger_api", *arguments],
        cwd=folder,
        env={**machine, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout

"""What the person who waits is told, on standard error."""

from __future__ import annotations

import sys
import time

_STARTED = time.monotonic()


def say(text: str, *, again: bool = False) -> None:
    """Say what is being done; `again` replaces the line on a terminal."""
    line = f"[{time.monotonic() - _STARTED:6.1f} s] {text}"
    on_terminal = sys.stderr.isatty()
    end = "\r" if again and on_terminal else "\n"
    sys.stderr.write(f"\x1b[K{line}{end}" if on_terminal else f"{line}{end}")
    sys.stderr.flush()

"""What other systems are told of this program's work, where the settings name them: traces, and faults.

Each stands on a library of its own, an extra: its file is loaded only where it is wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType

from structlog.typing import Processor

from messenger_api.domain.counting import Accumulator
from messenger_api.settings import Settings, SettingsError


def counting(settings: Settings, now: Callable[[], int]) -> Accumulator:
    """What counts in this process, and makes traces where OTEL_ENDPOINT is set. Raises SettingsError."""
    if not settings.otel_endpoint:
        return Accumulator(now)
    tracing: Accumulator = _loaded("traces", "OTEL_ENDPOINT", "otel").Tracing(now, settings.otel_endpoint)
    return tracing


def processors(settings: Settings) -> list[Processor]:
    """What the log needs to report faults: nothing where SENTRY_DSN is empty. Raises SettingsError."""
    return [_faults().reporting(settings.sentry_dsn)] if settings.sentry_dsn else []


def send_the_rest(settings: Settings) -> None:
    """Send the faults that are left, for a moment at most."""
    if settings.sentry_dsn:
        _faults().end()


def _faults() -> ModuleType:
    return _loaded("faults", "SENTRY_DSN", "sentry")


def _loaded(name: str, key: str, extra: str) -> ModuleType:
    try:
        return import_module(f"{__name__}.{name}")
    except ImportError as error:
        raise SettingsError([f"{key}: needs: pip install '.[{extra}]'"]) from error

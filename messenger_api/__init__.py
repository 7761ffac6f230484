"""The private API for mesibo's messenger apps.

`create_app()` builds the Flask application. It is looked up on first use, so that importing one room of
the package does not import all the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from messenger_api.version import VERSION

if TYPE_CHECKING:
    from messenger_api.app import create_app

__all__ = ["VERSION", "create_app"]


def __getattr__(name: str) -> Any:
    if name == "create_app":
        return import_module("messenger_api.app").create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

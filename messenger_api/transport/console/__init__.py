"""The console at /admin: pages for administrators, made on the server; each form works without script.

`screens` is the table of its screens, `pages` what they share, `access` who comes in.
"""

from __future__ import annotations

from messenger_api.transport.console.screens import console_blueprint

__all__ = ["console_blueprint"]

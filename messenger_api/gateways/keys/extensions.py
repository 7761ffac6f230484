"""What `EXTENSIONS` may name: none is ours."""

from __future__ import annotations

from messenger_api.gateways.plugins import Plugins

EXTENSIONS = Plugins("EXTENSIONS", "extension", {}, (), example="support.Support")

"""What `EXTENSIONS` may name."""

from __future__ import annotations

from messenger_api.gateways.plugins import Plugins
from messenger_api.settings.conversions import Unacceptable


class _Extensions(Plugins):
    """None is ours. One that cannot be imported is refused at every start: without it, ops are missing."""

    def refuse(self, name: str) -> None:
        """Raise Unacceptable for what cannot be imported."""
        try:
            self.load(name)
        except ValueError as error:
            reason = str(error).partition(f"{name!r}: ")[2]
            wanted = f"the dotted path of an Extension, such as {self.example}"
            raise Unacceptable(f"{wanted}; this one {reason}") from error


EXTENSIONS = _Extensions("EXTENSIONS", "extension", {}, (), example="support.Support")
